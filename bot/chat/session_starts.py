"""When a shard may begin a session, over all processes: Discord counts for the token, not for a process.

Shards whose number leaves the same rest, divided by `max_concurrency`, begin 5 seconds apart (gateway
reference, Session Start Limit). Who hurries is refused, and has spent one of the day's 1,000 beginnings.
"""

import asyncio
import logging
from collections.abc import Callable
from time import time
from uuid import uuid4

from bot.database.connection import Database, StoreError
from bot.keeping.chores import Chores

log = logging.getLogger(__name__)

APART_S = 5.5  # seconds between two; the half is for the way to Discord
LOOK_S = 0.25  # seconds between looks whether it is our turn


class SessionStarts:
    """Live. What one process does at a time (`bot.keeping.chores`) is here done by one shard at a time."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        """`clock`: seconds since 1970."""
        self.at_once = 1  # Discord's max_concurrency
        self._database = database
        self._clock = clock

    async def wait(self, shard_id: int) -> None:
        """Until this shard may begin; a database that is away keeps none out for good."""
        name = f"identify-{shard_id % self.at_once}"
        # Named by itself: two shards of one process have to wait for one another, too.
        chores = Chores(database=self._database, owner=uuid4().hex, clock=self._clock)
        try:
            while not await chores.take(name, for_s=APART_S):  # noqa: ASYNC110 (other processes set no event)
                await asyncio.sleep(LOOK_S)
        except StoreError as error:
            log.warning("shard %d: begins without being asked in turn: %s", shard_id, error)
            await asyncio.sleep(APART_S)
