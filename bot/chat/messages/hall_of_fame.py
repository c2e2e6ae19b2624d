"""The hall of fame: a dream with enough votes is posted there once, and taken down with its original.

What may hang there is `bot.dreams.showing`'s to say, also of what hangs already, whenever its votes move. A
picture is taken down when half of the votes that it took are gone.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import discord

from bot.background import Watch
from bot.chat.messages.dream_message import SHOWN_PROMPT, Content
from bot.chat.messages.exhibit import exhibit
from bot.chat.messages.pacing import Edits, Priority
from bot.chat.messages.poster import Outcome, Poster, fitting
from bot.chat.messages.votes import caption
from bot.community.hall_of_fame import HallOfFame, Hung
from bot.community.votes import Votes
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
RETRY_S = 30.0  # seconds to wait while Discord or the database cannot be used
FORBIDDEN_S = 3600.0  # seconds until a picture that we may not reach is tried to be taken down again
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
        settings: Callable[[int | None], ServerSettings],
    ) -> None:
        super().__init__(retry_s=RETRY_S)
        self._store = store
        self._poster = poster
        self._hall_of_fame = hall_of_fame
        self._votes = votes
        self._edits = edits
        self._settings = settings
        self._hidden: set[int] = set()  # dreams that not everybody may see any more

    async def _resume(self) -> None:
        for hung in await self._hall_of_fame.unfinished():
            self.moved(hung.dream_id)

    def hide(self, dream: Dream) -> None:
        """Not everybody may see it any more: it comes down, and may hang again with a later vote."""
        self._hidden.add(dream.id)
        self.moved(dream.id)

    async def _look_at(self, dream_id: int) -> None:
        dream, hung = await self._store.get(dream_id), await self._hall_of_fame.get(dream_id)
        if dream is None:
            return
        settings, tally = self._settings(dream.guild_id), await self._votes.tally(dream_id)
        hidden = dream_id in self._hidden
        if hung is None:
            self._hidden.discard(dream_id)
            hall = settings.fame_channel
            if hall is not None and tally >= settings.fame_votes and await self._may_hang(dream, hall):
                await self._hang(dream, hall, tally)
        elif dream.erased or dream.gone is Gone.DELETED:
            await self._take_down(dream, hung)
        elif hung.removed:
            return  # a moderator does not want it here
        elif (
            hidden or 2 * tally <= settings.fame_votes - 1 or await self._poster.hides(dream, hung.channel_id)
        ):
            await self._take_down(dream, hung)
        elif hung.message_id is None:  # a former process was about to post it
            await self._post(dream, hung, again=True)
        elif tally != hung.votes:
            self._update(dream, hung)

    async def _hang(self, dream: Dream, hall: int, tally: int) -> None:
        outcome, _ = await self._poster.given(dream, lambda emoji: False)
        if outcome is Outcome.GONE:
            return  # the original was deleted, and nobody told us
        hung = await self._hall_of_fame.hang(dream, hall, tally)
        if hung is not None:
            await self._post(dream, hung)

    async def _may_hang(self, dream: Dream, hall: int) -> bool:
        return dream.is_shown and (await self._showing(dream, hall)).visibility is not Visibility.WITHHELD

    async def _showing(self, dream: Dream, hall: int) -> Showing:
        return await self._poster.showing(dream, Occasion.EXHIBITED, channel_id=hall)

    async def _post(self, dream: Dream, hung: Hung, *, again: bool = False) -> None:
        content = await self._content(dream, hung.channel_id)
        if content is None:
            await self._hall_of_fame.take_down(dream.id)
            return
        message_id = await self._poster.find(hung, address(dream)) if again else None
        if message_id is None:
            outcome, message_id = await self._poster.post(hung, content, nonce=f"fame-{dream.id}")
            if outcome is Outcome.GONE or outcome is Outcome.TOO_LARGE:
                log.warning("server %d: its hall of fame takes no pictures", hung.guild_id)
                await self._hall_of_fame.take_down(dream.id)
            elif outcome is not Outcome.SHOWN:
                self.later(dream.id)  # then it is looked for first: perhaps only the answer was lost
        if message_id is not None:
            await self._hall_of_fame.set_message(dream.id, message_id)
            self._update(dream, replace(hung, message_id=message_id))

    async def _content(self, dream: Dream, hall: int) -> Content | None:
        stored = await self._store.picture(dream.id)
        picture: Picture | None = await fitting(stored, self._poster.upload_limit(dream)) if stored else None
        say, allowed = spoken(dream.language), await self._showing(dream, hall)
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

    async def _take_down(self, dream: Dream, hung: Hung) -> None:
        if hung.message_id is not None and not hung.removed:
            outcome = await self._poster.delete(hung)
            if outcome in (Outcome.LATER, Outcome.FORBIDDEN):
                self.later(dream.id, RETRY_S if outcome is Outcome.LATER else FORBIDDEN_S)
                return
        self._hidden.discard(dream.id)
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
