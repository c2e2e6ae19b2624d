"""The real bot as a child process, `python -m bot`: started, ended and measured; its log is kept."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

from bot.settings import SETTINGS

ROOT = Path(__file__).parents[2]
POLL_S = 0.05  # between two looks at a process that cannot tell us
LOADED_CORES_S = 60.0  # for a start or an end on a machine that has other work to do


class BotProcess:
    """Inside the context the bot runs, unless it has ended by itself; its settings are only those given."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """`folder`: where the bot runs, with its data in `data`; `settings`: environment variables."""
        ours = {setting.key for setting in SETTINGS}
        inherited = {key: value for key, value in os.environ.items() if key not in ours}
        self.folder = folder
        ours_too = {"PYTHONPATH": str(ROOT), "DATA_DIR": str(folder / "data"), "OMP_NUM_THREADS": "1"}
        self._environ = {**inherited, **ours_too, **settings}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._engines: set[int] = set()  # every engine process that was seen
        self.log: list[str] = []

    async def __aenter__(self) -> "BotProcess":
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            cwd=self.folder,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        engine = self.engine_pid
        if self._running.returncode is None:
            self.send(signal.SIGKILL)
            await self._running.wait()
        if engine is not None and _alive(engine):
            os.kill(engine, signal.SIGKILL)
        if self._reader is not None:
            await self._reader
        if error is not None:
            print(self.text)  # noqa: T201 (pytest shows it with the failure)

    @property
    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    @property
    def text(self) -> str:
        """All that the bot has written."""
        return "\n".join(self.log)

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def engine_pid(self) -> int | None:
        """The child that runs `engine.process.child`, None while there is none."""
        try:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            found = [int(pid) for pid in children if b"engine.process.child" in _command(int(pid))]
        except OSError:
            return None
        self._engines.update(found)
        return found[0] if found else None

    def engines_left(self) -> set[int]:
        """The engine processes seen so far that still run."""
        return {pid for pid in self._engines if _alive(pid)}

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the bot, not to its engine."""
        _ = self.engine_pid  # remembered, so that `engines_left` knows it
        self._running.send_signal(number)

    async def end(self, timeout_s: float = LOADED_CORES_S) -> int:
        """Wait for the bot's end. Returns its exit code, negative for a signal."""
        async with asyncio.timeout(timeout_s):
            code = await self._running.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=5.0)  # an engine that lives on holds the pipe open
        return code

    async def _read(self) -> None:
        assert self._running.stdout is not None
        async for line in self._running.stdout:
            self.log.append(line.decode(errors="replace").rstrip())


async def until(
    condition: Callable[[], bool | Awaitable[bool]], what: str, *, timeout_s: float = LOADED_CORES_S
) -> None:
    """Until the condition, of a process or a database, is true. Raises `AssertionError` that says `what`."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                holds = condition()
                if holds if isinstance(holds, bool) else await holds:
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {timeout_s:g} s") from None


def some_model(data_dir: Path) -> str:
    """The name of a pair that can dream: the embedded one, or where that is not made a tiny random one."""
    pocket = ROOT / "engine" / "pocket" / "weights"
    if all((pocket / part / "model.safetensors").is_file() for part in ("generator", "perceptor")):
        return "pocket"
    from tests.engine.tiny import write_models  # takes seconds and torch

    write_models(data_dir)
    return "biggan-deep-128"


def memory(pid: int) -> tuple[float, float]:
    """Resident memory of a process in MiB: now, and at its peak."""
    status = Path(f"/proc/{pid}/status").read_text()
    now, peak = (re.search(rf"{key}:\s+(\d+) kB", status) for key in ("VmRSS", "VmHWM"))
    assert now is not None and peak is not None
    return int(now.group(1)) / 1024, int(peak.group(1)) / 1024


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
