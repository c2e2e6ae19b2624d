"""The line of waiting dreams: a queue for asyncio whose order is fair between people. Knows no database.

Each dream belongs to a round: a person's next dream to the next round after their last one, and never to a
round that is already over. Rounds are dreamt one after the other, within a round first come, first served.
So people alternate, and a newcomer waits for at most one dream of each person who is there already
(start-time fair queueing with a cost of one per dream; Goyal, Vin and Cheng, 1996).
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Turn:
    """One place in the line."""

    dream_id: int
    person: int


class Turns(asyncio.Queue[Turn]):
    """`put_nowait(turn)` and `await get()` as usual, `remove` and `places` besides; each dream once."""

    def _init(self, maxsize: int) -> None:
        self._queue: dict[int, int] = {}  # dream → person; asyncio.Queue asks whether it is empty
        self._waiting: dict[int, deque[tuple[int, Turn]]] = {}  # person → their (arrival, turn), in order
        self._last_round: dict[int, int] = {}  # person → the round of their last dream that left the line
        self._round = 0  # of the dream that left the line last
        self._arrivals = count()

    def _put(self, item: Turn) -> None:
        if item.dream_id not in self._queue:
            self._queue[item.dream_id] = item.person
            self._waiting.setdefault(item.person, deque()).append((next(self._arrivals), item))

    def _get(self) -> Turn:
        self._round, _, turn = min(
            (self._first_round(person), turns[0][0], turns[0][1]) for person, turns in self._waiting.items()
        )
        self._last_round[turn.person] = self._round
        self._last_round = {p: r for p, r in self._last_round.items() if r >= self._round}
        self.remove(turn.dream_id)
        return turn

    def remove(self, dream_id: int) -> bool:
        """Take a dream out of the line. True if it stood there."""
        person = self._queue.pop(dream_id, None)
        if person is None:
            return False
        left = deque(entry for entry in self._waiting[person] if entry[1].dream_id != dream_id)
        if left:
            self._waiting[person] = left
        else:
            del self._waiting[person]
        return True

    def order(self) -> list[Turn]:
        """Everybody in line, the next one first."""
        entries = [
            (self._first_round(person) + behind, arrival, turn)
            for person, turns in self._waiting.items()
            for behind, (arrival, turn) in enumerate(turns)
        ]
        return [turn for _, _, turn in sorted(entries, key=lambda entry: entry[:2])]

    def places(self) -> dict[int, int]:
        """Each waiting dream's place, 1 for the next one."""
        return {turn.dream_id: place for place, turn in enumerate(self.order(), start=1)}

    def waiting(self, person: int) -> int:
        """How many dreams this person has in line."""
        return len(self._waiting.get(person, ()))

    def __contains__(self, dream_id: int) -> bool:
        return dream_id in self._queue

    def _first_round(self, person: int) -> int:
        return max(self._round, self._last_round.get(person, -1) + 1)
