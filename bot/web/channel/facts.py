"""What the store tells of a card, asked once however many watch: all who hear of a change share it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from bot.community.choices import Choice, Choices
from bot.dreams.dream import Dream
from bot.dreams.store import Store
from bot.web.channel.live import choice_key, dream_key

SHARED_S = 1.0  # seconds for which an answer counts, unless its card changes before
KEPT = 100  # answers
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DreamFacts:
    """Of one dream."""

    dream: Dream
    votes: Mapping[str, set[int]]  # who voted, by emoji
    has_picture: bool  # once it is over
    begun_at: str  # what the safety check found where it begins, until it is over


@dataclass(frozen=True, slots=True)
class ChoiceFacts:
    """Of one choice."""

    choice: Choice
    candidates: Sequence[Dream]
    voters: Mapping[int, set[int]]  # by a beginning's number


class Facts:
    """Live. Every method raises `StoreError`."""

    def __init__(self, *, store: Store, choices: Choices) -> None:
        self._store = store
        self._choices = choices
        self._shared: OrderedDict[str, tuple[float, asyncio.Task[Any]]] = OrderedDict()

    def forget(self, key: str) -> None:
        """For `Live.on_touch`: a card is not what it was."""
        self._shared.pop(key, None)

    async def dream(self, dream_id: int) -> DreamFacts | None:
        """None: there is none, or not any more."""

        async def look() -> DreamFacts | None:
            dream = await self._store.get(dream_id)
            return None if dream is None or dream.erased else (await self.of([dream]))[0]

        return await self._share(dream_key(dream_id), look)

    async def choice(self, choice_id: int) -> ChoiceFacts | None:
        """None: there is none, or not any more."""

        async def look() -> ChoiceFacts | None:
            choice = await self._choices.get(choice_id)
            candidates = await self._choices.candidates(choice_id) if choice is not None else []
            if choice is None or not candidates or candidates[0].erased:
                return None
            return ChoiceFacts(choice, candidates, await voters(self._store, candidates))

        return await self._share(choice_key(choice_id), look)

    async def of(self, dreams: Sequence[Dream]) -> list[DreamFacts]:
        """Of several dreams that are at hand."""
        votes = await self._store.votes_for([dream.id for dream in dreams])
        pictured = await self._store.with_pictures([dream.id for dream in dreams if dream.state.is_over])
        return [
            DreamFacts(
                dream,
                votes[dream.id],
                dream.id in pictured,
                "" if dream.state.is_over else await self._store.found_at_beginning(dream),
            )
            for dream in dreams
        ]

    async def _share(self, key: str, look: Callable[[], Awaitable[T]]) -> T:
        until, task = self._shared.get(key, (0.0, None))
        if task is None or monotonic() >= until or (task.done() and task.exception() is not None):
            task = asyncio.ensure_future(look())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever asked is told
            self._shared[key] = (monotonic() + SHARED_S, task)
            if len(self._shared) > KEPT:
                self._shared.popitem(last=False)
        return await asyncio.shield(task)  # who asked first may be gone before the others have their answer


async def voters(store: Store, candidates: Sequence[Dream]) -> dict[int, set[int]]:
    """Who voted for each beginning, by its number. Raises `StoreError`."""
    found = await store.votes_for([dream.id for dream in candidates])
    return {dream.candidate: set().union(*found[dream.id].values()) for dream in candidates}
