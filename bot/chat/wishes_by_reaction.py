"""Reactions known from other bots: ❌ cancels or deletes one's own dream, ✉️ sends it to oneself."""

import io
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.chat.post import fitting
from bot.chat.quoting import ALT_TEXT, plain
from bot.chat.sentences import spoken
from bot.dreams import Dream
from bot.emoji import meant

if TYPE_CHECKING:
    from bot.chat.client import OneiroClient

log = logging.getLogger(__name__)

AWAY = "❌"
SEND = "✉️"
_AWAY, _SEND = meant(AWAY), meant(SEND)


async def obey(client: "OneiroClient", event: discord.RawReactionActionEvent) -> None:
    """Do what a reaction under a dream asks for, if it asks for anything. Raises `StoreError`."""
    emoji = meant(str(event.emoji))
    if emoji not in (_AWAY, _SEND) or (event.member is not None and event.member.bot):
        return
    if emoji == _SEND:  # under a copy as well
        found = await client.store.shown_at(event.message_id)
        dream = found[0] if found else None
    else:
        dream = await client.store.shown_by(event.message_id)
    if dream is None or dream.erased:
        return
    if emoji == _SEND:
        await _send(client, dream, event.user_id)
    elif event.user_id == dream.author_id or _moderates(client, dream, event.member):
        if dream.state.is_over:
            await client.erase(dream)
        else:
            await client.worker.cancel(dream.id)


def _moderates(client: "OneiroClient", dream: Dream, member: discord.Member | None) -> bool:
    """Whether this person may end and delete other people's dreams here."""
    guild = client.get_guild(dream.guild_id) if dream.guild_id else None
    channel = guild.get_channel_or_thread(dream.channel_id) if guild else None
    if guild is None or channel is None or member is None:
        return False
    permissions = channel.permissions_for(member)
    role = client.moderation.settings(guild.id).moderator_role
    named = role is not None and any(each.id == role for each in member.roles)
    return permissions.manage_messages or permissions.manage_guild or named


async def _send(client: "OneiroClient", dream: Dream, person: int) -> None:
    """Send the picture, once; whoever takes no messages from us gets none. What was flagged stays here.

    Somebody may toggle the reaction as often as they like: see `bot.sendings`.
    """
    picture = await client.store.picture(dream.id)
    if picture is None or dream.flagged or not await client.sendings.claim(person, dream.id):
        return
    picture = await fitting(picture, discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES)
    if picture is None:
        return
    alt_text = plain(spoken(dream.language).alt_text(dream.prompt), ALT_TEXT)
    file = discord.File(
        io.BytesIO(picture.content),
        filename=f"dream-{dream.id}.{picture.kind}",
        description=alt_text,
        spoiler=dream.spoiler,
    )
    try:
        channel = await client.create_dm(discord.Object(person))
        await channel.send(file=file)
    except discord.Forbidden as error:
        log.info("dream %d: not sent to %d: %s", dream.id, person, error)
        client.sendings.refused(person)
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
        log.info("dream %d: not sent to %d: %s", dream.id, person, error)
        await client.sendings.failed(person, dream.id)
