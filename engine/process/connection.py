"""One run of the engine's child process, seen from the parent: one dream's events, and signs of life.

Restarts and the order of dreams are `engine.process.host`'s.
"""

import asyncio
import logging
from asyncio.subprocess import Process
from collections.abc import Callable

from engine.errors import EngineCrash, EngineHang, EngineUnable
from engine.process.backlog import Backlog
from engine.process.framed import FramedProcess
from engine.protocol import DreamRequest, Event, Failed, Finished, Message, Ready, Stop

log = logging.getLogger(__name__)

LAST_LOOK_S = 1.0  # how long a silent child is looked at again before it counts as hung


class Child(FramedProcess):
    """A started child process. Make one with `Child.start`; it is never used again once `fault` is set."""

    def __init__(self, process: Process) -> None:
        """Use `start`."""
        super().__init__(process)
        self.ready: Ready | None = None
        self._unable: EngineUnable | None = None  # what it said of itself instead of `Ready`
        self._dream: str | None = None  # the id whose events are kept
        self._events = Backlog()
        self._last_sign = self._loop.time()

    def request(self, request: DreamRequest) -> None:
        """Send a request; from now on its events are kept, and those of any other dream are dropped."""
        self._dream = request.id
        self._events.clear()
        self._last_sign = self._loop.time()
        self._send(request)

    def stop(self, id: str) -> None:
        """Ask the child to stop the dream at its next step."""
        self._send(Stop(id))

    async def next_event(self, limit_s: float) -> Event:
        """The dream's next event. Progress that was not fetched in time is merged, the newest picture wins.

        Raises `EngineCrash` when the child is gone, `EngineUnable` when it said why it could not start,
        `EngineHang` after `limit_s` seconds without any event.
        """
        await self.wait_for(lambda: bool(self._events), limit_s)
        return self._events.take()

    async def wait_for(self, done: Callable[[], bool], limit_s: float) -> None:
        """Wait until `done()` holds. Raises as `next_event`; `limit_s` counts from the last sign of life."""
        while not done():
            if self.fault:
                raise self._unable or EngineCrash(self.fault)
            self._changed.clear()
            try:
                async with asyncio.timeout_at(self._last_sign + limit_s):
                    await self._changed.wait()
            except TimeoutError:
                await self._look_again(done, limit_s)

    async def _look_again(self, done: Callable[[], bool], limit_s: float) -> None:
        """Were we ourselves held up, what the child said lies unread in the pipe: read, then judge."""
        await asyncio.sleep(min(LAST_LOOK_S, limit_s / 4))
        if not done() and not self.fault and self._loop.time() >= self._last_sign + limit_s:
            seconds = f"{limit_s:g} second{'' if limit_s == 1 else 's'}"
            raise EngineHang(f"The dream engine gave no sign of life for {seconds}.")

    def _receive(self, message: Message) -> None:
        self._last_sign = self._loop.time()
        if isinstance(message, Ready):
            self.ready = message
            log.info("engine process %d is ready on %s", self.pid, message.device)
        elif isinstance(message, Failed) and self.ready is None:
            self._unable = EngineUnable(message.kind, message.message)
        elif not isinstance(message, Event):
            log.warning("engine process %d sent a %s", self.pid, type(message).__name__)
        elif message.id == self._dream:
            if isinstance(message, Finished | Failed):
                self._dream = None
            self._events.keep(message)
        self.wake()
