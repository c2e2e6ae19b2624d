"""The line of waiting dreams: a queue for asyncio that is fair between servers, and in each between people.

Servers take turns, each with one dream a round. A server's turn goes to one of its people: they take turns
too, each with one dream a round of their server. Somebody's next dream belongs to the round after their last
one, and never to a round that is already over; within a round it is first come, first served. So a newcomer
waits for at most one dream of each server, and in their own for one of each person who is there already: who
asks for many dreams delays only their own (hierarchical start-time fair queueing with a cost of one per
dream; Goyal, Vin and Cheng, 1996). Knows no database.

What is asked of one dream costs about the same, however many wait: `Lane` keeps each server's order, and
here the first `NEAR` of each server are kept sorted by round. So a place is counted, not looked for.
"""

import asyncio
from bisect import bisect_left, insort
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import NamedTuple

from bot.queue.lane import FORGOTTEN, Lane, Rounds, Turn

NEAR = 32  # of a server's dreams; so many change their round at once, and so few servers have more
FEW = 64  # newcomers of a round who are sorted in one by one
PART = 1000  # numbers of dreams that are compared together with what the database says
BITE = 500  # of what is lived through again at once


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a dream's place: from this the rounds are known again after a restart."""

    turn: Turn
    asked_at: float  # seconds since 1970, here and below
    moved_at: float | None  # a moderator moved it to the front
    served_at: float | None  # its turn came; None: it waits


class Sum(NamedTuple):
    """Of the dreams of a part of the line."""

    size: int
    total: int  # of their numbers


@dataclass(slots=True)
class _Seen:
    """What the rounds know of a server's lane."""

    round: int  # of its first dream; each other one's is one later than that of the one before
    lane: Lane
    size: int
    near: list[int]  # arrivals of its first ones

    def rounds(self) -> Iterator[tuple[int, int]]:
        """Of each of these: its round, its arrival."""
        return enumerate(self.near, start=self.round)


class _Schedule:
    """Whose dreams may begin, by round. When somebody asks, lanes that changed are looked at again."""

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds  # of the servers
        self._lanes: dict[int, Lane] = {}  # by server
        self._changed: set[int] = set()
        self._seen: dict[int, _Seen] = {}  # by server, of those where somebody waits
        self._sizes: dict[int, Counter[int]] = defaultdict(Counter)  # by first round: how many of which size
        self._near: dict[int, list[int]] = defaultdict(list)  # by round: arrivals, sorted
        self._long: dict[int, _Seen] = {}  # of these servers those with more than `NEAR`

    def set(self, server: int, lane: Lane | None) -> None:
        """It has this lane now, or changed it; None: none of its dreams may begin."""
        if lane is None:
            self._lanes.pop(server, None)
        else:
            self._lanes[server] = lane
        self._changed.add(server)

    def next(self) -> int:
        """The arrival of the next one. Somebody must be there."""
        self._update()
        return self._near[min(self._near)][0]

    def __iter__(self) -> Iterator[int]:
        """Everybody's arrival, the next one first. Nothing may change meanwhile."""
        self._update()
        last = max((first + max(sizes) for first, sizes in self._sizes.items()), default=0)
        for round_ in range(min(self._sizes, default=0), last):
            near, far = self._near.get(round_, []), self._far(round_)
            yield from sorted(near + far) if far else near

    def before(self, server: int, behind: int, arrival: int) -> int:
        """How many come before somebody who has so many of their own server before."""
        self._update()
        round_ = self._seen[server].round + behind
        earlier = 0
        for first, sizes in self._sizes.items():
            most = max(0, round_ - first)
            earlier += sum(min(most, size) * servers for size, servers in sizes.items())
        same = bisect_left(self._near.get(round_, ()), arrival)
        return earlier + same + sum([other < arrival for other in self._far(round_)])

    def _far(self, round_: int) -> list[int]:
        """Arrivals of those in a round who are not near."""
        return [
            seen.lane.arrival(behind)
            for seen in self._long.values()
            if NEAR <= (behind := round_ - seen.round) < seen.size
        ]

    def _update(self) -> None:
        if any(first < self._rounds.now for first in self._sizes):  # somebody's turn came out of order
            self._changed |= {server for server, seen in self._seen.items() if seen.round < self._rounds.now}
        come: dict[int, list[int]] = defaultdict(list)
        for server in self._changed:
            self._look(server, come)
        self._changed.clear()
        for round_, arrivals in come.items():
            near = self._near[round_]
            if len(arrivals) > FEW:
                near.extend(arrivals)
                near.sort()
            else:
                for arrival in arrivals:
                    insort(near, arrival)

    def _look(self, server: int, come: dict[int, list[int]]) -> None:
        """See what became of a lane. Whose round it is now they are gathered in `come`, for all lanes."""
        lane = self._lanes.get(server)
        old, new = self._seen.pop(server, None), None
        if lane:
            new = self._seen[server] = _Seen(self._rounds.next(server), lane, len(lane), lane.first(NEAR))
        was, now = set(old.rounds() if old else ()), set(new.rounds() if new else ())
        for round_, arrival in was - now:
            arrivals = self._near[round_]
            del arrivals[bisect_left(arrivals, arrival)]
            if not arrivals:
                del self._near[round_]
        for round_, arrival in now - was:
            come[round_].append(arrival)
        self._count(old, -1)
        self._count(new, 1)
        self._long.pop(server, None)
        if new and new.size > NEAR:
            self._long[server] = new

    def _count(self, seen: _Seen | None, by: int) -> None:
        if seen is not None:
            sizes = self._sizes[seen.round]
            sizes[seen.size] += by
            if not sizes[seen.size]:
                del sizes[seen.size]
            if not sizes:
                del self._sizes[seen.round]


class Turns(asyncio.Queue[Turn]):
    """`put_nowait(turn)` and `await get()` as usual, more besides; each dream stands in line once."""

    def _init(self, maxsize: int) -> None:
        self._queue: dict[int, Turn] = {}  # those that may begin; asyncio.Queue asks whether it is empty
        self._arrived: dict[int, tuple[int, Turn]] = {}  # all, by dream
        self._turns: dict[int, Turn] = {}  # all, by arrival
        self._of = Counter[int]()  # how many of these are whose
        self._lanes: dict[int, Lane] = {}  # by server
        self._emptied: OrderedDict[int, int] = OrderedDict()  # servers where nobody waits: after which turn
        self._rounds = Rounds()  # of the servers
        self._served = 0  # turns
        self._schedule = _Schedule(self._rounds)
        self._held: set[int] = set()  # servers whose dreams may not begin
        self._arrivals = count()
        self._sums = defaultdict[int, Sum](lambda: Sum(0, 0))  # by part; see `sums`

    def _put(self, item: Turn) -> None:
        if item.dream_id not in self._arrived:
            arrival = next(self._arrivals)
            self._arrived[item.dream_id] = (arrival, item)
            self._turns[arrival] = item
            self._of[item.person] += 1
            self._sum_up(item.dream_id, 1)
            self._lane(item.server).add(arrival, item)
            self._changed(item.server)
        if item.server not in self._held:
            self._queue[item.dream_id] = item

    def _lane(self, server: int) -> Lane:
        """Where a newcomer joins; once their round is over, a server where nobody waited is as a new one."""
        since = self._emptied.pop(server, None)
        if server not in self._lanes or (since is not None and self._is_forgotten(server, since)):
            self._lanes[server] = Lane()
        return self._lanes[server]

    def _is_forgotten(self, server: int, since: int) -> bool:
        return since < self._served and not self._rounds.remembers(server)

    def _changed(self, server: int) -> None:
        lane = self._lanes.get(server)
        if lane is not None and not lane:
            self._emptied.setdefault(server, self._served)
        self._schedule.set(server, None if server in self._held else lane)

    def _get(self) -> Turn:
        turn = self._turns[self._schedule.next()]
        self.serve(turn.dream_id)
        return turn

    def _take_out(self, dream_id: int) -> tuple[int, Turn]:
        arrival, turn = self._arrived.pop(dream_id)
        self._sum_up(dream_id, -1)
        del self._turns[arrival]
        self._queue.pop(dream_id, None)
        self._of[turn.person] -= 1
        if not self._of[turn.person]:
            del self._of[turn.person]
        return arrival, turn

    def serve(self, dream_id: int) -> None:
        """Let this waiting dream's turn have come, whoever's it was: its server and person are charged."""
        arrival, turn = self._take_out(dream_id)
        self._lanes[turn.server].serve(arrival, turn)
        self._rounds.serve(turn.server)
        self._served += 1
        self._changed(turn.server)
        for _ in range(min(FORGOTTEN, len(self._emptied))):
            server, since = self._emptied.popitem(last=False)
            if self._is_forgotten(server, since):
                del self._lanes[server]
                self._schedule.set(server, None)
            else:
                self._emptied[server] = since

    def put_back(self, turn: Turn) -> None:
        """Its turn came, but nothing could be done with it: it is its server's next one again."""
        self.put_nowait(turn)
        self.move_to_front(turn.dream_id)

    def remove(self, dream_id: int) -> bool:
        """Take a dream out of the line. True if it stood there."""
        if dream_id not in self._arrived:
            return False
        arrival, turn = self._take_out(dream_id)
        self._lanes[turn.server].drop(arrival, turn)
        self._changed(turn.server)
        return True

    def move_to_front(self, dream_id: int) -> bool:
        """Make a dream its server's next one; other servers wait no longer for it. True if it waits."""
        if dream_id not in self._arrived:
            return False
        arrival, turn = self._arrived[dream_id]
        self._lanes[turn.server].to_front(arrival, turn)
        self._changed(turn.server)
        return True

    def hold(self, server: int) -> None:
        """Let no dream of this server begin; its line stays as it is."""
        self._held.add(server)
        for turn in self.order_of(server):
            self._queue.pop(turn.dream_id, None)
        self._changed(server)

    def release(self, server: int) -> None:
        """Let this server's dreams begin again."""
        if server in self._held:
            self._held.discard(server)
            self._changed(server)
            for turn in self.order_of(server):
                self.put_nowait(turn)  # which wakes whoever waits for a turn

    def order(self, most: int | None = None) -> list[Turn]:
        """Everybody in line whose dream may begin (or the first so many), the next one first."""
        return [self._turns[arrival] for arrival in islice(self._schedule, most)]

    def order_of(self, server: int, most: int | None = None) -> list[Turn]:
        """One server's line (or the first so many), held or not, its next one first."""
        return [self._turns[arrival] for arrival in islice(self._lanes.get(server, ()), most)]

    def places(self) -> dict[int, int]:
        """The place of each waiting dream that may begin, 1 for the next one."""
        return {turn.dream_id: place for place, turn in enumerate(self.order(), start=1)}

    def place(self, dream_id: int) -> int | None:
        """The place of one waiting dream, as `places` says."""
        if dream_id not in self._queue:
            return None
        arrival, turn = self._arrived[dream_id]
        behind = self._lanes[turn.server].behind(arrival, turn)
        return self._schedule.before(turn.server, behind, arrival) + 1

    def waiting(self, *, person: int | None = None, server: int | None = None) -> int:
        """How many dreams are in line: all, a person's, a server's, a person's in a server."""
        if server is None:
            return len(self._arrived) if person is None else self._of[person]
        lane = self._lanes.get(server, Lane())
        return len(lane) if person is None else lane.waiting(person)

    def dreams(self) -> set[int]:
        """Every dream in line."""
        return set(self._arrived)

    def sums(self) -> dict[int, Sum]:
        """Of each part (`dream_id // PART`) in which somebody is in line how many they are, and their sum.

        Whoever knows a line that has the same sums knows the same line, unless two mistakes are alike.
        """
        return dict(self._sums)

    def in_part(self, part: int) -> set[int]:
        """Every dream in line of this part."""
        return {id for id in range(part * PART, (part + 1) * PART) if id in self._arrived}

    def _sum_up(self, dream_id: int, by: int) -> None:
        part = dream_id // PART
        size, total = self._sums[part]
        self._sums[part] = Sum(size + by, total + by * dream_id)
        if not self._sums[part].size:
            del self._sums[part]

    def is_held(self, server: int) -> bool:
        return server in self._held

    def __contains__(self, dream_id: int) -> bool:
        return dream_id in self._arrived

    async def rebuild(self, history: Iterable[Past]) -> None:
        """Live through it again, so that a restart lets nobody have two turns in one round.

        Bite by bite: whoever else is on the loop goes on meanwhile.
        """
        events: list[tuple[float, int, int]] = []  # when, what, which dream
        turns: dict[int, Turn] = {}
        for past in history:
            turns[past.turn.dream_id] = past.turn
            for what, when in enumerate((past.asked_at, past.moved_at, past.served_at)):
                if when is not None:
                    events.append((max(when, past.asked_at), what, past.turn.dream_id))
        for number, (_, what, dream_id) in enumerate(sorted(events)):
            if number % BITE == 0:
                await asyncio.sleep(0)
            if what == 0:
                self.put_nowait(turns[dream_id])
            elif what == 1:
                self.move_to_front(dream_id)
            else:
                self.serve(dream_id)
