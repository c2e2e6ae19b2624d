"""Posts each final picture in its server's gallery channel as well, and takes it away with the dream.

Only what may be shown there openly (`bot.dreams.showing`) hangs there: nobody asked for these pictures, so
what has to be hidden until somebody clicks on it stays out.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import discord

from bot.background import OnDemand
from bot.chat.messages.dream_message import SHOWN_PROMPT, Content
from bot.chat.messages.exhibit import Sight, exhibit
from bot.chat.messages.outbox import Hopeless, Later
from bot.chat.messages.poster import Outcome, Poster, fitting
from bot.database.connection import StoreError
from bot.database.outbox import Owed
from bot.dreams.copies import Copies
from bot.dreams.dream import Dream, DreamState
from bot.dreams.showing import Occasion, Visibility
from bot.dreams.store import Store
from bot.sentences import spoken
from bot.sentences.quoting import quoted
from bot.servers.settings import ServerSettings

log = logging.getLogger(__name__)

PACE_S = 0.5  # seconds between two pictures that are taken down
TRIES = 5  # of taking one down, with doubled pauses


class Gallery(OnDemand):
    """A picture is owed (`bot.chat.messages.outbox`) once its own channel shows it; takes down on demand."""

    def __init__(
        self,
        *,
        poster: Poster,
        sight: Sight,
        store: Store,
        copies: Copies,
        settings: Callable[[int | None], ServerSettings],
        pace_s: float = PACE_S,
    ) -> None:
        """`settings`: a server's, by its id."""
        super().__init__()
        self._poster = poster
        self._sight = sight
        self._store = store
        self._copies = copies
        self._settings = settings
        self._pace_s = pace_s
        self._leaving: dict[int, Dream] = {}  # dreams whose copies come down, by id

    def takes(self, dream: Dream) -> bool:
        """Whether a dream that its own message shows hangs in its server's gallery too."""
        channel_id = self._channel_for(dream)
        return channel_id is not None and self._may_hang(dream, channel_id)

    async def hang(self, owed: Owed) -> None:
        """Post a picture. Raises `Later`, `Hopeless`, `StoreError`."""
        dream = await self._store.get(owed.subject)
        channel_id = None if dream is None else self._channel_for(dream)
        if dream is None or channel_id is None or not dream.is_shown or dream.gallery_message_id is not None:
            return
        content = await self._content(dream, channel_id)
        if content is None:
            return
        place = replace(dream, channel_id=channel_id, message_id=None)
        message_id = None
        if owed.again:
            footer = spoken(dream.language).dream_number(dream.id)
            message_id = await self._poster.find_footer(place, footer)
        if message_id is None:
            outcome, message_id = await self._poster.post(place, content, nonce=f"{dream.origin}-g")
            if message_id is None:
                raise (Later if outcome is Outcome.LATER else Hopeless)(
                    f"its gallery: {outcome.name.lower()}"
                )
        await self._store.set_gallery(dream.id, channel_id, message_id)
        now = await self._store.get(dream.id)
        if now is not None and not now.is_shown:  # deleted meanwhile
            self.let_go(now)

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
        self.begin()

    def check(self, dream: Dream) -> None:
        """Its channel or the gallery's may have changed who is let in."""
        if dream.gallery_channel_id is not None and not self._may_hang(dream, dream.gallery_channel_id):
            self.let_go(dream)

    async def _run(self) -> None:
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

    async def _content(self, dream: Dream, channel_id: int) -> Content | None:
        """What to post; None if there is no picture, or it may not hang there."""
        stored = await self._store.picture(dream.id)
        picture = await fitting(stored, self._poster.upload_limit(dream)) if stored else None
        allowed = await self._sight.showing(dream, Occasion.EXHIBITED, channel_id=channel_id)
        say = spoken(dream.language)
        shown = exhibit(picture, allowed, stem=f"dream-{dream.id}", alt_text=say.alt_text(dream.prompt))
        if shown is None or shown.visibility is not Visibility.OPEN:
            return None
        words = f"**{quoted(dream.prompt, SHOWN_PROMPT)}**\n{say.dreamer(dream.author_id)}"
        embed = discord.Embed(description=f"{words}\n[{say.GALLERY_LINK}]({allowed.link})")
        shown.hang_in(embed)
        embed.set_footer(text=say.dream_number(dream.id))
        return Content(embed, None, shown)
