"""The bot's side of the engine: starts the child process, dreams one request at a time, survives its end.

asyncio and the standard library only; no torch. Whatever happens to the child, a dream ends with exactly one
`Finished` or `Failed`, and the next dream finds a healthy child.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence

from engine import protocol
from engine.errors import DreamError, EngineCrash, FailureKind, StoppedEarly
from engine.process import groups
from engine.process.connection import Child
from engine.protocol import DreamRequest, Event, Failed, Finished, Started
from engine.sentences import Key, Saying

log = logging.getLogger(__name__)

COMMAND = groups.python("import engine.process.child; sys.exit(engine.process.child.main())")
START_TIMEOUT_S = (
    600.0  # until the child is up, and again until `Started`: torch and large models load slowly
)
STEP_TIMEOUT_S = 180.0  # between two events of a dream; 512 px on two CPU cores takes about a minute a step
CLOSE_GRACE_S = 5.0  # for the running step to end when the host closes, before the child is terminated
FIRST_PAUSE_S = 0.5  # before the child is started again after it died without making one step …
LONGEST_PAUSE_S = 30.0  # … doubled with each such death in a row, up to this
CLOSED = "The dream engine was closed before this dream was done."


class EngineHost:
    """One engine child process, started again whenever it is needed and gone."""

    def __init__(
        self,
        *,
        command: Sequence[str] = COMMAND,
        environ: Mapping[str, str] | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
        step_timeout_s: float = STEP_TIMEOUT_S,
        close_grace_s: float = CLOSE_GRACE_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """`environ`: of which the child gets what it needs, and no secret; None: ours."""
        self._command = command
        self._environ = environ
        self._start_timeout_s = start_timeout_s
        self._step_timeout_s = step_timeout_s
        self._close_grace_s = close_grace_s
        self._first_pause_s = first_pause_s
        self._child: Child | None = None
        self._turn = asyncio.Lock()  # held by the one dream that runs
        self._open: dict[str, asyncio.Event] = {}  # id of each dream not yet ended → set when asked to stop
        self._sent: str | None = None  # the id that the child works on
        self._leftover: asyncio.Task[None] | None = None  # brings an abandoned dream to its end
        self._fruitless_starts = 0  # of the child, in a row, without a step in between
        self._not_before = 0.0  # the loop's time before which the child is not started again
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether a child process is up (it may still be loading)."""
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        """The child's process id, None when there is none."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def start(self) -> None:
        """Start the child, so that it loads while nobody waits yet. Does not wait for it, raises nothing.

        A child that cannot start is told by the first dream.
        """
        self._closed = False
        async with self._turn:
            with contextlib.suppress(EngineCrash):
                await self._living_child(asked=asyncio.Event())

    async def close(self) -> None:
        """Stop what runs, giving its consumer the best picture where there is time, and end the child."""
        self._closed = True
        for asked in self._open.values():
            asked.set()
        if (child := self._child) is not None:
            if self._sent is not None:
                child.stop(self._sent)
            child.wake()
            await child.close(self._close_grace_s if child.ready else 0)
            self._child = None
        if self._leftover is not None:
            await self._leftover

    async def stop(self, id: str) -> None:
        """Stop this dream at its next step (it ends with its best picture); unknown ids are ignored."""
        if (asked := self._open.get(id)) is not None:
            asked.set()
            if self._child is not None:
                self._child.wake()
                if self._sent == id:
                    self._child.stop(id)

    async def dream(self, request: DreamRequest) -> AsyncGenerator[Event, None]:
        """Dream this request: `Started`, any number of `Progress`, then exactly one `Finished` or `Failed`.

        One dream runs at a time; another waits here for its turn. Whoever leaves the iterator early stops the
        dream. Raises `ValueError` when a dream of this id is already open.
        """
        if request.id in self._open:
            raise ValueError(f"the dream {request.id} is already open")
        if not protocol.fits(request):  # the child would take it for a broken stream
            said = Saying.of(Key.PICTURES_BYTES, most=protocol.MAX_PAYLOAD // 2**20)
            yield Failed(request.id, FailureKind.BAD_REQUEST, said)
            return
        asked = self._open[request.id] = asyncio.Event()
        limit_s = self._start_timeout_s
        busy: Child | None = None  # the child that has the request
        try:
            async with self._turn:
                try:
                    child = await self._ready_child(asked)
                    busy, self._sent = child, request.id
                    child.request(request)
                    while self._sent is not None:
                        event = await child.next_event(limit_s)
                        limit_s = self._step_timeout_s
                        self._note(event)
                        yield event
                except DreamError as error:
                    self._sent = None
                    said = await self._bury(error)
                    log.info("dream %s ended: %s", request.id, said)
                    yield Failed(request.id, error.kind, said)
                finally:
                    if busy is not None and self._sent is not None:
                        busy.stop(request.id)
                        self._leftover = asyncio.create_task(self._drain(busy, limit_s))
        finally:
            del self._open[request.id]

    async def _ready_child(self, asked: asyncio.Event) -> Child:
        """A child that takes requests.

        Raises `EngineCrash`, `EngineHang`, `EngineUnable`, or `StoppedEarly` if asked to.
        """
        if self._leftover is not None:
            await asyncio.shield(self._leftover)
        child = await self._living_child(asked)
        await child.wait_for(lambda: child.ready is not None or asked.is_set(), self._start_timeout_s)
        if asked.is_set():
            raise StoppedEarly
        return child

    async def _living_child(self, asked: asyncio.Event) -> Child:
        """The child, started if there is none; after fruitless starts not before a pause is over."""
        if self._closed:
            raise EngineCrash(CLOSED)
        if self._child is not None and not self._child.alive:
            await self._child.close(grace_s=0)
            self._child = None
        if self._child is None:
            now = asyncio.get_running_loop().time()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(self._not_before - now, 0)):
                    await asked.wait()
                    raise StoppedEarly
            self._not_before = max(self._not_before, now) + min(
                self._first_pause_s * 2 ** min(self._fruitless_starts, 10), LONGEST_PAUSE_S
            )
            self._fruitless_starts += 1
            self._child = await Child.start(self._command, self._environ)
            if self._closed:  # in the meantime
                await self._bury(EngineCrash(CLOSED))
                raise EngineCrash(CLOSED)
        return self._child

    def _note(self, event: Event) -> None:
        if isinstance(event, Finished | Failed):
            self._sent = None
        if not isinstance(event, Started):
            self._fruitless_starts = 0

    async def _drain(self, child: Child, limit_s: float) -> None:
        """Bring an abandoned dream, already asked to stop, to its end."""
        try:
            while self._sent is not None:
                self._note(await child.next_event(limit_s))
                limit_s = self._step_timeout_s
        except DreamError as error:
            log.info("abandoned dream %s ended: %s", self._sent, await self._bury(error))
        finally:
            self._sent = None

    async def _bury(self, error: DreamError) -> Saying:
        """End a child that crashed or hangs, so that the next dream starts another. Returns what to say."""
        if not isinstance(error, StoppedEarly) and (child := self._child) is not None:
            child.kill()
            await child.close(grace_s=0)
            self._child = None
        return Saying.plain(CLOSED) if self._closed and isinstance(error, EngineCrash) else error.said
