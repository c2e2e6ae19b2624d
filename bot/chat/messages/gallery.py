"""Posts each final picture in its server's gallery channel as well, and takes it away with the dream.

Only what may be shown there openly (`bot.dreams.showing`) hangs there: nobody asked for these pictures, so
what has to be hidden until somebody clicks on it stays out.
"""

from collections.abc import Callable
from dataclasses import replace

import discord

from bot.chat.messages.dream_message import SHOWN_PROMPT, Content
from bot.chat.messages.exhibit import Sight, exhibit
from bot.chat.messages.outbox import Hopeless, Later, Outbox, believe
from bot.chat.messages.poster import Outcome, Poster, show_fitting
from bot.chat.messages.taking_down import taken_down
from bot.database.outbox import Kind, Owed
from bot.dreams.copies import Copies
from bot.dreams.dream import Dream, DreamState, Gone, Picture
from bot.dreams.showing import Occasion, Showing, Visibility
from bot.dreams.store import Store
from bot.sentences import spoken
from bot.sentences.quoting import quoted
from bot.servers.settings import ServerSettings


class Gallery:
    """Live. A picture is owed (`bot.chat.messages.outbox`) once its own channel shows it, and again to go."""

    def __init__(
        self,
        *,
        poster: Poster,
        sight: Sight,
        store: Store,
        copies: Copies,
        settings: Callable[[int | None], ServerSettings],
        outbox: Outbox,
    ) -> None:
        """`settings`: a server's, by its id."""
        self._poster = poster
        self._sight = sight
        self._store = store
        self._copies = copies
        self._settings = settings
        self._outbox = outbox

    def takes(self, dream: Dream) -> bool:
        """Whether a dream that its own message shows hangs in its server's gallery too."""
        channel_id = self._channel_for(dream)
        return channel_id is not None and self._may_hang(dream, channel_id)

    async def settle(self, owed: Owed) -> None:
        """Post a picture, or take one down. Raises `Later`, `Hopeless`, `StoreError`."""
        dream = await self._store.get(owed.subject)
        if dream is None:
            return
        if dream.gallery_message_id is not None:
            if self._must_go(dream):
                await self.take_down(dream, owed)
        elif dream.is_shown:
            await self._hang(dream, owed)

    async def take_down(self, dream: Dream, owed: Owed) -> None:
        """Its picture leaves the gallery. Raises `Later`, `StoreError`."""
        if dream.gallery_channel_id is None or dream.gallery_message_id is None:
            return
        hung = replace(dream, channel_id=dream.gallery_channel_id, message_id=dream.gallery_message_id)
        await taken_down(self._poster, hung, owed)
        await self._copies.out_of_gallery(dream.id)

    async def check(self, dream: Dream) -> None:
        """Its channel or the gallery's may have changed who is let in."""
        if dream.gallery_message_id is not None and self._must_go(dream):
            await self._outbox.owe(Kind.GALLERY, dream.id)

    async def _hang(self, dream: Dream, owed: Owed) -> None:
        channel_id = self._channel_for(dream)
        stored = await self._store.picture(dream.id)
        if channel_id is None or stored is None:
            return
        allowed = await self._sight.showing(dream, Occasion.EXHIBITED, channel_id=channel_id)
        if allowed.visibility is not Visibility.OPEN:
            return
        place = replace(dream, channel_id=channel_id, message_id=None)
        message_id = None
        if owed.again:
            footer = spoken(dream.language).dream_number(dream.id)
            message_id = await self._poster.find_footer(place, footer)
        if message_id is None:

            async def show(picture: Picture | None) -> tuple[Outcome, int | None]:
                content = _content(dream, picture, allowed)
                if content is None:
                    return Outcome.TOO_LARGE, None  # nothing hangs there without its picture
                return await self._poster.post(place, content, nonce=f"{dream.origin}-g")

            outcome, message_id = await show_fitting(stored, self._poster.upload_limit(place), show)
            if message_id is None:
                why = f"its gallery: {outcome.name.lower()}"
                if outcome in (Outcome.GONE, Outcome.TOO_LARGE):
                    believe(owed, why)
                raise (Later if outcome is Outcome.LATER else Hopeless)(why)
        await self._store.set_gallery(dream.id, channel_id, message_id)
        now = await self._store.get(dream.id)
        if now is not None and not now.is_shown:  # deleted meanwhile
            await self._outbox.owe(Kind.GALLERY, dream.id)

    def _must_go(self, dream: Dream) -> bool:
        over, place = dream.erased or dream.gone is Gone.DELETED, dream.gallery_channel_id
        return over or (place is not None and not self._may_hang(dream, place))

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


def _content(dream: Dream, picture: Picture | None, allowed: Showing) -> Content | None:
    """What to post; None if there is no picture, or it may not hang there."""
    say = spoken(dream.language)
    shown = exhibit(picture, allowed, stem=f"dream-{dream.id}", alt_text=say.alt_text(dream.prompt))
    if shown is None or shown.visibility is not Visibility.OPEN:
        return None
    words = f"**{quoted(dream.prompt, SHOWN_PROMPT)}**\n{say.dreamer(dream.author_id)}"
    embed = discord.Embed(description=f"{words}\n[{say.GALLERY_LINK}]({allowed.link})")
    shown.hang_in(embed)
    embed.set_footer(text=say.dream_number(dream.id))
    return Content(embed, None, shown)
