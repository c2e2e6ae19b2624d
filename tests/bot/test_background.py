"""Whoever starts beside a process that is at work waits for it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from bot.background import BackgroundLoop
from bot.database.connection import Database, StoreBusy, patiently
from bot.dreams.preferences import Preference, Preferences

LOCK = Callable[[], AbstractAsyncContextManager[None]]


class Resuming(BackgroundLoop):
    """Writes something at its start."""

    def __init__(self, preferences: Preferences) -> None:
        super().__init__(retry_s=0.01)
        self._preferences = preferences

    async def _resume(self) -> None:
        await self._preferences.put(1, Preference(preset="quick"))

    async def _look(self) -> None:
        return None


async def test_a_start_waits_for_a_database_that_is_locked(database: Database, lock: LOCK) -> None:
    preferences = Preferences(database=database)
    loop = Resuming(preferences)
    async with lock():
        starting = asyncio.create_task(loop.start())
        await asyncio.sleep(1.0)  # five times as long as a transaction waits
        assert not starting.done()
    await starting
    await loop.close()
    assert preferences.of(1).preset == "quick"


async def test_a_start_does_not_wait_for_ever(database: Database, lock: LOCK) -> None:
    preferences = Preferences(database=database)
    async with lock():
        with pytest.raises(StoreBusy):
            await patiently(lambda: preferences.put(1, Preference(preset="quick")), patience_s=0.5)
