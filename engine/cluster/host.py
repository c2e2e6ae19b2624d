"""The bot's side of a cluster: starts the driver process, and has an engine for each that it tells of.

asyncio and the standard library only; no Ray. Whatever happens to the driver, a node or the way to it, a
dream in hand ends with one `Failed` that says its machine was lost, and its engine leaves.
"""

import asyncio
import contextlib
import logging
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from engine import protocol
from engine.cluster.needs import Needs
from engine.errors import DreamError, EngineCrash, EngineLost, FailureKind
from engine.process import groups
from engine.process.backlog import Backlog
from engine.process.framed import FramedProcess
from engine.process.host import START_TIMEOUT_S
from engine.protocol import (
    BrokenFrame,
    DreamRequest,
    Enveloped,
    Event,
    Failed,
    Finished,
    Joined,
    Left,
    Message,
    Stop,
)
from engine.sentences import Key, Saying

log = logging.getLogger(__name__)

COMMAND = groups.python("import engine.cluster.driver; sys.exit(engine.cluster.driver.main())")
WAY_S = 30.0  # that an event may take on its way, beyond the silence after which its node gives an engine up
FIRST_PAUSE_S = 1.0  # before the driver is started again …
LONGEST_PAUSE_S = 60.0  # … doubled with each in a row that no engine came of, up to this
CLOSE_GRACE_S = 10.0  # for the driver to leave the cluster


class ClusterEngine:
    """One engine of the cluster. It is never used again once it has left."""

    def __init__(self, name: str, node: str, send: Callable[[Message], None], *, silence_s: float) -> None:
        """`node`: the machine's; `send`: to the driver."""
        self.name = name
        self.node = node
        self._send = send
        self._silence_s = silence_s
        self._open: dict[str, Backlog] = {}  # by the dream's id
        self._changed = asyncio.Event()
        self._is_gone = False

    async def dream(self, request: DreamRequest) -> AsyncGenerator[Event, None]:
        """As `engine.process.host.EngineHost.dream`; the dream of an engine that leaves fails as lost."""
        if request.id in self._open:
            raise ValueError(f"the dream {request.id} is already open")
        frame = protocol.encode(request)
        if len(frame) > protocol.MAX_PAYLOAD:
            said = Saying.of(Key.PICTURES_BYTES, most=protocol.MAX_PAYLOAD // 2**20)
            yield Failed(request.id, FailureKind.BAD_REQUEST, said)
            return
        backlog = self._open[request.id] = Backlog()
        ended = False
        self._send(Enveloped(self.name, frame))
        try:
            limit_s = START_TIMEOUT_S
            while not ended:
                event = await self._next(backlog, limit_s + WAY_S)
                limit_s = self._silence_s
                ended = isinstance(event, Finished | Failed)
                yield event
        except DreamError as error:
            ended = True
            yield Failed(request.id, error.kind, error.said)
        finally:
            del self._open[request.id]
            if not ended:
                await self.stop(request.id)

    async def stop(self, id: str) -> None:
        """Stop this dream at its next step (it ends with its best picture); unknown ids are ignored."""
        self._send(Enveloped(self.name, protocol.encode(Stop(id))))

    def receive(self, frame: bytes) -> None:
        """From its actor. Raises `BrokenFrame`."""
        event = protocol.opened(frame)
        if not isinstance(event, Event):
            raise BrokenFrame(f"Engine {self.name} sent a {type(event).__name__}.")
        if (backlog := self._open.get(event.id)) is not None:
            backlog.keep(event)
            self._changed.set()

    def leave(self) -> None:
        """It is gone."""
        self._is_gone = True
        self._changed.set()

    async def _next(self, backlog: Backlog, limit_s: float) -> Event:
        """Raises `EngineLost`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not backlog and not self._is_gone:
                    self._changed.clear()
                    await self._changed.wait()
        if backlog:
            return backlog.take()
        if not self._is_gone:
            self._send(Left(self.name))
            self.leave()
        raise EngineLost


class _DriverProcess(FramedProcess):
    """The driver, whose engines come and go."""

    role = "cluster driver"
    log = logging.getLogger("engine.cluster.driver")
    secrets = frozenset({"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"})

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self.receive: Callable[[Message], None] = lambda message: None

    def send(self, message: Message) -> None:
        self._send(message)

    async def ended(self) -> str:
        """Wait until it is of no more use, and say why."""
        while self.fault is None:
            self._changed.clear()
            await self._changed.wait()
        return self.fault

    def _receive(self, message: Message) -> None:
        self.receive(message)


class ClusterHost:
    """The driver, started again whenever it is gone, and the engines that it has."""

    def __init__(
        self,
        needs: Needs,
        *,
        command: Sequence[str] = COMMAND,
        environ: Mapping[str, str] | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """`environ`: of which the driver gets what it and the engines need; None: ours."""
        self.on_join: list[Callable[[ClusterEngine], None]] = []
        self.on_leave: list[Callable[[ClusterEngine], None]] = []
        self._needs = needs
        self._command = (*command, needs.to_json())
        self._environ = environ
        self._first_pause_s = first_pause_s
        self._engines: dict[str, ClusterEngine] = {}
        self._driver: _DriverProcess | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._fruitless = 0  # drivers in a row

    @property
    def engines(self) -> list[ClusterEngine]:
        """Those that dream just now."""
        return list(self._engines.values())

    @property
    def pid(self) -> int | None:
        """The driver's process id; None while there is none."""
        return self._driver.pid if self._driver is not None and self._driver.alive else None

    async def start(self) -> None:
        """Begin to look for engines. Does not wait for any, raises nothing."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """End the driver, and with it every engine."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None

    async def _keep(self) -> None:
        while True:
            try:
                self._driver = driver = await _DriverProcess.start(self._command, self._environ)
                driver.receive = self._heard
                try:
                    log.warning("The way to the cluster broke: %s", await driver.ended())
                finally:
                    self._all_leave()
                    self._driver = None
                    await driver.close(CLOSE_GRACE_S)
            except EngineCrash as error:
                log.error("%s", error)
            pause_s = min(self._first_pause_s * 2 ** min(self._fruitless, 10), LONGEST_PAUSE_S)
            self._fruitless += 1
            await asyncio.sleep(pause_s)

    def _heard(self, message: Message) -> None:
        """From the driver."""
        if isinstance(message, Joined) and self._driver is not None:
            self._fruitless = 0
            engine = ClusterEngine(
                message.engine, message.node, self._driver.send, silence_s=self._needs.silence_s
            )
            self._engines[message.engine] = engine
            log.info("engine %s joined, on node %s (%s)", message.engine, message.node, message.device)
            for joined in self.on_join:
                joined(engine)
        elif isinstance(message, Left):
            self._leave(message.engine)
        elif isinstance(message, Enveloped) and (found := self._engines.get(message.engine)) is not None:
            try:
                found.receive(message.frame)
            except BrokenFrame as error:
                log.error("engine %s broke the stream: %s", message.engine, error)
                if self._driver is not None:
                    self._driver.send(Left(message.engine))
                self._leave(message.engine)

    def _leave(self, name: str) -> None:
        engine = self._engines.pop(name, None)
        if engine is None:
            return
        log.info("engine %s left", name)
        engine.leave()
        for left in self.on_leave:
            left(engine)

    def _all_leave(self) -> None:
        for name in list(self._engines):
            self._leave(name)
