"""Ends contests when their time is over and tells the winner in their channel, once, whoever was away.

A contest is owed (`bot.chat.messages.outbox`) from its beginning on, and due at its end.
"""

import asyncio
from contextlib import suppress

from bot.chat.messages.contest_message import winner_embed, winner_url
from bot.chat.messages.dream_message import Content
from bot.chat.messages.exhibit import exhibit
from bot.chat.messages.outbox import Later, NotDue, Outbox, believe
from bot.chat.messages.poster import Outcome, Poster, show_fitting
from bot.chat.messages.taking_down import taken_down
from bot.community.contests import Contest, Contests
from bot.database.outbox import Kind, Owed
from bot.dreams.dream import Dream, Gone, Picture
from bot.dreams.local import is_local
from bot.dreams.showing import HIDDEN, Occasion, Showing
from bot.dreams.store import Store
from bot.sentences import spoken

COUNTED_S = 300.0  # seconds to wait for the votes of the time when nobody was here


class ContestMessages:
    """Live: `start` when the client can send."""

    def __init__(self, *, contests: Contests, store: Store, poster: Poster, outbox: Outbox) -> None:
        self._contests = contests
        self._store = store
        self._poster = poster
        self._outbox = outbox
        self._counted = asyncio.Event()  # votes that were cast while nobody was here are found

    async def start(self) -> None:
        """Look after what an older program left. Raises `StoreError`."""
        await self._outbox.adopt(Kind.CONTEST, *(contest.id for contest in await self._contests.open()))
        await self._outbox.adopt(Kind.WINNER, *await self._contests.lost_winners())

    def counted(self) -> None:
        """The votes that were cast while the bot was away are counted: now contests may end."""
        self._counted.set()

    def moved(self, contest_id: int) -> None:
        """A contest began or was ended."""
        self._outbox.wake()

    async def check(self, dream: Dream) -> None:
        """Its channel, or one where it won, may have changed who is let in."""
        for contest in await self._contests.won_by(dream.id):
            if await self._poster.hides(dream, contest.channel_id):
                await self._outbox.owe(Kind.WINNER, dream.id)

    async def withdraw(self, owed: Owed) -> None:
        """Tell no more that a dream won, where it may not be seen. Raises `Later`, `StoreError`."""
        dream = await self._store.get(owed.subject)
        for contest in [] if dream is None else await self._contests.won_by(dream.id):
            if dream is not None and await self._poster.hides(dream, contest.channel_id):
                allowed = await self._poster.showing(dream, Occasion.EXHIBITED, channel_id=contest.channel_id)
                await self._withdraw(contest, dream, allowed, owed)

    async def take_down(self, dream: Dream, owed: Owed) -> None:
        """Tell no more that it won, wherever that was. Raises `Later`, `StoreError`."""
        for contest in await self._contests.won_by(dream.id):
            await self._withdraw(contest, dream, HIDDEN, owed)

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
            stored = None if contest.winner_id is None else await self._store.picture(contest.winner_id)

            async def show(picture: Picture | None) -> tuple[Outcome, int | None]:
                content = await self._content(contest, picture)
                return await self._poster.post(contest, content, nonce=f"contest-{contest.id}")

            outcome, message_id = await show_fitting(stored, self._poster.upload_limit(contest), show)
            if outcome is Outcome.GONE:
                believe(owed, "its channel takes nothing, says Discord")
            elif outcome is not Outcome.SHOWN:
                raise Later("Discord did not take it")
        await self._contests.told(contest.id, message_id)

    # ------------------------------------------------------------------ tasks

    async def _all_counted(self) -> None:
        """Wait for the votes of the time when nobody was here, once, and not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(COUNTED_S):
                await self._counted.wait()
        self._counted.set()

    async def _withdraw(self, contest: Contest, dream: Dream, allowed: Showing, owed: Owed) -> None:
        """Take a winner's words and picture out of what was told."""
        bare = Content(winner_embed(contest, dream, allowed, await self._count(contest)), None)
        outcome, _ = await self._poster.show(contest, bare)
        if outcome in (Outcome.ARCHIVED, Outcome.OLD):  # Discord takes no edit
            await taken_down(self._poster, contest, owed)
        elif outcome is Outcome.GONE:
            believe(owed, "what told of it is not there, says Discord")
        elif outcome is not Outcome.SHOWN:
            raise Later("what told of it is still there")
        if dream.erased or dream.gone is not Gone.DELETED:  # else its author may yet want to be forgotten
            await self._contests.withdraw(contest.id)

    async def _content(self, contest: Contest, picture: Picture | None) -> Content:
        dream = await self._store.get(contest.winner_id) if contest.winner_id is not None else None
        if dream is None or not dream.is_shown:
            return Content(winner_embed(contest, None, HIDDEN, await self._count(contest)), None)
        allowed = await self._poster.showing(dream, Occasion.EXHIBITED, channel_id=contest.channel_id)
        embed = winner_embed(contest, dream, allowed, await self._count(contest))
        alt_text = spoken(contest.language).alt_text(dream.prompt)
        shown = exhibit(picture, allowed, stem=f"dream-{dream.id}", alt_text=alt_text)
        if shown is not None:
            shown.hang_in(embed)
        return Content(embed, None, shown)

    async def _count(self, contest: Contest) -> int:
        return len(await self._contests.entries(contest.id))
