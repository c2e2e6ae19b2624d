"""A disk that is nearly full takes no new dreams, says so, ends those that run, and goes on by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.database.connection import StoreFull
from bot.dreams.dream import DreamState, Wish
from bot.keeping.disk import FULL_S, MB, DiskSpace
from bot.queue.limits import NOBODY, DiskShort
from bot.sentences import ENGLISH, ITALIAN
from bot.sentences.refusals import refusal
from tests.bot.keeping.conftest import Process
from tests.bot.scripted import until
from tests.bot.web.disk import grow_no_more

A_WISH = Callable[..., Wish]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite, which can be told how large it may become."""
    return f"sqlite:///{tmp_path}/oneiro.db"


class Disk:
    """One with so many bytes left."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.now = 0.0
        self.space = DiskSpace(
            folders=[Path("/")], spare_bytes=200 * MB, clock=lambda: self.now, free=lambda _: self.free
        )


async def test_less_than_the_margin_is_too_little_until_there_is_more() -> None:
    disk, told = Disk(199 * MB), []
    disk.space.on_short.append(lambda: told.append(True))
    assert disk.space.has_room, "before anybody looked"
    await disk.space._look()
    assert not disk.space.has_room and "199 MB left" in disk.space.trouble and told == [True]
    await disk.space._look()
    assert told == [True], "once"
    disk.free = 200 * MB
    await disk.space._look()
    assert disk.space.has_room and disk.space.trouble == ""


async def test_a_database_that_has_no_room_is_tried_again_after_a_while() -> None:
    disk = Disk(10**12)
    disk.space.heard_full()
    assert not disk.space.has_room and disk.space.trouble
    disk.now = FULL_S
    assert disk.space.has_room


async def test_a_folder_that_is_not_there_hinders_nobody() -> None:
    space = DiskSpace(folders=[Path("/nowhere/at/all")], spare_bytes=MB)
    await space._look()
    assert space.has_room


async def test_nothing_new_is_taken_and_what_runs_ends(process: Process, a_wish: A_WISH) -> None:
    worker = process.heart.worker
    running = await worker.submit(a_wish())
    waiting = await worker.submit(a_wish())
    await process.engine.dreams(running.id)
    process.heart.disk._free_of = lambda _: 5 * MB
    await process.heart.disk._look()
    for ask in (worker.submit(a_wish()), worker.check([a_wish()], NOBODY)):
        with pytest.raises(DiskShort) as refused:
            await ask
    for say in (ENGLISH, ITALIAN):
        assert refusal(refused.value, say) == say.DISK_SHORT
    for dream in (running, waiting):
        await process.engine.dreams(dream.id)
        process.engine.start()
        process.engine.finish()

        async def done(number: int = dream.id) -> bool:
            return (await process.stored(number)).state is DreamState.DONE

        await until(done)
    process.heart.disk._free_of = lambda _: 10**12
    await process.heart.disk._look()
    assert await worker.submit(a_wish())


async def test_a_database_without_room_is_heard_of(process: Process, a_wish: A_WISH) -> None:
    woken: list[bool] = []
    process.heart.disk.on_short.append(lambda: woken.append(True))
    await grow_no_more(process.heart.database)
    refused: Exception | None = None
    for number in range(100):
        try:
            await process.heart.worker.submit(a_wish(prompt="tower " * 150, author_id=number))
        except (StoreFull, DiskShort) as error:
            refused = error
            if isinstance(error, DiskShort):
                break
    assert isinstance(refused, DiskShort) and woken == [True]
