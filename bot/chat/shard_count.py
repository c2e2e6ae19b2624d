"""That all processes on one database count shards alike: else a server is heard of twice, or by nobody."""

import asyncio
import logging
from contextlib import suppress

from bot.background import BackgroundLoop
from bot.database.connection import Database, StoreError
from bot.keeping.chores import Chores
from engine.errors import BadSetting

log = logging.getLogger(__name__)

HELD_S = 30.0  # seconds for which a count holds after its last process has vanished
LOOK_S = 2.0  # seconds between looks whether another count still holds
_CHORE = "shards"


class ShardCount(BackgroundLoop):
    """Live. The chore is held in the count's name, so that every process with the same one may renew it."""

    def __init__(self, *, database: Database, count: int) -> None:
        super().__init__(retry_s=HELD_S / 3)
        self._count = count
        self._chores = Chores(database=database, owner=f"SHARD_COUNT={count}")

    async def _resume(self) -> None:
        """Raises `BadSetting` when there is another count, and not only one of processes that just ended."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HELD_S + LOOK_S
        while not await self._is_held():
            if loop.time() >= deadline:
                raise BadSetting(
                    f"Other processes on this database have another SHARD_COUNT than {self._count}. "
                    "Please set the same one in all of them; to change it, stop them all first."
                )
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> float:
        if not await self._is_held():
            log.error(
                "Processes on this database differ in SHARD_COUNT: some servers may be heard by nobody."
            )
        return self._retry_s

    async def close(self) -> None:
        await super().close()
        with suppress(StoreError):  # who goes on renews it; else another count may come at once
            await self._chores.leave(_CHORE)

    async def _is_held(self) -> bool:
        return await self._chores.take(_CHORE, for_s=HELD_S)
