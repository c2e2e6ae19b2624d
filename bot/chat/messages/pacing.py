"""A channel's edits, one at a time: the newest state wins, seconds apart, what is urgent first.

A channel's messages share one rate limit: a long line's places must never hold up a frame or an end, and
votes hold up nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from enum import IntEnum
from typing import Protocol

from bot.background import BackgroundLoop

log = logging.getLogger(__name__)

REST_PACES = 200  # a channel in which so long nothing was shown is forgotten


class Rank(IntEnum):
    """What comes before what."""

    END = 0
    FRAME = 1
    PLACE = 2
    VOTES = 3


class Note(Protocol):
    """Something that wants to be shown in a channel."""

    @property
    def key(self) -> Hashable:
        """What shows it: of two notes with the same key the later one is shown."""
        ...

    @property
    def rank(self) -> Rank: ...

    @property
    def paces(self) -> float:
        """How many paces since its last showing must have passed; 0: it is never held back."""
        ...


Show = Callable[[], Awaitable[None]]  # shows a note as it is at that moment


class Desk:
    """The notes of one channel that want to be shown. Its task lives while there are any."""

    def __init__(self, *, pace_s: float) -> None:
        self._pace_s = pace_s
        self._wanted: dict[Hashable, tuple[Note, Show]] = {}  # by key
        self._shown: dict[Hashable, float] = {}  # key → when it was last shown, by the loop's clock
        self._changed = asyncio.Event()

    def want(self, note: Note, show: Show) -> None:
        """Show this note when its turn comes."""
        self._wanted[note.key] = note, show
        self._changed.set()

    def forget(self, key: Hashable) -> None:
        """Show this no more."""
        self._wanted.pop(key, None)
        self._shown.pop(key, None)

    def rests(self) -> bool:
        """Whether nothing is wanted, and nothing was shown for long."""
        since = asyncio.get_running_loop().time() - REST_PACES * self._pace_s
        return not self._wanted and all(shown < since for shown in self._shown.values())

    async def run(self) -> None:
        """Show what is wanted until nothing is."""
        loop = asyncio.get_running_loop()
        while self._wanted:
            self._changed.clear()
            now = loop.time()
            wait, _, _, key = min(
                (max(self._due_at(note) - now, 0.0), note.rank, arrival, key)
                for arrival, (key, (note, _)) in enumerate(self._wanted.items())
            )
            if wait > 0:
                try:
                    async with asyncio.timeout(wait):
                        await self._changed.wait()
                except TimeoutError:
                    continue  # something is due
                continue
            note, show = self._wanted.pop(key)
            try:
                await show()
            except Exception:
                # A fault with one message must not silence the channel's others.
                log.exception("%s could not be shown", key)
            if note.rank is Rank.END:
                self._shown.pop(key, None)
            else:
                self._shown[key] = loop.time()

    def _due_at(self, note: Note) -> float:
        """The first showing is never held back."""
        shown = self._shown.get(note.key)
        return 0.0 if shown is None else shown + note.paces * self._pace_s


class Desks(BackgroundLoop):
    """Every channel's desk, and the tasks that work at them. Live: `start`, `close`; `want` also before."""

    def __init__(self, *, pace_s: float) -> None:
        """`pace_s`: seconds between two edits of one message."""
        super().__init__(retry_s=pace_s)
        self._pace_s = pace_s
        self._desks: dict[int, Desk] = {}  # by channel
        self._working: dict[int, asyncio.Task[None]] = {}  # by channel

    async def close(self) -> None:
        """Stop at once."""
        await super().close()
        for task in self._working.values():
            task.cancel()
        await asyncio.gather(*self._working.values(), return_exceptions=True)
        self._desks, self._working = {}, {}

    def want(self, channel_id: int, note: Note, show: Show) -> None:
        """Show this in its channel when its turn comes."""
        if channel_id not in self._desks:
            self._desks[channel_id] = Desk(pace_s=self._pace_s)
        self._desks[channel_id].want(note, show)
        self.wake()

    def forget(self, channel_id: int, key: Hashable) -> None:
        """Show this no more."""
        if channel_id in self._desks:
            self._desks[channel_id].forget(key)

    async def _look(self) -> None:
        self._working = {c: task for c, task in self._working.items() if not task.done()}
        for channel_id, desk in list(self._desks.items()):
            if channel_id in self._working:
                continue
            if desk.rests():  # the others know when they may edit again
                del self._desks[channel_id]
            else:
                self._working[channel_id] = asyncio.create_task(desk.run())
