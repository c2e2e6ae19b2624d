"""The bot's heart on the engines of a real Ray cluster, whose processes a test may kill."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.dreams.dream import Dream
from bot.heart import Heart, build_heart
from bot.settings import Settings
from bot.web.sites import Sites
from engine import Event, Finished, Progress
from engine.cluster.host import ClusterEngine, ClusterHost
from tests.bot.bot_process import until
from tests.engine.cluster.machines import Machines, processes_of

STATE_EVERY_S = 0.001  # at each step
LOADED_CORES_S = 900.0  # seconds; engines load and dream beside all else that a machine has to do


class Watch:
    """What was heard of each dream."""

    def __init__(self) -> None:
        self.steps: dict[int, list[int]] = {}  # by dream, in order
        self.ends: dict[int, list[Event]] = {}  # by dream, of those that were stored
        self.seconds: dict[int, float] = {}  # of the search, by dream

    def heard(self, dream: Dream, event: Event | None) -> None:
        if isinstance(event, Progress):
            self.steps.setdefault(dream.id, []).append(event.step)
        if isinstance(event, Finished):
            self.seconds[dream.id] = event.seconds
        if dream.state.is_over and event is not None:
            self.ends.setdefault(dream.id, []).append(event)

    def line_moved(self) -> None:
        pass


class OnRay:
    """Live: `open`, then `close`, which ends every process that was started for it, but for the machines."""

    def __init__(self, folder: Path, machines: Machines, **more: str) -> None:
        """`more`: settings."""
        database = f"sqlite:///{folder}/ray.db"
        given = {"ENGINE": "ray", "RAY_ADDRESS": machines.address, "ENGINE_CPUS": "1", **more}
        settings = Settings.read({"DATA_DIR": str(folder), "DATABASE_URL": database, **given})
        assert settings.needs is not None
        environ: Mapping[str, str] = {**os.environ, "DATA_DIR": str(folder)}
        self.cluster = ClusterHost(settings.needs, environ=environ)
        self.heart: Heart = build_heart(settings, engines=(), state_every_s=STATE_EVERY_S)
        self.cluster.on_join.append(self.heart.worker.hire)
        self.cluster.on_leave.append(self.heart.worker.dismiss)
        self.watch = Watch()
        self.heart.audiences.watching.append(self.watch)
        self.status = f"http://{settings.status_listen}"
        self.sites = Sites(self.heart, settings)
        self._machines = machines

    async def open(self) -> None:
        await self.heart.database.open()
        await self.cluster.start()
        await self.heart.begin()
        await self.sites.open()

    async def close(self) -> None:
        await self.sites.close()
        await self.heart.end()
        await self.cluster.close()
        await self.heart.database.close()

    async def engines(self, count: int) -> list[ClusterEngine]:
        """Once there are so many."""
        here = self.heart.worker
        await until(lambda: here.engines == count, f"{count} engines", timeout_s=LOADED_CORES_S)
        return self.cluster.engines

    def engine_of(self, dream: Dream) -> ClusterEngine | None:
        """Which one has it in hand."""
        holder = self.heart.worker._crew.holder(dream.id)
        engine: Any = holder and holder.slot.engine
        return engine if holder and holder.hand and holder.hand.progress else None

    def _is_dreamt(self, dream: Dream) -> bool:
        return self.engine_of(dream) is not None

    async def in_mid_dream(self, dream: Dream, steps: int = 3) -> ClusterEngine:
        """Once so many steps were made and a state is kept, while it is being dreamt."""

        async def is_on_its_way() -> bool:
            made = len(self.watch.steps.get(dream.id, ()))
            return made >= steps and bool(await self.heart.store.state(dream.id)) and self._is_dreamt(dream)

        await until(is_on_its_way, f"dream {dream.id} is being dreamt", timeout_s=LOADED_CORES_S)
        engine = self.engine_of(dream)
        assert engine is not None
        return engine

    async def ended(self, dream: Dream) -> Dream:
        async def is_over() -> bool:
            now = await self.heart.store.get(dream.id)
            return now is not None and now.state.is_over

        await until(is_over, f"the end of dream {dream.id}", timeout_s=LOADED_CORES_S)
        now = await self.heart.store.get(dream.id)
        assert now is not None
        return now

    async def picture(self, dream: Dream) -> bytes:
        picture = await self.heart.store.picture(dream.id)
        assert picture is not None
        return picture.content

    def actors(self, node: str) -> list[int]:
        """The actors' processes on a node."""
        return [pid for pid in processes_of(self._machines.machine(node)) if is_actor(pid)]


def is_actor(pid: int) -> bool:
    try:
        return b"EngineActor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
