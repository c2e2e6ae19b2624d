"""One server's part of the line: its people take turns, and moderators may move a dream to its front.

Whatever happens to one dream costs little, however many wait: what is sorted is kept so. See
`bot.queue.fair_queue` for the rule.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

SHIFTED = 64  # of a person's dreams that change their round at once; of more the whole lane is sorted anew
FORGOTTEN = 2  # who are looked at with each turn, so that nobody is remembered for long in vain


def server_of(guild_id: int | None, person: int) -> int:
    """Where a person's dreams stand in line: a direct message is a server of its own, numbered below zero."""
    return -person if guild_id is None else guild_id


@dataclass(frozen=True, slots=True)
class Turn:
    """One place in the line."""

    dream_id: int
    person: int
    server: int = 0  # as `server_of` numbers it

    @classmethod
    def of(cls, dream: Any) -> "Turn":
        """From whatever has a dream's `id`, `author_id` and `guild_id`."""
        return cls(dream.id, dream.author_id, server_of(dream.guild_id, dream.author_id))


class Rounds:
    """In which round each one's next dream is."""

    __slots__ = ("_last", "now")

    def __init__(self) -> None:
        self.now = 0  # of the dream that left the line last
        # One → the round of their last dream; of rounds that are over a few are left.
        self._last: OrderedDict[int, int] = OrderedDict()

    def next(self, one: int) -> int:
        return max(self.now, self._last.get(one, -1) + 1)

    def serve(self, one: int, *, out_of_turn: bool = False) -> None:
        """Their next dream leaves the line; out of turn it counts for them and moves nobody else."""
        self._last[one] = self.next(one)
        if not out_of_turn:
            self.now = self._last[one]
        for _ in range(min(FORGOTTEN, len(self._last))):
            other = next(iter(self._last))
            if self.remembers(other):
                self._last.move_to_end(other)
            else:
                del self._last[other]

    def remembers(self, one: int) -> bool:
        """Whether their last dream is of a round that is not over."""
        return self._last.get(one, -1) >= self.now


Arrived = tuple[int, Turn]  # in which order they came
_Placed = tuple[int, int, Turn]  # the person's round, then who came first


class Lane:
    """Live. In a long line of direct messages there are many of them."""

    __slots__ = ("_front", "_fronted", "_people", "_rounds", "_size", "_sorted")

    def __init__(self) -> None:
        self._rounds = Rounds()
        self._people: dict[int, list[Arrived]] = {}  # in the order in which they came
        self._front: dict[int, Arrived] = {}  # by dream; moved there by moderators, the last one is first
        self._fronted: dict[int, int] = {}  # how many of these are whose
        self._size = 0
        self._sorted: list[_Placed] | None = None  # all but the front; None: to be sorted anew

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Arrived]:
        """Everybody in it, the next one first."""
        yield from reversed(self._front.values())
        for _, arrival, turn in self._order():
            yield arrival, turn

    def first(self, most: int) -> list[Arrived]:
        """So many of them, the next one first."""
        return list(islice(self, most))

    def arrival(self, behind: int) -> int:
        """When the one came who has so many before."""
        if not self._front and self._sorted is not None:
            return self._sorted[behind][1]
        if behind < len(self._front):
            return next(islice(reversed(self._front.values()), behind, None))[0]
        return self._order()[behind - len(self._front)][1]

    def behind(self, arrival: int, turn: Turn) -> int:
        """How many come before this one, who is in it."""
        if turn.dream_id in self._front:
            return list(reversed(self._front)).index(turn.dream_id)
        return len(self._front) + bisect_left(self._order(), self._place(arrival, turn))

    def waiting(self, person: int) -> int:
        """How many of a person's dreams are in it."""
        return len(self._people.get(person, ())) + self._fronted.get(person, 0)

    def add(self, arrival: int, turn: Turn) -> None:
        """Somebody came, later than all who are in it."""
        theirs = self._people.setdefault(turn.person, [])
        theirs.append((arrival, turn))
        self._size += 1
        self._put_in(turn.person, len(theirs) - 1)

    def to_front(self, arrival: int, turn: Turn) -> None:
        """Make it the next one."""
        if self._front.pop(turn.dream_id, None) is None:
            self._take_out(turn.person)
            self._pop(arrival, turn)
            self._fronted[turn.person] = self._fronted.get(turn.person, 0) + 1
            self._put_in(turn.person)
        self._front[turn.dream_id] = arrival, turn

    def drop(self, arrival: int, turn: Turn) -> None:
        """Take one out, wherever it stands."""
        self._size -= 1
        index = 0 if turn.dream_id in self._front else self._index(arrival, turn)
        self._take_out(turn.person, index)
        self._leave(arrival, turn)
        self._put_in(turn.person, index)

    def serve(self, arrival: int, turn: Turn) -> None:
        """Its turn came: it is charged and leaves."""
        is_next = self._sorted is not None and self.behind(arrival, turn) == 0
        out_of_turn = turn.dream_id in self._front
        self._size -= 1
        self._leave(arrival, turn)
        self._rounds.serve(turn.person, out_of_turn=out_of_turn)
        if self._sorted is None or not is_next:
            self._sorted = None
        elif not out_of_turn:
            # Nobody else's round changes: the person's next dream is one place nearer, and one round later.
            del self._sorted[0]

    def _order(self) -> list[_Placed]:
        if self._sorted is None:
            self._sorted = sorted(
                (round_, arrival, turn)
                for person, theirs in self._people.items()
                for round_, (arrival, turn) in enumerate(theirs, start=self._round(person))
            )
        return self._sorted

    def _round(self, person: int) -> int:
        """In which round the first of their dreams is that is not at the front."""
        return self._rounds.next(person) + self._fronted.get(person, 0)

    def _index(self, arrival: int, turn: Turn) -> int:
        """Which of its person's dreams that are not at the front it is."""
        return bisect_left(self._people[turn.person], arrival, key=lambda entry: entry[0])

    def _place(self, arrival: int, turn: Turn) -> tuple[int, int]:
        return self._round(turn.person) + self._index(arrival, turn), arrival

    def _leave(self, arrival: int, turn: Turn) -> None:
        if self._front.pop(turn.dream_id, None) is None:
            self._pop(arrival, turn)
        else:
            self._fronted[turn.person] -= 1
            if not self._fronted[turn.person]:
                del self._fronted[turn.person]

    def _pop(self, arrival: int, turn: Turn) -> None:
        theirs = self._people[turn.person]
        del theirs[self._index(arrival, turn)]
        if not theirs:
            del self._people[turn.person]

    def _moving(self, person: int, start: int) -> list[_Placed]:
        """Where a person's dreams from this one on stand, if they are few."""
        theirs = self._people.get(person, [])
        if self._sorted is None or len(theirs) - start > SHIFTED:
            self._sorted = None
            return []
        return [
            (round_, *entry) for round_, entry in enumerate(theirs[start:], start=self._round(person) + start)
        ]

    def _take_out(self, person: int, start: int = 0) -> None:
        for place in self._moving(person, start):
            assert self._sorted is not None
            del self._sorted[bisect_left(self._sorted, place)]

    def _put_in(self, person: int, start: int = 0) -> None:
        for place in self._moving(person, start):
            assert self._sorted is not None
            insort(self._sorted, place)
