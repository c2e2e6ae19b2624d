"""Hears of deleted messages, channels and threads, of channels that change, of servers that come and go."""

import discord
from discord.ext import commands

from bot.chat.listeners.listener import Listener


class DeletionListener(Listener):
    """Tells `bot.chat.messages.deletions`, which knows what becomes of the dreams."""

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.parts.deletions.messages([event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        self.parts.deletions.messages(event.message_ids)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.parts.deletions.channel(channel.guild.id, channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        self.parts.sight.venues.forget(event.thread_id)
        self.parts.deletions.channel(event.guild_id, event.thread_id)

    @commands.Cog.listener()
    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        admits = (before.overwrites, getattr(before, "nsfw", None), before.category_id)
        if admits != (after.overwrites, getattr(after, "nsfw", None), after.category_id):
            self.parts.deletions.look_at(after.guild.id)

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if after.is_default() and before.permissions != after.permissions:
            self.parts.deletions.look_at(after.guild.id)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.parts.deletions.back(guild.id)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.parts.deletions.left(guild.id)
