"""The whole bot but Discord and the pictures, in simulated time: worker, turns, limits, store, database.

Its engines are scripts that take no time but wait for the clock, which goes on only when all that had to be
done at a moment is done. So what people wait is exact, and what the database does can be counted.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from math import ceil, inf
from time import process_time
from typing import Any

from sqlalchemy import event

from bot.database.connection import Database
from bot.dreams.dream import Dream, DreamState
from bot.dreams.store import Store
from bot.queue.fair_queue import Turns
from bot.queue.limits import Refused
from bot.queue.worker import STATE_EVERY_S, Worker
from engine import DreamRequest, Event, Finished, Progress, Recipe, Started
from tests.bot.simulation.crowd import Arrival
from tests.bot.simulation.line import EPOCH, Clock, Rules, Wait, limits, wish

NEVER_S = 1e6  # seconds of real time: the worker's looks for other processes have no part in this
STALLED_S = 240.0  # of real time, after which something that should have happened did not
PICTURE, STATE = b"p" * 50_000, b"s" * 100_000  # as large as real ones are


@dataclass(frozen=True, slots=True)
class Work:
    """What the database did."""

    dreams: int
    statements: int
    transactions: int
    cpu_s: float  # seconds of the processor that all of it took, the worker and the line included

    @property
    def statements_each(self) -> float:
        """For one dream, from the order to its picture."""
        return self.statements / self.dreams


class RealBot:
    """So many engines, which take as long as each arrival says."""

    def __init__(
        self, url: str, arrivals: Sequence[Arrival], *, engines: int = 1, rules: Rules, lease_s: float = 60.0
    ) -> None:
        """`url`: of an empty database; `lease_s`: the engines renew a dream's lease three times in this."""
        self._url = url
        self._arrivals = list(arrivals)
        self._engines = engines
        self._rules = rules
        self._renew_s = lease_s / 3
        self.clock = Clock()
        self.refused: list[tuple[Arrival, Refused]] = []
        self.work = Work(0, 0, 0, 0.0)
        self._asked: dict[int, Arrival] = {}  # by dream
        self._ended = 0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []  # engines, by when they wake
        self._numbers = count()
        self._stirred = asyncio.Event()  # something was done
        self._begin()

    def _begin(self) -> None:
        self.database = Database(self._url, busy_timeout_s=60.0)
        self.store = Store(self.database, owner="simulation", clock=self.clock)
        self.worker = Worker(
            store=self.store,
            turns=Turns(),
            engines=[self] * self._engines,
            audience=self,
            limits=limits(self._rules, store=self.store, database=self.database, clock=self.clock),
            lease_s=NEVER_S,  # its own renewals go by the real clock; the engines renew instead
            preview_every_s=0.0,
            poll_s=NEVER_S,
            clock=self.clock,
        )

    async def run(self, *, restart_at: float | None = None) -> list[Wait]:
        """Live through it, with an orderly restart at this second. Fails where a dream is not dreamt once."""
        await self._open()
        coming = list(reversed(self._arrivals))
        with _counted(self.database) as counted:
            while (at := await self._next(coming)) < inf:
                if restart_at is not None and at >= EPOCH + restart_at:
                    self.clock.now = EPOCH + restart_at
                    restart_at = None
                    await self._close()
                    self._begin()
                    await self._open()
                    continue
                self.clock.now = max(self.clock.now, at)
                if coming and coming[-1].at + EPOCH <= at:  # who comes at the moment of an end is first
                    await self._ask(coming.pop())
                else:
                    heappop(self._sleeping)[-1].set_result(None)
            await self.worker.close()
        self.work = counted.work(len(self._asked))
        waits = await self._waits()
        await self.database.close()
        return waits

    async def _next(self, coming: Sequence[Arrival]) -> float:
        """When something happens next, once all that has to be done now is done; infinite: never."""
        await self._settled()
        arrivals = [EPOCH + one.at for one in coming[-1:]]
        return min([*arrivals, *(end for end, *_ in self._sleeping[:1])], default=inf)

    async def _open(self) -> None:
        await self.database.open()
        await self.worker.start()

    async def _close(self) -> None:
        await self.worker.close()
        await self.database.close()

    async def _settled(self) -> None:
        """Wait until each engine that has something to dream waits for the clock."""
        async with asyncio.timeout(STALLED_S):
            while len(self._sleeping) != min(self._engines, len(self._asked) - self._ended):
                self._stirred.clear()
                await self._stirred.wait()

    async def _ask(self, arrival: Arrival) -> None:
        try:
            dream = await self.worker.submit(wish(arrival, len(self._asked) + 1))
        except Refused as why:
            self.refused.append((arrival, why))
        else:
            self._asked[dream.id] = arrival

    async def _waits(self) -> list[Wait]:
        """In the order in which they were asked for."""
        waits: list[Wait] = []
        for dream_id, arrival in self._asked.items():
            dream = await self.store.get(dream_id)
            assert dream is not None and dream.state is DreamState.DONE, "somebody's dream was not dreamt"
            assert dream.started_at is not None and dream.attempts == 1
            waits.append(Wait(arrival, dream.started_at - dream.created_at))
        return waits

    # ------------------------------------------------ `bot.queue.engine_worker.Engine`

    async def dream(self, request: DreamRequest) -> AsyncGenerator[Event, None]:
        begun, takes_s = self.clock.now, self._asked[int(request.id)].takes_s
        yield Started(request.id, "pocket", 60)
        for passed_s, renews in self._moments(takes_s):
            await self._sleep(begun + passed_s)
            if renews:
                await self.store.renew(int(request.id), lease_s=NEVER_S)
            else:
                yield Progress(request.id, 1, 60, 20.0, 20.0, 0.0, None, STATE, "")
        await self._sleep(begun + takes_s)
        recipe = Recipe(request.prompt, request.seed, 60, "pocket", "gan", "clip", "0")
        yield Finished(request.id, recipe, 30.0, 60, 60, takes_s, False, PICTURE, state=STATE)

    async def stop(self, id: str) -> None: ...

    def _moments(self, takes_s: float) -> list[tuple[float, bool]]:
        """When a dream's state is kept (False) and its lease is renewed (True), seconds after its begin."""
        states = [(number * STATE_EVERY_S, False) for number in range(1, ceil(takes_s / STATE_EVERY_S))]
        renewals = [(number * self._renew_s, True) for number in range(1, ceil(takes_s / self._renew_s))]
        return sorted(states + renewals)

    async def _sleep(self, until: float) -> None:
        awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleeping, (until, next(self._numbers), awake))
        self._stirred.set()
        try:
            await awake
        finally:
            if not awake.done() or awake.cancelled():  # the bot stops
                self._sleeping = [entry for entry in self._sleeping if entry[-1] is not awake]
                heapify(self._sleeping)

    # ---------------------------------------------- `bot.queue.engine_worker.Audience`

    def heard(self, dream: Dream, event: Event | None) -> None:
        if dream.state.is_over:
            self._ended += 1
            self._stirred.set()

    def line_moved(self) -> None: ...


class _Counter:
    """Live: what a database's connections do, and what it takes."""

    def __init__(self) -> None:
        self.statements = self.transactions = 0
        self._begun = process_time()

    def said(self, *_: Any) -> None:
        self.statements += 1

    def ended(self, *_: Any) -> None:
        self.transactions += 1

    def work(self, dreams: int) -> Work:
        return Work(dreams, self.statements, self.transactions, process_time() - self._begun)


@contextmanager
def _counted(database: Database) -> Iterator[_Counter]:
    """Count what is done inside the context, up to a restart."""
    counter, engine = _Counter(), database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", counter.said)
    event.listen(engine, "commit", counter.ended)
    try:
        yield counter
    finally:
        event.remove(engine, "before_cursor_execute", counter.said)
        event.remove(engine, "commit", counter.ended)
