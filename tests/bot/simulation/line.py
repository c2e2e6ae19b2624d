"""Lives through a crowd's days in simulated time, with the bot's own turns and limits; no database, no loop.

What is simulated are the engines alone: each is a time at which it is free again. Whose turn it is, and who
is refused, `bot.queue` says.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

from bot.database.connection import Database
from bot.dreams.dream import Wish
from bot.dreams.store import Store
from bot.queue.fair_queue import Turns
from bot.queue.lane import Turn, server_of
from bot.queue.limits import NOBODY, Limits, Refused
from bot.servers.moderation import Moderation
from bot.servers.settings import Allowance, ServerSettings
from tests.bot.simulation.crowd import Arrival

EPOCH = 1_000_000.0  # the begin, in seconds since 1970
NOWHERE = "sqlite+aiosqlite:///:memory:"  # a database that is never opened


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the host and every server's moderators allow."""

    per_person: int = 3  # dreams that one may have waiting in a server
    in_all: int = 100  # dreams in line
    per_hour: int | None = None  # of each person in a server


@dataclass(frozen=True, slots=True)
class Wait:
    """How one dream fared."""

    arrival: Arrival
    waited_s: float


class Clock:
    """The simulated time, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> float:
        return self.now


class Everywhere(Moderation):
    """Every server's moderators set the same."""

    def __init__(self, rules: Rules, *, database: Database, clock: Callable[[], float]) -> None:
        super().__init__(database=database, clock=clock)
        self._same = ServerSettings(everyone=Allowance(per_hour=rules.per_hour))

    def settings(self, guild_id: int | None) -> ServerSettings:
        return self._same


def limits(rules: Rules, *, store: Store, database: Database, clock: Callable[[], float]) -> Limits:
    """The bot's own, as these rules set them."""
    moderation = Everywhere(rules, database=database, clock=clock)
    return Limits(
        store=store, moderation=moderation, per_person=rules.per_person, in_all=rules.in_all, clock=clock
    )


def wish(arrival: Arrival, origin: int) -> Wish:
    """What an arrival asks the bot for."""
    return Wish(
        prompt="a bowl of cherries",
        seed=0,
        model="auto",
        author_id=arrival.person + 1,
        guild_id=arrival.server,
        channel_id=arrival.server or arrival.person + 1,
        origin=origin,
    )


class Queue(Protocol):
    """The order in which dreams are dreamt: `bot.queue.fair_queue.Turns`, or what it is compared with."""

    def put_nowait(self, item: Turn, /) -> None: ...

    def get_nowait(self) -> Turn: ...

    def qsize(self) -> int: ...

    def waiting(self, *, person: int | None = None, server: int | None = None) -> int: ...

    def order_of(self, server: int, most: int | None = None) -> Sequence[Turn]: ...


class FirstComeFirstServed:
    """A line without turns."""

    def __init__(self) -> None:
        self._line: deque[Turn] = deque()
        self._servers: dict[int, dict[int, Turn]] = defaultdict(dict)  # by server, by dream
        self._of: Counter[tuple[int | None, int | None]] = (
            Counter()
        )  # how many are whose, by server and person

    def put_nowait(self, item: Turn, /) -> None:
        self._line.append(item)
        self._servers[item.server][item.dream_id] = item
        self._count(item, 1)

    def get_nowait(self) -> Turn:
        turn = self._line.popleft()
        del self._servers[turn.server][turn.dream_id]
        self._count(turn, -1)
        return turn

    def qsize(self) -> int:
        return len(self._line)

    def waiting(self, *, person: int | None = None, server: int | None = None) -> int:
        return len(self._line) if person is None and server is None else self._of[server, person]

    def order_of(self, server: int, most: int | None = None) -> Sequence[Turn]:
        return list(self._servers[server].values())[:most]

    def _count(self, turn: Turn, by: int) -> None:
        for whose in ((turn.server, turn.person), (turn.server, None), (None, turn.person)):
            self._of[whose] += by
            if not self._of[whose]:
                del self._of[whose]


@dataclass(slots=True)
class LineCounts:
    """`bot.queue.limits.Counts` of a line that this process has for itself."""

    queue: Queue
    keeps_times: bool  # some rule asks when
    _asked: dict[tuple[int | None, int | None], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )

    async def waits_as_many(
        self, most: int, guild_id: int | None = None, author_id: int | None = None
    ) -> bool:
        if guild_id is None and author_id is None:
            return self.queue.qsize() >= most
        server = guild_id if author_id is None else server_of(guild_id, author_id)
        return self.queue.waiting(server=server, person=author_id) >= most

    async def asked_since(self, since: float, *, guild_id: int | None, author_id: int | None) -> list[float]:
        assert self.keeps_times
        times = self._asked[guild_id, author_id]
        while times and times[0] <= since:
            times.pop(0)
        return list(times)

    def asked(self, turn: Wish, at: float) -> None:
        """It was let in."""
        if self.keeps_times:
            self._asked[turn.guild_id, turn.author_id].append(at)
            self._asked[turn.guild_id, None].append(at)


class Watcher(Protocol):
    """Who looks on. Times are seconds after the begin."""

    def watch(self, queue: Queue) -> None: ...

    def joined(self, turn: Turn) -> None: ...

    def refused(self, arrival: Arrival, why: Refused) -> None: ...

    def begun(self, turn: Turn, wait: Wait, at: float) -> None: ...


class Simulation:
    """So many engines, and the line before them."""

    def __init__(self, *, engines: int, rules: Rules, watcher: Watcher, queue: Queue | None = None) -> None:
        self.queue: Queue = Turns() if queue is None else queue
        self.ids = 0  # dreams that were let in
        self._clock = Clock()
        self._counts = LineCounts(self.queue, rules.per_hour is not None)
        database = Database(NOWHERE)
        store = Store(database, owner="simulation", clock=self._clock)
        self._limits = limits(rules, store=store, database=database, clock=self._clock)
        self._watcher = watcher
        watcher.watch(self.queue)
        self._free = engines
        self._busy: list[float] = []  # when each of the other engines is free again
        self._waiting: dict[int, Arrival] = {}  # by dream

    @property
    def now(self) -> float:
        """Seconds after the begin."""
        return self._clock.now - EPOCH

    def run(self, arrivals: Iterable[Arrival]) -> None:
        """Live through all of it."""
        for _ in self.steps(arrivals):
            pass

    def steps(self, arrivals: Iterable[Arrival]) -> Iterator[None]:
        """Live through it, one arrival after the other, until everybody's dream has begun."""
        for arrival in arrivals:
            self._go_to(EPOCH + arrival.at)
            self._ask(arrival)
            yield
        while self._waiting:
            self._go_to(self._busy[0] if self._busy else self._clock.now)
            self._end_one()
            yield

    def _go_to(self, at: float) -> None:
        """Let time pass; whoever arrives at the moment at which a dream ends comes first."""
        while self._busy and self._busy[0] < at:
            self._clock.now = self._busy[0]
            self._end_one()
        self._clock.now = at

    def _end_one(self) -> None:
        heappop(self._busy)
        self._free += 1
        if self._waiting:
            self._begin()

    def _ask(self, arrival: Arrival) -> None:
        asked = wish(arrival, self.ids + 1)
        try:
            _at_once(self._admit(asked))
        except Refused as why:
            self._watcher.refused(arrival, why)
            return
        self.ids += 1
        turn = Turn(self.ids, asked.author_id, server_of(asked.guild_id, asked.author_id))
        self._counts.asked(asked, self._clock.now)
        self._waiting[turn.dream_id] = arrival
        self.queue.put_nowait(turn)
        self._watcher.joined(turn)
        if self._free:
            self._begin()

    async def _admit(self, asked: Wish) -> None:
        await self._limits.count(self._counts, await self._limits.allow(asked, NOBODY), NOBODY)

    def _begin(self) -> None:
        turn = self.queue.get_nowait()
        arrival = self._waiting.pop(turn.dream_id)
        self._free -= 1
        heappush(self._busy, self._clock.now + arrival.takes_s)
        self._watcher.begun(turn, Wait(arrival, max(0.0, self.now - arrival.at)), self.now)


def _at_once(work: Coroutine[None, None, None]) -> None:
    """Have done what waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("Something waited for the real world.")
