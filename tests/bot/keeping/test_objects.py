"""The object store gets what lies in the database, and loses what no row refers to: nothing else."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.database.tables import CONTENTS, dreams, pictures, states, timelapses, unreferenced
from bot.dreams.dream import Dream, DreamState, Picture
from bot.keeping import objects as keeping
from bot.keeping.objects import EVERYTHING_S, GRACE_S, LINGER_S, YOUNG_S, ObjectKeeper
from bot.keeping.retention import MB, KeepLimits, Retention
from bot.objects.address import ObjectsAddress
from bot.objects.store import Objects
from bot.settings import Settings
from tests.bot.keeping.conftest import ADA, BO, Process
from tests.bot.scripted import until

Keeper = Callable[..., ObjectKeeper]
EPOCHS = 60


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, objects=ObjectsAddress(folder=tmp_path / "objects"))


@pytest.fixture
async def process(prepared: Settings) -> AsyncIterator[Process]:
    process = await Process(prepared).open()
    await process.heart.object_keeper.close()
    await process.heart.retention.close()
    yield process
    await process.close()


@pytest.fixture
def keeper(process: Process) -> Keeper:
    """Makes one that thinks that it is so many seconds later."""

    def make(later_s: float = 0, *, owner: str = "us") -> ObjectKeeper:
        heart = process.heart
        return ObjectKeeper(
            database=heart.database,
            owner=owner,
            contents=heart.contents,
            clock=lambda: time() + later_s,
            pace_s=0.0,
        )

    return make


def store_of(process: Process) -> Objects:
    objects = process.heart.contents.objects
    assert objects is not None
    return objects


async def objects_of(process: Process) -> set[str]:
    return {digest async for some in store_of(process).older(float("inf")) for digest in some}


async def rows(process: Process, table: Any) -> list[Any]:
    async with process.heart.database.transaction() as connection:
        return list(await connection.execute(select(table)))


async def inside(process: Process, dream: Dream, **bytes_of: bytes) -> None:
    """As if it had been dreamt before there was an object store."""
    async with process.heart.database.transaction() as connection:
        for table in (pictures, states, timelapses):
            content = bytes_of.get(table.name, f"{table.name} {dream.id}".encode())
            here = update(table).where(table.c.dream_id == dream.id)
            await connection.execute(here.values(content=content, digest=None, size=None))
        await connection.execute(unreferenced.delete())


async def sweep(keeper: Keeper) -> None:
    """All that is due is deleted: at the first look it is seen."""
    await keeper()._sweep()
    await keeper(GRACE_S + 1)._sweep()


async def test_what_lies_in_the_database_is_moved_bite_by_bite_and_stays_what_it_is(
    process: Process, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ROWS", 2)
    made = [await process.dream(ADA, image=b"a photo") for _ in range(5)]
    for dream in made:
        await inside(process, dream)
    await process.ask(BO)
    waiting = await process.ask(BO)
    assert await process.heart.store.claim(waiting.id, lease_s=30)
    await process.heart.store.keep_state(waiting.id, b"on the way")
    await keeper().enforce()
    for dream in made:
        assert await process.heart.store.picture(dream.id) == Picture(f"pictures {dream.id}".encode(), "png")
        assert await process.heart.store.state(dream.id) == f"states {dream.id}".encode()
        assert dream.image_id and await process.heart.store.image(dream.image_id) == b"a photo"
    left = [row for table in CONTENTS for row in await rows(process, table) if row.digest is None]
    assert [row.content for row in left] == [b"on the way"], "which changes all the time"
    assert {row.digest for table in CONTENTS for row in await rows(process, table)} - {
        None
    } <= await objects_of(process)


async def test_one_that_is_away_is_tried_again(process: Process, keeper: Keeper, tmp_path: Path) -> None:
    dream = await process.dream(ADA)
    await inside(process, dream)
    (tmp_path / "objects").rename(tmp_path / "away")
    (tmp_path / "objects").write_text("")
    late = keeper()
    await late._move_all(pictures)
    assert (await rows(process, pictures))[0].digest is None
    (tmp_path / "objects").unlink()
    (tmp_path / "away").rename(tmp_path / "objects")
    process.heart.contents._rests_until = 0
    await late.enforce()
    assert (await rows(process, pictures))[0].digest is not None
    assert await process.heart.store.picture(dream.id) == Picture(f"pictures {dream.id}".encode(), "png")


async def test_what_was_deleted_goes_after_a_while_and_what_others_share_stays(
    process: Process, keeper: Keeper
) -> None:
    one, two = await process.dream(ADA), await process.dream(BO)  # with the same bytes
    before = await objects_of(process)
    assert len(before) == 3
    await process.heart.store.erase(one.id)
    await sweep(keeper)
    assert await objects_of(process) == before
    assert await rows(process, unreferenced) == []
    await process.heart.store.erase(two.id)
    await keeper()._sweep()
    await keeper(GRACE_S - 1)._sweep()
    assert await objects_of(process) == before, "somebody may be about to refer to it"
    await keeper(GRACE_S + 1)._sweep()
    assert await objects_of(process) == set()
    assert len(await rows(process, unreferenced)) == 3, "for who has put it just before"
    await keeper(GRACE_S + LINGER_S + 9)._sweep()
    assert await rows(process, unreferenced) == []


async def test_who_is_forgotten_leaves_no_object(process: Process, keeper: Keeper) -> None:
    await process.dream(ADA, image=b"her photo")
    other = await process.dream(BO, image=b"his photo")
    await keeper().enforce()
    assert len(await objects_of(process)) == 5
    await process.heart.forgetter.person(ADA)
    await process.forgotten()
    await sweep(keeper)
    found = {await store_of(process).get(digest) for digest in await objects_of(process)}
    assert found == {b"png", b"state", b"film", b"his photo"}
    assert await process.heart.store.picture(other.id) is not None


async def test_the_same_bytes_may_come_back_at_any_moment_of_a_deletion(
    process: Process, keeper: Keeper
) -> None:
    """Whenever whoever dreams the same puts it and writes its row, what the row refers to is there."""
    contents, database = process.heart.contents, process.heart.database
    first = await process.dream(ADA)
    (digest,) = {row.digest for row in await rows(process, pictures)}

    async def write(put: Any) -> None:
        dream = await process.ask(BO)
        async with database.transaction() as connection:
            row = {"dream_id": dream.id, "kind": "png"} | await contents.columns(connection, put)
            await connection.execute(pictures.insert().values(row))
            await connection.execute(update(dreams).where(dreams.c.id == dream.id).values(state="done"))
        again = await process.heart.store.picture(dream.id)
        assert again == Picture(b"png", "png")

    early = await contents.put(b"png")
    await process.heart.store.erase(first.id)
    await keeper()._sweep()
    await write(early)  # noted, not deleted
    late = await contents.put(b"png")
    await keeper(GRACE_S + 1)._sweep()
    assert digest not in await objects_of(process)
    await write(late)  # deleted, after it was put
    anew = await contents.put(b"png")
    await write(anew)  # put after it was deleted: nobody can tell the two apart
    assert {row.digest for row in await rows(process, pictures)} == {None}
    await keeper(GRACE_S + LINGER_S + 9)._sweep()
    await write(await contents.put(b"png"))
    assert digest in {row.digest for row in await rows(process, pictures)}
    await keeper(2 * (GRACE_S + LINGER_S)).enforce()
    assert {row.digest for row in await rows(process, pictures)} == {digest}
    assert await store_of(process).get(digest) == b"png"


async def test_a_row_that_was_not_committed_yet_is_found_when_its_object_would_be_deleted(
    process: Process, keeper: Keeper
) -> None:
    contents, database = process.heart.contents, process.heart.database
    dream, first = await process.ask(BO), await process.dream(ADA)
    put = await contents.put(b"png")
    async with database.transaction() as connection:
        row = {"dream_id": dream.id, "kind": "png"} | await contents.columns(connection, put)
    await process.heart.store.erase(first.id)
    await keeper()._sweep()
    async with database.transaction() as connection:  # its end is later than the other's
        await connection.execute(pictures.insert().values(row))
    await keeper(GRACE_S + 1)._sweep()
    assert await process.heart.store.picture(dream.id) == Picture(b"png", "png")


async def test_objects_without_a_row_are_found_once_a_day_but_young_ones_are_left_alone(
    process: Process, keeper: Keeper
) -> None:
    dream = await process.dream(ADA)
    kept = await objects_of(process)
    orphan = await store_of(process).put(b"of a process that was killed before it wrote the row")
    await keeper().enforce()
    assert await rows(process, unreferenced) == [], "its row may come yet"
    daily = keeper(YOUNG_S + 9)
    await daily.enforce()
    assert [row.digest for row in await rows(process, unreferenced)] == [orphan]
    later = await store_of(process).put(b"another one")
    await daily.enforce()
    assert later not in {row.digest for row in await rows(process, unreferenced)}, "not again so soon"
    daily._clock = lambda: time() + YOUNG_S + EVERYTHING_S + 9
    await daily.enforce()
    assert later in {row.digest for row in await rows(process, unreferenced)}
    daily._clock = lambda: time() + YOUNG_S + EVERYTHING_S + GRACE_S + 99
    await daily.enforce()
    assert await objects_of(process) == kept
    assert await process.heart.store.picture(dream.id) is not None


async def test_of_another_database_s_store_nothing_is_taken_to_be_nobody_s(
    process: Process, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = await store_of(process).put(b"of another database")
    await store_of(process).set_label("oneiro-of-another")
    await keeper(YOUNG_S + 9)._look()
    assert "belongs to another database" in caplog.text
    await keeper(YOUNG_S + GRACE_S + 99)._look()
    assert theirs in await objects_of(process)


async def test_only_one_process_does_it_at_a_time(process: Process, keeper: Keeper) -> None:
    dream = await process.dream(ADA)
    await inside(process, dream)
    assert await keeper(owner="them")._chores.take("objects", for_s=60)
    await keeper()._look()
    assert (await rows(process, pictures))[0].digest is None
    await keeper(61)._look()
    assert (await rows(process, pictures))[0].digest is not None


class Epochs:
    """A clock that goes on when everybody has come to the end of something since it did so last."""

    def __init__(self, people: int) -> None:
        self.now = 0.0
        self._people = people
        self._done: set[int] = set()

    def done(self, person: int) -> None:
        self._done.add(person)
        if len(self._done) == self._people:
            self._done.clear()
            self.now += 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_processes_dream_and_delete_the_same_bytes_while_a_third_sweeps(
    process: Process, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a grace as short as it may be: in two epochs whatever goes on at their begin has ended."""
    monkeypatch.setattr(keeping, "GRACE_S", 2)
    monkeypatch.setattr(keeping, "LINGER_S", 2)
    other = await Process(settings).open()
    await other.heart.object_keeper.close()
    epochs = Epochs(2)
    sweeper = ObjectKeeper(
        database=process.heart.database,
        owner="third",
        contents=process.heart.contents,
        clock=lambda: epochs.now,
        pace_s=0.0,
    )
    alive: list[Dream] = []
    deleted: list[str] = []
    objects = store_of(process)
    delete = objects.delete

    async def counted(digests: Collection[str]) -> None:
        deleted.extend(digests)
        await delete(digests)

    monkeypatch.setattr(objects, "delete", counted)

    async def live(one: Process, person: int) -> None:
        number = person
        while epochs.now < EPOCHS:
            number += 1
            dream = await one.ask(ADA)
            await one.heart.store.claim(dream.id, lease_s=30)
            picture = Picture(b"picture %d" % (number // 7 % 3), "png")
            assert await one.heart.store.finish(dream.id, DreamState.DONE, picture=picture)
            assert await one.heart.store.picture(dream.id) == picture
            if number % 20:
                await one.heart.store.erase(dream.id)
            else:
                alive.append(dream)
            epochs.done(person)

    async def sweeps() -> None:
        while epochs.now < EPOCHS:
            await sweeper._sweep()
            await asyncio.sleep(0)

    await asyncio.gather(live(process, 0), live(other, 1), sweeps())
    await other.close()
    assert len(alive) > 3 and deleted
    for dream in alive:
        assert await process.heart.store.picture(dream.id) is not None


async def test_what_lies_in_the_object_store_counts_and_is_let_go(process: Process, keeper: Keeper) -> None:
    database, contents = process.heart.database, process.heart.contents
    made = [await process.dream(ADA) for _ in range(4)]
    for dream in made:
        await inside(process, dream, timelapses=os.urandom(2 * MB))
    await keeper().enforce()
    assert 8 * MB < await contents.size() < 9 * MB
    used = await database.used()
    limits = KeepLimits(days=30, picture_days=None, megabytes=used // MB + 6)
    retention = Retention(
        database=database, contents=contents, owner="us", limits=limits, on_wall=set, pace_s=0.0
    )
    await retention.enforce()
    assert retention.over == 0
    left = {row.dream_id for row in await rows(process, timelapses)}
    assert made[3].id in left and made[0].id not in left, "the oldest go first"
    await sweep(keeper)
    films = [digest for digest in await objects_of(process) if len(await store_of(process).get(digest)) > MB]
    assert len(films) == len(left)


async def test_a_dream_whose_process_is_killed_after_the_put_is_dreamt_again_and_leaves_nothing(
    process: Process, keeper: Keeper, settings: Settings
) -> None:
    dream = await process.ask(ADA)
    await process.heart.store.claim(dream.id, lease_s=30)
    await process.heart.contents.put(b"of a process that ends here")
    async with process.heart.database.transaction() as connection:
        await connection.execute(update(dreams).values(owner="gone", lease_until=1.0))
    assert dream.id in [one.id for one in await process.heart.store.waiting()]
    await process.finish(dream)
    await keeper(YOUNG_S + 9).enforce()
    await keeper(YOUNG_S + GRACE_S + 99).enforce()
    assert len(await objects_of(process)) == 3


_MOVES = """
import asyncio, sys
from pathlib import Path
from bot.database.connection import Database
from bot.database.contents import Contents
from bot.keeping import objects as keeping
from bot.objects.folder import Folder
keeping.ROWS = 3
async def work():
    database = Database(sys.argv[1])
    contents = Contents(database, Folder(Path(sys.argv[2])))
    await contents.start()
    print("begun", flush=True)
    keeper = keeping.ObjectKeeper(database=database, owner=sys.argv[3], contents=contents, pace_s=0.0)
    await keeper.enforce()
    await database.close()
asyncio.run(work())
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_processes_that_move_are_killed_in_the_middle_and_lose_nothing(
    process: Process, settings: Settings, keeper: Keeper, tmp_path: Path
) -> None:
    """As the same owner: each takes the lease for its own."""
    made = [await process.dream(ADA) for _ in range(40)]
    content = {dream.id: os.urandom(30_000) for dream in made}
    for dream in made:
        await inside(process, dream, pictures=content[dream.id])

    async def some_moved() -> bool:
        found = await rows(process, pictures)
        return sum(row.digest is not None for row in found) >= 3

    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    place = (settings.database_url, str(tmp_path / "objects"))
    movers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _MOVES, *place, "mover"), env=environment
        )
        for _ in range(2)
    ]
    try:
        await until(some_moved)
    finally:
        for mover in movers:
            with suppress(ProcessLookupError):
                mover.kill()
            await mover.wait()
    for dream in made:
        assert await process.heart.store.picture(dream.id) == Picture(content[dream.id], "png")
    await keeper(61).enforce()
    for dream in made:
        assert await process.heart.store.picture(dream.id) == Picture(content[dream.id], "png")
    assert all(row.digest is not None for row in await rows(process, pictures))
