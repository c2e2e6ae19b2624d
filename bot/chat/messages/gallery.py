"""Posts each final picture in its server's gallery channel as well, and takes it away with the dream.

Only what may be shown there openly (`bot.dreams.showing`) hangs there: nobody asked for these pictures, so
what has to be hidden until somebody clicks on it stays out.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import aiohttp
import discord

from bot.chat.inbox import Inbox
from bot.chat.messages.exhibit import Sight, exhibit
from bot.chat.messages.poster import Outcome, Poster
from bot.database.connection import StoreError
from bot.dreams.copies import Copies
from bot.dreams.dream import Dream, DreamState, Picture
from bot.dreams.showing import Occasion, Visibility
from bot.dreams.store import Store
from bot.sentences import spoken
from bot.sentences.quoting import quoted
from bot.servers.settings import ServerSettings

log = logging.getLogger(__name__)

_SHOWN_PROMPT = 1000  # characters
PACE_S = 0.5  # seconds between two pictures that are taken down
TRIES = 5  # of taking one down, with doubled pauses
HANG_AGAIN_S = (5.0, 30.0, 300.0, 1800.0, 7200.0)  # pauses before tries to hang one that Discord did not take


class Gallery:
    """Hears of pictures that their own channel shows. A gallery that takes none hinders nobody."""

    def __init__(
        self,
        *,
        client: discord.Client,
        poster: Poster,
        sight: Sight,
        inbox: Inbox,
        store: Store,
        copies: Copies,
        settings: Callable[[int | None], ServerSettings],
        pace_s: float = PACE_S,
    ) -> None:
        """`settings`: a server's, by its id."""
        self._client = client
        self._poster = poster
        self._sight = sight
        self._inbox = inbox
        self._store = store
        self._copies = copies
        self._pace_s = pace_s
        self._leaving: dict[int, Dream] = {}  # dreams whose copies come down, by id
        self._emptying: asyncio.Task[None] | None = None
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def shown(self, dream: Dream, picture: Picture) -> None:
        """A dream's own message has its final picture now."""
        channel_id = self._channel_for(dream)
        if channel_id is not None and not self._is_closed and self._may_hang(dream, channel_id):
            self._begin(self._hang_in_the_end(dream, picture))

    async def take_down(self, dream: Dream) -> bool:
        """Its picture leaves the gallery. False when it has to be tried again. Raises `StoreError`."""
        if dream.gallery_channel_id is None or dream.gallery_message_id is None:
            return True
        hung = replace(dream, channel_id=dream.gallery_channel_id, message_id=dream.gallery_message_id)
        if await self._poster.delete(hung) in (Outcome.LATER, Outcome.FORBIDDEN):
            return False
        await self._copies.out_of_gallery(dream.id)
        return True

    def let_go(self, dream: Dream) -> None:
        """Take its picture down without haste: there may be a thousand, one after the other."""
        if dream.gallery_message_id is None or self._is_closed:
            return
        self._leaving[dream.id] = dream
        if self._emptying is None or self._emptying.done():
            self._emptying = self._begin(self._empty())

    def check(self, dream: Dream) -> None:
        """Its channel or the gallery's may have changed who is let in."""
        if dream.gallery_channel_id is not None and not self._may_hang(dream, dream.gallery_channel_id):
            self.let_go(dream)

    async def close(self) -> None:
        """Stop; what still has to come down does so after the next start."""
        self._is_closed = True
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
        channel_id = self._settings(dream.guild_id).gallery_channel
        elsewhere = dream.guild_id is not None and channel_id != dream.channel_id
        return channel_id if elsewhere and dream.state is DreamState.DONE else None

    def _may_hang(self, dream: Dream, channel_id: int) -> bool:
        """As far as is known already: of an archived thread it has to be found out."""
        if not self._sight.venues.venue(dream.guild_id, dream.channel_id).known:
            return True
        return (
            self._sight.judged(dream, Occasion.EXHIBITED, channel_id=channel_id).visibility is Visibility.OPEN
        )

    async def _hang_in_the_end(self, dream: Dream, picture: Picture) -> None:
        if await self._hang(dream, picture):
            return
        del picture  # it is in the database, for hours perhaps
        for pause_s in HANG_AGAIN_S:
            await asyncio.sleep(pause_s)
            with suppress(StoreError):
                now, stored = await self._store.get(dream.id), await self._store.picture(dream.id)
                if now is None or stored is None or not now.is_shown or await self._hang(now, stored):
                    return
        log.warning("dream %d: the gallery never took it", dream.id)

    async def _hang(self, dream: Dream, picture: Picture) -> bool:
        """False when it is worth another try."""
        channel_id = self._channel_for(dream)
        if channel_id is None:
            return True
        say = spoken(dream.language)
        allowed = await self._sight.showing(dream, Occasion.EXHIBITED, channel_id=channel_id)
        alt_text = say.alt_text(dream.prompt)
        shown = exhibit(picture, allowed, stem=f"dream-{dream.id}", alt_text=alt_text)
        if shown is None or shown.visibility is not Visibility.OPEN:
            return True
        words = f"**{quoted(dream.prompt, _SHOWN_PROMPT)}**\n{say.dreamer(dream.author_id)}"
        embed = discord.Embed(description=f"{words}\n[{say.GALLERY_LINK}]({allowed.link})")
        shown.hang_in(embed)
        embed.set_footer(text=say.dream_number(dream.id))
        channel = self._client.get_partial_messageable(channel_id, guild_id=dream.guild_id)
        try:
            message = await channel.send(embed=embed, file=shown.file(), nonce=f"{dream.origin}-g")
        except (discord.Forbidden, discord.NotFound) as error:
            log.info("dream %d: not in the gallery: %s", dream.id, error)
            return True
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("dream %d: not yet in the gallery: %s", dream.id, error)
            return False
        remember = partial(self._remember, dream.id, channel_id, message.id)
        try:
            await remember()
        except StoreError as error:
            log.warning("dream %d: its place in the gallery is remembered later: %s", dream.id, error)
            self._inbox.put("A picture's place in the gallery", remember)
        return True

    async def _remember(self, dream_id: int, channel_id: int, message_id: int) -> None:
        await self._store.set_gallery(dream_id, channel_id, message_id)
        now = await self._store.get(dream_id)
        if now is not None and not now.is_shown:  # deleted meanwhile
            self.let_go(now)
