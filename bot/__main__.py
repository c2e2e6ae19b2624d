"""`python -m bot`: runs the parts (`bot.parts`) until it is asked to stop, and says what stops it.

`python -m bot export FILE` and `import FILE` are `bot.moving`'s, with exit codes of their own besides.

Exit codes (sysexits.h): 0 stopped on request, 69 Discord cannot be reached, 70 a fault of ours, 74 the
database cannot be used, 77 Discord refuses the token, 78 a setting is missing or bad, or a port is taken.
"""

import bot.stopping  # noqa: F401 - before anything slow, so that a stop is heard from the first moment on

# isort: split
import argparse
import asyncio
import logging
import os
import shlex
import signal
import sys
import threading
import webbrowser
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import discord
import yarl

from bot.database.connection import StoreError
from bot.heart import Heart, build_heart
from bot.logs import JsonLines
from bot.moving import command_line
from bot.parts import AllParts, build
from bot.settings import DISCORD_TOKEN, PAGE_PASSWORD, SHARD_COUNT, Settings
from bot.stopping import SIGNALS
from bot.web.server import LocalChannel, PortTaken
from bot.web.sites import Sites
from engine import EMBEDDED
from engine.called import called
from engine.cluster.host import ClusterHost
from engine.data_dir import where
from engine.errors import BadSetting
from engine.process.host import EngineHost
from engine.process.sharing import shares, workers
from engine.settings import check_proxies, environment, proxy_for

log = logging.getLogger(__name__)

STOPPED, UNREACHABLE, FAULT, NO_DATABASE, TOKEN_REFUSED, BAD_SETTING = 0, 69, 70, 74, 77, 78

PAGE_PACE_S = 0.7  # seconds between two frames in a browser, where nobody limits edits
_TOO_MANY = 429  # HTTP
# The gateway's close codes: a token is not valid any more; a shard would have too many servers.
_AUTHENTICATION_FAILED, _SHARDING_REQUIRED = 4004, 4011

_PROGRAM = "oneiro-bot" if Path(sys.argv[0]).stem == "oneiro-bot" else "python -m bot"
CHANNEL = """\
The local channel is open: {address}
To moderate it from another browser, open this once: {moderator}
"""
OPEN_TO_OTHERS = f"""\
Others come in with {PAGE_PASSWORD.key}{{where}}, as guests with the smallest limits.
"""
PLAIN_HTTP = """\
That is plain http: whoever listens in on the network can read along, the password too. For more than
a network that you trust, put a proxy with TLS in front (bot/web/README.md).
"""
NO_TOKEN = f"""\
To be in Discord, too:
  1. Make a bot: https://discord.com/developers/applications (New Application, Bot, Reset Token).
  2. Write its token into a file named .env in this folder: {DISCORD_TOKEN.key}=your-token
  3. Start again: {{again}}
"""
NEITHER = f"There is nowhere to dream: PAGE is off, and there is no {DISCORD_TOKEN.key}."
REFUSED = (
    f"Discord does not accept the token in {DISCORD_TOKEN.key}. Make a new one at "
    "https://discord.com/developers/applications (your application, Bot, Reset Token)."
)
TOO_FEW_SHARDS = (
    f"Discord wants more shards for so many servers than {SHARD_COUNT.key} says. Please set it in every "
    "process to what the log says that Discord recommends, or more."
)
OFFLINE = "Discord cannot be reached at {address}. Please check the network and try again."
TURNED_AWAY = (
    "Discord lets nobody in from this address just now: too many requests came from it. "
    "Please wait a few minutes before you start again."
)
BEHIND = "Discord cannot be reached at {address} through the proxy {proxy}. Please check HTTPS_PROXY."


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C. Raises `StoreError`, `PortTaken`, and what `_serve_discord` raises."""
    stop = asyncio.Event()
    set_when_asked_to_stop(stop)
    cluster = None if settings.needs is None else ClusterHost(settings.needs, environ=environment())
    # Who counts the GPUs may have to ask a program for them.
    local = [] if cluster else await asyncio.to_thread(engine_hosts, settings)
    hosts: Sequence[Host] = [cluster] if cluster else local
    parts = build(settings, engines=local) if settings.discord_token else None
    pace_s = min(PAGE_PACE_S, settings.frame_pace_s)
    heart = build_heart(settings, engines=local, frame_pace_s=pace_s) if parts is None else parts
    if cluster is not None:
        cluster.on_join.append(heart.worker.hire)
        cluster.on_leave.append(heart.worker.dismiss)
    if EMBEDDED.prior is not None and settings.dream_model in ("auto", EMBEDDED.name):
        heart.paces.expect(EMBEDDED.prior)  # until a dream's first steps tell more
    channel = LocalChannel(heart, settings) if settings.shows_page else None
    sites = Sites(heart, settings)
    try:
        if await _unless(stop, heart.database.open()) and await _unless(stop, sites.open()):
            if parts is not None:
                sites.watch_discord(parts.client.is_ready, lambda: parts.client.latency)
                await _serve_discord(parts, settings, hosts, channel, stop)
            elif channel is not None:
                await _start(hosts)
                await _serve_channel(heart, channel, stop)
    finally:
        await sites.close()
        await asyncio.gather(*(host.close() for host in hosts))
        await heart.database.close()


def engine_hosts(settings: Settings) -> list[EngineHost]:
    """One for each engine, none of them started."""
    environ = environment()
    each = shares(environ, workers(settings.engine_workers, environ))
    if len(each) > 1:
        log.info("%d engines share this machine", len(each))
    # No grace for the running step: its dream is back in line and begins anew.
    silence_s = settings.engine_silence_s
    return [EngineHost(environ=share, step_timeout_s=silence_s, close_grace_s=0.5) for share in each]


class Host(Protocol):
    """Has one engine, or those of a cluster."""

    async def start(self) -> None:
        """Begin. Does not wait, raises nothing."""

    async def close(self) -> None:
        """End what it has begun."""


async def _start(hosts: Sequence[Host]) -> None:
    """Their models' libraries load while nobody waits yet."""
    await asyncio.gather(*(host.start() for host in hosts))


async def _serve_discord(
    parts: AllParts,
    settings: Settings,
    hosts: Sequence[Host],
    channel: LocalChannel | None,
    stop: asyncio.Event,
) -> None:
    """Be in Discord. Raises `StoreError`, `discord.LoginFailure`, `aiohttp.ClientError`, `PortTaken`.

    And `BadSetting`, where other processes have other settings.
    """
    async with parts.client as client:
        if await _unless(stop, client.login(settings.discord_token)):
            await _start(hosts)
            try:
                if await _unless(stop, parts.begin()):
                    if channel is not None and await _unless(stop, channel.open()):
                        welcome(channel, has_token=True)
                    await _unless(stop, client.connect())
            finally:
                log.info("Stopping; the line is kept")
                await parts.end()
                if channel is not None:
                    await channel.close()


async def _serve_channel(heart: Heart, channel: LocalChannel, stop: asyncio.Event) -> None:
    """Be in the local channel alone. Raises `StoreError`, `PortTaken`."""
    try:
        await heart.begin()
        if await _unless(stop, channel.open()):
            welcome(channel, has_token=False)
            await stop.wait()
    finally:
        log.info("Stopping; the line is kept")
        await heart.end()
        await channel.close()


def welcome(channel: LocalChannel, *, has_token: bool) -> None:
    """Say where the local channel is, and open it where there is a browser to do so."""
    print(CHANNEL.format(address=channel.address, moderator=channel.moderator_address), flush=True)
    if channel.is_open_to_others:
        where = f" at {channel.address_elsewhere}" if channel.address_elsewhere else ""
        print(OPEN_TO_OTHERS.format(where=where), flush=True)
        if not channel.address_elsewhere.startswith("https:"):
            print(PLAIN_HTTP, flush=True)
    if not has_token:
        print(NO_TOKEN.format(again=shlex.join(called("bot"))), flush=True)
    if os.environ.get("OPEN_BROWSER") == "1":
        open_browser(channel.address)


def open_browser(address: str) -> None:
    """Show this address, if there is a screen with a browser; nothing else depends on it."""
    has_screen = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if has_screen:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def set_when_asked_to_stop(stop: asyncio.Event) -> None:
    """Have `stop` set when the process is asked to stop, instead of ending at once (see `bot.stopping`)."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows has no handlers on the loop
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do this work, or give it up when `stop` is set. Returns whether it was done; raises what it raises."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        doing.cancel()
        stopping.cancel()
        await asyncio.wait((doing, stopping))


def use_addresses(settings: Settings) -> None:
    """Point discord.py at another server that speaks Discord's protocol, if the settings name one."""
    discord.http.Route.BASE = settings.discord_api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
    discord.Asset.BASE = settings.discord_cdn_url


def keep_log(settings: Settings, *, plain: bool) -> None:
    """Log to stderr; `plain`: without colours, which discord.py gives also where no terminal shows them."""
    form = logging.Formatter(
        "[{asctime}] [{levelname:<8}] {name}: {message}", "%Y-%m-%d %H:%M:%S", style="{"
    )  # as discord.py's own
    level = logging.getLevelNamesMapping()[settings.log_level]
    if settings.log_format == "json":
        discord.utils.setup_logging(level=level, formatter=JsonLines())
    elif plain:
        discord.utils.setup_logging(level=level, formatter=form)
    else:
        discord.utils.setup_logging(level=level)


def main() -> int:
    """Read the settings, run the bot, and turn what stops it into one sentence and an exit code."""
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Oneiro's Discord bot. Settings come from the environment and the file .env; "
        ".env.example explains each.",
    )
    command_line.add_commands(parser)
    given = parser.parse_args()
    try:
        environ = environment()
        settings = Settings.read(environ)
        check_proxies()  # those that only the engine's downloads use, too
        proxy = proxy_for(settings.discord_api_url)
    except BadSetting as error:
        return _say(str(error), BAD_SETTING)
    if given.command:
        return _say(*command_line.run(given, settings))
    if not (settings.discord_token or settings.shows_page):
        return _say(f"{NEITHER}\n{NO_TOKEN.format(again=shlex.join(called('bot')))}", BAD_SETTING)
    keep_log(settings, plain=bool(environ.get("NO_COLOR")) or not sys.stderr.isatty())
    # Oneiro has no voice, so what it would need is not missing.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    use_addresses(settings)
    log.info("%s", where(settings.data_dir))
    try:
        asyncio.run(serve(settings))
    except discord.LoginFailure:
        return _say(REFUSED, TOKEN_REFUSED)
    except discord.ConnectionClosed as error:
        if error.code == _SHARDING_REQUIRED:
            return _say(TOO_FEW_SHARDS, BAD_SETTING)
        if error.code != _AUTHENTICATION_FAILED:
            log.exception("Discord closed the connection for good")
            return FAULT
        return _say(REFUSED, TOKEN_REFUSED)
    except StoreError as error:
        return _say(str(error), NO_DATABASE)
    except (PortTaken, BadSetting) as error:
        return _say(str(error), BAD_SETTING)
    except (aiohttp.ClientError, discord.GatewayNotFound, discord.DiscordServerError) as error:
        log.info("No connection: %r", error)
        sentence = BEHIND if proxy else OFFLINE
        return _say(
            sentence.format(address=settings.discord_api_url, proxy=proxy and proxy.address), UNREACHABLE
        )
    except discord.HTTPException as error:
        if error.status != _TOO_MANY:
            log.exception("Discord refused something for good")
            return FAULT
        log.info("No connection: %r", error)
        return _say(TURNED_AWAY, UNREACHABLE)
    except Exception:
        # The last handler: whatever it is belongs into the log, with a code that a host's manager sees.
        log.exception("Oneiro stopped over a fault of ours")
        return FAULT
    return STOPPED


def _say(sentence: str, code: int) -> int:
    print(sentence.strip(), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
