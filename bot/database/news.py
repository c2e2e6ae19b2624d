"""Tells what other processes changed in the database: PostgreSQL says so at once.

SQLite does not, nor does PostgreSQL behind a pooler of transactions: there whoever wants to know looks from
time to time, which everybody does anyway, for a message may be lost. Who is told of which tables stands in
`bot.database.migrations`.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from bot.database.connection import Database, StoreError

log = logging.getLogger(__name__)

AGAIN_S = 5.0  # seconds until a connection that was lost is made anew


class News:
    """Live: add to `on_change`, then `start`, `close` last."""

    def __init__(self, *, database: Database, again_s: float = AGAIN_S) -> None:
        self._database = database
        self._again_s = again_s
        self._task: asyncio.Task[None] | None = None
        self.on_change: list[Callable[[str], None]] = []  # told a table's name; "": any may have changed
        self.is_listening = False

    async def start(self) -> None:
        """Listen, where there is something to hear."""
        if self._database.tells_news:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Hear no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            with suppress(StoreError):
                async with self._database.listening(self._tell) as lost:
                    self.is_listening = True
                    self._tell("")  # of what happened while nobody listened
                    await lost()
            if self.is_listening:
                log.warning("What other processes do is not heard at once: no connection to the database")
            self.is_listening = False
            await asyncio.sleep(self._again_s)

    def _tell(self, table: str) -> None:
        for hear in self.on_change:
            hear(table)
