"""The hall of fame: a dream with enough votes is posted there once, and taken down with its original.

What may hang there is `bot.dreams.showing`'s to say, also of what hangs already, whenever its votes move. A
picture is taken down when half of the votes that it took are gone. Both are owed
(`bot.chat.messages.outbox`); the number of votes is not, for the next one overtakes it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import discord

from bot.background import Watch
from bot.chat.messages.dream_message import SHOWN_PROMPT, Content
from bot.chat.messages.exhibit import exhibit
from bot.chat.messages.outbox import Hopeless, Later, Outbox, believe
from bot.chat.messages.pacing import Edits, Priority
from bot.chat.messages.poster import Outcome, Poster, show_fitting
from bot.chat.messages.taking_down import taken_down
from bot.chat.messages.votes import caption
from bot.community.hall_of_fame import HallOfFame, Hung
from bot.community.votes import Votes
from bot.database.outbox import Kind, Owed
from bot.dreams.dream import Dream, Gone, Picture
from bot.dreams.showing import (
    Occasion,
    Showing,
    Visibility,
    address,
)
from bot.dreams.store import Store
from bot.sentences import spoken
from bot.sentences.quoting import quoted
from bot.servers.settings import ServerSettings

log = logging.getLogger(__name__)

FRESH_S = 3600.0  # seconds after which Discord minds edits
RETRY_S = 30.0  # seconds to wait while the database cannot be used
PACES, OLD_PACES = 8, 150  # between two edits: 32 s, or 10 min, where frames are 4 s apart
_GOLD = 0xF1C40F


@dataclass(frozen=True, slots=True)
class _Edit:
    """A dream in the hall, among its channel's edits. See `bot.chat.messages.pacing.Edit`."""

    dream_id: int
    paces: float
    priority: Priority = Priority.VOTES

    @property
    def key(self) -> tuple[str, int]:
        return "fame", self.dream_id


class HallOfFameMessages(Watch):
    """Live: `start` when the client can send, `close` before it is closed."""

    thing = "dream"

    def __init__(
        self,
        *,
        store: Store,
        poster: Poster,
        hall_of_fame: HallOfFame,
        votes: Votes,
        edits: Edits,
        outbox: Outbox,
        settings: Callable[[int | None], ServerSettings],
    ) -> None:
        super().__init__(retry_s=RETRY_S)
        self._store = store
        self._poster = poster
        self._hall_of_fame = hall_of_fame
        self._votes = votes
        self._edits = edits
        self._outbox = outbox
        self._settings = settings

    async def _resume(self) -> None:
        left = await self._hall_of_fame.unfinished()
        await self._outbox.adopt(Kind.FAME, *(hung.dream_id for hung in left))

    async def check(self, dream: Dream) -> None:
        """Its channel or the hall may have changed who is let in."""
        self.moved(dream.id)

    async def settle(self, owed: Owed) -> None:
        """Post a picture, or take it down. Raises `Later`, `Hopeless`, `StoreError`."""
        dream, hung = await self._store.get(owed.subject), await self._hall_of_fame.get(owed.subject)
        if dream is None:
            return
        if hung is None:  # it got enough votes; if it may hang there, to post it is owed anew
            await self._look_at(dream.id)
            return
        if await self._must_go(dream, hung, await self._votes.tally(dream.id)):
            await self._take_down(dream, hung, owed)
        elif hung.message_id is None and not hung.removed:
            await self._post(dream, hung, owed)

    async def take_down(self, dream: Dream, owed: Owed) -> None:
        """It leaves the hall, and may hang there again with a later vote. Raises `Later`, `StoreError`."""
        hung = await self._hall_of_fame.get(dream.id)
        if hung is not None and not hung.removed:
            await self._take_down(dream, hung, owed)

    async def _look_at(self, dream_id: int) -> None:
        dream, hung = await self._store.get(dream_id), await self._hall_of_fame.get(dream_id)
        if dream is None:
            return
        settings, tally = self._settings(dream.guild_id), await self._votes.tally(dream_id)
        if hung is None:
            hall = settings.fame_channel
            if hall is not None and tally >= settings.fame_votes and await self._may_hang(dream, hall):
                await self._hang(dream, hall, tally)
        elif await self._must_go(dream, hung, tally):
            await self._outbox.owe(Kind.FAME, dream_id)
        elif tally != hung.votes and hung.message_id is not None and not hung.removed:
            self._update(dream, hung)

    async def _must_go(self, dream: Dream, hung: Hung, tally: int) -> bool:
        """Whether it may hang there no more."""
        if dream.erased or dream.gone is Gone.DELETED:
            return True
        if hung.removed:
            return False  # a moderator does not want it here
        half = 2 * tally <= self._settings(dream.guild_id).fame_votes - 1
        return half or await self._poster.hides(dream, hung.channel_id)

    async def _hang(self, dream: Dream, hall: int, tally: int) -> None:
        outcome, _ = await self._poster.given(dream, lambda emoji: False)
        if outcome is Outcome.GONE:
            return  # the original was deleted, and nobody told us
        if await self._hall_of_fame.hang(dream, hall, tally) is not None:
            self._outbox.wake()

    async def _may_hang(self, dream: Dream, hall: int) -> bool:
        return dream.is_shown and (await self._showing(dream, hall)).visibility is not Visibility.WITHHELD

    async def _showing(self, dream: Dream, hall: int) -> Showing:
        return await self._poster.showing(dream, Occasion.EXHIBITED, channel_id=hall)

    async def _post(self, dream: Dream, hung: Hung, owed: Owed) -> None:
        stored, allowed = await self._store.picture(dream.id), await self._showing(dream, hung.channel_id)
        if _content(dream, stored, allowed) is None:
            await self._hall_of_fame.take_down(dream.id)
            return

        async def show(picture: Picture | None) -> tuple[Outcome, int | None]:
            content = _content(dream, picture, allowed)
            if content is None:
                return Outcome.TOO_LARGE, None  # nothing hangs there without its picture
            return await self._poster.post(hung, content, nonce=f"fame-{dream.id}")

        message_id = await self._poster.find(hung, address(dream)) if owed.again else None
        if message_id is None:
            outcome, message_id = await show_fitting(stored, self._poster.upload_limit(hung), show)
            if outcome in (Outcome.GONE, Outcome.TOO_LARGE):
                believe(owed, "its hall takes no pictures, says Discord")
                await self._hall_of_fame.take_down(dream.id)
                raise Hopeless(f"the hall of fame of server {hung.guild_id} takes no pictures")
        if message_id is None:
            raise Later("Discord did not take it")
        await self._hall_of_fame.set_message(dream.id, message_id)
        self._update(dream, replace(hung, message_id=message_id))

    async def _take_down(self, dream: Dream, hung: Hung, owed: Owed) -> None:
        if hung.message_id is not None and not hung.removed:
            await taken_down(self._poster, hung, owed)
        await self._hall_of_fame.take_down(dream.id)
        if dream.is_shown:
            await self._votes.tell(dream)  # reactions under it went with it

    def _update(self, dream: Dream, hung: Hung) -> None:
        is_old = self._votes.clock() - hung.created_at > FRESH_S
        edit = _Edit(dream.id, OLD_PACES if is_old else PACES)
        self._edits.want(hung.channel_id, edit, partial(self._caption, dream, hung))

    async def _caption(self, dream: Dream, hung: Hung) -> None:
        tally = await self._votes.tally(dream.id)
        emoji = self._settings(dream.guild_id).vote_emoji[0]
        text = spoken(dream.language).fame(emoji, tally, dream.channel_id)
        if await self._poster.caption(hung, text) is Outcome.SHOWN:
            await self._hall_of_fame.set_votes(dream.id, tally)
        if self._votes.clock() - dream.created_at >= FRESH_S:  # until then the channel's own tallies do it
            await self._poster.caption(dream, caption(dream, self._settings(dream.guild_id), tally))


def _content(dream: Dream, picture: Picture | None, allowed: Showing) -> Content | None:
    """What to post; None if there is no picture, or it may not hang there."""
    say = spoken(dream.language)
    alt_text = say.alt_text(dream.prompt)
    shown = exhibit(picture, allowed, stem=f"dream-{dream.id}", alt_text=alt_text)
    if shown is None:
        return None
    embed = discord.Embed(
        title=say.FAME_TITLE,
        url=allowed.link,
        description=f"**{quoted(dream.prompt, SHOWN_PROMPT)}**\n{say.dreamer(dream.author_id)}",
        colour=_GOLD,
    )
    embed.set_footer(text=say.dream_number(dream.id))
    shown.hang_in(embed)
    return Content(embed, None, shown)
