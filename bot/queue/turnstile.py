"""Lets a few at a time through to what takes much memory; others wait a little, or hear that it is crowded.

A person cannot crowd out others: each has few places, whether they wait or are through.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.queue.limits import Refused


class Crowded(Refused):
    """Too many ask for this at the same moment."""

    def __init__(self, *, own: bool) -> None:
        super().__init__(own)
        self.own = own  # it is this person's own earlier requests that are not done yet


class Turnstile:
    """Live, for one event loop."""

    def __init__(self, *, at_once: int, waiting: int, each: int, patience_s: float) -> None:
        """`at_once`, `waiting`: places; `each`: of them for one person; `patience_s`: how long one waits."""
        self._free = asyncio.Semaphore(at_once)
        self._places = at_once + waiting
        self._each = each
        self._patience_s = patience_s
        self._people: Counter[int] = Counter()  # who waits or is through

    @asynccontextmanager
    async def turn(self, person: int) -> AsyncIterator[None]:
        """Wait for one's turn and have it until the end of the context. Raises `Crowded`."""
        if self._people[person] >= self._each:
            raise Crowded(own=True)
        if self._people.total() >= self._places:
            raise Crowded(own=False)
        self._people[person] += 1
        try:
            await self._pass()
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._people[person] -= 1
            self._people += Counter()  # forgets whoever has no place

    @asynccontextmanager
    async def whenever(self) -> AsyncIterator[None]:
        """Have a turn however long it takes, without a place: for what nobody stands and waits for."""
        async with self._free:
            yield

    async def _pass(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._free.acquire()
        except TimeoutError:
            raise Crowded(own=False) from None
