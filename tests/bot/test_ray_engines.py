"""Real engines on a real Ray cluster: one that dreams is lost, and its dream goes on elsewhere."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from bot.dreams.dream import DreamState, Wish
from engine import DreamRequest, Finished
from engine.process.host import EngineHost
from tests.bot.bot_process import some_model
from tests.bot.on_ray import OnRay
from tests.bot.web.test_status import free_port
from tests.engine.cluster.machines import Machines, kill

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(2400)]

STEPS = 16  # so many that an engine is killed in the middle


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("ray")
    return some_model(folder), folder


@pytest.fixture(scope="module")
def machines(model: tuple[str, Path]) -> Iterator[Machines]:
    machines = Machines({"DATA_DIR": str(model[1])})
    try:
        for _ in range(2):
            machines.add(cpus=1)
        yield machines
    finally:
        machines.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rays(model: tuple[str, Path], machines: Machines) -> AsyncIterator[OnRay]:
    rays = OnRay(model[1], machines, STATUS_LISTEN=f"127.0.0.1:{free_port()}")
    await rays.open()
    try:
        yield rays
    finally:
        await rays.close()


async def alone(folder: Path, wish: Wish) -> bytes:
    """The picture that a child process of ours makes of it."""
    host = EngineHost(environ={"DATA_DIR": str(folder), "OMP_NUM_THREADS": "1"})
    request = DreamRequest("alone", wish.prompt, wish.seed, model=wish.model, steps=wish.steps)
    try:
        *_, end = [event async for event in host.dream(request)]
    finally:
        await host.close()
    assert isinstance(end, Finished)
    return end.picture


async def test_one_engine_a_machine_and_who_hosts_is_told_how_many(rays: OnRay) -> None:
    one, other = await rays.engines(2)
    assert one.node != other.node
    async with aiohttp.ClientSession() as session, session.get(f"{rays.status}/status") as answer:
        assert "<dd>0 / 2</dd>" in await answer.text()


async def test_an_actor_is_killed_in_mid_dream_and_the_picture_is_the_same(
    rays: OnRay, model: tuple[str, Path], a_wish: Callable[..., Wish]
) -> None:
    await rays.engines(2)
    wish = a_wish(model=model[0], steps=STEPS, seed=7, author_id=1)
    dream = await rays.heart.worker.submit(wish)
    engine = await rays.in_mid_dream(dream)
    (actor,) = rays.actors(engine.node)
    kill(actor)
    ended = await rays.ended(dream)
    assert (ended.state, ended.attempts, ended.rescues) == (DreamState.DONE, 1, 0)
    assert await rays.picture(dream) == await alone(model[1], wish)
    assert len(rays.watch.ends[dream.id]) == 1, "nothing is told twice"
    again = await rays.engines(2)
    assert engine not in again, "another one is there in its place"


async def test_a_machine_is_lost_and_another_one_comes(
    rays: OnRay, machines: Machines, model: tuple[str, Path], a_wish: Callable[..., Wish]
) -> None:
    await rays.engines(2)
    wishes = [a_wish(model=model[0], steps=STEPS, seed=seed, author_id=seed, origin=seed) for seed in (8, 9)]
    dreams = [await rays.heart.worker.submit(wish) for wish in wishes]
    engine = await rays.in_mid_dream(dreams[0])
    machines.lose(machines.machine(engine.node))
    await rays.engines(1)
    for dream in dreams:
        ended = await rays.ended(dream)
        assert (ended.state, ended.attempts - ended.rescues) == (DreamState.DONE, 1)
        assert len(rays.watch.ends[dream.id]) == 1
    machines.add(cpus=1)
    assert engine.node not in {one.node for one in await rays.engines(2)}
