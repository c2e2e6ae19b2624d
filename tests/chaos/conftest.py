"""The database of `tests/bot`, for the accounts' own tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.database.connection import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'oneiro.db'}")
    await database.open()
    yield database
    await database.close()
