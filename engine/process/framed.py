"""A child process that speaks in frames, seen from its parent: how it starts, what it says, how it ends.

Knows processes and frames; what the messages mean is known by whoever receives them.
"""

import asyncio
import contextlib
import logging
import os
import re
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

from engine import protocol
from engine.errors import EngineCrash
from engine.process import groups
from engine.process.environment import for_the_child
from engine.protocol import Message

log = logging.getLogger(__name__)

EXIT_GRACE_S = 2.0  # between the end of the stream and the end of the process
MAX_LINE = 2000  # characters of one stderr line that are logged
MAX_LINES_A_MINUTE = 600  # stderr lines logged; a child that floods is counted, not quoted
UNREADABLE = "The dream engine's answer could not be read, so the engine was ended."
_LEVEL = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) ")


class FramedProcess:
    """A started child process. It is never used again once `fault` is set."""

    role: ClassVar[str] = "engine process"  # in the log
    log: ClassVar[logging.Logger] = logging.getLogger("engine.process.child")  # of what it writes to stderr
    secrets: ClassVar[frozenset[str]] = frozenset()  # variables that it needs although they are secret

    def __init__(self, process: Process) -> None:
        """Use `start`."""
        self.fault: str | None = None  # why it is of no more use, as a sentence; None while it lives
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._tasks = (asyncio.create_task(self._read_frames()), asyncio.create_task(self._read_stderr()))

    @classmethod
    async def start(cls, command: Sequence[str], environ: Mapping[str, str] | None = None) -> Self:
        """Start the process, apart from us so that the terminal's Ctrl-C does not reach it.

        `environ`: of which it gets what it needs (see `engine.process.environment`); None: ours. Raises
        `EngineCrash` when there is no such program.
        """
        ours = for_the_child(os.environ if environ is None else environ, cls.secrets)
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=ours, **groups.apart()
            )
        except OSError as error:
            raise EngineCrash(f"The dream engine could not be started: {error.strerror}.") from error
        log.info("%s %d started", cls.role, process.pid)
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs and its stream is whole."""
        return self.fault is None and self._process.returncode is None

    def wake(self) -> None:
        """Make whoever waits look at its condition again."""
        self._changed.set()

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
            stdin.write(
                protocol.encode(message)
            )  # one request at a time an engine: the buffer needs no drain

    def _receive(self, message: Message) -> None:
        """A message has come."""
        raise NotImplementedError

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
            log.error("%s %d broke the stream: %s", self.role, self.pid, error)
            grace_s = 0.0
        by_itself = await self._ended_within(grace_s)
        if not by_itself:
            self.kill()  # without a stream it is of no use to anybody
        code = await self._process.wait()
        log.info("%s %d ended with code %d", self.role, self.pid, code)
        self.fault = _fault(code) if by_itself else UNREADABLE
        self.wake()

    async def _ended_within(self, limit_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._process.wait()
        return self._process.returncode is not None

    async def _read_stderr(self) -> None:
        """Hand the child's stderr to its log, line by line, cut and counted."""
        stderr = self._process.stderr
        assert stderr is not None  # a pipe, see start
        lines = _LogLines(self.log, self._loop.time)
        rest = b""
        while chunk := await stderr.read(64 * 1024):
            *whole, rest = re.split(rb"[\r\n]+", rest + chunk)
            rest = rest[-MAX_LINE:]
            for line in whole:
                lines.log(line)
        lines.log(rest)


class _LogLines:
    """Logs lines with the level they name, which a traceback's lines inherit; at most so many a minute."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float]) -> None:
        self._log = log
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
                self._log.warning("%d more lines were left out", self._logged - MAX_LINES_A_MINUTE)
            self._minute, self._logged = minute, 0
        self._logged += 1
        if self._logged <= MAX_LINES_A_MINUTE:
            self._log.log(self._level, "%s", text)


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
