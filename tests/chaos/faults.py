"""What goes wrong in a round: one function for each kind, which strikes and leaves a bot alive behind."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.__main__ import UNREACHABLE
from tests.bot.locks import locked
from tests.chaos.full_disk import MARK
from tests.chaos.quick import LEASE_S, NONCE_S
from tests.chaos.scene import Scene
from tests.discord_server import Interference
from tests.discord_server.limits import EVERYWHERE, RateLimits

SQLITE, POSTGRESQL = "sqlite", "postgresql"
MINUTES_S = 600.0  # after which Discord has forgotten nonces
LOCKED_S = 6.0  # longer than the bot waits for a lock
Strike = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """A kind of fault."""

    name: str
    strike: Strike
    databases: tuple[str, ...]
    bots: int  # that live from the beginning
    shards: int  # over which Discord spreads the servers
    spread: bool  # each bot has one of the shards, and people are in a server of each


KINDS: dict[str, Kind] = {}


def kind(
    *,
    databases: tuple[str, ...] = (SQLITE, POSTGRESQL),
    bots: int = 1,
    shards: int = 1,
    spread: bool = False,
) -> Callable[[Strike], Strike]:
    """Register a fault under its function's name."""

    def register(strike: Strike) -> Strike:
        KINDS[strike.__name__] = Kind(strike.__name__, strike, databases, bots, shards, spread)
        return strike

    return register


# ------------------------------------------------------------------ processes


@kind()
async def bot_killed(scene: Scene) -> None:
    for _ in range(scene.random.randint(1, 2)):
        await scene.kill(scene.living[0])
        await asyncio.sleep(scene.random.uniform(0.0, 1.0))
        await scene.start()
        await asyncio.sleep(scene.random.uniform(0.0, 0.7))


@kind()
async def engine_killed(scene: Scene) -> None:
    for _ in range(scene.random.randint(1, 3)):
        scene.note("kill -9 of the engine" if scene.kill_engine(scene.living[0]) else "no engine to kill")
        await asyncio.sleep(scene.random.uniform(0.1, 1.0))


@kind()
async def stopped_and_started(scene: Scene) -> None:
    await scene.stop(scene.living[0])
    await asyncio.sleep(scene.random.uniform(0.0, 0.5))
    await scene.start()


@kind()
async def started_before_stopped(scene: Scene) -> None:
    old = scene.living[0]
    await scene.start(wait=scene.random.random() < 0.7)
    await asyncio.sleep(scene.random.uniform(0.0, 1.5))
    await scene.stop(old)


@kind()
async def stopped_while_one_starts(scene: Scene) -> None:
    await asyncio.gather(scene.stop(scene.living[0]), scene.start())


@kind()
async def frozen(scene: Scene) -> None:
    """As a laptop's lid does it, longer than the lease; nobody else is there."""
    await _freeze(scene, scene.random.uniform(0.5, 2.0) * LEASE_S)


@kind()
async def frozen_beside_another(scene: Scene) -> None:
    """A container is paused, another takes over, the first one thaws."""
    freezing = asyncio.create_task(_freeze(scene, scene.random.uniform(2.0, 3.0) * LEASE_S))
    await scene.start()
    await freezing
    await asyncio.sleep(scene.random.uniform(0.3, 1.0))
    if scene.random.random() < 0.5:
        await scene.stop(scene.random.choice(scene.living))


async def _freeze(scene: Scene, seconds: float) -> None:
    bot, whole = scene.living[0], scene.random.random() < 0.5
    scene.note(f"SIGSTOP for {seconds:.1f} s" + (", the engine too" if whole else ""))
    bot.send(signal.SIGSTOP)
    if whole:
        scene.signal_engine(bot, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    if whole:
        scene.signal_engine(bot, signal.SIGCONT)
    bot.send(signal.SIGCONT)


@kind(bots=2)
async def two_alive(scene: Scene) -> None:
    """All the time; one may have to end, in order or not."""
    scene.note("two bots")
    await asyncio.sleep(scene.random.uniform(0.5, 1.5))
    how = scene.random.choice(("none", "killed", "stopped"))
    if how == "killed":
        await scene.kill(scene.random.choice(scene.living))
    elif how == "stopped":
        await scene.stop(scene.random.choice(scene.living))


# ------------------------------------------------------------------ Discord


@kind()
async def gateway_lost(scene: Scene) -> None:
    for _ in range(scene.random.randint(1, 3)):
        how = scene.random.choice(("drop", "ask_to_reconnect", "invalidate"))
        scene.note(f"gateway: {how}")
        getattr(scene.server.gateway, how)()
        await asyncio.sleep(scene.random.uniform(0.1, 1.5))


@kind(shards=2)
async def shard_lost(scene: Scene) -> None:
    """Now one of them, now the other; people's server is on one, and what it hears is not told again."""
    for _ in range(scene.random.randint(1, 3)):
        how = scene.random.choice(("drop", "ask_to_reconnect", "invalidate", "forget"))
        _strike_shard(scene, how)
        await asyncio.sleep(scene.random.uniform(0.1, 1.5))


@kind(shards=2)
async def shard_not_resumed(scene: Scene) -> None:
    """Its RESUME is refused while the other one's session goes on."""
    _strike_shard(scene, scene.random.choice(("invalidate", "forget")), scene.home_shard)
    await asyncio.sleep(scene.random.uniform(0.5, 2.0))


@kind(shards=2)
async def shards_and_bot_killed(scene: Scene) -> None:
    """A shard is lost, and while it is away the bot dies, or a new one takes over."""
    _strike_shard(scene, scene.random.choice(("drop", "forget")))
    await asyncio.sleep(scene.random.uniform(0.0, 1.0))
    old = scene.living[0]
    if scene.random.random() < 0.5:
        await scene.kill(old)
        await scene.start()
    else:
        await scene.start()
        await scene.stop(old)


def _strike_shard(scene: Scene, how: str, shard: int | None = None) -> None:
    shard = scene.random.randrange(scene.server.gateway.shards) if shard is None else shard
    scene.note(f"gateway: {how} of shard {shard}")
    getattr(scene.server.gateway, how)(shard)


@kind(databases=(POSTGRESQL,), bots=2, shards=2, spread=True)
async def shards_spread(scene: Scene) -> None:
    """Over two bots: each hears of one server and dreams for both. One of them may have to go."""
    how = scene.random.choice(("none", "killed", "stopped", "replaced", "frozen", "both killed"))
    scene.note(f"two bots with a shard each: {how}")
    bot = scene.random.choice(scene.living)
    if how == "killed":
        await scene.kill(bot)
    elif how == "stopped":
        await scene.stop(bot)
    elif how == "replaced":
        await scene.start(shard=scene.shard_of(bot))
        await scene.stop(bot)
    elif how == "frozen":
        await _freeze(scene, scene.random.uniform(0.5, 2.0) * LEASE_S)
    elif how == "both killed":
        await asyncio.gather(*(scene.kill(each) for each in scene.living))
    await asyncio.sleep(scene.random.uniform(0.0, 2.0))
    await scene.start_missing()


_SEND = ("POST", "/channels/*/messages")
_EDIT = ("PATCH", "/channels/*/messages/*")
_REACT = ("PUT", "/channels/*/messages/*/reactions/*")
_READ = ("GET", "/channels/*/messages*")
_ANSWER = ("POST", "/interactions/*/callback")
_FOLLOW_UP = ("POST", "/webhooks/*")
_ROUTES = (_SEND, _EDIT, _EDIT, _REACT, _READ, _ANSWER, _FOLLOW_UP)


async def _interfere(scene: Scene, *routes: tuple[str, str], seconds: float = 1.5, **how: Any) -> None:
    """Once or twice, on two or three of these routes, one after the other."""
    for _ in range(scene.random.randint(2, 3)):
        method, path = scene.random.choice(routes)
        fault = scene.server.fault(method, path, times=scene.random.randint(1, 2), **how)
        await asyncio.sleep(scene.random.uniform(0.3, seconds))
        fault.stop()
        scene.note(f"{fault.hits} × {method} {path}")


@kind()
async def server_errors(scene: Scene) -> None:
    await _interfere(scene, *_ROUTES, status=scene.random.choice((500, 502, 503, 504)))


@kind()
async def too_many_requests(scene: Scene) -> None:
    everywhere = scene.random.random() < 0.3
    await _interfere(scene, *_ROUTES, status=429, retry_after_s=0.5, everywhere=everywhere)


@kind()
async def limits_enforced(scene: Scene) -> None:
    """From here on Discord counts: in buckets, and how much comes in a second in all."""
    everywhere = scene.random.choice((20, EVERYWHERE))
    scene.note(f"limits are enforced, {everywhere} requests a second in all")
    scene.server.rest.limits = RateLimits(everywhere=everywhere)
    await asyncio.sleep(scene.random.uniform(0.5, 2.0))


@kind()
async def bucket_refused(scene: Scene) -> None:
    """One after the other is full for so long that a client gives up asking."""
    for _ in range(scene.random.randint(2, 3)):
        method, path = scene.random.choice(_ROUTES)
        await _refuse(scene, method, path, scene.random.uniform(0.2, 1.0))


@kind()
async def refused_everywhere(scene: Scene) -> None:
    """The global limit, which holds for all that a bot asks but for answers to people."""
    await _refuse(scene, "*", "/channels/*", scene.random.uniform(0.2, 1.5), everywhere=True)


async def _refuse(scene: Scene, method: str, path: str, retry_after_s: float, **how: Any) -> None:
    fault = scene.server.fault(method, path, status=429, retry_after_s=retry_after_s, times=None, **how)
    await asyncio.sleep(scene.random.uniform(1.0, 4.0))
    fault.stop()
    scene.note(f"{fault.hits} × 429 for {method} {path}")


@kind()
async def banned_by_the_proxy(scene: Scene) -> None:
    """Cloudflare lets nobody of this address in; a bot that starts meanwhile cannot come in either."""
    fault = scene.server.fault("*", "*", does=Interference.BAN, times=None)
    seconds = scene.random.uniform(1.0, 4.0)
    scene.note(f"banned for {seconds:.1f} s")
    ending = asyncio.get_running_loop().call_later(seconds, fault.stop)
    if scene.random.random() < 0.5:
        await scene.kill(scene.living[0])
        while (bot := await scene.start()).code.done():  # its host starts it again
            scene.note(f"a bot ended with {bot.code.result()}")
            if bot.code.result() != UNREACHABLE:
                scene.unwilling.append(f"a bot that was not let in ended with {bot.code.result()}")
    await asyncio.sleep(max(0.0, ending.when() - asyncio.get_running_loop().time()))


@kind()
async def answers_late(scene: Scene) -> None:
    await _interfere(scene, *_ROUTES, does=Interference.STALL, seconds=3.0)


@kind()
async def answers_lost(scene: Scene) -> None:
    does = scene.random.choice((Interference.LOSE, Interference.LOSE, Interference.CUT))
    await _interfere(scene, *_ROUTES, does=does)


@kind()
async def answers_lost_and_bot_killed(scene: Scene) -> None:
    """It posts, hears nothing of it and dies."""
    method, path = scene.random.choice((_SEND, _SEND, _EDIT))
    fault = scene.server.fault(method, path, times=1, does=Interference.LOSE)
    with suppress(AssertionError):
        await scene.server.wait(lambda: fault.hits, "a request", timeout_s=5.0)
    scene.note(f"answer lost: {fault.hits} × {method} {path}")
    await scene.kill(scene.living[0])
    fault.stop()
    await asyncio.sleep(scene.random.uniform(0.0, 1.0))
    await scene.start()


@kind()
async def killed_and_started_minutes_later(scene: Scene) -> None:
    """As above, and Discord does not know the message's nonce any more."""
    fault = scene.server.fault(*_SEND, times=1, does=Interference.LOSE)
    with suppress(AssertionError):
        await scene.server.wait(lambda: fault.hits, "a post", timeout_s=5.0)
    scene.note(f"answers lost: {fault.hits}")
    await scene.kill(scene.living[0])
    fault.stop()
    scene.server.move_clock(MINUTES_S)
    await asyncio.sleep(NONCE_S + scene.random.uniform(0.2, 1.0))
    await scene.start()


@kind()
async def not_found(scene: Scene) -> None:
    await _interfere(scene, _EDIT, _REACT, status=404, code=10008, message="Unknown Message")


@kind()
async def forbidden(scene: Scene) -> None:
    await _interfere(scene, _SEND, _EDIT, _REACT, status=403, code=50013, message="Missing Permissions")


@kind()
async def too_large(scene: Scene) -> None:
    await _interfere(scene, _EDIT, _EDIT, _SEND, status=413, code=40005, message="Request entity too large")


@kind()
async def discord_away(scene: Scene) -> None:
    """From the moment on at which a dream's end is to be shown."""
    server, known = scene.server, len(scene.server.rest.calls)
    ends = lambda: [c for c in server.rest.calls[known:] if c.method == "PATCH" and b"again" in _body(c)]  # noqa: E731
    try:
        await server.wait(ends, "an end", timeout_s=3.0)
    except AssertionError:
        scene.note("no end came")
    does = scene.random.choice((Interference.CUT, Interference.ANSWER))
    fault = server.fault("*", "*", does=does, status=503, times=None)
    if scene.random.random() < 0.5:
        server.gateway.drop()
    seconds = scene.random.uniform(1.0, 4.0)
    scene.note(f"away for {seconds:.1f} s ({does.value})")
    await asyncio.sleep(seconds)
    fault.stop()


def _body(call: Any) -> bytes:
    return repr(call.body).encode()


# ------------------------------------------------------------------ database


@kind()
async def database_locked(scene: Scene) -> None:
    scene.note(f"locked for {LOCKED_S:g} s")
    async with locked(scene.database_url):
        await asyncio.sleep(LOCKED_S)


@kind()
async def stopped_while_locked(scene: Scene) -> None:
    async with locked(scene.database_url):
        await asyncio.sleep(scene.random.uniform(0.0, 3.0))
        stopping = asyncio.create_task(scene.stop(scene.living[0]))
        await asyncio.sleep(scene.random.uniform(1.0, 4.0))
    await stopping
    await scene.start()


@kind(databases=(SQLITE,))
async def disk_full(scene: Scene) -> None:
    mark = scene.folder / MARK
    mark.touch()
    seconds = scene.random.uniform(1.0, 4.0)
    scene.note(f"full for {seconds:.1f} s")
    await asyncio.sleep(seconds)
    if scene.random.random() < 0.3:
        await scene.stop(scene.living[0])
        mark.unlink()
        await scene.start()
    else:
        mark.unlink()


@kind(databases=(POSTGRESQL,))
async def database_away(scene: Scene) -> None:
    assert scene.cluster is not None
    how = scene.random.choice((signal.SIGQUIT, signal.SIGINT))
    seconds = scene.random.uniform(0.3, 3.0)
    scene.note(f"PostgreSQL stopped ({how.name}) for {seconds:.1f} s")
    await asyncio.to_thread(scene.cluster.stop, how)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(scene.cluster.start)
