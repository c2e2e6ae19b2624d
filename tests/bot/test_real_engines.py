"""Two real engine processes with the embedded models at one line: the same pictures, and a kill of one."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from bot.dreams.dream import Dream, DreamState, Wish
from bot.heart import Heart, build_heart
from bot.settings import Settings
from engine import Event, Progress
from engine.process.host import EngineHost
from engine.process.sharing import shares
from tests.bot.bot_process import some_model, until

LOADED_CORES_S = 600.0  # seconds; two engines load and dream beside all else that a machine has to do

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(2400)]


class Witness:
    """Which dreams made a step, and which did so side by side."""

    def __init__(self) -> None:
        self.running: set[int] = set()
        self.at_once = 0

    def heard(self, dream: Dream, event: Event | None) -> None:
        if isinstance(event, Progress):
            self.running.add(dream.id)
            self.at_once = max(self.at_once, len(self.running))
        elif dream.state is not DreamState.DREAMING:
            self.running.discard(dream.id)

    def line_moved(self) -> None:
        pass


class Process:
    """A heart on so many real engines."""

    def __init__(self, folder: Path, engines: int) -> None:
        environ = {**os.environ, "DATA_DIR": str(folder), "OMP_NUM_THREADS": "1"}
        self.hosts = [EngineHost(environ=share) for share in shares(environ, engines)]
        settings = Settings.read(
            {"DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder}/{engines}.db"}
        )
        self.heart: Heart = build_heart(settings, engines=self.hosts)
        self.witness = Witness()
        self.heart.audiences.watching.append(self.witness)

    async def open(self) -> None:
        await self.heart.database.open()
        await asyncio.gather(*(host.start() for host in self.hosts))
        await self.heart.begin()

    async def close(self) -> None:
        await self.heart.end()
        await asyncio.gather(*(host.close() for host in self.hosts))
        await self.heart.database.close()

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


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("engines")
    return some_model(folder), folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(model: tuple[str, Path]) -> AsyncIterator[Process]:
    process = Process(model[1], 2)
    await process.open()
    yield process
    await process.close()


async def test_two_dreams_at_once_are_the_pictures_that_one_engine_makes(
    two: Process, model: tuple[str, Path], a_wish: Callable[..., Wish]
) -> None:
    name, folder = model
    wishes = [a_wish(model=name, steps=4, seed=seed, author_id=seed) for seed in (1, 2)]
    dreams = [await two.heart.worker.submit(wish) for wish in wishes]
    together = [await two.picture(await two.ended(dream)) for dream in dreams]
    assert two.witness.at_once == 2
    alone = Process(folder, 1)
    await alone.open()
    try:
        dreams = [await alone.heart.worker.submit(wish) for wish in wishes]
        assert [await alone.picture(await alone.ended(dream)) for dream in dreams] == together
        assert alone.witness.at_once == 1
    finally:
        await alone.close()


async def test_one_is_killed_in_the_middle_and_both_dreams_come_to_their_end(
    two: Process, model: tuple[str, Path], a_wish: Callable[..., Wish]
) -> None:
    two.witness.at_once = 0
    dreams = [
        await two.heart.worker.submit(
            a_wish(model=model[0], steps=30, seed=seed, author_id=seed, origin=seed)  # the others are taken
        )
        for seed in (5, 6)
    ]
    await until(lambda: two.witness.at_once == 2, "both are dreamt", timeout_s=LOADED_CORES_S)
    killed, other = two.hosts[0].pid, two.hosts[1].pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    ended = [await two.ended(dream) for dream in dreams]
    assert [dream.state for dream in ended] == [DreamState.DONE] * 2
    assert sorted(dream.attempts for dream in ended) == [1, 2], "the other one noticed nothing"
    assert two.hosts[1].pid == other and two.hosts[0].pid != killed
