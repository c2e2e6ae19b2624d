"""What works in the background: loops that look and rest until they are closed, and what works on demand."""

import asyncio
import logging
from contextlib import suppress
from typing import ClassVar

from bot.database.connection import StoreError, patiently

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 300.0  # seconds between two tries of showing something that Discord would not take


def growing_pause_s(first_s: float, tries: int) -> float:
    """Seconds to rest after so many tries (1, 2 …) in vain: `first_s`, doubled each time, up to a limit."""
    return float(min(first_s * 2.0 ** (tries - 1), LONGEST_PAUSE_S))


class BackgroundLoop:
    """Looks again and again; a fault, or a database that is away, does not end it."""

    def __init__(self, *, retry_s: float) -> None:
        """`retry_s`: seconds to rest after a look that failed."""
        self._retry_s = retry_s
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin where a former process ended. Raises `StoreError`."""
        await patiently(self._resume)
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; everything is stored, or found again at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def wake(self) -> None:
        """Something is new: look at once."""
        self._changed.set()

    async def _resume(self) -> None:
        """Find what a former process left. Raises `StoreError`."""

    async def _look(self) -> float | None:
        """Do what is due. Gives the seconds until it looks again by itself; None: it waits to be woken."""
        raise NotImplementedError

    async def _run(self) -> None:
        while True:
            try:
                rest_s = await self._look()
            except StoreError as error:
                log.warning("%s waits: %s", type(self).__name__, error)
                rest_s = self._retry_s
            except Exception:
                # A fault with one thing must not end the others.
                log.exception("A fault of ours in %s", type(self).__name__)
                rest_s = self._retry_s
            with suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._changed.wait()
            self._changed.clear()


class Watch(BackgroundLoop):
    """Looks at each thing that moved, by its id. What fails because of the database is looked at again."""

    thing: ClassVar[str]  # for the log: 'dream'

    def __init__(self, *, retry_s: float) -> None:
        super().__init__(retry_s=retry_s)
        self._moved: set[int] = set()

    def moved(self, id: int) -> None:
        """Something about it is new."""
        self._moved.add(id)
        self.wake()

    def later(self, id: int, pause_s: float | None = None) -> None:
        """Look at it again after a pause; None: the usual one."""
        pause_s = self._retry_s if pause_s is None else pause_s
        asyncio.get_running_loop().call_later(pause_s, self.moved, id)

    async def _look(self) -> float | None:
        while self._moved:
            id = self._moved.pop()
            try:
                await self._look_at(id)
            except StoreError as error:
                log.warning("%s %d: %s waits, %s", self.thing, id, type(self).__name__, error)
                self.later(id)
            except Exception:
                # A fault with one must not hold up the others.
                log.exception("%s %d: a fault of ours in %s", self.thing, id, type(self).__name__)
        return None

    async def _look_at(self, id: int) -> None:
        """Do what is due for this one. Raises `StoreError`."""
        raise NotImplementedError


class OnDemand:
    """Works while there is something to do; when it is closed nothing begins any more."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def begin(self) -> None:
        """There is something to do."""
        if not self._is_closed and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; what is left is found again at the next start."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        """Until nothing is left."""
        raise NotImplementedError
