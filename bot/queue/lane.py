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


_ROUND = 40  # bits of a place below its round: those of an arrival
_ARRIVAL = (1 << _ROUND) - 1


class Lane:
    """Live. Who is in it is named by their arrival: in which order they came, 0 and up.

    In a long line of direct messages there are many lanes, each of one person: there nothing is sorted.
    """

    __slots__ = ("_front", "_fronted", "_people", "_rounds", "_size", "_sorted")

    def __init__(self) -> None:
        self._rounds = Rounds()
        self._people: dict[int, list[int]] = {}  # all but the front, in the order in which they came
        self._front: dict[int, int] = {}  # by dream; moved there by moderators, the last one is first
        self._fronted: dict[int, int] = {}  # how many of these are whose
        self._size = 0
        # The places of all but the front: the person's round, then who came first, as one number, of which
        # a hundred thousand are sorted soon. None: to be sorted anew.
        self._sorted: list[int] | None = None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        """Everybody in it, the next one first."""
        yield from reversed(self._front.values())
        alone = self._alone()
        yield from alone if alone is not None else (place & _ARRIVAL for place in self._order())

    def first(self, most: int) -> list[int]:
        """So many of them, the next one first."""
        return list(islice(self, most))

    def arrival(self, behind: int) -> int:
        """Who has so many before."""
        if behind < len(self._front):
            return next(islice(reversed(self._front.values()), behind, None))
        behind -= len(self._front)
        alone = self._alone()
        return alone[behind] if alone is not None else self._order()[behind] & _ARRIVAL

    def behind(self, arrival: int, turn: Turn) -> int:
        """How many come before this one, who is in it."""
        if turn.dream_id in self._front:
            return list(reversed(self._front)).index(turn.dream_id)
        index = self._index(arrival, turn)
        if self._alone() is None:
            index = bisect_left(self._order(), self._place(turn.person, index, arrival))
        return len(self._front) + index

    def waiting(self, person: int) -> int:
        """How many of a person's dreams are in it."""
        return len(self._people.get(person, ())) + self._fronted.get(person, 0)

    def add(self, arrival: int, turn: Turn) -> None:
        """Somebody came, later than all who are in it."""
        theirs = self._people.setdefault(turn.person, [])
        theirs.append(arrival)
        self._size += 1
        self._put_in(turn.person, len(theirs) - 1)

    def to_front(self, arrival: int, turn: Turn) -> None:
        """Make it the next one."""
        if self._front.pop(turn.dream_id, None) is None:
            self._take_out(turn.person)
            self._pop(arrival, turn)
            self._fronted[turn.person] = self._fronted.get(turn.person, 0) + 1
            self._put_in(turn.person)
        self._front[turn.dream_id] = arrival

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

    def _alone(self) -> list[int] | None:
        """All but the front, if they are one person's: then they stand as they came."""
        return next(iter(self._people.values())) if len(self._people) == 1 else None

    def _order(self) -> list[int]:
        if self._sorted is None:
            places: list[int] = []
            for person in self._people:
                places += self._places(person)
            places.sort()  # what is sorted already, as each one's are, costs little
            self._sorted = places
        return self._sorted

    def _round(self, person: int) -> int:
        """In which round the first of their dreams is that is not at the front."""
        return self._rounds.next(person) + self._fronted.get(person, 0)

    def _index(self, arrival: int, turn: Turn) -> int:
        """Which of its person's dreams that are not at the front it is."""
        return bisect_left(self._people[turn.person], arrival)

    def _place(self, person: int, index: int, arrival: int) -> int:
        return self._round(person) + index << _ROUND | arrival

    def _places(self, person: int, start: int = 0) -> list[int]:
        """Of a person's dreams from this one on."""
        theirs = self._people.get(person, [])
        rounds = enumerate(theirs[start:] if start else theirs, start=self._round(person) + start)
        return [round_ << _ROUND | arrival for round_, arrival in rounds]

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

    def _moving(self, person: int, start: int) -> list[int]:
        """Where a person's dreams from this one on stand, if they are few and not alone."""
        many = len(self._people.get(person, ())) - start > SHIFTED
        if self._sorted is None or many or len(self._people) == 1:
            self._sorted = None
            return []
        return self._places(person, start)

    def _take_out(self, person: int, start: int = 0) -> None:
        for place in self._moving(person, start):
            assert self._sorted is not None
            del self._sorted[bisect_left(self._sorted, place)]

    def _put_in(self, person: int, start: int = 0) -> None:
        for place in self._moving(person, start):
            assert self._sorted is not None
            insort(self._sorted, place)
