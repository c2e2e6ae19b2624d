"""`python -m bot` as a person starts it: what it says when it cannot run, and its exit codes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import BAD_SETTING, NO_DATABASE, UNREACHABLE, set_when_asked_to_stop, use_addresses
from bot.settings import Settings

ROOT = Path(__file__).parents[2]


def start(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end in an empty folder."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("DISCORD", "D", "L"))}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path / "data"), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_with_nowhere_to_dream_it_says_what_to_do(tmp_path: Path) -> None:
    ended = start(tmp_path, PAGE="off")
    assert ended.returncode == BAD_SETTING == 78
    assert ended.stdout == "" and "Traceback" not in ended.stderr
    for part in ("https://discord.com/developers/applications", ".env", "DISCORD_TOKEN", "PAGE is off"):
        assert part in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = start(tmp_path, PORT=str(port), OFFLINE="1")
    assert ended.returncode == BAD_SETTING
    assert f"Port {port} is taken by another program." in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("setting", [("PAGE_ADDRESS", "0.0.0.0"), ("PAGE_URL", "https://dreams.example")])
def test_without_a_password_the_local_channel_is_not_opened_to_others(
    tmp_path: Path, setting: tuple[str, str]
) -> None:
    ended = start(tmp_path, **dict([setting]))
    assert ended.returncode == BAD_SETTING
    assert ended.stderr.strip() == (
        f"{setting[0]} opens the local channel to others; please set PAGE_PASSWORD, too."
    )


def test_a_bad_setting_is_one_line(tmp_path: Path) -> None:
    ended = start(tmp_path, DISCORD_TOKEN="t.o.k", FRAME_PACE_S="fast")
    assert ended.returncode == BAD_SETTING
    assert ended.stderr.strip() == "FRAME_PACE_S is 'fast'; it must be a number from 1 to 60."


def test_the_token_may_stand_in_a_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=t.o.k\nWAITING_IN_ALL=none\n")
    assert "WAITING_IN_ALL is 'none'" in start(tmp_path).stderr


def test_an_unreachable_discord_is_told_and_the_token_is_not(tmp_path: Path) -> None:
    address = "http://127.0.0.1:9"  # the discard port: nobody listens
    ended = start(tmp_path, DISCORD_TOKEN="secret.to.ken", DISCORD_API_URL=address, LOG_LEVEL="DEBUG")
    assert ended.returncode == UNREACHABLE == 69
    assert f"Discord cannot be reached at {address}." in ended.stderr
    assert "secret.to.ken" not in ended.stderr + ended.stdout


def test_an_unusable_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    ended = start(tmp_path, DISCORD_TOKEN="t.o.k", DISCORD_API_URL="http://127.0.0.1:9")
    assert ended.returncode == NO_DATABASE == 74
    assert "data" in ended.stderr and "Traceback" not in ended.stderr


def test_help_explains_itself(tmp_path: Path) -> None:
    ended = start(tmp_path, "--help")
    assert ended.returncode == 0 and ".env" in ended.stdout


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_the_bots_process_never_loads_torch_and_stays_small() -> None:
    lines = (
        "import re, sys, bot.__main__, bot.chat.features",
        "assert bot.chat.features.commands()",  # they are loaded when they are looked for
        "assert not {'torch', 'transformers', 'numpy'} & set(sys.modules)",
        # Not ru_maxrss: there a child begins with the peak of whoever started it.
        "print(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 150 * 1024  # KiB


def test_other_addresses_reach_discord_py(monkeypatch: pytest.MonkeyPatch) -> None:
    import discord

    monkeypatch.setattr(discord.http.Route, "BASE", "")
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", "")
    monkeypatch.setattr(discord.Asset, "BASE", "")
    environ = {
        "DISCORD_API_URL": "http://127.0.0.1:8000/api/v10/",
        "DISCORD_GATEWAY_URL": "ws://127.0.0.1:8000/gateway",
        "DISCORD_CDN_URL": "http://127.0.0.1:8000/cdn",
    }
    use_addresses(Settings.read(environ))
    assert discord.http.Route("GET", "/users/@me").url == "http://127.0.0.1:8000/api/v10/users/@me"
    assert str(discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY) == "ws://127.0.0.1:8000/gateway"
    assert discord.Asset.BASE == "http://127.0.0.1:8000/cdn"


def test_the_procfile_starts_a_worker() -> None:
    assert (ROOT / "Procfile").read_text() == "worker: oneiro-bot\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("windows", [False, True])
async def test_a_signal_asks_to_stop(
    number: signal.Signals, windows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    if windows:  # whose loop says so

        def none(*_: object) -> None:
            raise NotImplementedError

        monkeypatch.setattr(loop, "add_signal_handler", none)
    stop = asyncio.Event()
    set_when_asked_to_stop(stop)
    try:
        signal.raise_signal(number)
        async with asyncio.timeout(10):
            await stop.wait()
    finally:
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler)


@pytest.mark.parametrize("container", [False, True])
def test_a_log_that_no_terminal_shows_has_no_colours(container: bool, tmp_path: Path) -> None:
    where = {"DISCORD_API_URL": "http://127.0.0.1:9", "LOG_LEVEL": "DEBUG"}
    if container:  # discord.py then takes any stream for a terminal
        (tmp_path / "sitecustomize.py").write_text(
            "import discord.utils\ndiscord.utils.is_docker = lambda: True\n"
        )
        where["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{ROOT}"
    ended = start(tmp_path, DISCORD_TOKEN="t.o.k", **where)
    assert "asyncio" in ended.stderr and "\x1b" not in ended.stderr
