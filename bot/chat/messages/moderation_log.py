"""Tells in a server's log channel what its moderators did, as it is done."""

import asyncio
import logging
from dataclasses import replace

import aiohttp
import discord

from bot.chat.messages.language import of_guild
from bot.database.connection import StoreError
from bot.sentences import audit_log
from bot.servers.moderation import AuditEntry, Moderation

log = logging.getLogger(__name__)


class ModerationLog:
    """Hears of each entry of the audit log. A log that cannot be written to keeps nobody from anything."""

    def __init__(self, *, client: discord.Client, moderation: Moderation) -> None:
        self._client = client
        self._moderation = moderation
        self._tasks: set[asyncio.Task[None]] = set()

    def entered(self, entry: AuditEntry) -> None:
        """See `Moderation.on_entry`."""
        if self._moderation.settings(entry.guild_id).log_channel is None:
            return
        task = asyncio.create_task(self._tell(entry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, entry: AuditEntry) -> None:
        settings = self._moderation.settings(entry.guild_id)
        say = of_guild(self._client.get_guild(entry.guild_id), settings)
        await self.send(entry.guild_id, discord.Embed(description=audit_log.line(entry, say)))

    async def send(self, guild_id: int, embed: discord.Embed, view: discord.ui.View | None = None) -> bool:
        """Show something to the moderators. False when there is no log channel that takes it."""
        channel_id = self._moderation.settings(guild_id).log_channel
        if channel_id is None:
            return False
        channel = self._client.get_partial_messageable(channel_id, guild_id=guild_id)
        try:
            await channel.send(embed=embed, view=view or discord.ui.View())
        except discord.NotFound:
            log.info("server %d: its log channel is deleted", guild_id)
            await self._forget(guild_id, channel_id)
            return False
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("server %d: its log channel cannot be written to: %s", guild_id, error)
            return False
        return True

    async def _forget(self, guild_id: int, channel_id: int) -> None:
        """A deleted log channel is none; unless another one was set meanwhile."""
        assert self._client.user is not None
        try:
            await self._moderation.change(
                guild_id,
                by=self._client.user.id,
                change=lambda old: replace(old, log_channel=None) if old.log_channel == channel_id else old,
            )
        except StoreError as error:
            log.warning("server %d: its deleted log channel is not forgotten yet: %s", guild_id, error)
