"""One dream's events that have come and were not fetched yet."""

from collections import deque
from dataclasses import replace

from engine.protocol import Event, Progress


class Backlog:
    """At most a few: of progress that nobody fetched one is left, with the newest picture and state."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()

    def __len__(self) -> int:
        return len(self._events)

    def clear(self) -> None:
        """Forget them."""
        self._events.clear()

    def take(self) -> Event:
        """The first one. There must be one."""
        return self._events.popleft()

    def keep(self, event: Event) -> None:
        """Another one has come."""
        last = self._events[-1] if self._events else None
        if isinstance(event, Progress) and isinstance(last, Progress):
            newest = {name: getattr(event, name) or getattr(last, name) for name in ("picture", "state")}
            self._events[-1] = replace(event, **newest)
        else:
            self._events.append(event)
