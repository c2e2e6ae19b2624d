"""The bots of a round as processes: begun by the nursery, signalled, waited for; their engines and logs."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType

from bot.settings import SETTINGS
from tests.bot.bot_process import ROOT

STARTING_S = 120.0  # for the imports on a machine with other work
# discord.py tells a lost connection with a traceback, which is no fault of ours.
_EXPECTED = re.compile(r"discord\.(client|shard): Attempting a reconnect")
_RECORD = re.compile(r"^\[[0-9: -]{19}\] \[")


class Bot:
    """One bot process, from its beginning on."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self._log = log
        self.code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def lives(self) -> bool:
        return not self.code.done()

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            if self.lives:
                os.kill(self.pid, number)

    async def ended(self, within_s: float) -> int | None:
        """Its exit code, negative for a signal; None when it still runs after so many seconds."""
        await asyncio.wait({self.code}, timeout=within_s)
        return self.code.result() if self.code.done() else None

    @property
    def text(self) -> str:
        """All that it has written."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def tracebacks(self) -> list[str]:
        """The records with a traceback that is none of discord.py's own, each as its first and last line."""
        records: list[list[str]] = []
        for line in self.text.splitlines():
            if _RECORD.match(line) or not records:
                records.append([])
            records[-1].append(line)
        return [
            f"{record[0]} … {record[-1]}"
            for record in records
            if any(line.startswith("Traceback") for line in record) and not _EXPECTED.search(record[0])
        ]


class Nursery:
    """An async context manager: inside it, `start` makes bots quickly."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._bots: dict[int, Bot] = {}
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self._ended_early: dict[int, int] = {}  # those that ended before anybody knew them
        self._numbers = count(1)
        ours = {setting.key for setting in SETTINGS}
        inherited = {key: value for key, value in os.environ.items() if key not in ours}
        self._environ = {**inherited, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    async def __aenter__(self) -> "Nursery":
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.nursery",
            cwd=ROOT,
            env=self._environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(STARTING_S):
            if not await self._process.stdout.readline():
                raise RuntimeError("The nursery did not start; it said why.")
        self._reader = asyncio.create_task(self._read(self._process.stdout))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for bot in self._bots.values():
            bot.send(signal.SIGKILL)
        assert self._process is not None and self._process.stdin is not None and self._reader is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    async def start(self, folder: Path, **settings: str) -> Bot:
        """A bot that runs in this folder, with its data in `data`; its settings are only those given."""
        assert self._process is not None and self._process.stdin is not None
        log = folder / f"bot-{next(self._numbers)}.log"
        environ = {**self._environ, "DATA_DIR": str(folder / "data"), "NO_COLOR": "1", **settings}
        order = {"folder": str(folder), "log": str(log), "environ": environ}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        pid = await self._born.get()
        bot = self._bots[pid] = Bot(pid, log)
        if pid in self._ended_early:
            bot.code.set_result(self._ended_early.pop(pid))
        return bot

    async def _read(self, told: asyncio.StreamReader) -> None:
        async for line in told:
            what = json.loads(line)
            if "began" in what:
                self._born.put_nowait(what["began"])
            elif bot := self._bots.pop(what["ended"], None):
                bot.code.set_result(what["code"])
            else:
                self._ended_early[what["ended"]] = what["code"]


def engines(folder: Path) -> Mapping[int, int]:
    """The engine processes of the bots of this folder: each with the process that started it."""
    mark = f"DATA_DIR={folder / 'data'}".encode()
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    found[int(entry.name)] = int(parent)
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
    return found
