"""What the tests of moving share: an export."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.database.connection import Database
from bot.moving.exporting import export
from tests.bot.moving.filled import fill


@pytest.fixture(scope="session")
def an_export(newest_file: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """With rows in each table."""
    file = tmp_path_factory.mktemp("export") / "export.zip"
    copy = file.with_name("oneiro.db")
    shutil.copyfile(newest_file, copy)

    async def work() -> None:
        database = Database(f"sqlite+aiosqlite:///{copy}")
        await fill(database)
        await export(database, file)
        await database.close()

    with ThreadPoolExecutor(1) as another_loop:
        another_loop.submit(asyncio.run, work()).result()
    return file.read_bytes()
