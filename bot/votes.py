"""Counts reactions under dreams: each person once, never the author's own or a bot's. Knows no Discord."""

from collections.abc import Iterable

from bot.dreams import Dream
from bot.guilds import VOTE_EMOJI
from bot.store import Store

_VARIATION = "\ufe0f"  # some clients send the heart without it


def is_vote(emoji: str) -> bool:
    """Whether this emoji (as text) is a vote."""
    return _plain(emoji) in {_plain(vote) for vote in VOTE_EMOJI}


class Votes:
    """The votes of all dreams. A reaction that is no vote, or under no dream, is ignored."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def add(self, *, message_id: int, person: int, is_bot: bool, emoji: str) -> None:
        """Somebody put a reaction under a message."""
        if is_bot or not is_vote(emoji):
            return
        dream = await self._store.shown_by(message_id)
        if dream is not None and person != dream.author_id:
            await self._store.add_vote(dream.id, person, _plain(emoji))

    async def remove(self, *, message_id: int, person: int | None = None, emoji: str | None = None) -> None:
        """A person's reaction is gone, or everybody's with this emoji, or all of them."""
        if emoji is not None and not is_vote(emoji):
            return
        dream = await self._store.shown_by(message_id)
        if dream is not None:
            plain = None if emoji is None else _plain(emoji)
            await self._store.remove_votes(dream.id, person=person, emoji=plain)

    async def replace(self, dream: Dream, reactions: Iterable[tuple[int, str]]) -> None:
        """These (person, emoji), bots left out, are all the reactions that the dream's message has now."""
        counted = [(p, _plain(emoji)) for p, emoji in reactions if is_vote(emoji) and p != dream.author_id]
        await self._store.replace_votes(dream.id, counted)

    async def tally(self, dream_id: int) -> int:
        """How many people voted for the dream."""
        return await self._store.count_votes(dream_id)


def _plain(emoji: str) -> str:
    return emoji.replace(_VARIATION, "")
