"""Reactions known from other bots: ❌ cancels or deletes one's own dream, ✉️ sends it to oneself."""

import logging
from contextlib import suppress
from functools import partial

import aiohttp
import discord
from discord.ext import commands

from bot.chat.erasing import erase
from bot.chat.listeners.listener import Listener
from bot.chat.messages.exhibit import exhibit
from bot.chat.messages.poster import fitting
from bot.community.emoji import meant
from bot.database.connection import StoreError
from bot.dreams.dream import Dream
from bot.dreams.ending import NotYours
from bot.dreams.showing import Occasion, Visibility
from bot.sentences import spoken

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
            async with self.parts.outlet.whenever():  # of many at once, one picture at a time is in memory
                await self._send(dream, event.user_id)
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

    async def _send(self, dream: Dream, person: int) -> None:
        """Send the picture, once; whoever takes no messages from us gets none. What was flagged stays here.

        Somebody may toggle the reaction as often as they like: see `bot.dreams.sendings`.
        """
        allowed = await self.parts.sight.showing(dream, Occasion.SENT)
        picture = (
            None if allowed.visibility is Visibility.WITHHELD else await self.parts.store.picture(dream.id)
        )
        if picture is None or not await self.parts.sendings.claim(person, dream.id):
            return
        picture = await fitting(picture, discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES)
        alt_text = spoken(dream.language).alt_text(dream.prompt)
        shown = exhibit(picture, allowed, stem=f"dream-{dream.id}", alt_text=alt_text)
        if shown is None:
            return
        try:
            channel = await self.client.create_dm(discord.Object(person))
            await channel.send(file=shown.file())
        except discord.Forbidden as error:
            log.info("dream %d: not sent to %d: %s", dream.id, person, error)
            self.parts.sendings.refused(person)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("dream %d: not sent to %d: %s", dream.id, person, error)
            await self.parts.sendings.failed(person, dream.id)
