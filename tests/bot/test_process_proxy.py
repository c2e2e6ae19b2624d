"""The real bot reaches Discord through a real proxy, or past it, as the environment says."""

import sys
from pathlib import Path

import pytest

from bot.__main__ import BAD_SETTING, BEHIND, UNREACHABLE
from tests.bot.bot_process import BotProcess, until
from tests.discord_server import DiscordServer
from tests.engine.connect_proxy import proxying

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]
NO_OTHER = {name: "" for key in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for name in (key, key.lower())}


async def test_everything_goes_through_the_proxy_unless_no_proxy_names_the_place(tmp_path: Path) -> None:
    async with DiscordServer() as server:
        with proxying("me:p@ss") as proxy:
            through = {**NO_OTHER, "http_proxy": f"http://me:p%40ss@127.0.0.1:{proxy.port}"}
            async with BotProcess(tmp_path, **server.environment(), **through) as bot:
                await until(lambda: "Connected as" in bot.text, "its connection")
            assert any("/users/@me" in line for line in proxy.asked)
            gateway = server.gateway.url.partition("://")[2]
            assert any(gateway in line and "encoding=json" in line for line in proxy.asked), proxy.asked
            assert "p%40ss" not in bot.text and "p@ss" not in bot.text
            proxy.asked.clear()
            past = {**through, "no_proxy": "localhost,127.0.0.0/8"}
            async with BotProcess(tmp_path, **server.environment(), **past) as bot:
                await until(lambda: "Connected as" in bot.text, "its connection")
            assert proxy.asked == []


async def test_a_proxy_that_is_not_there_or_has_no_address_is_told(tmp_path: Path) -> None:
    discord = {"DISCORD_TOKEN": "t.o.k", "DISCORD_API_URL": "http://127.0.0.1:9"}
    for proxy, code, told in (
        ("http://me:hunter2@127.0.0.1:9", UNREACHABLE, BEHIND.format(
            address="http://127.0.0.1:9", proxy="http://127.0.0.1:9")),
        ("socks5://me:hunter2@127.0.0.1:9", BAD_SETTING, "The address of the proxy is not valid"),
    ):  # fmt: skip
        async with BotProcess(tmp_path, **discord, **NO_OTHER, http_proxy=proxy) as bot:
            assert await bot.end() == code
        assert told in bot.text and "hunter2" not in bot.text
