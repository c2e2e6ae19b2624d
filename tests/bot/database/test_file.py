"""SQLite's file: who may read it, and that what is deleted is gone from it."""

import logging
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.database.connection import Database
from bot.database.migrations import steps, tables_at
from bot.dreams.dream import DreamState, Picture, Wish
from bot.dreams.store import Store
from engine import Failed, FailureKind
from tests.bot.scripted import until

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
SECRET = b"\x89PNG of something that nobody shall see again " * 3000  # some pages


@pytest.fixture
def umask() -> AsyncIterator[None]:
    """Of a system that lets everybody read what is made."""
    before = os.umask(0o000)
    yield
    os.umask(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "made" / "oneiro.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def opened(file: Path) -> Database:
    database = Database(f"sqlite+aiosqlite:///{file}", busy_timeout_s=0.2)
    await database.open()
    return database


async def a_picture(database: Database, wish: Wish) -> tuple[Store, int]:
    """A dream that is over, with a picture."""
    store = Store(database, owner="us")
    dream = await store.add(wish)
    await store.claim(dream.id, lease_s=30)
    failure = Failed(str(dream.id), FailureKind.STOPPED)
    await store.finish(dream.id, DreamState.CANCELLED, picture=Picture(SECRET, "png"), failure=failure)
    return store, dream.id


def bytes_of(file: Path) -> bytes:
    """All that lies in the database's files."""
    return b"".join(each.read_bytes() for each in sorted(file.parent.glob(file.name + "*")))


@POSIX
@pytest.mark.usefixtures("umask")
async def test_a_new_database_is_its_owner_s_alone(file: Path, a_wish: Callable[..., Wish]) -> None:
    database = await opened(file)
    await Store(database, owner="us").add(a_wish())
    beside = sorted(file.parent.iterdir())
    assert [each.name for each in beside] == ["oneiro.db", "oneiro.db-shm", "oneiro.db-wal"]
    assert {mode(each) for each in beside} == {0o600}
    assert mode(file.parent) == 0o700
    await database.close()


@POSIX
@pytest.mark.usefixtures("umask")
async def test_a_database_that_everybody_could_read_is_its_owner_s_from_now_on(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir(mode=0o755)
    with closing(sqlite3.connect(file)) as older:
        older.execute("PRAGMA journal_mode=WAL")
        older.execute("CREATE TABLE other (number)")
        older.commit()
        assert {mode(each) for each in file.parent.iterdir()} == {0o644}
        database = await opened(file)
        assert {mode(each) for each in file.parent.iterdir()} == {0o600}
        await database.close()
    assert mode(file.parent) == 0o755, "a folder that was there is somebody's own business"
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


async def test_a_deleted_picture_is_in_no_file_any_more(file: Path, a_wish: Callable[..., Wish]) -> None:
    database = await opened(file)
    store, dream_id = await a_picture(database, a_wish(prompt="a very private garden"))
    assert SECRET[:500] in bytes_of(file)
    await store.erase(dream_id)
    await until(lambda: SECRET[:40] not in bytes_of(file))
    assert b"very private" not in bytes_of(file)
    await database.close()


async def test_a_deleted_picture_is_gone_although_somebody_still_reads(
    file: Path, a_wish: Callable[..., Wish]
) -> None:
    database = await opened(file)
    store, dream_id = await a_picture(database, a_wish())
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM dreams").fetchall()
        await store.erase(dream_id)
        assert SECRET[:500] in bytes_of(file), "the reader may still ask for it"
        reader.execute("COMMIT")
    await until(lambda: SECRET[:40] not in bytes_of(file))
    await database.close()


async def test_what_was_deleted_before_is_gone_after_the_next_start(
    file: Path, a_wish: Callable[..., Wish]
) -> None:
    database = await opened(file)
    _, dream_id = await a_picture(database, a_wish())
    await database.close()
    with closing(sqlite3.connect(file, isolation_level=None)) as older:
        older.executescript("PRAGMA secure_delete=OFF; PRAGMA user_version=0; DELETE FROM pictures;")
    assert SECRET[:500] in bytes_of(file)
    database = await opened(file)
    await until(lambda: SECRET[:40] not in bytes_of(file))
    dream = await Store(database, owner="us").get(dream_id)
    assert dream is not None and dream.prompt == "a bowl of cherries"
    await database.close()


async def test_a_database_in_use_is_opened_all_the_same_and_rewritten_another_time(
    file: Path, a_wish: Callable[..., Wish]
) -> None:
    await (await opened(file)).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA user_version=0")
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM dreams").fetchall()
        database = await opened(file)
        await database.close()
        other.execute("COMMIT")
    database = await opened(file)
    async with database.transaction() as connection:
        assert (await connection.exec_driver_sql("PRAGMA user_version")).scalar() == 2
    await database.close()


def test_the_log_of_a_new_database_tells_of_its_steps_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="alembic"):
        tables_at("head")
    assert len(caplog.messages) == len(steps())
    assert all(message.startswith("Running upgrade ") for message in caplog.messages)
