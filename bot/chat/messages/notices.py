"""Tells a dream's author that it is over: once, in answer to its message, and nobody else is notified."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from functools import partial

from bot.chat.messages.pacing import Edits, Priority
from bot.chat.messages.poster import Outcome, Poster
from bot.database.connection import StoreError
from bot.dreams.dream import Dream
from bot.dreams.notices import is_due
from bot.dreams.preferences import Preferences
from bot.dreams.store import Store
from bot.sentences import spoken

log = logging.getLogger(__name__)

RETRIES = 5  # tries of a notice that Discord or the network would not take, before the next restart's
RETRY_S = 10.0  # seconds before the first of them, doubled each time


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
    """Live: `start` when the client can send. What is still to be told stands in the dreams' rows."""

    def __init__(
        self,
        *,
        store: Store,
        poster: Poster,
        edits: Edits,
        preferences: Preferences,
        retry_s: float = RETRY_S,
    ) -> None:
        self._store = store
        self._poster = poster
        self._edits = edits
        self._preferences = preferences
        self._retry_s = retry_s
        self._tries: Counter[int] = Counter()  # by dream

    async def start(self) -> None:
        """Begin; tell what a former process could not tell any more. Raises `StoreError`."""
        for dream in await self._store.untold():
            self.tell(dream, again=True)

    def due(self, dream: Dream) -> bool:
        """Whether the author wants to be told of this dream's end."""
        return is_due(dream, self._preferences.of(dream.author_id).notice)

    def tell(self, dream: Dream, *, again: bool = False) -> None:
        """Tell it when the channel has time. `again`: perhaps it was said already."""
        self._edits.want(dream.channel_id, _Edit(dream.id), partial(self._tell, dream, again))

    async def _tell(self, dream: Dream, again: bool) -> None:
        try:
            now = await self._store.get(dream.id)
            if now is None or not now.to_tell:
                return
            if await self._said(now, again):
                await self._store.set_told(dream.id)
                self._tries.pop(dream.id, None)
                return
        except StoreError as error:
            log.warning("dream %d: its author is told later, %s", dream.id, error)
        self._once_more(dream)

    async def _said(self, dream: Dream, again: bool) -> bool:
        """Whether there is nothing more to say: it was said, or nobody can hear it."""
        if dream.erased or (again and await self._poster.answered(dream)):
            return True
        text = spoken(dream.language).notice(dream.author_id, dream.state, story=dream.chapters is not None)
        nonce = f"{dream.origin}-over"
        outcome = await self._poster.answer(dream, text, person=dream.author_id, nonce=nonce)
        return outcome is not Outcome.LATER

    def _once_more(self, dream: Dream) -> None:
        self._tries[dream.id] += 1
        if self._tries[dream.id] > RETRIES:
            log.warning("dream %d: its author is told after the next restart", dream.id)
            del self._tries[dream.id]
            return
        pause_s = self._retry_s * 2 ** (self._tries[dream.id] - 1)
        asyncio.get_running_loop().call_later(pause_s, partial(self.tell, dream, again=True))
