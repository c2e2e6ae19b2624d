"""Opening a database: its tables are made, those of other versions are left alone, errors are named."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, create_engine, inspect, text

from bot.database import migrations
from bot.database.connection import (
    Database,
    StoreBusy,
    StoreError,
    StoreFull,
)
from bot.database.tables import metadata
from bot.dreams.dream import DreamState, Picture, Wish
from bot.dreams.store import Store
from bot.settings import Settings
from engine import Finished, Recipe
from tests.bot.postgres import Cluster

A_WISH = Callable[..., Wish]
RECIPE = Recipe("a house", 7, 100, "pocket", "gan", "clip", "0.1.0")
FINISHED = Finished("1", RECIPE, 31.5, 90, 100, 42.0, False, b"png")

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def on_server(cluster: Cluster) -> Iterator[str]:
    """Here a database of PostgreSQL begins without tables."""
    name = cluster.create()
    yield name
    cluster.drop(name)


@pytest.fixture
def file(settings: Settings) -> Path:
    return settings.data_dir / "oneiro.db"


def differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_the_steps_lead_to_the_tables_that_are_declared(database: Database) -> None:
    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []


@SQLITE
async def test_once_the_tables_are_made_foreign_keys_are_minded(settings: Settings) -> None:
    database = Database(settings.database_url)
    await database.open()
    async with database.transaction() as connection:
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
    await database.close()


def test_the_steps_are_one_chain() -> None:
    steps = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert len(steps.get_heads()) == 1 and steps.get_bases() == ["showings"]


async def test_two_processes_open_a_new_database_at_once(settings: Settings) -> None:
    both = [Database(settings.database_url), Database(settings.database_url)]
    await asyncio.gather(*(database.open() for database in both))
    for database in both:
        assert await Store(database, owner="x").waiting() == []
        await database.close()


async def test_a_new_file_that_another_process_is_about_to_prepare_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "oneiro.db"
    database = Database(f"sqlite+aiosqlite:///{path}", busy_timeout_s=0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        opening = asyncio.create_task(database.open())
        await asyncio.sleep(0.2)
        other.execute("ROLLBACK")
        await opening
    assert await Store(database, owner="x").waiting() == []
    await database.close()


def test_tables_that_another_process_makes_meanwhile_are_no_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'oneiro.db'}")

    def inspect_late(connection: Connection) -> Inspector:
        monkeypatch.undo()
        with engine.begin() as other:
            migrations.upgrade(other)
        return inspect(connection)

    monkeypatch.setattr("bot.database.migrations.inspect", inspect_late)
    with engine.connect() as connection:
        assert migrations.is_current(connection)
    engine.dispose()


@SQLITE
async def test_a_step_that_breaks_off_changes_nothing(
    file: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade_and_fail(connection: Connection) -> None:
        migrations.upgrade(connection)
        raise OSError("the plug was pulled")

    database = Database(settings.database_url)
    with monkeypatch.context() as patch:
        patch.setattr("bot.database.connection.upgrade", upgrade_and_fail)
        with pytest.raises(StoreError):
            await database.open()
    with closing(sqlite3.connect(file)) as connection:
        assert list(connection.execute("SELECT name FROM sqlite_master")) == []
    await database.open()
    assert await Store(database, owner="x").waiting() == []
    await database.close()


async def test_a_newer_database_is_left_alone(settings: Settings, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'of next year'"))
    late = Database(settings.database_url)
    with pytest.raises(StoreError, match="newer version"):
        await late.open()
    await late.close()


@pytest.mark.parametrize(
    "made",
    [
        "UPDATE alembic_version SET version_num = 'first'",
        "UPDATE alembic_version SET version_num = 'most'",
        "DROP TABLE alembic_version",
    ],
)
async def test_a_database_from_before_the_first_release_is_left_alone(
    made: str, database: Database, settings: Settings
) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(made))
        before = await connection.run_sync(lambda c: sorted(inspect(c).get_table_names()))
    late = Database(settings.database_url)
    with pytest.raises(StoreError, match="before Oneiro's first release"):
        await late.open()
    async with database.transaction() as connection:
        assert await connection.run_sync(lambda c: sorted(inspect(c).get_table_names())) == before
    await late.close()


async def test_a_locked_database_is_named_and_works_again(
    lock: Callable[[], AbstractAsyncContextManager[None]], store: Store, a_wish: A_WISH
) -> None:
    async with lock():
        with pytest.raises(StoreBusy):
            await store.add(a_wish())
        assert await store.waiting() == [], "reading goes on"
    assert await store.add(a_wish())


async def test_whoever_starts_beside_a_writer_need_not_wait_to_read(
    lock: Callable[[], AbstractAsyncContextManager[None]], database: Database
) -> None:
    async with lock():
        another = Database(database.url, busy_timeout_s=0.1, starting_s=0.0)
        await another.open()
        assert await Store(another, owner="another").waiting() == []
        await another.close()


async def test_whoever_is_cancelled_hears_of_that_and_of_no_trouble(
    lock: Callable[[], AbstractAsyncContextManager[None]], database: Database, store: Store, a_wish: A_WISH
) -> None:
    async def fail_then() -> None:
        async with database.transaction():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise OSError("what a driver makes of it") from None

    for work in (fail_then(), store.add(a_wish())):
        async with lock():
            task = asyncio.create_task(work)
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.wait({task}, timeout=10)
        assert task.cancelled()


@SQLITE
async def test_a_full_disk_is_named_and_loses_nothing(
    database: Database, store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    await store.claim(dream.id, lease_s=30)
    async with database.transaction() as connection:
        pages = await connection.scalar(text("PRAGMA page_count"))
        await connection.execute(text(f"PRAGMA max_page_count={pages}"))
    big = Picture(b"x" * 1_000_000, "png")
    with pytest.raises(StoreFull):
        await store.finish(dream.id, DreamState.DONE, finished=FINISHED, picture=big)
    kept = await store.get(dream.id)
    assert kept is not None and kept.state is DreamState.DREAMING and await store.picture(dream.id) is None


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/file/oneiro.db")
    with pytest.raises(StoreError, match="file"):
        await database.open()
    await database.close()


@SQLITE
async def test_a_file_that_is_no_database_is_an_error_with_a_sentence(file: Path, settings: Settings) -> None:
    await asyncio.to_thread(file.write_bytes, b"this is not a database at all" * 100)
    database = Database(settings.database_url)
    with pytest.raises(StoreError):
        await database.open()
    await database.close()


@SQLITE
async def test_the_folder_is_made_when_it_is_missing(settings: Settings, tmp_path: Path) -> None:
    deep = replace(settings, database_url=f"sqlite+aiosqlite:///{tmp_path}/a/b/oneiro.db")
    database = Database(deep.database_url)
    await database.open()
    await database.close()
    assert (tmp_path / "a" / "b" / "oneiro.db").is_file()


async def test_the_end_waits_for_what_runs_and_lets_nothing_new_begin(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'oneiro.db'}")
    await database.open()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.transaction() as connection:
            begun.set()
            await go_on.wait()
            await connection.exec_driver_sql("CREATE TABLE last (words INTEGER)")

    writing = asyncio.create_task(write())
    await begun.wait()
    closing_ = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="stopping"):
        async with database.transaction():
            pass
    assert not closing_.done()
    go_on.set()
    await asyncio.gather(writing, closing_)
    with closing(sqlite3.connect(tmp_path / "oneiro.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'last'").fetchone()
    await database.open()
    async with database.transaction() as again:
        await again.exec_driver_sql("DROP TABLE last")
    await database.close()


SLOW = """WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 400000)
          SELECT count(*) FROM c"""


@SQLITE
async def test_whoever_is_cancelled_at_work_leaves_nothing_that_never_ends(database: Database) -> None:
    async def ask() -> None:
        async with database.transaction() as connection:
            await connection.execute(text(SLOW))

    asking = asyncio.create_task(ask())
    for _ in range(3):  # the second time while the connection is being closed
        await asyncio.sleep(0.02)
        asking.cancel()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:  # as at the end of a loop
        task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*left, return_exceptions=True)
