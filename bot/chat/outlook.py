"""What a waiting dream's message says: its place, who is before, when it will be ready."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.dreams import Dream
from bot.turns import Turn

NAMED = 5  # people before, by name
DRIFT = 0.2  # of the time that is left: a smaller change of the promise is not worth an edit
DRIFT_S = 20.0  # seconds, likewise


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of one waiting dream."""

    place: int | None = None  # 1 comes next; None: it does not move
    before: tuple[int, ...] = ()  # whose dreams come before it, each person once, at most `NAMED`
    others: int = 0  # people before it who are not named
    ready_at: float | None = None  # seconds since 1970; None: there is nothing measured to say it by

    def differs(self, other: "Outlook", now: float) -> bool:
        """Whether it is worth an edit to show the other one instead."""
        if (self.place, self.before, self.others) != (other.place, other.before, other.others):
            return True
        if self.ready_at is None or other.ready_at is None:
            return self.ready_at != other.ready_at
        moved = abs(self.ready_at - other.ready_at)
        return moved > max(DRIFT_S, DRIFT * (other.ready_at - now))


NOWHERE = Outlook()


def outlooks(
    order: Sequence[Turn],
    dreams: Mapping[int, Dream],
    *,
    running: Dream | None,
    running_s: float | None,
    seconds: Callable[[Dream], float | None],
    now: float,
) -> dict[int, Outlook]:
    """Of everybody in line. `running_s`: seconds that the dream in hand still takes; None: unknown."""
    found: dict[int, Outlook] = {}
    at = now if running is None else (None if running_s is None else now + running_s)
    people = {running.author_id} if running is not None else set()
    first = list(people)  # those who come first, each once: enough to name `NAMED` beside oneself
    for place, turn in enumerate(order, start=1):
        dream = dreams.get(turn.dream_id)
        takes = seconds(dream) if dream is not None else None
        at = None if at is None or takes is None else at + takes
        named = [person for person in first if person != turn.person][:NAMED]
        others = len(people) - (turn.person in people) - len(named)
        found[turn.dream_id] = Outlook(place, tuple(named), others, at)
        if turn.person not in people:
            people.add(turn.person)
            if len(first) <= NAMED:
                first.append(turn.person)
    return found
