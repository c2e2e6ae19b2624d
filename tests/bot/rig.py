"""One process of the bot without Discord: its store, engine and worker, and an audience that remembers."""

from collections.abc import Callable
from time import time

from bot.database.connection import Database
from bot.database.news import News
from bot.database.shards import ALL_SHARDS, Shards
from bot.dreams.dream import Dream, DreamState
from bot.dreams.store import Store
from bot.queue.fair_queue import Turns
from bot.queue.limits import Limits
from bot.queue.worker import Worker
from bot.servers.moderation import Moderation
from engine import Event
from tests.bot.scripted import ScriptedEngine, until


class Witness:
    """An audience that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[int, DreamState, Event | None]] = []
        self.moves = 0

    def heard(self, dream: Dream, event: Event | None) -> None:
        self.told.append((dream.id, dream.state, event))

    def line_moved(self) -> None:
        self.moves += 1

    def states(self, dream_id: int) -> list[DreamState]:
        """The states it went through."""
        states = [state for id, state, _ in self.told if id == dream_id]
        return [state for i, state in enumerate(states) if i == 0 or states[i - 1] is not state]


class Rig:
    """One process: its own store, engines and worker."""

    poll_s = retry_s = 0.02  # a pace that a test can wait for

    def __init__(
        self,
        database: Database | str,
        owner: str,
        *,
        engines: int = 1,
        lease_s: float = 30.0,
        per_person: int = 100,
        in_all: int = 1000,
        poll_s: float | None = None,
        busy_timeout_s: float = 0.2,
        shards: Shards = ALL_SHARDS,
        clock: Callable[[], float] = time,
    ) -> None:
        """`database`: its address, or a database that is not opened yet; `poll_s`: None for the usual."""
        if isinstance(database, str):
            database = Database(database, busy_timeout_s=busy_timeout_s)
        self.database = database
        self.store = Store(self.database, owner=owner, shards=shards, clock=clock)
        self.moderation = Moderation(database=self.database)
        self.turns = Turns()
        self.engines = [ScriptedEngine() for _ in range(engines)]
        self.engine = self.engines[0]
        self.witness = Witness()
        self.worker = Worker(
            store=self.store,
            turns=self.turns,
            engines=self.engines,
            audience=self.witness,
            limits=Limits(
                store=self.store,
                moderation=self.moderation,
                per_person=per_person,
                in_all=in_all,
                clock=clock,
            ),
            lease_s=lease_s,
            preview_every_s=4.0,
            poll_s=self.poll_s if poll_s is None else poll_s,
            retry_s=self.retry_s,
            clock=clock,
        )
        self.moderation.on_change.append(
            lambda guild: self.worker.hold(guild, self.moderation.settings(guild).paused)
        )
        self.news = News(database=self.database, again_s=0.02)
        self.news.on_change.append(self.worker.look)

    async def open(self) -> "Rig":
        await self.database.open()
        await self.moderation.start()
        await self.worker.start()
        await self.news.start()
        return self

    async def close(self) -> None:
        await self.news.close()
        await self.worker.close()
        await self.database.close()

    async def until(self, dream_id: int, state: DreamState) -> Dream:
        async def reached() -> bool:
            dream = await self.store.get(dream_id)
            return dream is not None and dream.state is state

        await until(reached)
        dream = await self.store.get(dream_id)
        assert dream is not None
        return dream
