"""The worker with the real engine process and tiny models: dreams, a cancel, a kill."""

import io
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from bot.database.connection import Database
from bot.dreams.dream import Dream, DreamState, Wish
from bot.dreams.store import Store
from bot.queue.fair_queue import Turns
from bot.queue.limits import Limits
from bot.queue.worker import Cancelled, Worker
from bot.servers.moderation import Moderation
from engine import Event, Progress, Recipe
from engine.process.host import EngineHost
from engine.sentences import Saying
from tests.bot.bot_process import until
from tests.engine.tiny import write_models

LOADED_CORES_S = 250.0  # seconds; torch alone takes 40 s to load beside a training on two cores

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


class Witness:
    """An audience that counts steps."""

    def __init__(self) -> None:
        self.steps: dict[int, int] = {}

    def heard(self, dream: Dream, event: Event | None) -> None:
        if isinstance(event, Progress):
            self.steps[dream.id] = self.steps.get(dream.id, 0) + 1

    def line_moved(self) -> None:
        pass


class Rig:
    """A worker on a real engine; one child process for the whole module."""

    def __init__(self, folder: Path) -> None:
        self.host = EngineHost(environ={**os.environ, "DATA_DIR": str(folder), "OMP_NUM_THREADS": "1"})
        self.database = Database(f"sqlite+aiosqlite:///{folder}/oneiro.db")
        self.store = Store(self.database, owner="real")
        self.witness = Witness()
        self.worker = Worker(
            store=self.store,
            turns=Turns(),
            engines=[self.host],
            audience=self.witness,
            limits=Limits(
                store=self.store,
                moderation=Moderation(database=self.database),
                per_person=10,
                in_all=10,
            ),
            lease_s=60,
            preview_every_s=0.0,
            state_every_s=0.001,
        )

    async def ended(self, dream: Dream) -> Dream:
        async def is_over() -> bool:
            now = await self.store.get(dream.id)
            return now is not None and now.state.is_over

        await until(is_over, "the dream's end", timeout_s=LOADED_CORES_S)
        now = await self.store.get(dream.id)
        assert now is not None
        return now

    async def running(self, dream: Dream) -> None:
        await until(
            lambda: self.witness.steps.get(dream.id, 0) > 1, "its second step", timeout_s=LOADED_CORES_S
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    folder = tmp_path_factory.mktemp("real")
    write_models(folder)
    rig = Rig(folder)
    await rig.database.open()
    await rig.host.start()
    await rig.worker.start()
    yield rig
    await rig.worker.close()
    await rig.host.close()
    await rig.database.close()


async def test_a_dream_ends_with_a_picture_that_carries_its_recipe(
    rig: Rig, a_wish: Callable[..., Wish]
) -> None:
    dream = await rig.worker.submit(a_wish(origin=1, model="biggan-deep-128", steps=3))
    done = await rig.ended(dream)
    assert (done.state, done.steps_done, done.attempts) == (DreamState.DONE, 3, 1)
    assert done.score is not None and -100 <= done.score <= 100
    picture = await rig.store.picture(dream.id)
    assert picture is not None and picture.kind == "png"
    with Image.open(io.BytesIO(picture.content)) as image:
        inside = Recipe.from_json(str(image.info["oneiro"]))
    assert inside == Recipe.from_json(done.recipe)
    assert (inside.prompt, inside.seed, inside.steps) == ("a bowl of cherries", 7, 3)


async def test_a_cancelled_dream_keeps_its_best_picture(rig: Rig, a_wish: Callable[..., Wish]) -> None:
    dream = await rig.worker.submit(a_wish(origin=2, model="biggan-deep-128", steps=5000))
    await rig.running(dream)
    assert await rig.worker.cancel(dream.id) is Cancelled.STOPPING
    cancelled = await rig.ended(dream)
    assert cancelled.state is DreamState.CANCELLED and 0 < (cancelled.steps_done or 0) < 5000
    picture = await rig.store.picture(dream.id)
    assert picture is not None and picture.content.startswith(b"\x89PNG")


async def test_a_killed_engine_costs_no_dream(rig: Rig, a_wish: Callable[..., Wish]) -> None:
    dream = await rig.worker.submit(a_wish(origin=3, model="biggan-deep-128", steps=60))
    await rig.running(dream)
    assert rig.host.pid is not None
    os.kill(rig.host.pid, signal.SIGKILL)
    done = await rig.ended(dream)
    assert (done.state, done.attempts) == (DreamState.DONE, 2)


async def test_a_model_that_is_not_there_is_told_in_a_sentence(rig: Rig, a_wish: Callable[..., Wish]) -> None:
    dream = await rig.worker.submit(a_wish(origin=4, model="biggan-deep-512", steps=3))
    failed = await rig.ended(dream)
    assert failed.state is DreamState.FAILED and failed.attempts == 1
    said = str(Saying.from_json(failed.failure_detail))
    assert "biggan-deep-512" in said and said.endswith(".")


async def test_a_killed_engine_s_dream_ends_as_if_nothing_had_been(
    rig: Rig, a_wish: Callable[..., Wish]
) -> None:
    wish = {"model": "biggan-deep-128", "steps": 60, "seed": 11}
    whole = await rig.ended(await rig.worker.submit(a_wish(origin=10, **wish)))
    broken = await rig.worker.submit(a_wish(origin=11, **wish))

    async def is_kept() -> bool:
        return await rig.store.has_state(broken.id)

    await until(is_kept, "its first state", timeout_s=LOADED_CORES_S)
    assert rig.host.pid is not None
    os.kill(rig.host.pid, signal.SIGKILL)
    resumed = await rig.ended(broken)
    assert (resumed.state, resumed.attempts) == (DreamState.DONE, 2)
    assert (resumed.score, resumed.best_step) == (whole.score, whole.best_step)
    assert await rig.store.picture(resumed.id) == await rig.store.picture(whole.id)


async def test_dreams_grow_out_of_dreams_and_leave_a_film(rig: Rig, a_wish: Callable[..., Wish]) -> None:
    wish = {"model": "biggan-deep-128", "steps": 4}
    first = await rig.ended(await rig.worker.submit(a_wish(origin=20, seed=1, **wish)))
    second = await rig.ended(await rig.worker.submit(a_wish(origin=21, seed=2, **wish)))
    film = await rig.store.timelapse(first.id)
    assert film is not None and film[:4] == b"RIFF" and film[8:12] == b"WEBP"
    grown = [
        a_wish(origin=22, begin="continue", parent_id=first.id, prompt="a house", **wish),
        a_wish(origin=23, begin="vary", parent_id=first.id, seed=3, **wish),
        a_wish(origin=24, begin="blend", parent_id=first.id, other_id=second.id, **wish),
    ]
    for one in grown:
        dream = await rig.ended(await rig.worker.submit(one))
        assert dream.state is DreamState.DONE, dream.failure_detail
        assert Recipe.from_json(dream.recipe).settings["begin"] == one.begin


async def test_an_image_prompt_preset_size_and_avoid_are_dreamt(
    rig: Rig, a_wish: Callable[..., Wish]
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(buffer, "JPEG")
    wish = a_wish(origin=30, model="biggan-deep-128", steps=3, avoid="people", size=256, preset="quick")
    dream = await rig.ended(await rig.worker.submit(wish, image=buffer.getvalue()))
    assert dream.state is DreamState.DONE, dream.failure_detail
    picture = await rig.store.picture(dream.id)
    assert picture is not None
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.size == (256, 256)


async def test_a_story_is_told_by_the_real_engine(rig: Rig, a_wish: Callable[..., Wish]) -> None:
    wishes = [
        a_wish(origin=40, model="biggan-deep-128", steps=3, prompt=prompt, chapter=number, chapters=2)
        for number, prompt in enumerate(("a seed", "a tree"), start=1)
    ]
    chapters = [await rig.ended(dream) for dream in await rig.worker.submit_story(wishes)]
    assert [dream.state for dream in chapters] == [DreamState.DONE] * 2
    assert Recipe.from_json(chapters[1].recipe).settings["begin"] == "continue"
