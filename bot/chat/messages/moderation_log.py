"""Tells in a server's log channel what its moderators did, as it is done."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import discord

from bot.chat.messages.language import of_guild
from bot.chat.messages.outbox import Hopeless, Later, believe
from bot.chat.messages.poster import FIND_MOST
from bot.database.connection import StoreError
from bot.database.outbox import Owed
from bot.sentences import audit_log
from bot.servers.moderation import Moderation

log = logging.getLogger(__name__)


class ModerationLog:
    """Each entry of the audit log is owed (`bot.chat.messages.outbox`); whoever reports something waits."""

    def __init__(self, *, client: discord.Client, moderation: Moderation) -> None:
        self._client = client
        self._moderation = moderation

    async def tell(self, owed: Owed) -> None:
        """Post an entry. Raises `Later`, `Hopeless`, `StoreError`."""
        entry = await self._moderation.entry(owed.subject)
        if entry is None:
            return
        settings = self._moderation.settings(entry.guild_id)
        if settings.log_channel is None:
            return
        say = of_guild(self._client.get_guild(entry.guild_id), settings)
        # When it was done: it may come late, and is known by that and its words.
        at = datetime.fromtimestamp(round(entry.at), UTC)
        embed = discord.Embed(description=audit_log.line(entry, say), timestamp=at)
        channel = self._channel(entry.guild_id, settings.log_channel)
        if not (owed.again and await self._is_there(channel, embed)):
            await self._post(channel, embed, owed=owed)

    async def send(self, guild_id: int, embed: discord.Embed, view: discord.ui.View) -> bool:
        """Show something to the moderators. False when there is no log channel that takes it."""
        channel_id = self._moderation.settings(guild_id).log_channel
        if channel_id is None:
            return False
        try:
            await self._post(self._channel(guild_id, channel_id), embed, view=view)
        except (Later, Hopeless) as error:
            log.info("server %d: %s", guild_id, error)
            return False
        return True

    def _channel(self, guild_id: int, channel_id: int) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(channel_id, guild_id=guild_id)

    async def _post(
        self,
        channel: discord.PartialMessageable,
        embed: discord.Embed,
        *,
        view: discord.ui.View | None = None,
        owed: Owed | None = None,
    ) -> None:
        nonce = None if owed is None else f"log-{owed.subject}"
        try:
            await channel.send(embed=embed, view=view or discord.ui.View(), nonce=nonce)  # type: ignore[arg-type]  # None is its default
        except (discord.NotFound, discord.Forbidden) as error:
            if owed is not None:
                believe(owed, f"its log channel is not there, or not for us, says Discord: {error}")
            if isinstance(error, discord.Forbidden):
                raise Hopeless(f"its log channel cannot be written to: {error}") from error
            await self._forget(channel.guild_id or 0, channel.id)
            raise Hopeless("its log channel is deleted") from error
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Later(f"its log channel did not take it: {error}") from error

    async def _is_there(self, channel: discord.PartialMessageable, embed: discord.Embed) -> bool:
        """Whether somebody posted it, and could not remember that. Raises `Later`."""
        me = self._client.user
        wanted = embed.description, embed.timestamp
        try:
            async for message in channel.history(limit=FIND_MOST):
                ours = me is not None and message.author.id == me.id
                if ours and any((one.description, one.timestamp) == wanted for one in message.embeds):
                    return True
        except (discord.NotFound, discord.Forbidden) as error:
            log.info("channel %d: cannot be read: %s", channel.id, error)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Later(f"its log channel cannot be read: {error!r}") from error
        return False

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
