"""What happens just now, without words and pictures: whether somebody dreams, how far, and the line's length.

Watchers are told at most once in `PACE_S`, and only what is true then: whoever reads slowly misses what was
between, and holds up nobody, because nothing is kept for anyone.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bot.database.connection import StoreError
from bot.dreams.dream import Dream, DreamState
from bot.sentences import Sentences
from bot.web.visits import say_of
from engine import Event, Progress

log = logging.getLogger(__name__)

PACE_S = 1.0  # seconds between two messages to one watcher
MAX_WATCHERS = 1000  # at once; others see the page without what is live
MAX_EACH = 250  # of them from one address, behind which there may be many people
LOOK_S = 15  # seconds between two looks whether a watcher is still there
SEND_S = 10.0  # seconds after which a watcher that reads nothing is let go


class Live:
    """An `Audience` of all dreams. `close` when the server ends: streams end by nothing else."""

    def __init__(self, *, waiting: Callable[[], int], hangs: Callable[[int], Awaitable[bool]]) -> None:
        """`waiting`: how many dreams are in line; `hangs`: whether a dream is on the wall."""
        self._waiting = waiting
        self._hangs = hangs
        self._running: int | None = None  # the dream in hand
        self._percent: int | None = None
        self._fresh = 0  # dreams that were hung up since we began
        self._version = 0
        self._moved = asyncio.Event()  # set, and replaced, with each change
        self._looking: set[asyncio.Task[None]] = set()
        self.watchers: Counter[str] = Counter()  # by their address
        self.is_closed = False

    def heard(self, dream: Dream, event: Event | None) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        if dream.state is DreamState.DREAMING:
            percent = round(100 * event.step / event.steps) if isinstance(event, Progress) else None
            if (dream.id, percent or self._percent) != (self._running, self._percent):
                same = self._running == dream.id
                self._running, self._percent = dream.id, percent if percent or not same else self._percent
                self._move()
        elif self._running == dream.id:
            self._running = self._percent = None
            self._move()
        if dream.state is DreamState.DONE:
            task = asyncio.create_task(self._look(dream.id))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    def line_moved(self) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        self._move()

    async def close(self) -> None:
        """Let all watchers go."""
        self.is_closed = True
        self._move()
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)

    def sentence(self, say: Sentences) -> str:
        """What is true now."""
        return say.WALL_QUIET if self._running is None else say.wall_now(self._waiting(), self._percent)

    def told(self, say: Sentences) -> str:
        """What a watcher is sent."""
        return json.dumps({"now": self.sentence(say), "fresh": self._fresh}, ensure_ascii=False)

    async def changed(self, version: int) -> int:
        """Wait for something newer than this version, but not long; gives the newest."""
        if version == self._version:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._moved.wait()
        return self._version

    @property
    def version(self) -> int:
        return self._version

    def _move(self) -> None:
        self._version += 1
        self._moved.set()
        self._moved = asyncio.Event()

    async def _look(self, dream_id: int) -> None:
        try:
            if await self._hangs(dream_id):
                self._fresh += 1
                self._move()
        except StoreError as error:
            log.debug("dream %d: not told to the wall, %s", dream_id, error)


LIVE = web.AppKey("LIVE", Live)
routes = web.RouteTableDef()


@routes.get("/live")
async def watch(request: web.Request) -> web.StreamResponse:
    """A stream of server-sent events."""
    live, say = request.config_dict[LIVE], say_of(request)
    address = request.remote or ""
    is_full = live.watchers.total() >= MAX_WATCHERS or live.watchers[address] >= MAX_EACH
    if is_full or live.is_closed:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "60"})
    live.watchers[address] += 1
    try:
        async with sse_response(request) as stream:
            await _tell(live, say, stream)
            return stream
    except (TimeoutError, ConnectionResetError):
        if request.transport is not None:
            request.transport.abort()  # what is under way to whoever reads nothing is let go
        raise ConnectionResetError from None
    finally:
        live.watchers[address] -= 1
        live.watchers += Counter()  # without those of whom nobody is left


async def _tell(live: Live, say: Sentences, stream: EventSourceResponse) -> None:
    """Until the watcher or the server goes. Raises `TimeoutError` when nothing is read."""
    sent, version = "", -1
    while stream.is_connected():
        version = live.version if version < 0 else await live.changed(version)
        if live.is_closed:
            return
        told = live.told(say)
        if told != sent:
            sent = told
            async with asyncio.timeout(SEND_S):
                await stream.send(told)
            await asyncio.sleep(PACE_S)
