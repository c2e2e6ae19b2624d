"""Tells a dream's author that it is over: once, in answer to its message, and nobody else is notified."""

from dataclasses import dataclass
from functools import partial

from bot.chat.messages.outbox import Later, believe
from bot.chat.messages.pacing import Edits, Priority
from bot.chat.messages.poster import Outcome, Poster
from bot.database.outbox import Owed
from bot.dreams.dream import Dream
from bot.dreams.notices import is_due
from bot.dreams.preferences import Preferences
from bot.dreams.store import Store
from bot.sentences import spoken


@dataclass(frozen=True, slots=True)
class _Edit:
    """See `bot.chat.messages.pacing.Edit`: it comes after what is to be seen, and is never held back."""

    dream_id: int
    priority: Priority = Priority.VOTES
    paces: float = 0

    @property
    def key(self) -> tuple[str, int]:
        return "notice", self.dream_id


class Notices:
    """Live. A notice is owed (`bot.chat.messages.outbox`) once its dream's message shows the end."""

    def __init__(self, *, store: Store, poster: Poster, edits: Edits, preferences: Preferences) -> None:
        self._store = store
        self._poster = poster
        self._edits = edits
        self._preferences = preferences

    def due(self, dream: Dream) -> bool:
        """Whether the author wants to be told of this dream's end."""
        return is_due(dream, self._preferences.of(dream.author_id).notice)

    async def tell(self, owed: Owed) -> None:
        """Tell it when the channel has time. Raises `Later`, `StoreError`."""
        dream = await self._store.get(owed.subject)
        if dream is None or dream.message_id is None:
            return
        if not await self._edits.made(dream.channel_id, _Edit(dream.id), partial(self._tell, dream.id, owed)):
            raise Later("it was overtaken")

    async def _tell(self, dream_id: int, owed: Owed) -> None:
        dream = await self._store.get(dream_id)
        if dream is None or dream.erased or (owed.again and await self._poster.answered(dream)):
            return
        text = spoken(dream.language).notice(dream.author_id, dream.state, story=dream.chapters is not None)
        nonce = f"{dream.origin}-over"
        outcome = await self._poster.answer(dream, text, person=dream.author_id, nonce=nonce)
        if outcome is Outcome.GONE:
            believe(owed, "its channel takes nothing, says Discord")
        elif outcome is not Outcome.SHOWN:
            raise Later("Discord did not take it")
