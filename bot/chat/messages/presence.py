"""Shows the length of the line beside the bot's name, without hurry: Discord counts a gateway's messages."""

import logging
from collections.abc import Callable

import aiohttp
import discord

from bot.background import BackgroundLoop
from bot.sentences import ENGLISH

log = logging.getLogger(__name__)

PACE_S = 20.0  # seconds between two changes; 120 sends a minute is Discord's limit for everything (2026-08)


class Presence(BackgroundLoop):
    """Live: `start` and `close`. English, for there is one for all servers."""

    def __init__(self, *, client: discord.Client, waiting: Callable[[], int], pace_s: float = PACE_S) -> None:
        """`waiting`: how many dreams are in line."""
        super().__init__(retry_s=pace_s)
        self._client = client
        self._waiting = waiting
        self._pace_s = pace_s
        self._shown: int | None = None

    async def _resume(self) -> None:
        """What is shown first goes along when the client connects."""
        self._client.activity = _activity(self._waiting())

    async def _look(self) -> float:
        now = self._waiting()
        if now != self._shown and self._client.is_ready():
            try:
                await self._show(_activity(now))
                self._shown = now
            except (discord.DiscordException, aiohttp.ClientError, ConnectionError) as error:
                log.info("The presence stays as it is for now: %r", error)
        return self._pace_s

    async def _show(self, activity: discord.CustomActivity) -> None:
        self._client.activity = activity  # for the next time that a shard connects
        await self._client.change_presence(activity=activity)


def _activity(waiting: int) -> discord.CustomActivity:
    return discord.CustomActivity(name=ENGLISH.presence(waiting))
