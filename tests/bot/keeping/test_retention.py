"""What is kept for long enough or has no room is let go: films and states first; what is needed stays."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from time import time
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from bot.database.connection import Database
from bot.database.outbox import Kind
from bot.database.tables import contests, dreams, entries, fame, images, pictures, states, timelapses
from bot.dreams.dream import Dream
from bot.keeping import retention
from bot.keeping.retention import DAY_S, MB, KeepLimits, Retention
from bot.settings import Settings
from tests.bot.keeping.conftest import ADA, BO, GUILD, Process

USUAL = KeepLimits(days=30, picture_days=None, megabytes=1000)
Keeper = Callable[..., Retention]


@pytest.fixture
async def keeper(process: Process) -> Keeper:
    """Makes one that thinks that it is `days` later."""
    await process.heart.retention.close()

    def make(limits: KeepLimits = USUAL, *, days: float = 0, owner: str = "us", **on: Any) -> Retention:
        return Retention(
            database=process.heart.database,
            owner=owner,
            limits=limits,
            on_wall=lambda: on.get("wall", set()),
            clock=lambda: time() + days * DAY_S,
            pace_s=0.0,
        )

    return make


async def kept(database: Database, table: Any) -> set[int]:
    async with database.transaction() as connection:
        return set(await connection.scalars(select(table.c.dream_id)))


async def set_row(process: Process, dream: Dream, **values: Any) -> None:
    async with process.heart.database.transaction() as connection:
        await connection.execute(update(dreams).where(dreams.c.id == dream.id).values(values))


async def test_films_and_states_go_after_their_days_and_pictures_after_theirs(
    process: Process, keeper: Keeper
) -> None:
    database = process.heart.database
    dream = await process.dream(ADA)
    await keeper(days=29).enforce()
    assert await kept(database, timelapses) == await kept(database, states) == {dream.id}
    await keeper(days=31).enforce()
    assert await kept(database, timelapses) == await kept(database, states) == set()
    assert await kept(database, pictures) == {dream.id}
    limited = replace(USUAL, picture_days=365)
    await keeper(limited, days=364).enforce()
    assert await kept(database, pictures) == {dream.id}
    await keeper(limited, days=366).enforce()
    assert await kept(database, pictures) == set()
    stored = await process.stored(dream.id)
    assert stored.prompt and stored.recipe and not stored.erased


async def test_what_is_needed_stays(process: Process, keeper: Keeper) -> None:
    heart = process.heart
    database = heart.database
    parent, other, waiting, hung, entered, untold = [await process.dream(ADA) for _ in range(6)]
    undelivered, walled, plain, owed = [await process.dream(BO) for _ in range(4)]
    await process.ask(BO, parent_id=parent.id, other_id=other.id, begin="blend")
    await set_row(process, undelivered, delivered=False)
    await heart.outbox_store.owe(Kind.GALLERY, owed.id)
    await set_row(process, walled, guild_id=77)
    await process.put(
        fame, dream_id=hung.id, guild_id=GUILD, channel_id=3, message_id=9, votes=3, created_at=1.0
    )
    for number, (dream, values) in enumerate(
        ((entered, {"running_in": GUILD}), (untold, {"told": False}), (plain, {"told": True}))
    ):
        contest = {"id": number + 1, "guild_id": GUILD, "channel_id": 2, "theme": "x", "language": "en"}
        contest |= {"started_by": 1, "started_at": 1.0, "ends_at": 2.0, "told": False}
        await process.put(contests, **contest | values)
        await process.put(entries, contest_id=number + 1, person=1, dream_id=dream.id, entered_at=1.0)
    strict = replace(USUAL, picture_days=1)
    await keeper(strict, days=400, wall={77}).enforce()
    assert await kept(database, states) == {parent.id, other.id, undelivered.id, owed.id}
    assert await kept(database, timelapses) == {parent.id, other.id, undelivered.id, owed.id}
    needed = {parent.id, other.id, hung.id, entered.id, untold.id, undelivered.id, walled.id, owed.id}
    assert await kept(database, pictures) == needed
    assert waiting.id not in needed and plain.id not in needed


async def fill(process: Process, dream: Dream, *, film: int = 0, picture: int = 0) -> None:
    """Let it have a film and a picture of so many bytes."""
    async with process.heart.database.transaction() as connection:
        for table, size in ((timelapses, film), (pictures, picture)):
            here = update(table).where(table.c.dream_id == dream.id)
            await connection.execute(here.values(content=os.urandom(size)))


async def test_of_too_many_bytes_the_oldest_films_go_first_then_what_nobody_voted_for(
    process: Process, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    heart = process.heart
    database = heart.database
    monkeypatch.setattr(retention, "BYTES", MB)  # so that each goes alone
    made = [await process.dream(ADA) for _ in range(4)]
    for dream in made:
        await fill(process, dream, film=MB, picture=MB)
    await heart.store.add_vote(made[0].id, BO, "⭐")
    before = await database.used()
    await keeper(replace(USUAL, megabytes=before // MB - 1)).enforce()
    assert await kept(database, pictures) == {dream.id for dream in made}
    assert made[3].id in await kept(database, timelapses), "the newest"
    assert made[0].id not in await kept(database, timelapses), "the oldest"
    await keeper(replace(USUAL, megabytes=before // MB - 5)).enforce()
    assert await kept(database, timelapses) == set()
    assert {made[0].id, made[3].id} <= await kept(database, pictures), "voted for, or newest"
    assert made[1].id not in await kept(database, pictures)
    assert await database.used() <= before - 4 * MB


async def test_what_is_needed_is_more_than_fits_and_that_is_known(process: Process, keeper: Keeper) -> None:
    dream = await process.dream(ADA)
    await fill(process, dream, picture=3 * MB)
    await set_row(process, dream, delivered=False)
    strict = keeper(replace(USUAL, megabytes=1))
    await strict.enforce()
    assert strict.over > MB
    await set_row(process, dream, delivered=True)
    await strict.enforce()
    assert strict.over == 0


async def test_pictures_that_people_gave_go_with_the_last_picture_made_of_them(
    process: Process, keeper: Keeper
) -> None:
    database = process.heart.database
    one = await process.dream(ADA, image=b"a photo")
    two = await process.dream(BO, image_id=one.image_id)
    await process.heart.store.erase(one.id)

    async def count() -> int:
        async with database.transaction() as connection:
            return await connection.scalar(select(func.count()).select_from(images)) or 0

    await keeper(replace(USUAL, picture_days=30), days=20).enforce()
    assert await count() == 1 and (await process.stored(two.id)).image_id is not None
    await keeper(replace(USUAL, picture_days=30), days=31).enforce()
    assert await count() == 0 and (await process.stored(two.id)).image_id is None
    await process.put(images, content=b"nobody's")
    await keeper().enforce()
    assert await count() == 0


async def test_only_one_process_does_it_at_a_time_and_another_goes_on_where_it_vanished(
    process: Process, keeper: Keeper
) -> None:
    database = process.heart.database
    await process.dream(ADA)
    mine, theirs = keeper(days=31, owner="us"), keeper(days=31, owner="them")
    await theirs._chores.take("retention", for_s=60)
    await mine._look()
    assert await kept(database, states)
    late = keeper(days=31.1, owner="us")
    await late._look()
    assert not await kept(database, states)


async def test_it_is_done_in_bites(process: Process, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    database = process.heart.database
    monkeypatch.setattr(retention, "ROWS", 3)
    made = [await process.dream(ADA) for _ in range(8)]
    await set_row(process, made[4], delivered=False)
    await keeper(days=31).enforce()
    assert await kept(database, states) == {made[4].id}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_file_of_a_database_becomes_smaller(
    process: Process, keeper: Keeper, settings: Settings
) -> None:
    database = process.heart.database
    made = [await process.dream(ADA) for _ in range(10)]
    for dream in made:
        await fill(process, dream, film=2 * MB)
    assert await database.size() > 20 * MB
    await keeper(days=31).enforce()
    assert await database.size() < 6 * MB
    async with database.transaction() as connection:
        assert await connection.scalar(text("PRAGMA quick_check")) == "ok"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_older_file_that_cannot_shrink_can_after_the_next_start(settings: Settings) -> None:
    file = settings.data_dir / "oneiro.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as older:
        older.execute("PRAGMA journal_mode=WAL")
        older.execute("CREATE TABLE other (number)")
        assert older.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    database = Database(settings.database_url)
    await database.open()
    async with database.transaction() as connection:
        assert await connection.scalar(text("PRAGMA auto_vacuum")) == 2
    await database.close()
