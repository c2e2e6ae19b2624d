"""Tells what other processes changed in the database: PostgreSQL says so at once.

SQLite does not, nor does PostgreSQL behind a pooler of transactions: there whoever wants to know looks from
time to time, which everybody does anyway, for a message may be lost. Who is told of which tables stands in
`bot.database.migrations`.
"""

import logging
from collections.abc import Callable

from bot.background import BackgroundLoop
from bot.database.connection import Database

log = logging.getLogger(__name__)

AGAIN_S = 5.0  # seconds until a connection that was lost is made anew


class News(BackgroundLoop):
    """Live: add to `on_change`, then `start`, `close` last."""

    def __init__(self, *, database: Database, again_s: float = AGAIN_S) -> None:
        super().__init__(retry_s=again_s)
        self._database = database
        self.on_change: list[Callable[[str], None]] = []  # told a table's name; "": any may have changed
        self.is_listening = False

    async def start(self) -> None:
        """Listen, where there is something to hear."""
        if self._database.tells_news:
            await super().start()

    async def _look(self) -> float:
        """Listen until the connection is lost."""
        try:
            async with self._database.listening(self._tell) as lost:
                self.is_listening = True
                self._tell("")  # of what happened while nobody listened
                await lost()
            log.warning("What other processes do is not heard at once: no connection to the database")
        finally:
            self.is_listening = False
        return self._retry_s

    def _tell(self, table: str) -> None:
        for hear in self.on_change:
            hear(table)
