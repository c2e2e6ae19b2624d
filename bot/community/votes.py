"""Counts reactions under dreams and their copies: each person once, no authors, no bots. Knows no Discord.

A reaction is kept with where it stands, its very emoji and whether it is a super reaction, so that taking
back one of several leaves the vote.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from time import time

from bot.community.emoji import meant, written
from bot.dreams.dream import Dream
from bot.dreams.store import Store
from bot.dreams.votes import Counts
from bot.servers.settings import ServerSettings

Given = tuple[int, str] | tuple[int, str, bool]  # a reaction: the person, the emoji as text, whether super


class Reading:
    """What happened under a message while its reactions are being read."""

    def __init__(self) -> None:
        self.people: set[int] = set()  # who gave or took back something meanwhile
        self.cleared = False
        self.over = asyncio.Event()


class Votes:
    """The votes of all dreams. A reaction that is no vote, or under no dream, is ignored."""

    def __init__(
        self,
        *,
        store: Store,
        settings: Callable[[int | None], ServerSettings],
        clock: Callable[[], float] = time,
    ) -> None:
        """`settings`: a server's, by its id."""
        self._store = store
        self._settings = settings
        self.clock = clock
        self.on_change: list[Callable[[Dream, int], None]] = []  # told a dream and its new tally
        self._readings: dict[int, Reading] = {}  # by message

    def are(self, emoji: str, guild_id: int | None) -> bool:
        """Whether this emoji (as text) is a vote in this server."""
        return meant(emoji) in {meant(vote) for vote in self._settings(guild_id).vote_emoji}

    async def add(
        self,
        *,
        message_id: int,
        guild_id: int | None,
        person: int,
        is_bot: bool,
        emoji: str,
        burst: bool = False,
    ) -> bool:
        """Somebody put a reaction under a message. False where it shows no dream, as far as is known yet.

        `burst`: a super reaction.
        """
        if is_bot or not self.are(emoji, guild_id):
            return True
        found = await self._store.shown_at(message_id)
        if found is None:
            return False
        if person == found[0].author_id:
            return True
        dream, copy_id = found
        self._meanwhile(message_id, person)
        hall_at = self._hall_at(dream)
        vote = self._store.add_vote(
            dream.id, person, written(emoji), copy_id=copy_id, burst=burst, hall_at=hall_at
        )
        await self._counted(dream, vote)
        return True

    async def remove(
        self,
        *,
        message_id: int,
        person: int | None = None,
        emoji: str | None = None,
        burst: bool | None = None,
    ) -> bool:
        """A person's reaction is gone, or everybody's with this emoji, or all of them. False as of `add`.

        Whatever emoji it is: it may have been a vote when it was given.
        """
        found = await self._store.shown_at(message_id)
        if found is None:
            return False
        dream, copy_id = found
        self._meanwhile(message_id, person)
        which = None if emoji is None else written(emoji)
        gone = self._store.remove_votes(dream.id, person=person, emoji=which, copy_id=copy_id, burst=burst)
        await self._counted(dream, gone)
        return True

    @asynccontextmanager
    async def reading(self, message_id: int) -> AsyncIterator[Reading]:
        """While a message's reactions are read: what is heard meanwhile is newer, for `replace`.

        One after the other: what was read first must not be stored last.
        """
        while other := self._readings.get(message_id):
            await other.over.wait()
        reading = self._readings[message_id] = Reading()
        try:
            yield reading
        finally:
            del self._readings[message_id]
            reading.over.set()

    async def replace(
        self,
        dream: Dream,
        reactions: Iterable[Given],
        *,
        copy_id: int | None = None,
        reading: Reading | None = None,
    ) -> None:
        """These, bots left out, are all the reactions that the dream, or this copy of it, has now.

        `copy_id`: a copy's message, 0: the dream's own; None: there are no others anywhere.
        """
        if reading is not None and reading.cleared:
            return  # what was read is not true any more
        counts = await self.counting(dream)
        votes = [
            (person, written(emoji), bool(burst and burst[0]))
            for person, emoji, *burst in reactions
            if counts(emoji) and person != dream.author_id
        ]
        but = reading.people if reading is not None else set()
        hall_at = self._hall_at(dream)
        change = self._store.replace_votes(dream.id, votes, copy_id=copy_id, but=but, hall_at=hall_at)
        await self._counted(dream, change)

    async def counting(self, dream: Dream) -> Callable[[str], bool]:
        """Which emoji are votes under this dream: those that are now, and those that were when given."""
        given = await self._store.vote_emoji(dream.id)
        return lambda emoji: self.are(emoji, dream.guild_id) or written(emoji) in given

    async def tally(self, dream_id: int) -> int:
        """How many people voted for the dream."""
        return await self._store.count_votes(dream_id)

    async def tell(self, dream: Dream) -> None:
        """Reactions of this dream went with a copy: whoever listens shall know the tally."""
        tally = await self.tally(dream.id)
        for hear in self.on_change:
            hear(dream, tally)

    def _hall_at(self, dream: Dream) -> int | None:
        """With how many votes it may hang in its server's hall of fame; None: there is none."""
        settings = self._settings(dream.guild_id)
        return None if settings.fame_channel is None else settings.fame_votes

    def _meanwhile(self, message_id: int, person: int | None) -> None:
        if reading := self._readings.get(message_id):
            if person is None:
                reading.cleared = True
            else:
                reading.people.add(person)

    async def _counted(self, dream: Dream, change: Awaitable[Counts]) -> None:
        counts = await change
        if counts.after != counts.before:
            for hear in self.on_change:
                hear(dream, counts.after)
