"""One round: a crowd lives, a fault strikes, and when all is quiet every promise is accounted for."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

from simcord.backend.errors import SetupError

from bot.database.connection import StoreError
from tests.bot.bot_process import until
from tests.bot.conftest import make_tables
from tests.bot.postgres import Cluster
from tests.chaos.accounts import Accounts, Broken
from tests.chaos.faults import KINDS, POSTGRESQL, SQLITE
from tests.chaos.processes import Nursery
from tests.chaos.scene import Scene
from tests.discord_server import DiscordServer, NoAnswer

LOAD_S = (0.3, 2.5)  # from the first promise to the fault
AFTER_S = 0.7  # that people go on asking after it
VOTES_S = 0.7  # that they go on voting when all dreams are shown
LOOK_S = 0.3  # between two looks at the accounts
QUIET_S = 0.8  # in which nothing may break any more once all is well
ENDED_TRIES = 5
SEVERAL_FROM = 10_000  # the first seed of which bots may have several engines
_MIGRATING = asyncio.Lock()  # Alembic migrates one database of a process at a time


@dataclass(frozen=True)
class Limits:
    """How long things may take; generous, for a promise kept late is none broken."""

    settle_s: float = 60.0  # from the fault's end until every promise is kept
    late_s: float = 60.0  # the same after a further restart
    end_s: float = 30.0  # from SIGTERM to the end


@dataclass(frozen=True)
class Plan:
    """What a seed says."""

    seed: int
    fault: str
    database: str
    engines: int = 1  # that each bot has

    @classmethod
    def of(cls, seed: int, *, only: tuple[str, ...] = (), database: str = "") -> "Plan":
        """Every kind comes once before one comes again. `only`, `database`: instead of what the seed says."""
        fitting = [k for k in KINDS.values() if not database or database in k.databases]
        names = sorted(only or (kind.name for kind in fitting))
        turn, at = divmod(seed, len(names))
        kind = KINDS[Random(f"kinds {turn}").sample(names, len(names))[at]]
        chosen = database or Random(f"database {seed}").choice((SQLITE, SQLITE, POSTGRESQL))
        engines = 1 if seed < SEVERAL_FROM else Random(f"engines {seed}").choice((1, 2))
        return cls(seed, kind.name, chosen if chosen in kind.databases else kind.databases[0], engines)


@dataclass(frozen=True)
class Result:
    """What came of a round."""

    plan: Plan
    broken: Broken
    told: list[str]  # what was done
    promised: int
    dreams: dict[str, int]  # in the database, by state
    votes: int
    unanswered: int  # commands and clicks while nobody was there to answer, or Discord lost it
    settled_s: float | None  # from the fault's end; None: never
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Lane:
    """An async context manager: inside it rounds are played, one after the other."""

    def __init__(self, folder: Path, *, logs: Path, newest: Path, limits: Limits, keep: bool = False) -> None:
        """`folder`: where rounds are played; `logs`: where those of broken promises (`keep`: all) are kept.

        `newest`: see `tests.chaos.scene.newest_file`.
        """
        self._folder = folder
        self._logs = logs
        self._keep = keep
        self._limits = limits
        self._nursery = Nursery()
        self._newest = newest
        self._cluster: Cluster | None = None
        self._template = ""  # its database with all tables

    async def __aenter__(self) -> "Lane":
        await self._nursery.__aenter__()
        return self

    async def __aexit__(self, *why: Any) -> None:
        await self._nursery.__aexit__(*why)
        if self._cluster is not None:
            await asyncio.to_thread(self._cluster.close)

    async def play(self, plan: Plan) -> Result:
        """One round. What its bots wrote is kept in its folder when a promise was broken."""
        folder, kept = self._folder / f"round-{plan.seed}", self._logs / f"round-{plan.seed}"
        folder.mkdir()
        async with self._scene(plan, folder) as scene:
            result = await Round(scene, plan, self._limits).play()
        shutil.rmtree(kept, ignore_errors=True)
        if result.broken or self._keep:
            shutil.copytree(folder, kept)
        shutil.rmtree(folder)
        return result

    @asynccontextmanager
    async def _scene(self, plan: Plan, folder: Path) -> AsyncIterator[Scene]:
        random, cluster, name = Random(f"round {plan.seed}"), None, ""
        if plan.database == POSTGRESQL:
            cluster = await self._server()
            name = await asyncio.to_thread(cluster.create, like=self._template)
        url = cluster.url(name) if cluster else f"sqlite:///{folder / 'data' / 'oneiro.db'}"
        async with DiscordServer(rate_limits=False) as server:
            server.gateway.shards = KINDS[plan.fault].shards
            scene = Scene(
                server=server,
                nursery=self._nursery,
                folder=folder,
                random=random,
                database_url=url,
                cluster=cluster,
                engines=plan.engines,
                spread=KINDS[plan.fault].spread,
                end_s=self._limits.end_s,
            )
            await scene.prepare(self._newest)
            try:
                yield scene
            finally:
                await scene.close()
                if cluster is not None:
                    await asyncio.to_thread(cluster.drop, name)

    async def _server(self) -> Cluster:
        if self._cluster is None:
            self._cluster = await asyncio.to_thread(Cluster)
            await asyncio.to_thread(self._cluster.start)
            self._template = await asyncio.to_thread(self._cluster.create)
            async with _MIGRATING:
                await asyncio.to_thread(make_tables, self._cluster.url(self._template))
        return self._cluster


class Round:
    """One round on its scene."""

    def __init__(self, scene: Scene, plan: Plan, limits: Limits) -> None:
        self._scene = scene
        self._plan = plan
        self._limits = limits
        self._accounts = Accounts(scene.crowd, scene.database, gallery=scene.gallery, hall=scene.hall)
        self._ending = 0  # tries to end the contest

    async def play(self) -> Result:
        began = monotonic()
        scene, kind = self._scene, KINDS[self._plan.fault]
        if kind.spread:
            await scene.start_missing()
        else:
            for _ in range(kind.bots):
                await scene.start()
        await scene.server.wait(lambda: "dream" in scene.server.commands(), "commands", timeout_s=60)
        await self._moderate("start", theme="foxes")
        scene.crowd.begin()
        await until(lambda: bool(scene.crowd.promises), "a first promise")
        await asyncio.sleep(scene.random.uniform(*LOAD_S))
        try:
            await kind.strike(scene)
        finally:
            struck = monotonic()
            await asyncio.sleep(AFTER_S)
            scene.crowd.ask_no_more()
            await self._shown()
            await asyncio.sleep(VOTES_S)
            await scene.crowd.rest()
        broken = await self._settle(self._limits.settle_s)
        settled_s = None if broken else monotonic() - struck - AFTER_S
        if broken:
            broken = await self._restarted(broken)
        for bot in scene.living:
            await scene.stop(bot)
        broken.processes += [*scene.unwilling, *await scene.none_left()]
        broken.faults += [trace for bot in scene.bots for trace in bot.tracebacks()]
        broken.faults += scene.server.problems
        return Result(
            plan=self._plan,
            broken=broken,
            told=scene.told,
            promised=len(scene.crowd.promises),
            dreams=dict(self._accounts.dreams),
            votes=scene.crowd.votes,
            unanswered=scene.crowd.unanswered,
            settled_s=settled_s,
            seconds=monotonic() - began,
        )

    async def _shown(self) -> None:
        """Until people could vote for every dream, or have waited for long enough."""
        deadline = monotonic() + self._limits.settle_s
        while monotonic() < deadline:
            with suppress(StoreError):
                if not (await self._accounts.look()).lost:
                    return
            await self._scene.crowd.decide_all()
            await asyncio.sleep(LOOK_S)

    async def _settle(self, within_s: float) -> Broken:
        """Until every promise is kept, and nothing breaks in the quiet afterwards. What is broken then."""
        deadline, quiet_since = monotonic() + within_s, None
        broken = Broken()
        while True:
            await self._scene.crowd.decide_all()
            with suppress(StoreError):
                broken = await self._accounts.look()
                if broken:
                    quiet_since = None
                elif not await self._contest_ended():
                    pass
                elif quiet_since is None:
                    quiet_since = monotonic()
                elif monotonic() >= quiet_since + QUIET_S:
                    return broken
            if monotonic() >= deadline:
                return broken
            await asyncio.sleep(LOOK_S)

    async def _restarted(self, before: Broken) -> Broken:
        """What is still broken after a restart; what is shown only now came late."""
        scene = self._scene
        for bot in scene.living:
            await scene.stop(bot)
        await scene.start_missing()
        after = await self._settle(self._limits.late_s)
        for name in ("lost", "copies", "votes", "unvotable", "overwritten"):
            healed = [one for one in getattr(before, name) if one not in getattr(after, name)]
            after.late += [f"{name}: {one}" for one in healed]
        return after

    async def _contest_ended(self) -> bool:
        """End it once all is well; whether its winner is to be looked for."""
        if self._ending >= ENDED_TRIES:
            return True
        self._ending += 1
        if await self._moderate("end"):
            self._ending = ENDED_TRIES
        return False

    async def _moderate(self, what: str, **options: str) -> bool:
        scene = self._scene
        with suppress(NoAnswer, SetupError):
            moderator, channel = scene.crowd.moderator, scene.server.channel
            await scene.server.slash(moderator, channel, f"moderate contest {what}", **options)
            return True
        return False
