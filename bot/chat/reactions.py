"""Reads the reactions under a message, and puts the bot's own there; one that is refused hinders no other."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import aiohttp
import discord

from bot.community.emoji import meant

log = logging.getLogger(__name__)

# Discord's error codes (developer documentation, 2026-08).
_UNKNOWN_EMOJI, _TOO_MANY, _BLOCKED = 10014, 30010, 90001
_INVALID_FORM = 50035  # text that cannot be an emoji
REFUSED = (_UNKNOWN_EMOJI, _INVALID_FORM)


class Put(Enum):
    """What came of putting one reaction."""

    DONE = auto()
    REFUSED = auto()  # Discord never takes this emoji here: it is deleted, foreign or none; or there are 20
    LOST = auto()  # the message is gone, or its author blocks us: no other emoji now
    LATER = auto()  # a hiccup or a rate limit
    FORBIDDEN = auto()  # a permission is missing; each such answer counts against us


@dataclass(slots=True)
class Given:
    """The wanted reactions that stand under a message."""

    people: list[tuple[int, str, bool]] = field(default_factory=list)  # who, which, whether super; no bots
    own: set[str] = field(default_factory=set)  # what ours mean


async def read(message: discord.Message, wanted: Callable[[str], bool]) -> Given:
    """Who gave which of the wanted emoji."""
    found = Given()
    for reaction in message.reactions:
        emoji = str(reaction.emoji)
        if not wanted(emoji):
            continue
        if reaction.me:
            found.own.add(meant(emoji))
        async for person, burst in _givers(reaction):
            found.people.append((person, emoji, burst))
    return found


async def _givers(reaction: discord.Reaction) -> AsyncIterator[tuple[int, bool]]:
    """Discord tells plain and super ones apart, and names either only when asked for them."""
    kinds = (
        (discord.ReactionType.normal, reaction.count - reaction.burst_count > reaction.me, False),
        (discord.ReactionType.burst, reaction.burst_count > reaction.me_burst, True),
    )
    for kind, some, burst in kinds:
        if some:
            async for user in reaction.users(type=kind):
                if not user.bot:
                    yield user.id, burst


async def put(message: discord.PartialMessage | discord.Message, emoji: str) -> Put:
    """Put one reaction under a message."""
    try:
        # Of an animated one Discord wants no more than its name and id either.
        await message.add_reaction(discord.PartialEmoji.from_str(emoji))
    except discord.NotFound as error:
        return Put.REFUSED if error.code == _UNKNOWN_EMOJI else Put.LOST
    except discord.Forbidden as error:
        log.info("message %d: no reaction %s: %s", message.id, emoji, error)
        return Put.LOST if error.code == _BLOCKED else Put.FORBIDDEN
    except discord.HTTPException as error:
        log.info("message %d: no reaction %s: %s", message.id, emoji, error)
        return Put.REFUSED if error.code in (*REFUSED, _TOO_MANY) else Put.LATER
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.info("message %d: no reaction %s: %r", message.id, emoji, error)
        return Put.LATER
    return Put.DONE


async def put_all(message: discord.PartialMessage, emoji: Sequence[str]) -> Put:
    """Put these under a message, in this order. Gives `DONE`, or why some are not there and may be yet."""
    found = Put.DONE
    for one in emoji:
        outcome = await put(message, one) if may_react(message) else Put.FORBIDDEN
        if outcome is Put.LOST:
            return outcome
        if outcome in (Put.LATER, Put.FORBIDDEN):  # perhaps only this one: of another server, say
            found = outcome
    return found


def may_react(message: discord.PartialMessage) -> bool:
    """False when it is known that Discord would refuse."""
    guild = message.guild
    channel = guild.get_channel_or_thread(message.channel.id) if guild is not None else None
    if guild is None or channel is None or guild.me is None:
        return True
    permissions = channel.permissions_for(guild.me)
    return permissions.view_channel and permissions.read_message_history and permissions.add_reactions


def distinct(emoji: Sequence[str]) -> tuple[str, ...]:
    """Each meaning once, as it was written first."""
    found: dict[str, str] = {}
    for one in emoji:
        found.setdefault(meant(one), one)
    return tuple(found.values())
