"""One run of the engine's child process, seen from the parent: frames in and out, signs of life, its end.

Knows processes and frames; restarts and the order of dreams are `engine.process.host`'s.
"""

import asyncio
import contextlib
import logging
import os
import re
import signal
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from engine import protocol
from engine.errors import EngineCrash, EngineHang, EngineUnable
from engine.process import groups
from engine.process.environment import for_the_child
from engine.protocol import DreamRequest, Event, Failed, Finished, Message, Progress, Ready, Stop

log = logging.getLogger(__name__)
worker_log = logging.getLogger("engine.process.child")

LAST_LOOK_S = 1.0  # how long a silent child is looked at again before it counts as hung
EXIT_GRACE_S = 2.0  # between the end of the stream and the end of the process
MAX_LINE = 2000  # characters of one stderr line that are logged
MAX_LINES_A_MINUTE = 600  # stderr lines logged; a child that floods is counted, not quoted
UNREADABLE = "The dream engine's answer could not be read, so the engine was ended."
_LEVEL = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) ")


class Child:
    """A started child process. Make one with `Child.start`; it is never used again once `fault` is set."""

    def __init__(self, process: Process) -> None:
        self.ready: Ready | None = None
        self.fault: str | None = None  # why it is of no more use, as a sentence; None while it lives
        self._unable: EngineUnable | None = None  # what it said of itself instead of `Ready`
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._dream: str | None = None  # the id whose events are kept
        self._events: deque[Event] = deque()  # at most Started, one Progress and the end
        self._changed = asyncio.Event()
        self._last_sign = self._loop.time()
        self._tasks = (asyncio.create_task(self._read_frames()), asyncio.create_task(self._read_stderr()))

    @classmethod
    async def start(cls, command: Sequence[str], environ: Mapping[str, str] | None = None) -> "Child":
        """Start the process, apart from us so that the terminal's Ctrl-C does not reach it.

        `environ`: of which it gets what it needs (see `engine.process.environment`); None: ours. Raises
        `EngineCrash` when there is no such program.
        """
        ours = for_the_child(os.environ if environ is None else environ)
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=ours, **groups.apart()
            )
        except OSError as error:
            raise EngineCrash(f"The dream engine could not be started: {error.strerror}.") from error
        log.info("engine process %d started", process.pid)
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs and its stream is whole."""
        return self.fault is None and self._process.returncode is None

    def request(self, request: DreamRequest) -> None:
        """Send a request; from now on its events are kept, and those of any other dream are dropped."""
        self._dream = request.id
        self._events.clear()
        self._last_sign = self._loop.time()
        self._send(request)

    def stop(self, id: str) -> None:
        """Ask the child to stop the dream at its next step."""
        self._send(Stop(id))

    def wake(self) -> None:
        """Make whoever waits look at its condition again."""
        self._changed.set()

    async def next_event(self, limit_s: float) -> Event:
        """The dream's next event. Progress that was not fetched in time is merged, the newest picture wins.

        Raises `EngineCrash` when the child is gone, `EngineUnable` when it said why it could not start,
        `EngineHang` after `limit_s` seconds without any event.
        """
        await self.wait_for(lambda: bool(self._events), limit_s)
        return self._events.popleft()

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

    async def close(self, grace_s: float) -> None:
        """End the process: close its stdin, wait `grace_s` seconds, terminate it, wait again, kill it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not await self._ended_within(grace_s):
            self._end(groups.terminate)
            if not await self._ended_within(grace_s):
                self.kill()
        await self._process.wait()
        _, unread = await asyncio.wait(self._tasks, timeout=EXIT_GRACE_S)
        for task in unread:  # a grandchild holds the pipe
            task.cancel()

    def kill(self) -> None:
        """Kill the process and all that it started, at once; `close` still has to be called to collect it."""
        self._end(groups.kill)

    def _end(self, by: Callable[[int], None]) -> None:
        """End the process and its group, which it leads (see start).

        Not by `Process.send_signal`: that may collect the exit code under asyncio's nose.
        """
        if self._process.returncode is None:
            by(self._process.pid)

    def _send(self, message: Message) -> None:
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():
            stdin.write(protocol.encode(message))  # one request at a time: the buffer needs no drain

    async def _read_frames(self) -> None:
        """Read until the stream ends or breaks, then find out how the process ended."""
        stdout = self._process.stdout
        assert stdout is not None  # a pipe, see start
        try:
            while True:
                header, payload = protocol.lengths(await stdout.readexactly(protocol.PREFIX_SIZE))
                self._receive(
                    protocol.decode(await stdout.readexactly(header), await stdout.readexactly(payload))
                )
        except asyncio.IncompleteReadError:
            grace_s = EXIT_GRACE_S  # its end of the pipe is closed: it has ended or is about to
        except protocol.BrokenFrame as error:
            log.error("engine process %d broke the stream: %s", self.pid, error)
            grace_s = 0.0
        by_itself = await self._ended_within(grace_s)
        if not by_itself:
            self.kill()  # without a stream it is of no use to anybody
        code = await self._process.wait()
        log.info("engine process %d ended with code %d", self.pid, code)
        self.fault = _fault(code) if by_itself else UNREADABLE
        self.wake()

    async def _ended_within(self, limit_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._process.wait()
        return self._process.returncode is not None

    def _receive(self, message: Message) -> None:
        self._last_sign = self._loop.time()
        if isinstance(message, Ready):
            self.ready = message
            log.info("engine process %d is ready on %s", self.pid, message.device)
        elif isinstance(message, Failed) and self.ready is None:
            self._unable = EngineUnable(message.kind, message.message)
        elif isinstance(message, DreamRequest | Stop):
            log.warning("engine process %d sent a %s", self.pid, type(message).__name__)
        elif message.id == self._dream:
            if isinstance(message, Finished | Failed):
                self._dream = None
            self._keep(message)
        self.wake()

    def _keep(self, event: Event) -> None:
        last = self._events[-1] if self._events else None
        if isinstance(event, Progress) and isinstance(last, Progress):
            newest = {name: getattr(event, name) or getattr(last, name) for name in ("picture", "state")}
            self._events[-1] = replace(event, **newest)
        else:
            self._events.append(event)

    async def _read_stderr(self) -> None:
        """Hand the child's stderr to the log `engine.process.child`, line by line, cut and counted."""
        stderr = self._process.stderr
        assert stderr is not None  # a pipe, see start
        lines = _LogLines(self._loop.time)
        rest = b""
        while chunk := await stderr.read(64 * 1024):
            *whole, rest = re.split(rb"[\r\n]+", rest + chunk)
            rest = rest[-MAX_LINE:]
            for line in whole:
                lines.log(line)
        lines.log(rest)


class _LogLines:
    """Logs lines with the level they name, which a traceback's lines inherit; at most so many a minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._level = logging.INFO
        self._minute = -1
        self._logged = 0

    def log(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()[:MAX_LINE]
        if not text:
            return
        if named := _LEVEL.match(text):
            self._level = logging.getLevelNamesMapping()[named[1]]
        minute = int(self._clock() // 60)
        if minute != self._minute:
            if self._logged > MAX_LINES_A_MINUTE:
                worker_log.warning("%d more lines were left out", self._logged - MAX_LINES_A_MINUTE)
            self._minute, self._logged = minute, 0
        self._logged += 1
        if self._logged <= MAX_LINES_A_MINUTE:
            worker_log.log(self._level, "%s", text)


def _fault(code: int) -> str:
    """The user's sentence for a child that ended with this code (negative: by that signal)."""
    if code == groups.KILLED:
        return "The dream engine was killed; perhaps the machine's memory ran out."
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"The dream engine was ended by {name}."
    return f"The dream engine stopped unexpectedly (exit code {code})."
