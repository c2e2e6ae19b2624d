"""What Discord told of, done one after the other, and again while the database cannot be used."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from bot.background import OnDemand
from bot.database.connection import StoreError

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0  # between two tries of the same
MOST = 10_000  # that wait; what comes then is found again at the next start


class Inbox(OnDemand):
    """Keeps the order in which things happened: add and take back of one person must not overtake.

    Nothing in it may wait for Discord: everybody's votes would wait, too.
    """

    def __init__(self, *, pause_s: float = FIRST_PAUSE_S) -> None:
        super().__init__()
        self._pause_s = pause_s
        self._waiting: deque[tuple[str, Callable[[], Awaitable[None]]]] = deque()

    def put(self, what: str, do: Callable[[], Awaitable[None]]) -> None:
        """Do this when its turn comes. `what`: for the log."""
        if self._is_closed:
            return  # it is found again at the next start
        if len(self._waiting) >= MOST:
            log.warning("%s waits for the next start: the database is away for too long", what)
            return
        self._waiting.append((what, do))
        self.begin()

    async def close(self) -> None:
        await super().close()
        self._waiting.clear()

    async def _run(self) -> None:
        while self._waiting:
            what, do = self._waiting[0]
            pause_s = self._pause_s
            while True:
                try:
                    await do()
                    break
                except StoreError as error:
                    log.warning("%s waits: %s", what, error)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                except Exception:
                    # A fault with one must not keep the others out.
                    log.exception("%s: a fault of ours", what)
                    break
            self._waiting.popleft()
