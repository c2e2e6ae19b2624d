"""The cluster's driver, a child process of the bot: keeps an actor in each seat, and passes frames on unread.

Ray lives in here alone. It may end its process when the cluster is lost for a minute, or take long to answer:
that shall cost the bot nothing but the dreams in hand, which go on elsewhere or later.
"""

import asyncio
import faulthandler
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from engine import __version__, protocol
from engine.cluster.actor import EngineActor
from engine.cluster.needs import Needs
from engine.cluster.seats import Node, Seat, seats
from engine.process.child import claim_standard_streams, end_if_orphaned, read_requests
from engine.process.sharing import VISIBLE
from engine.protocol import BrokenFrame, DreamRequest, Enveloped, Joined, Left, Message, Ready, Stop
from engine.settings import DATA_DIR, ENGINE_SETTINGS

log = logging.getLogger(__name__)

LOOK_S = 1.0  # between two looks at which nodes there are
STUCK_S = 90.0  # for one look, after which the way to the cluster is given up
FIRST_PAUSE_S = 2.0  # before a seat whose actor ended or did not come gets another …
LONGEST_PAUSE_S = 120.0  # … doubled with each in a row that did not dream, up to this
OBJECT_STORE_BYTES = 256 * 1024 * 1024  # of a Ray of our own; pictures and states pass through it
EXIT_NO_CLUSTER = 6
# Ray's makers hear nothing of us, and each line of the actors' is told.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}


@dataclass(eq=False, slots=True, kw_only=True)
class _Engine:
    """An actor in its seat."""

    name: str
    seat: Seat
    actor: Any  # its Ray handle
    has_joined: bool = False
    has_dreamt: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(slots=True)
class _Trouble:
    """With the actors of one seat."""

    failures: int = 0  # in a row
    not_before: float = 0.0  # the loop's time


class Driver:
    """Live: `run` until the bot closes its end. Ray is connected before, see `connect`."""

    def __init__(self, ray: Any, needs: Needs, send: Callable[[Message], None]) -> None:
        """`ray`: the module; `send`: to the bot."""
        self._ray = ray
        self._needs = needs
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._made = 0  # actors
        self._engines: dict[str, _Engine] = {}  # by name
        self._troubles: dict[Seat, _Trouble] = {}
        self._has_gpus = False
        self._remote = ray.remote(EngineActor)
        self._given = json.dumps({"environ": shared_settings(os.environ), "silence_s": needs.silence_s})

    async def run(self) -> None:
        """Follow the cluster until `close`. Raises what Ray raises, or `TimeoutError`, when that is lost."""
        while not self._over.is_set():
            async with asyncio.timeout(STUCK_S):
                nodes = await asyncio.to_thread(self._ray.nodes)
            self._follow([Node.of(node) for node in nodes if node["Alive"]])
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._over.wait()
            except TimeoutError:
                continue

    # What the reading thread calls (see `engine.process.child.Reader`).

    def take(self, message: Message) -> None:
        """From the bot, in its reader's thread."""
        self._loop.call_soon_threadsafe(self._heard, message)

    def close(self) -> None:
        """The bot is gone, or wants us to be."""
        self._loop.call_soon_threadsafe(self._over.set)

    # --------------------------------------------------------------- the seats

    def _follow(self, nodes: list[Node]) -> None:
        """Fill the seats that are empty, and give up those that are no more."""
        self._has_gpus = self._has_gpus or any(node.gpus for node in nodes)
        here = {node.id for node in nodes}
        self._troubles = {seat: trouble for seat, trouble in self._troubles.items() if seat.node in here}
        now = self._loop.time()
        taken = {engine.seat for engine in self._engines.values()}
        resting = {seat for seat, trouble in self._troubles.items() if trouble.not_before > now}
        wanted = seats(nodes, self._needs, has_gpus=self._has_gpus, taken=taken, resting=resting)
        for engine in list(self._engines.values()):
            if engine.seat not in wanted:
                self._end(engine, "its node is gone")
        for seat in sorted(wanted - taken - resting):
            self._fill(seat)

    def _fill(self, seat: Seat) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._made += 1
        ours = json.loads(self._given)
        ours["environ"]["OMP_NUM_THREADS"] = str(seat.threads)
        if not seat.gpus:
            ours["environ"][VISIBLE] = "-1"  # none, although the machine may have some
        actor = self._remote.options(
            num_cpus=seat.cpus,
            num_gpus=seat.gpus,
            max_restarts=0,  # another actor is another engine
            max_concurrency=100,  # calls at a time, of which one dreams
            scheduling_strategy=NodeAffinitySchedulingStrategy(seat.node, soft=False),
        ).remote(json.dumps(ours).encode())
        engine = _Engine(name=str(self._made), seat=seat, actor=actor)
        self._engines[engine.name] = engine
        self._begin(engine, self._attend(engine))

    def _begin(self, engine: _Engine, work: Any) -> None:
        task = asyncio.create_task(work)
        engine.tasks.add(task)
        task.add_done_callback(engine.tasks.discard)

    async def _attend(self, engine: _Engine) -> None:
        """Tell the bot of it once it is there, then wait for its end."""
        try:
            ready = protocol.opened(_bytes(await engine.actor.begin.remote()))
            if not isinstance(ready, Ready) or ready.version != __version__:
                said = getattr(ready, "version", "nothing")
                log.error("node %s has Oneiro %s, and this is %s.", engine.seat.node, said, __version__)
                self._end(engine, "its version is another one")
                return
            engine.has_joined = True
            log.info("engine %s dreams on node %s (%s)", engine.name, engine.seat.node, ready.device)
            self._send(Joined(engine.name, engine.seat.node, ready.device))
            await engine.actor.live.remote()
        except (self._ray.exceptions.RayError, BrokenFrame) as error:
            self._end(engine, _told(error))

    def _end(self, engine: _Engine, why: str) -> None:
        """Be without it, and let its seat rest for a while."""
        if self._engines.pop(engine.name, None) is None:
            return
        log.warning("engine %s on node %s is gone: %s", engine.name, engine.seat.node, why)
        trouble = self._troubles.setdefault(engine.seat, _Trouble())
        trouble.failures = 0 if engine.has_dreamt else trouble.failures + 1
        pause_s = min(FIRST_PAUSE_S * 2 ** min(trouble.failures, 10), LONGEST_PAUSE_S)
        trouble.not_before = self._loop.time() + pause_s
        self._ray.kill(engine.actor)
        for task in engine.tasks - {asyncio.current_task()}:
            task.cancel()
        if engine.has_joined:
            self._send(Left(engine.name))

    # --------------------------------------------------------------- the frames

    def _heard(self, message: Message) -> None:
        engine = self._engines.get(getattr(message, "engine", ""))
        if engine is None:
            log.debug("there is no such engine any more: %s", type(message).__name__)
        elif isinstance(message, Left):
            self._end(engine, "the bot waited for it in vain")
        elif isinstance(message, Enveloped):
            self._begin(engine, self._pass_on(engine, message.frame))

    async def _pass_on(self, engine: _Engine, frame: bytes) -> None:
        """A request, whose events come back one by one; or a stop."""
        try:
            kind = protocol.kind_of(frame)
            if kind is Stop:
                await engine.actor.stop.remote(frame)
            elif kind is DreamRequest:
                async for answer in _answers(engine.actor.dream.remote(frame)):
                    engine.has_dreamt = True
                    self._send(Enveloped(engine.name, answer))
        except (self._ray.exceptions.RayError, BrokenFrame) as error:
            self._end(engine, _told(error))


async def _answers(stream: Any) -> AsyncIterator[bytes]:
    async for reference in stream:
        yield _bytes(await reference)


def _bytes(value: object) -> bytes:
    """Raises `BrokenFrame` for anything else, which no actor of ours sends."""
    if not isinstance(value, bytes):
        raise BrokenFrame(f"An actor sent a {type(value).__name__}.")
    return value


def _told(error: BaseException) -> str:
    """The first line of what Ray says of an error, and the last, where Python's own stands."""
    lines = [line.strip()[:200] for line in str(error).strip().splitlines()] or [""]
    return f"{type(error).__name__}: {lines[0]}" + (f" … {lines[-1]}" if len(lines) > 1 else "")


def shared_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The engines' settings that hold on every node; where data lies each node says for itself."""
    return {
        setting.key: environ[setting.key]
        for setting in ENGINE_SETTINGS
        if setting is not DATA_DIR and environ.get(setting.key)
    }


def connect(needs: Needs) -> Any:
    """Ray's module, connected. Raises `ConnectionError` and what else Ray raises."""
    # A Ray of our own listens on every network: it asks for a token that nobody else knows.
    ours = QUIET if needs.address else QUIET | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32)}
    os.environ.update({key: value for key, value in ours.items() if key not in os.environ})
    os.environ.pop("RAY_ADDRESS", None)  # it would win over what we say
    import ray

    if needs.address:
        ray.init(address=needs.address)
    else:
        ray.init(address="local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES)
    return ray


async def _serve(ray: Any, needs: Needs, requests: Any, send: Callable[[Message], None]) -> None:
    driver = Driver(ray, needs, send)
    reader = threading.Thread(target=read_requests, args=(requests, driver), name="requests", daemon=True)
    reader.start()
    threading.Thread(target=end_if_orphaned, args=(reader,), name="orphan", daemon=True).start()
    await driver.run()


def main() -> int:
    """Serve the bot until it closes our stdin. Returns the exit code."""
    requests, frames = claim_standard_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal: the bot decides what it means
    faulthandler.enable()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    needs = Needs.from_json(sys.argv[1])

    def send(message: Message) -> None:
        frames.write(protocol.encode(message))
        frames.flush()

    try:
        ray = connect(needs)
    except Exception as error:  # noqa: BLE001 - whatever Ray raises: the bot tries again, its log says why
        log.error("The Ray cluster %s can't be reached: %s", needs.address or "here", _told(error))
        os._exit(EXIT_NO_CLUSTER)  # what of Ray runs already would take its time
    try:
        asyncio.run(_serve(ray, needs, requests, send))
    except BrokenPipeError:
        os._exit(0)  # the bot is gone
    except Exception as error:  # noqa: BLE001 - whatever Ray raises: the bot starts us anew
        log.error("The Ray cluster does not answer any more: %s", _told(error))
        os._exit(EXIT_NO_CLUSTER)  # a thread may wait for it still
    finally:
        ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
