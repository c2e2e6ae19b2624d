"""Ends contests when their time is over and tells the winner in their channel, once, whoever was away.

A contest is owed (`bot.chat.messages.outbox`) from its beginning on, and due at its end.
"""

import asyncio
from contextlib import suppress

from bot.background import BackgroundLoop
from bot.chat.messages.contest_message import winner_embed, winner_url
from bot.chat.messages.dream_message import Content
from bot.chat.messages.exhibit import exhibit
from bot.chat.messages.outbox import Later, NotDue, Outbox
from bot.chat.messages.poster import Outcome, Poster, fitting
from bot.community.contests import Contest, Contests
from bot.database.outbox import Kind, Owed
from bot.dreams.local import is_local
from bot.dreams.showing import HIDDEN, Occasion
from bot.dreams.store import Store
from bot.sentences import spoken

RETRY_S = 30.0  # seconds to wait while Discord or the database cannot be used
COUNTED_S = 300.0  # seconds to wait for the votes of the time when nobody was here


class ContestMessages(BackgroundLoop):
    """Live: `start` when the client can send, `close` before it is closed."""

    def __init__(
        self,
        *,
        contests: Contests,
        store: Store,
        poster: Poster,
        outbox: Outbox,
        retry_s: float = RETRY_S,
    ) -> None:
        super().__init__(retry_s=retry_s)
        self._contests = contests
        self._store = store
        self._poster = poster
        self._outbox = outbox
        self._counted = asyncio.Event()  # votes that were cast while nobody was here are found
        self._doubtful: dict[int, bool] = {}  # winners that may be shown no more; True: that is certain

    async def _resume(self) -> None:
        open_ones = await self._contests.open()  # an older program's have no row
        await self._outbox.adopt(Kind.CONTEST, *(contest.id for contest in open_ones))
        for dream_id in await self._contests.lost_winners():
            self.doubt(dream_id)

    def counted(self) -> None:
        """The votes that were cast while the bot was away are counted: now contests may end."""
        self._counted.set()

    def moved(self, contest_id: int) -> None:
        """A contest began or was ended."""
        self._outbox.wake()

    def doubt(self, dream_id: int, *, hidden: bool = False) -> None:
        """A dream was deleted, or is not for everybody any more: where it won, that is not to be seen.

        `hidden`: nobody needs to be asked whether it is so.
        """
        self._doubtful[dream_id] = hidden or self._doubtful.get(dream_id, False)
        self.wake()

    async def end(self, owed: Owed) -> None:
        """End a contest whose time is over, and say who won. Raises `Later`, `NotDue`, `StoreError`."""
        await self._all_counted()
        contest = await self._contests.get(owed.subject)
        if contest is None or contest.told or is_local(contest.guild_id):
            return
        if contest.running_in is not None:
            await self._contests.finish(contest.id)
            contest = await self._contests.get(contest.id) or contest
            if contest.running_in is not None:
                raise NotDue(contest.ends_at)
        message_id = await self._poster.find(contest, winner_url(contest)) if owed.again else None
        if message_id is None:
            nonce = f"contest-{contest.id}"
            outcome, message_id = await self._poster.post(contest, await self._content(contest), nonce=nonce)
            if outcome is Outcome.LATER:
                raise Later("Discord did not take it")
        await self._contests.told(contest.id, message_id)

    # ------------------------------------------------------------------ tasks

    async def _look(self) -> float | None:
        """Take down what may be told no more."""
        for dream_id, hidden in list(self._doubtful.items()):
            if await self._withdrawn(dream_id, hidden=hidden):
                self._doubtful.pop(dream_id, None)
        return self._retry_s if self._doubtful else None

    async def _all_counted(self) -> None:
        """Wait for the votes of the time when nobody was here, once, and not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(COUNTED_S):
                await self._counted.wait()
        self._counted.set()

    async def _withdrawn(self, dream_id: int, *, hidden: bool) -> bool:
        """Take a winner's words and picture out of what was told. False when it has to be tried again."""
        for contest in await self._contests.won_by(dream_id):
            dream = await self._store.get(dream_id)
            if dream is None or not (hidden or await self._poster.hides(dream, contest.channel_id)):
                continue
            allowed = await self._poster.showing(dream, Occasion.EXHIBITED, channel_id=contest.channel_id)
            entries = len(await self._contests.entries(contest.id))
            bare = Content(winner_embed(contest, dream, HIDDEN if hidden else allowed, entries), None)
            outcome, _ = await self._poster.show(contest, bare)
            if outcome in (Outcome.ARCHIVED, Outcome.OLD):  # Discord takes no edit
                outcome = await self._poster.delete(contest)
            if outcome is not Outcome.SHOWN and outcome is not Outcome.GONE:
                return False
            await self._contests.withdraw(contest.id)
        return True

    async def _content(self, contest: Contest) -> Content:
        dream = await self._store.get(contest.winner_id) if contest.winner_id is not None else None
        if dream is not None and not dream.is_shown:
            dream = None
        allowed = HIDDEN
        if dream is not None:
            here = contest.channel_id
            allowed = await self._poster.showing(dream, Occasion.EXHIBITED, channel_id=here)
        embed = winner_embed(contest, dream, allowed, len(await self._contests.entries(contest.id)))
        stored = await self._store.picture(dream.id) if dream is not None else None
        picture = await fitting(stored, self._poster.upload_limit(contest)) if stored else None
        if dream is None or picture is None:
            return Content(embed, None)
        alt_text = spoken(contest.language).alt_text(dream.prompt)
        shown = exhibit(picture, allowed, stem=f"dream-{dream.id}", alt_text=alt_text)
        if shown is not None:
            shown.hang_in(embed)
        return Content(embed, None, shown)
