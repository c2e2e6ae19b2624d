"""Finds what happened while nobody was here, each time that Discord tells of all servers anew."""

import asyncio
import logging

from discord.ext import commands

from bot.chat.listeners.listener import Listener
from bot.chat.listeners.servers import welcome_late
from bot.chat.listeners.votes import recount
from bot.database.connection import StoreError

log = logging.getLogger(__name__)


class CatchingUp(Listener):
    """Looks for joined servers, deletions and votes, in this order; after them contests may end."""

    _task: asyncio.Task[None] | None = None

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        if self._task is not None:  # it was away for so long that all servers are told of anew
            self._task.cancel()
        self._task = asyncio.create_task(self._look())

    async def cog_unload(self) -> None:
        """The client closes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        try:
            await welcome_late(self.client, self.parts.moderation)
            await self.parts.deletions.catch_up()
            await recount(self.parts)
        except StoreError as error:
            log.warning("Votes and deletions are not looked for again before the next start: %s", error)
        except Exception:
            log.exception("A fault of ours while votes and deletions were looked for")
        self.parts.inbox.put("The end of contests", self._counted)

    async def _counted(self) -> None:
        """All votes and deletions that were found are stored."""
        self.parts.contest_messages.counted()
