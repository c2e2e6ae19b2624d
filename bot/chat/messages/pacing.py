"""A channel's edits, one at a time: the newest state wins, seconds apart, what is urgent first.

A channel's messages share one rate limit: a long line's places must never hold up a frame or an end, and
votes hold up nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from bot.background import BackgroundLoop
from bot.database.connection import StoreError

log = logging.getLogger(__name__)

REST_PACES = 200  # a channel in which so long nothing was shown is forgotten
RETRY_S = 5.0  # seconds until what the database did not let be shown is tried again
FAREWELL_S = 3.0  # seconds for what is being shown when the bot stops


class Priority(IntEnum):
    """What comes before what."""

    END = 0
    FRAME = 1
    PLACE = 2
    VOTES = 3


class Edit(Protocol):
    """Something that wants to be shown in a channel."""

    @property
    def key(self) -> Hashable:
        """What shows it: of two edits with the same key the later one is shown."""
        ...

    @property
    def priority(self) -> Priority: ...

    @property
    def paces(self) -> float:
        """How many paces since its last showing must have passed; 0: it is never held back."""
        ...


Show = Callable[[], Awaitable[None]]  # shows it as it is at that moment


@dataclass(frozen=True, slots=True)
class _Wanted:
    edit: Edit
    show: Show
    dropped: Callable[[], object]  # called when it is shown no more


class ChannelEdits:
    """The edits of one channel that want to be made. Its task lives while there are any."""

    def __init__(self, *, pace_s: float) -> None:
        self._pace_s = pace_s
        self._wanted: dict[Hashable, _Wanted] = {}  # by key
        self._shown: dict[Hashable, float] = {}  # key → when it was last shown, by the loop's clock
        self._held: dict[Hashable, float] = {}  # key → before which it is not tried again, by that clock
        self._changed = asyncio.Event()
        self._is_closed = False

    def close(self) -> None:
        """Begin to show nothing more."""
        self._is_closed = True
        self._changed.set()

    def want(self, edit: Edit, show: Show, dropped: Callable[[], object] = lambda: None) -> None:
        """Show this when its turn comes. `dropped`: called if another takes its place, or it is forgotten."""
        old = self._wanted.get(edit.key)
        self._wanted[edit.key] = _Wanted(edit, show, dropped)
        if old is not None:
            old.dropped()
        self._changed.set()

    def forget(self, key: Hashable) -> None:
        """Show this no more."""
        old = self._wanted.pop(key, None)
        self._shown.pop(key, None)
        self._held.pop(key, None)
        if old is not None:
            old.dropped()

    def rests(self) -> bool:
        """Whether nothing is wanted, and nothing was shown for long."""
        since = asyncio.get_running_loop().time() - REST_PACES * self._pace_s
        return not self._wanted and all(shown < since for shown in self._shown.values())

    async def run(self) -> None:
        """Show what is wanted until nothing is."""
        loop = asyncio.get_running_loop()
        while self._wanted and not self._is_closed:
            self._changed.clear()
            now = loop.time()
            wait, _, _, key = min(
                (max(self._due_at(wanted.edit) - now, 0.0), wanted.edit.priority, arrival, key)
                for arrival, (key, wanted) in enumerate(self._wanted.items())
            )
            if wait > 0:
                try:
                    async with asyncio.timeout(wait):
                        await self._changed.wait()
                except TimeoutError:
                    continue  # something is due
                continue
            wanted = self._wanted.pop(key)
            self._held.pop(key, None)
            try:
                await wanted.show()
            except StoreError as error:
                log.warning("%s is shown later: %s", key, error)
                self._wanted.setdefault(key, wanted)  # unless something newer is wanted meanwhile
                self._held[key] = loop.time() + RETRY_S
                continue
            except Exception:
                # A fault with one message must not silence the channel's others.
                log.exception("%s could not be shown", key)
            if wanted.edit.priority is Priority.END:
                self._shown.pop(key, None)
            else:
                self._shown[key] = loop.time()

    def _due_at(self, edit: Edit) -> float:
        """The first showing is never held back, but by the database."""
        shown, held = self._shown.get(edit.key), self._held.get(edit.key, 0.0)
        return held if shown is None else max(held, shown + edit.paces * self._pace_s)


class Edits(BackgroundLoop):
    """Every channel's edits, and the tasks that make them. Live: `start`, `close`; `want` also before."""

    def __init__(self, *, pace_s: float) -> None:
        """`pace_s`: seconds between two edits of one message."""
        super().__init__(retry_s=pace_s)
        self._pace_s = pace_s
        self._channels: dict[int, ChannelEdits] = {}  # by channel
        self._working: dict[int, asyncio.Task[None]] = {}  # by channel

    async def close(self) -> None:
        """Begin nothing more, and let what is being shown come to its end.

        Cut off, Discord may show it all the same, over what another process shows meanwhile.
        """
        await super().close()
        for channel in self._channels.values():
            channel.close()
        working = list(self._working.values())
        if working:
            await asyncio.wait(working, timeout=FAREWELL_S)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        self._channels, self._working = {}, {}

    def want(
        self, channel_id: int, edit: Edit, show: Show, dropped: Callable[[], object] = lambda: None
    ) -> None:
        """Show this in its channel when its turn comes. `dropped`: as of `ChannelEdits.want`."""
        if channel_id not in self._channels:
            self._channels[channel_id] = ChannelEdits(pace_s=self._pace_s)
        self._channels[channel_id].want(edit, show, dropped)
        self.wake()

    async def made(self, channel_id: int, edit: Edit, show: Show) -> bool:
        """As `want`, and wait for it. False when it was dropped; raises what `show` raises."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        shown = asyncio.Event()

        async def give_turn() -> None:
            if not turn.done():  # it is when whoever waited is gone
                turn.set_result(True)
                await shown.wait()

        def dropped() -> None:
            if not turn.done():
                turn.set_result(False)

        self.want(channel_id, edit, give_turn, dropped)
        try:
            if not await turn:
                return False
            await show()
            return True
        finally:
            shown.set()

    def forget(self, channel_id: int, key: Hashable) -> None:
        """Show this no more."""
        if channel_id in self._channels:
            self._channels[channel_id].forget(key)

    async def _look(self) -> None:
        self._working = {c: task for c, task in self._working.items() if not task.done()}
        for channel_id, channel in list(self._channels.items()):
            if channel_id in self._working:
                continue
            if channel.rests():  # the others know when they may edit again
                del self._channels[channel_id]
            else:
                self._working[channel_id] = asyncio.create_task(channel.run())
