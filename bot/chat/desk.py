"""One channel's edits, one at a time: the newest frame wins, seconds apart, ends before frames before places.

A channel's messages share one rate limit: a long line's places must never hold up a frame or an end.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.chat.screen import Screen
from bot.dreams import DreamState

log = logging.getLogger(__name__)

PLACES_PACE = 3  # a waiting dream's message is edited this many times less often than a running one's
_RANKS = {DreamState.QUEUED: 2, DreamState.DREAMING: 1}  # an end has rank 0


class Desk:
    """The screens of one channel that want to be shown. Its task lives while there are any."""

    def __init__(self, *, show: Callable[[Screen], Awaitable[None]], pace_s: float) -> None:
        """`show` shows a screen as it is at that moment, and raises nothing."""
        self._show = show
        self._pace_s = pace_s
        self._wanted: dict[int, Screen] = {}  # by dream
        self._due: dict[int, float] = {}  # dream → the loop's time before which it is not edited again
        self._changed = asyncio.Event()

    def want(self, screen: Screen) -> None:
        """Show this screen when its turn comes."""
        self._wanted[screen.dream.id] = screen
        self._changed.set()

    def forget(self, dream_id: int) -> None:
        """Show this dream no more."""
        self._wanted.pop(dream_id, None)
        self._due.pop(dream_id, None)

    async def run(self) -> None:
        """Show what is wanted until nothing is."""
        loop = asyncio.get_running_loop()
        while self._wanted:
            self._changed.clear()
            now = loop.time()
            wait, _, dream_id = min(
                (max(self._due_at(screen) - now, 0.0), _rank(screen), dream_id)
                for dream_id, screen in self._wanted.items()
            )
            if wait > 0:
                try:
                    await asyncio.wait_for(self._changed.wait(), wait)
                except TimeoutError:
                    continue  # something is due
                continue
            screen = self._wanted.pop(dream_id)
            await self._show(screen)
            if screen.dream.state.is_over:
                self._due.pop(dream_id, None)
            else:
                self._due[dream_id] = loop.time() + self._pace_s

    def _due_at(self, screen: Screen) -> float:
        """An end is never held back, nor a first showing; a place is shown less often than a frame."""
        due = self._due.get(screen.dream.id)
        if due is None or _rank(screen) == 0:
            return 0.0
        is_place = screen.dream.state is DreamState.QUEUED and screen.dream.message_id is not None
        return due + (PLACES_PACE - 1) * self._pace_s if is_place else due


def _rank(screen: Screen) -> int:
    return _RANKS.get(screen.dream.state, 0)
