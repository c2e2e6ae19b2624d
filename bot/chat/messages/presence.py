"""Shows the length of the line beside the bot's name, without hurry: Discord counts a gateway's messages."""

import asyncio
import logging
from collections.abc import Callable

import aiohttp
import discord

from bot.chat.sentences import ENGLISH

log = logging.getLogger(__name__)

PACE_S = 20.0  # seconds between two changes; 120 sends a minute is Discord's limit for everything (2026-08)


class Presence:
    """Live: `start` and `close`. English, for there is one for all servers."""

    def __init__(self, *, client: discord.Client, waiting: Callable[[], int], pace_s: float = PACE_S) -> None:
        """`waiting`: how many dreams are in line."""
        self._client = client
        self._waiting = waiting
        self._pace_s = pace_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; what is shown first goes along when the client connects."""
        self._client.activity = _activity(self._waiting())
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        shown: int | None = None
        while True:
            now = self._waiting()
            if now != shown and self._client.is_ready():
                try:
                    await self._show(_activity(now))
                    shown = now
                except (discord.DiscordException, aiohttp.ClientError, ConnectionError) as error:
                    log.info("The presence stays as it is for now: %r", error)
            await asyncio.sleep(self._pace_s)

    async def _show(self, activity: discord.CustomActivity) -> None:
        self._client.activity = activity  # for the next time that a shard connects
        await self._client.change_presence(activity=activity)


def _activity(waiting: int) -> discord.CustomActivity:
    return discord.CustomActivity(name=ENGLISH.presence(waiting))
