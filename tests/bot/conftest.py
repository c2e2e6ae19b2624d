"""What the bot's tests share: settings in a temporary folder, a store, and a wish."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from bot.database import Database
from bot.dreams import Wish
from bot.settings import Settings
from bot.store import Store
from tests.bot.rig import Rig


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults, with all files in a temporary folder and a pace that a test can wait for."""
    defaults = Settings.read({"DATA_DIR": str(tmp_path)})
    return replace(defaults, frame_pace_s=0.01, lease_s=30.0)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url, busy_timeout_s=0.2)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database, owner="this process")


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
async def rig(settings: Settings) -> AsyncIterator[Rig]:
    rig = await Rig(settings.database_url, "one").open()
    yield rig
    await rig.close()


@pytest.fixture
async def other(settings: Settings, rig: Rig) -> AsyncIterator[Rig]:
    """A second process, begun while the first still runs."""
    other = await Rig(settings.database_url, "two").open()
    yield other
    await other.close()
