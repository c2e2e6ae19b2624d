"""Reactions known from other bots: ❌ cancels or deletes one's own dream, ✉️ sends it to oneself."""

import logging
from contextlib import suppress
from functools import partial

import discord
from discord.ext import commands

from bot.chat.erasing import erase
from bot.chat.listeners.listener import Listener
from bot.community.emoji import meant
from bot.database.connection import StoreError
from bot.dreams.dream import Dream
from bot.dreams.ending import NotYours

log = logging.getLogger(__name__)

AWAY = "❌"
SEND = "✉️"
_AWAY, _SEND = meant(AWAY), meant(SEND)


class ReactionCommandListener(Listener):
    """A reaction that cannot be obeyed is left alone."""

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        try:
            await self.obey(event)
        except StoreError as error:
            log.warning("A reaction is not obeyed: %s", error)

    async def obey(self, event: discord.RawReactionActionEvent) -> None:
        """Do what a reaction under a dream asks for, if it asks for anything. Raises `StoreError`."""
        emoji = meant(str(event.emoji))
        if emoji not in (_AWAY, _SEND) or (event.member is not None and event.member.bot):
            return
        if emoji == _SEND:  # under a copy as well
            found = await self.parts.store.shown_at(event.message_id)
            dream = found[0] if found else None
        else:
            dream = await self.parts.store.shown_by(event.message_id)
        if dream is None or dream.erased:
            return
        if emoji == _SEND:
            # Somebody may toggle the reaction as often as they like: see `bot.dreams.sendings`.
            if await self.parts.sent_pictures.ask(dream, event.user_id):
                self.parts.outbox.wake()
        else:
            with suppress(NotYours):  # anybody may react as they like
                await self._away(dream, event.user_id, moderates=self._moderates(dream, event.member))

    async def _away(self, dream: Dream, person: int, *, moderates: bool) -> None:
        if dream.state.is_over:
            delete = partial(erase, self.parts)
            await self.parts.ending.delete(dream, delete, by=person, moderates=moderates)
        else:
            await self.parts.ending.cancel(dream, by=person, moderates=moderates)

    def _moderates(self, dream: Dream, member: discord.Member | None) -> bool:
        """Whether this person may end and delete other people's dreams here."""
        guild = self.client.get_guild(dream.guild_id) if dream.guild_id else None
        channel = guild.get_channel_or_thread(dream.channel_id) if guild else None
        if guild is None or channel is None or member is None:
            return False
        permissions = channel.permissions_for(member)
        role = self.parts.moderation.settings(guild.id).moderator_role
        named = role is not None and any(each.id == role for each in member.roles)
        return permissions.manage_messages or permissions.manage_guild or named
