"""What the bot's tests share: settings in a temporary folder, a store, and a wish.

Whatever asks for the database is run twice: with SQLite, and with PostgreSQL where a server can be started.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import fields, replace
from itertools import count
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import make_url

from bot.database.connection import Database
from bot.dreams.dream import What, Wish
from bot.dreams.store import Store
from bot.objects.address import ObjectsAddress
from bot.settings import Settings
from tests.bot.locks import locked
from tests.bot.postgres import Cluster, NoServer
from tests.bot.rig import Rig
from tests.bot.s3 import NoServer as NoS3
from tests.bot.s3 import S3Server


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL server for all tests of this process."""
    pytest.importorskip("asyncpg", reason="asyncpg is not installed")
    try:
        cluster = Cluster()
    except NoServer as error:
        pytest.skip(str(error))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One S3-compatible server for all tests of this process."""
    pytest.importorskip("obstore", reason="obstore is not installed")
    try:
        server = S3Server()
    except NoS3 as error:
        pytest.skip(str(error))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(params=["folder", "bucket"])
def objects_address(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectsAddress:
    """Of an empty object store: a folder, and a bucket where there is a server for it."""
    if request.param == "folder":
        return ObjectsAddress(folder=tmp_path / "objects")
    server: S3Server = request.getfixturevalue("s3")
    return server.address()


def make_tables(url: str) -> None:
    """Bring the database with this address, as it stands in DATABASE_URL, to its newest form."""

    async def open_once() -> None:
        database = Database(Settings.read({"DATABASE_URL": url}).database_url)
        await database.open()
        await database.close()

    with ThreadPoolExecutor(1) as another_loop:
        another_loop.submit(asyncio.run, open_once()).result()


@pytest.fixture(scope="session")
def newest(cluster: Cluster) -> str:
    """A database with the tables in their newest form."""
    name = cluster.create()
    make_tables(cluster.url(name))
    return name


@pytest.fixture(scope="session")
def newest_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `newest`, of SQLite. All steps to it take a third of a second, and most tests are not about them."""
    path = tmp_path_factory.mktemp("newest") / "oneiro.db"
    make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def on_server(cluster: Cluster, newest: str) -> Iterator[str]:
    """The name of the server's database for one test: with all tables and without a row."""
    yield newest
    cluster.empty(newest)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh database, as it stands in DATABASE_URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'oneiro.db'}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(request.getfixturevalue("on_server"))


@pytest.fixture
def lock(database_url: str) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Makes contexts in which another program keeps everybody from writing."""
    return lambda: locked(database_url)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """The defaults, with all files in a temporary folder and a pace that a test can wait for."""
    defaults = Settings.read({"DATA_DIR": str(tmp_path), "DATABASE_URL": database_url})
    return replace(defaults, frame_pace_s=0.01, lease_s=30.0)


@pytest.fixture
def prepared(settings: Settings, newest_file: Path) -> Settings:
    """The settings of a bot whose database has its tables already."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        shutil.copyfile(newest_file, str(url.database))
    return settings


@pytest.fixture
async def database(prepared: Settings) -> AsyncIterator[Database]:
    database = Database(prepared.database_url, busy_timeout_s=0.2)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database, owner="this process")


@pytest.fixture
def odd() -> What:
    """What is dreamt, with nothing in it that would be there by default: a new field too."""
    usual = {str: "a house", int: 3, float: 0.25, bool: True}
    named = {"size": 256, "preset": "thorough", "model": "pocket", "begin": "blend"}
    values = {
        field.name: next(
            value for kind, value in usual.items() if kind in (field.type, *get_args(field.type))
        )
        for field in fields(What)
        if field.name not in named
    }
    what = What(**values | named)  # type: ignore[arg-type]
    assert all(getattr(what, field.name) != field.default for field in fields(What))
    return what


@pytest.fixture
def a_wish() -> Callable[..., Wish]:
    """Makes wishes that differ in their origin."""
    origins = count(1)

    def make(**changes: object) -> Wish:
        plain = Wish(
            prompt="a bowl of cherries",
            seed=7,
            steps=None,
            model="auto",
            author_id=11,
            guild_id=1,
            channel_id=2,
            origin=next(origins),
        )
        return replace(plain, **changes)  # type: ignore[arg-type]  # the field names come from the tests

    return make


@pytest.fixture
async def rig(prepared: Settings) -> AsyncIterator[Rig]:
    rig = await Rig(prepared.database_url, "one").open()
    yield rig
    await rig.close()


@pytest.fixture
async def other(settings: Settings, rig: Rig) -> AsyncIterator[Rig]:
    """A second process, begun while the first still runs."""
    other = await Rig(settings.database_url, "two").open()
    yield other
    await other.close()
