"""Where each waiting dream stands: its place, who is before, when it will be ready.

People are named only to whoever may know where they dream; all others are counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bot.dreams.dream import Dream
from bot.queue.lane import Turn

NAMED = 5  # people before, by name
LOOKED = 50  # people before who are looked at for it
DRIFT = 0.2  # of the time that is left: a smaller change of the promise is not worth an edit
DRIFT_S = 20.0  # seconds, likewise


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Of one waiting dream."""

    place: int | None = None  # 1 comes next; None: it does not move
    before: tuple[int, ...] = ()  # whose dreams come before it, each person once, at most `NAMED`
    others: int = 0  # people before it who are not named: too many, or elsewhere
    ready_at: float | None = None  # seconds since 1970; None: there is nothing measured to say it by

    def differs(self, other: "QueuePosition", now: float) -> bool:
        """Whether it is worth an edit to show the other one instead."""
        if (self.place, self.before, self.others) != (other.place, other.before, other.others):
            return True
        if self.ready_at is None or other.ready_at is None:
            return self.ready_at != other.ready_at
        moved = abs(self.ready_at - other.ready_at)
        return moved > max(DRIFT_S, DRIFT * (other.ready_at - now))


NOWHERE = QueuePosition()


def _same_server(one: Dream, other: Dream) -> bool:
    return one.guild_id == other.guild_id


class _Before:
    """Whose dreams come first, server by server: a dream for each channel that somebody dreams in."""

    def __init__(self) -> None:
        self._servers: dict[int | None, dict[int, dict[int, Dream]]] = {}
        self._asked: dict[tuple[int, int], bool] = {}  # the reader's channel, another one → names its people

    def add(self, dream: Dream) -> None:
        people = self._servers.setdefault(dream.guild_id, {})
        if dream.author_id in people or len(people) < LOOKED:
            people.setdefault(dream.author_id, {}).setdefault(dream.channel_id, dream)

    def named(self, reader: Dream, names: Callable[[Dream, Dream], bool]) -> list[int]:
        """At most `NAMED` others whom this one's message may name."""
        people = self._servers.get(reader.guild_id, {})
        found = (
            person
            for person, theirs in people.items()
            if person != reader.author_id
            and any(self._may(names, reader, dream) for dream in theirs.values())
        )
        return list(islice(found, NAMED))

    def _may(self, names: Callable[[Dream, Dream], bool], reader: Dream, other: Dream) -> bool:
        """Asked once for two channels: lines are long, and permissions take their time."""
        channels = reader.channel_id, other.channel_id
        if channels not in self._asked:
            self._asked[channels] = names(reader, other)
        return self._asked[channels]


def positions(
    order: Sequence[Turn],
    dreams: Mapping[int, Dream],
    *,
    running: Dream | None,
    running_s: float | None,
    seconds: Callable[[Dream], float | None],
    now: float,
    names: Callable[[Dream, Dream], bool] = _same_server,
) -> dict[int, QueuePosition]:
    """Of everybody in line. `running_s`: seconds that the dream in hand still takes; None: unknown.

    `names`: whether the message of one waiting dream may say who dreams another one.
    """
    found: dict[int, QueuePosition] = {}
    at = now if running is None else (None if running_s is None else now + running_s)
    people = {running.author_id} if running is not None else set()
    before = _Before()
    if running is not None:
        before.add(running)
    for place, turn in enumerate(order, start=1):
        dream = dreams.get(turn.dream_id)
        takes = seconds(dream) if dream is not None else None
        at = None if at is None or takes is None else at + takes
        named = before.named(dream, names) if dream is not None else []
        others = len(people) - (turn.person in people) - len(named)
        found[turn.dream_id] = QueuePosition(place, tuple(named), others, at)
        people.add(turn.person)
        if dream is not None:
            before.add(dream)
    return found
