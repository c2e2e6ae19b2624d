"""The line of waiting dreams: a queue for asyncio that is fair between servers, and in each between people.

Servers take turns, each with one dream a round. A server's turn goes to one of its people: they take turns
too, each with one dream a round of their server. Somebody's next dream belongs to the round after their last
one, and never to a round that is already over; within a round it is first come, first served. So a newcomer
waits for at most one dream of each server, and in their own for one of each person who is there already: who
asks for many dreams delays only their own (hierarchical start-time fair queueing with a cost of one per
dream; Goyal, Vin and Cheng, 1996). Knows no database.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any


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


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a dream's place: from this the rounds are known again after a restart."""

    turn: Turn
    asked_at: float  # seconds since 1970, here and below
    moved_at: float | None  # a moderator moved it to the front
    served_at: float | None  # its turn came; None: it waits


class _Rounds:
    """In which round each one's next dream is."""

    def __init__(self) -> None:
        self.now = 0  # of the dream that left the line last
        self._last: dict[int, int] = {}  # one → the round of their last dream, of those not over

    def next(self, one: int) -> int:
        return max(self.now, self._last.get(one, -1) + 1)

    def serve(self, one: int, *, out_of_turn: bool = False) -> None:
        """Their next dream leaves the line; out of turn it counts for them and moves nobody else."""
        self._last[one] = self.next(one)
        if not out_of_turn:
            self.now = self._last[one]
            self._last = {each: last for each, last in self._last.items() if last >= self.now}

    def remembers(self, one: int) -> bool:
        return one in self._last


class _Lane:
    """One server's part of the line. An entry is (arrival, turn)."""

    def __init__(self) -> None:
        self.rounds = _Rounds()
        self.people: dict[int, deque[tuple[int, Turn]]] = {}
        self.front: deque[tuple[int, Turn]] = deque()  # moved there by moderators, the last one first
        self._order: list[tuple[int, Turn]] | None = None  # None: it changed since it was asked for

    def __bool__(self) -> bool:
        return bool(self.people or self.front)

    def next(self) -> tuple[int, Turn]:
        if self.front:
            return self.front[0]
        return min((self.rounds.next(person), *entries[0]) for person, entries in self.people.items())[1:]

    def order(self) -> list[tuple[int, Turn]]:
        """Everybody in it, the next one first."""
        if self._order is None:
            self._order = self._sorted()
        return self._order

    def _sorted(self) -> list[tuple[int, Turn]]:
        before = Counter(turn.person for _, turn in self.front)
        entries = sorted(
            (self.rounds.next(person) + before[person] + behind, arrival, turn)
            for person, entries in self.people.items()
            for behind, (arrival, turn) in enumerate(entries)
        )
        return [*self.front, *(entry[1:] for entry in entries)]

    def add(self, entry: tuple[int, Turn]) -> None:
        self.people.setdefault(entry[1].person, deque()).append(entry)
        self._order = None

    def to_front(self, turn: Turn) -> None:
        self.front.appendleft(self.drop(turn))

    def drop(self, turn: Turn) -> tuple[int, Turn]:
        """Take a turn out, wherever it stands."""
        self._order = None
        queue = self.front if any(turn == other for _, other in self.front) else self.people[turn.person]
        entry = next(entry for entry in queue if entry[1] == turn)
        queue.remove(entry)
        if not self.people.get(turn.person, True):
            del self.people[turn.person]
        return entry

    def serve(self, turn: Turn) -> None:
        """Its turn came: it is charged and leaves."""
        out_of_turn = any(turn == other for _, other in self.front)
        self.drop(turn)
        self.rounds.serve(turn.person, out_of_turn=out_of_turn)


class Turns(asyncio.Queue[Turn]):
    """`put_nowait(turn)` and `await get()` as usual, more besides; each dream stands in line once."""

    def _init(self, maxsize: int) -> None:
        self._queue: dict[int, Turn] = {}  # those that may begin; asyncio.Queue asks whether it is empty
        self._turns: dict[int, Turn] = {}  # all, by dream
        self._lanes: dict[int, _Lane] = {}  # by server
        self._rounds = _Rounds()  # of the servers
        self._held: set[int] = set()  # servers whose dreams may not begin
        self._arrivals = count()

    def _put(self, item: Turn) -> None:
        if item.dream_id not in self._turns:
            self._turns[item.dream_id] = item
            self._lanes.setdefault(item.server, _Lane()).add((next(self._arrivals), item))
        if item.server not in self._held:
            self._queue[item.dream_id] = item

    def _get(self) -> Turn:
        *_, turn = min(
            (self._rounds.next(server), *lane.next())
            for server, lane in self._lanes.items()
            if lane and server not in self._held
        )
        self.serve(turn.dream_id)
        return turn

    def serve(self, dream_id: int) -> None:
        """Let this waiting dream's turn have come, whoever's it was: its server and person are charged."""
        turn = self._turns.pop(dream_id)
        self._queue.pop(dream_id, None)
        self._lanes[turn.server].serve(turn)
        self._rounds.serve(turn.server)
        self._lanes = {s: lane for s, lane in self._lanes.items() if lane or self._rounds.remembers(s)}

    def put_back(self, turn: Turn) -> None:
        """Its turn came, but nothing could be done with it: it is its server's next one again."""
        self.put_nowait(turn)
        self.move_to_front(turn.dream_id)

    def remove(self, dream_id: int) -> bool:
        """Take a dream out of the line. True if it stood there."""
        turn = self._turns.pop(dream_id, None)
        if turn is None:
            return False
        self._queue.pop(dream_id, None)
        self._lanes[turn.server].drop(turn)
        return True

    def move_to_front(self, dream_id: int) -> bool:
        """Make a dream its server's next one; other servers wait no longer for it. True if it waits."""
        turn = self._turns.get(dream_id)
        if turn is None:
            return False
        self._lanes[turn.server].to_front(turn)
        return True

    def hold(self, server: int) -> None:
        """Let no dream of this server begin; its line stays as it is."""
        self._held.add(server)
        self._queue = {d: turn for d, turn in self._queue.items() if turn.server != server}

    def release(self, server: int) -> None:
        """Let this server's dreams begin again."""
        if server in self._held:
            self._held.discard(server)
            for turn in [turn for turn in self._turns.values() if turn.server == server]:
                self.put_nowait(turn)  # which wakes whoever waits for a turn

    def order(self) -> list[Turn]:
        """Everybody in line whose dream may begin, the next one first."""
        entries = sorted(
            (self._rounds.next(server) + behind, arrival, turn)
            for server, lane in self._lanes.items()
            if server not in self._held
            for behind, (arrival, turn) in enumerate(lane.order())
        )
        return [turn for _, _, turn in entries]

    def order_of(self, server: int) -> list[Turn]:
        """One server's line, held or not, its next one first."""
        lane = self._lanes.get(server)
        return [turn for _, turn in lane.order()] if lane else []

    def places(self) -> dict[int, int]:
        """The place of each waiting dream that may begin, 1 for the next one."""
        return {turn.dream_id: place for place, turn in enumerate(self.order(), start=1)}

    def place(self, dream_id: int) -> int | None:
        """The place of a waiting dream, as `places` says, without a look at every other one's."""
        turn = self._queue.get(dream_id)
        if turn is None:
            return None
        own = self._lanes[turn.server].order()
        behind = next(index for index, entry in enumerate(own) if entry[1] == turn)
        round_, arrival = self._rounds.next(turn.server) + behind, own[behind][0]
        before = 0
        for server, lane in self._lanes.items():
            if server not in self._held:
                order = lane.order()  # its first one is in this server's next round, each other one behind
                earlier = min(max(0, round_ - self._rounds.next(server)), len(order))
                same = earlier < len(order) and self._rounds.next(server) + earlier == round_
                before += earlier + (same and order[earlier][0] < arrival)
        return before + 1

    def waiting(self, *, person: int | None = None, server: int | None = None) -> int:
        """How many dreams are in line: all, a person's, a server's, a person's in a server."""
        return sum(
            person in (None, turn.person) and server in (None, turn.server) for turn in self._turns.values()
        )

    def dreams(self) -> set[int]:
        """Every dream in line."""
        return set(self._turns)

    def is_held(self, server: int) -> bool:
        return server in self._held

    def __contains__(self, dream_id: int) -> bool:
        return dream_id in self._turns

    def rebuild(self, history: Iterable[Past]) -> None:
        """Live through it again, so that a restart lets nobody have two turns in one round."""
        events: list[tuple[float, int, int]] = []  # when, what, which dream
        turns: dict[int, Turn] = {}
        for past in history:
            turns[past.turn.dream_id] = past.turn
            for what, when in enumerate((past.asked_at, past.moved_at, past.served_at)):
                if when is not None:
                    events.append((max(when, past.asked_at), what, past.turn.dream_id))
        for _, what, dream_id in sorted(events):
            if what == 0:
                self.put_nowait(turns[dream_id])
            elif what == 1:
                self.move_to_front(dream_id)
            else:
                self.serve(dream_id)
