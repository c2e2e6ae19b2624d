"""Finds what happened while nobody was here, each time that Discord tells of all servers anew."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from discord.ext import commands

from bot.chat.listeners.listener import Listener
from bot.chat.listeners.servers import find_left, welcome_late
from bot.chat.listeners.votes import recount, recount_others
from bot.database.connection import StoreError

log = logging.getLogger(__name__)

RETRY_S = 10.0  # seconds to wait while the database cannot be used


class CatchingUp(Listener):
    """Looks for joined servers, deletions and votes, in this order; after them contests may end."""

    _task: asyncio.Task[None] | None = None

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """All servers are known for the first time; what comes later each shard tells for itself."""
        if self._task is None:
            self._begin()

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """A shard's servers are told of anew. Of that discord.py says no `on_ready` until all shards are."""
        if self._task is not None:
            self._begin()

    def _begin(self) -> None:
        if self._task is not None:  # it was away for so long
            self._task.cancel()
        self._task = asyncio.create_task(self._look())

    async def cog_unload(self) -> None:
        """The client closes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        await _done(partial(welcome_late, self.client, self.parts.moderation))
        await _done(self.parts.deletions.catch_up)
        await _done(partial(find_left, self.client, self.parts.forgetter))
        await _done(partial(recount, self.parts))
        self.parts.inbox.put("The end of contests", self._counted)
        await _done(partial(recount_others, self.parts))

    async def _counted(self) -> None:
        """All votes and deletions that were found are stored."""
        self.parts.contest_messages.counted()


async def _done(look: Callable[[], Awaitable[None]]) -> None:
    """Look, and again while the database cannot be used."""
    while True:
        try:
            await look()
            return
        except StoreError as error:
            log.warning("Votes and deletions are looked for again in %g seconds: %s", RETRY_S, error)
            await asyncio.sleep(RETRY_S)
        except Exception:
            # A fault with one look must not keep out the others.
            log.exception("A fault of ours while votes and deletions were looked for")
            return
