"""Deletes a dream for good, wherever it is shown; and takes down what is left of people and servers."""

import logging

import aiohttp
import discord

from bot.chat.messages.poster import Outcome
from bot.chat.parts import Parts
from bot.community.choices import Choice
from bot.dreams.dream import Dream

log = logging.getLogger(__name__)

_AWAY = (Outcome.SHOWN, Outcome.GONE, Outcome.FORBIDDEN)  # of a deletion: it is not there, or not for us


async def erase(parts: Parts, dream: Dream) -> bool:
    """Delete a dream that is over, its message first. False, and nothing is lost, when that cannot be.

    What hangs of it elsewhere is owed to be taken down.
    """
    if dream.message_id is not None and await parts.poster.delete(dream) not in _AWAY:
        return False
    parts.dream_messages.forget(dream.id)
    await parts.sendings.forget(dream.id)
    await parts.store.erase(dream.id)
    return True


class Takedown:
    """Discord's `bot.keeping.forgetting.FrontEnd`."""

    def __init__(self, *, client: discord.Client, parts: Parts) -> None:
        self._client = client
        self._parts = parts

    async def take_down(self, dream: Dream) -> bool:
        """Its message, its copies, and what is stored of it."""
        return await erase(self._parts, dream)

    async def take_down_choice(self, choice: Choice) -> bool:
        """Its message, its words and its beginnings."""
        if choice.message_id is not None and await self._parts.poster.delete(choice) not in _AWAY:
            return False
        await self._parts.choices.forget(choice.id)
        return True

    async def has_left(self, guild_id: int) -> bool | None:
        """Asked of Discord itself: a server that is only out of reach is among ours."""
        if self._client.get_guild(guild_id) is not None:
            return False
        try:
            await self._client.fetch_guild(guild_id, with_counts=False)
        except (discord.NotFound, discord.Forbidden):
            return True
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("server %d: nobody can say whether we are in it: %s", guild_id, error)
            return None
        return False
