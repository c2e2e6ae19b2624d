"""Counts reactions under dreams: each person once, never the author's own or a bot's. Knows no Discord."""

import re
from collections.abc import Awaitable, Callable, Iterable
from time import time

from bot.dreams import Dream
from bot.guilds import ServerSettings
from bot.store import Store

_OWN = re.compile(r"<a?:\w*:(\d+)>")  # a server's own emoji, as text
_VARIATION = "\ufe0f"  # some clients send the heart without it


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

    def are(self, emoji: str, guild_id: int | None) -> bool:
        """Whether this emoji (as text) is a vote in this server."""
        return plain(emoji) in {plain(vote) for vote in self._settings(guild_id).vote_emoji}

    async def add(
        self, *, message_id: int, guild_id: int | None, person: int, is_bot: bool, emoji: str
    ) -> None:
        """Somebody put a reaction under a message."""
        if is_bot or not self.are(emoji, guild_id):
            return
        dream = await self._store.shown_by(message_id)
        if dream is not None and person != dream.author_id:
            await self._counted(dream, self._store.add_vote(dream.id, person, plain(emoji)))

    async def remove(
        self,
        *,
        message_id: int,
        guild_id: int | None,
        person: int | None = None,
        emoji: str | None = None,
    ) -> None:
        """A person's reaction is gone, or everybody's with this emoji, or all of them."""
        if emoji is not None and not self.are(emoji, guild_id):
            return
        dream = await self._store.shown_by(message_id)
        if dream is not None:
            which = None if emoji is None else plain(emoji)
            await self._counted(dream, self._store.remove_votes(dream.id, person=person, emoji=which))

    async def replace(self, dream: Dream, reactions: Iterable[tuple[int, str]]) -> None:
        """These (person, emoji), bots left out, are all the reactions that the dream's message has now."""
        votes = [
            (person, plain(emoji))
            for person, emoji in reactions
            if self.are(emoji, dream.guild_id) and person != dream.author_id
        ]
        await self._counted(dream, self._store.replace_votes(dream.id, votes))

    async def tally(self, dream_id: int) -> int:
        """How many people voted for the dream."""
        return await self._store.count_votes(dream_id)

    async def _counted(self, dream: Dream, change: Awaitable[None]) -> None:
        before = await self._store.count_votes(dream.id)
        await change
        after = await self._store.count_votes(dream.id)
        if after != before:
            for hear in self.on_change:
                hear(dream, after)


def plain(emoji: str) -> str:
    """An emoji as it is counted, however it is written: a server's own one by its id, for names change."""
    own = _OWN.fullmatch(emoji)
    return f"<:{own[1]}>" if own else emoji.replace(_VARIATION, "")
