"""Tries vote emoji before they are kept: each is really put under a message, which is taken away again."""

import logging
from dataclasses import dataclass

import aiohttp
import discord

from bot.chat.access import missing
from bot.chat.commands.moderate.group import guild_id, settings
from bot.chat.language import common
from bot.chat.reactions import Put, put

log = logging.getLogger(__name__)

_NOT_NEEDED = ("embed_links", "attach_files")  # for a message of words


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it."""

    taken: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()  # permissions in this channel, by discord.py's names; nothing was tried
    hindered: bool = False  # Discord or the network has a moment


async def tried(interaction: discord.Interaction, emoji: tuple[str, ...]) -> Trial:
    """Try them in the channel where the command is used."""
    in_thread = isinstance(interaction.channel, discord.Thread)
    lacking = [
        one for one in missing(interaction.app_permissions, thread=in_thread) if one not in _NOT_NEEDED
    ]
    if lacking:
        return Trial(lacking=tuple(lacking))
    say = common(interaction, preferred=settings(interaction).language)
    channel = interaction.client.get_partial_messageable(
        interaction.channel_id or 0, guild_id=guild_id(interaction)
    )
    try:
        message = await channel.send(say.TRYING_EMOJI, silent=True)
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
        log.info("interaction %d: no emoji could be tried: %r", interaction.id, error)
        return Trial(hindered=True)
    try:
        return await _each(message, emoji)
    finally:
        try:
            await message.delete()
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("interaction %d: the trial's message stays: %r", interaction.id, error)


async def _each(message: discord.Message, emoji: tuple[str, ...]) -> Trial:
    taken: list[str] = []
    refused: list[str] = []
    for one in emoji:
        outcome = await put(message, one)
        if outcome in (Put.LATER, Put.LOST):
            return Trial(hindered=True)
        if outcome is Put.DONE:
            taken.append(one)
        else:  # also what we may not use: emoji of other servers
            refused.append(one)
    return Trial(taken=tuple(taken), refused=tuple(refused))
