"""Opening a database: old ones are brought up without loss, newer ones are left alone, errors are named."""

import asyncio
import importlib
import pkgutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import bot
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

SNOWFLAKE = 1460988416112001024  # as large as Discord's ids are
A_WISH = Callable[..., Wish]
RECIPE = Recipe("a house", 7, 100, "pocket", "gan", "clip", "0.1.0")
FINISHED = Finished("1", RECIPE, 31.5, 90, 100, 42.0, False, b"png")

# As version 0.1.0 made them, from its own sqlite_master.
VERSION_1 = """
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE dreams (
    id INTEGER NOT NULL, origin BIGINT NOT NULL, prompt TEXT NOT NULL, seed BIGINT NOT NULL, steps INTEGER,
    model VARCHAR(64) NOT NULL, author_id BIGINT NOT NULL, guild_id BIGINT, channel_id BIGINT NOT NULL,
    message_id BIGINT, state VARCHAR(16) NOT NULL, attempts INTEGER NOT NULL, created_at FLOAT NOT NULL,
    started_at FLOAT, ended_at FLOAT, owner VARCHAR(64), lease_until FLOAT, cancel_asked BOOLEAN NOT NULL,
    delivered BOOLEAN NOT NULL, failure VARCHAR(32), failure_detail TEXT NOT NULL, notice TEXT NOT NULL,
    score FLOAT, best_step INTEGER, steps_done INTEGER, seconds FLOAT, recipe TEXT NOT NULL,
    PRIMARY KEY (id), UNIQUE (origin), UNIQUE (message_id)
);
CREATE INDEX dreams_by_state ON dreams (state, delivered);
CREATE TABLE pictures (
    dream_id INTEGER NOT NULL, kind VARCHAR(8) NOT NULL, content BLOB NOT NULL, PRIMARY KEY (dream_id),
    FOREIGN KEY(dream_id) REFERENCES dreams (id) ON DELETE CASCADE
);
CREATE TABLE votes (
    dream_id INTEGER NOT NULL, person BIGINT NOT NULL, emoji VARCHAR(100) NOT NULL,
    PRIMARY KEY (dream_id, person, emoji), FOREIGN KEY(dream_id) REFERENCES dreams (id) ON DELETE CASCADE
);
INSERT INTO schema_version VALUES (1);
INSERT INTO dreams VALUES (
    4, 99, 'a bowl of cherries', 4294967295, 60, 'pocket', 11, 1, 2, 500, 'done', 1, 1e9, 1e9, 1e9, NULL,
    NULL, 0, 1, NULL, '', 'cut', 31.5, 50, 60, 6.0, '{}'
);
INSERT INTO pictures VALUES (4, 'png', x'89504e47');
INSERT INTO votes VALUES (4, 12, '⭐');
"""


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
STEPS = [step.revision for step in ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()]

A_DREAM = """
INSERT INTO dreams (
    origin, prompt, seed, model, author_id, guild_id, channel_id, message_id, state, attempts, created_at,
    cancel_asked, delivered, failure_detail, notice, recipe
) VALUES (
    :id, 'a bowl of cherries', 4294967295, 'pocket', :id, :id, :id, :id, 'done', 1, 1791154700.123456,
    false, true, '', 'cut', '{}'
)
"""


@pytest.fixture
def on_server(cluster: Cluster) -> Iterator[str]:
    """Here a database of PostgreSQL begins without tables."""
    name = cluster.create()
    yield name
    cluster.drop(name)


@pytest.fixture
def file(settings: Settings) -> Path:
    return settings.data_dir / "oneiro.db"


@pytest.fixture
def old(file: Path) -> Iterator[sqlite3.Connection]:
    """A database of version 1, and the connection of the process that still uses it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript(VERSION_1)
        yield connection


@SQLITE
async def test_an_old_database_is_brought_up_without_loss(
    old: sqlite3.Connection, settings: Settings
) -> None:
    database = Database(settings.database_url)
    await database.open()
    store = Store(database, owner="new")
    dream = await store.get(4)
    assert dream is not None
    assert (dream.prompt, dream.seed, dream.state) == ("a bowl of cherries", 4294967295, DreamState.DONE)
    assert (dream.message_id, dream.score, dream.notice, dream.delivered) == (500, 31.5, "cut", True)
    assert await store.picture(4) == Picture(b"\x89PNG", "png")
    assert await store.count_votes(4) == 1
    await database.close()


def differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection), metadata)


def declare_all() -> None:
    for module in pkgutil.iter_modules(bot.__path__):
        importlib.import_module(f"bot.{module.name}")  # whatever declares tables


async def test_the_steps_lead_to_the_tables_that_the_modules_declare(database: Database) -> None:
    declare_all()
    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []


@SQLITE
async def test_version_1_becomes_the_tables_that_the_modules_declare(
    old: sqlite3.Connection, database: Database
) -> None:
    declare_all()
    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize("step", [*STEPS, "version 1"])
async def test_a_database_of_each_step_is_brought_up_without_loss(step: str, settings: Settings) -> None:
    def make(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, migrations.FIRST if step == "version 1" else step)
        if step == "version 1":  # which was made without Alembic
            connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(
            text(A_DREAM),
            {"id": SNOWFLAKE},
        )

    declare_all()
    before, database = Database(settings.database_url), Database(settings.database_url)
    async with before.transaction() as connection:
        await connection.run_sync(make)
    await before.close()
    await database.open()
    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []
    dream = await Store(database, owner="new").shown_by(SNOWFLAKE)
    assert dream is not None
    assert dream.origin == dream.author_id == dream.guild_id == dream.channel_id == SNOWFLAKE
    assert (dream.prompt, dream.seed, dream.created_at) == (
        "a bowl of cherries",
        2**32 - 1,
        1791154700.123456,
    )
    assert dream.delivered and not dream.cancel_asked and not dream.erased and dream.language == "en"
    await database.close()


def test_the_steps_are_one_chain() -> None:
    steps = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert len(steps.get_heads()) == 1 and steps.get_bases() == [migrations.FIRST]


async def test_two_processes_open_a_new_database_at_once(settings: Settings) -> None:
    both = [Database(settings.database_url), Database(settings.database_url)]
    await asyncio.gather(*(database.open() for database in both))
    for database in both:
        assert await Store(database, owner="x").waiting() == []
        await database.close()


@SQLITE
async def test_two_processes_open_an_old_database_at_once(
    old: sqlite3.Connection, settings: Settings
) -> None:
    both = [Database(settings.database_url), Database(settings.database_url)]
    await asyncio.gather(*(database.open() for database in both))
    assert [await Store(d, owner="x").count_votes(4) for d in both] == [1, 1]
    for database in both:
        await database.close()


@SQLITE
async def test_a_step_that_breaks_off_changes_nothing(
    old: sqlite3.Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade_and_fail(connection: Connection) -> None:
        migrations.upgrade(connection)
        raise OSError("the plug was pulled")

    before = list(old.execute("SELECT sql FROM sqlite_master ORDER BY name"))
    database = Database(settings.database_url)
    with monkeypatch.context() as patch:
        patch.setattr("bot.database.connection.upgrade", upgrade_and_fail)
        with pytest.raises(StoreError):
            await database.open()
    assert list(old.execute("SELECT sql FROM sqlite_master ORDER BY name")) == before
    await database.open()
    assert await Store(database, owner="x").count_votes(4) == 1
    await database.close()


async def test_a_newer_database_is_left_alone(settings: Settings, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'of next year'"))
    late = Database(settings.database_url)
    with pytest.raises(StoreError, match="newer version"):
        await late.open()
    await late.close()


@SQLITE
async def test_a_newer_database_without_steps_is_left_alone(
    old: sqlite3.Connection, settings: Settings
) -> None:
    old.execute("UPDATE schema_version SET version = 99")
    late = Database(settings.database_url)
    with pytest.raises(StoreError, match="newer version"):
        await late.open()
    await late.close()
    assert not list(old.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"))


async def test_a_locked_database_is_named_and_works_again(
    lock: Callable[[], AbstractAsyncContextManager[None]], store: Store, a_wish: A_WISH
) -> None:
    async with lock():
        with pytest.raises(StoreBusy):
            await store.add(a_wish())
        assert await store.waiting() == [], "reading goes on"
    assert await store.add(a_wish())


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
