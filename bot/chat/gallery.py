"""Posts each final picture in its server's gallery channel as well, and takes it away with the dream.

What not everybody may see stays out: private spoilers, dreams of channels that are not open to everybody,
and pictures that the server's rule for unsafe ones does not let through where the gallery is.
"""

import asyncio
import io
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import aiohttp
import discord

from bot.chat.post import Outcome, Poster
from bot.chat.quoting import plain, quoted
from bot.chat.sentences import spoken
from bot.chat.veil import Veil, veil_in
from bot.chat.visibility import is_public
from bot.database import StoreError
from bot.dreams import Dream, DreamState, Picture
from bot.guilds import ServerSettings
from bot.showings import Showings
from bot.store import Store

log = logging.getLogger(__name__)

_SHOWN_PROMPT = 1000  # characters
PACE_S = 0.5  # seconds between two pictures that are taken down
TRIES = 5  # of taking one down, with doubled pauses


class Gallery:
    """Hears of pictures that their own channel shows. A gallery that takes none hinders nobody."""

    def __init__(
        self,
        *,
        client: discord.Client,
        store: Store,
        showings: Showings,
        settings: Callable[[int | None], ServerSettings],
        pace_s: float = PACE_S,
    ) -> None:
        """`settings`: a server's, by its id."""
        self._client = client
        self._store = store
        self._showings = showings
        self._pace_s = pace_s
        self._leaving: dict[int, Dream] = {}  # dreams whose copies come down, by id
        self._emptying: asyncio.Task[None] | None = None
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()

    def shown(self, dream: Dream, picture: Picture) -> None:
        """A dream's own message has its final picture now."""
        if self._channel_for(dream) is not None:
            self._begin(self._hang(dream, picture))

    async def take_down(self, dream: Dream) -> bool:
        """Its picture leaves the gallery. False when it has to be tried again. Raises `StoreError`."""
        if dream.gallery_channel_id is None or dream.gallery_message_id is None:
            return True
        hung = replace(dream, channel_id=dream.gallery_channel_id, message_id=dream.gallery_message_id)
        if await Poster(client=self._client).delete(hung) is Outcome.LATER:
            return False
        await self._showings.out_of_gallery(dream.id)
        return True

    def let_go(self, dream: Dream) -> None:
        """Take its picture down without haste: there may be a thousand, one after the other."""
        if dream.gallery_message_id is None:
            return
        self._leaving[dream.id] = dream
        if self._emptying is None or self._emptying.done():
            self._emptying = self._begin(self._empty())

    def check(self, dream: Dream) -> None:
        """Its channel or the gallery's may have changed who is let in."""
        guild = self._client.get_guild(dream.guild_id or 0)
        place = dream.gallery_channel_id
        if guild is None or place is None or guild.get_channel_or_thread(dream.channel_id) is None:
            return
        settings = self._settings(dream.guild_id)
        open_here = veil_in(self._client, dream, settings, channel_id=place) is Veil.OPEN
        if not is_public(guild, dream.channel_id) or not open_here:
            self.let_go(dream)

    async def close(self) -> None:
        """Stop; what still has to come down does so after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _empty(self) -> None:
        tries = 0
        while self._leaving:
            dream_id, dream = next(iter(self._leaving.items()))
            try:
                done = await self.take_down(dream)
            except StoreError as error:
                log.warning("dream %d: still in the gallery: %s", dream_id, error)
                done = False
            except Exception:
                # A fault with one picture must not keep the others up.
                log.exception("dream %d: a fault of ours while it left the gallery", dream_id)
                done = False
            tries = 0 if done else tries + 1
            if done or tries >= TRIES:  # the next start tries again
                self._leaving.pop(dream_id, None)
                tries = 0
            if self._leaving:
                await asyncio.sleep(self._pace_s * 2**tries)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _channel_for(self, dream: Dream) -> int | None:
        settings = self._settings(dream.guild_id)
        channel_id = settings.gallery_channel
        guild = self._client.get_guild(dream.guild_id) if dream.guild_id is not None else None
        if channel_id is None or guild is None or channel_id == dream.channel_id:
            return None
        if dream.state is not DreamState.DONE or dream.spoiler or not is_public(guild, dream.channel_id):
            return None
        open_here = veil_in(self._client, dream, settings, channel_id=channel_id) is Veil.OPEN
        return channel_id if open_here else None

    async def _hang(self, dream: Dream, picture: Picture) -> None:
        channel_id = self._channel_for(dream)
        if channel_id is None:
            return
        say = spoken(dream.language)
        filename = f"dream-{dream.id}.{picture.kind}"
        link = f"https://discord.com/channels/{dream.guild_id}/{dream.channel_id}/{dream.message_id}"
        words = f"**{quoted(dream.prompt, _SHOWN_PROMPT)}**\n{say.dreamer(dream.author_id)}"
        embed = discord.Embed(description=f"{words}\n[{say.GALLERY_LINK}]({link})")
        embed.set_image(url=f"attachment://{filename}")
        file = discord.File(
            io.BytesIO(picture.content),
            filename=filename,
            description=plain(say.alt_text(dream.prompt), 1000),
        )
        channel = self._client.get_partial_messageable(channel_id, guild_id=dream.guild_id)
        try:
            message = await channel.send(embed=embed, file=file, nonce=f"{dream.origin}-g")
            await self._store.set_gallery(dream.id, channel_id, message.id)
            now = await self._store.get(dream.id)
            if now is not None and not now.is_shown:  # deleted meanwhile
                self.let_go(now)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("dream %d: not in the gallery: %s", dream.id, error)
        except StoreError as error:
            log.warning("dream %d: its place in the gallery is not remembered: %s", dream.id, error)
