"""Where each waiting dream stands: its place, who is before, when it will be ready.

People are named only to whoever may know where they dream; all others are counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from itertools import islice
from math import inf

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
    running: Sequence[Dream],
    free: Sequence[float | None],
    seconds: Callable[[Dream], float | None],
    names: Callable[[Dream, Dream], bool] = _same_server,
) -> dict[int, QueuePosition]:
    """Of everybody in line, whose next one begins as soon as an engine is free.

    `running`: the dreams in hand; `free`: when each engine can begin another one (seconds since 1970), None
    where nothing tells: then another one's time is promised, which is the latest. `seconds`: that a dream
    takes. `names`: whether the message of one waiting dream may say who dreams another one.
    """
    found: dict[int, QueuePosition] = {}
    engines = [inf if at is None else at for at in free] or [inf]  # infinite: nobody knows
    heapify(engines)
    people = {dream.author_id for dream in running}
    before = _Before()
    for dream in running:
        before.add(dream)
    for place, turn in enumerate(order, start=1):
        waiting = dreams.get(turn.dream_id)
        takes = seconds(waiting) if waiting is not None else None
        at = engines[0] + (inf if takes is None else takes)
        heapreplace(engines, at)
        named = before.named(waiting, names) if waiting is not None else []
        others = len(people) - (turn.person in people) - len(named)
        found[turn.dream_id] = QueuePosition(place, tuple(named), others, None if at == inf else at)
        people.add(turn.person)
        if waiting is not None:
            before.add(waiting)
    return found
