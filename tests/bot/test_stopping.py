"""The bot stops whenever it is asked to, from its first moment on."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bot.bot_process import ROOT, BotProcess, until

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")


def hears(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for this signal."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@LINUX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_is_heard_from_the_first_moment_on(tmp_path: Path, number: signal.Signals) -> None:
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        """A Discord that never answers: the login hangs."""

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, BotProcess(tmp_path, DISCORD_TOKEN="t.o.k", DISCORD_API_URL=address) as bot:
        # SIGTERM's handler is ours alone; Python itself has one for SIGINT.
        await until(lambda: hears(bot.pid, signal.SIGTERM), "the handler")
        bot.send(number)
        assert await bot.end() == 0
    assert "Traceback" not in bot.text


def test_nothing_slow_is_loaded_before_a_stop_is_heard(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "bot", "--help"]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
    loaded = [line.rpartition("|")[2].strip() for line in told.stderr.splitlines()]
    assert loaded.index("bot.stopping") < min(
        map(loaded.index, ("asyncio", "aiohttp", "discord", "sqlalchemy"))
    )


def test_whoever_only_imports_the_bot_keeps_its_own_handlers() -> None:
    lines = (
        "import signal; before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)",
        "import bot.__main__",
        "assert before == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, check=True)
