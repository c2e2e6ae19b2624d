"""`python -m tests.bot.ray_rounds`: rounds of dreams on a real Ray cluster, parts of which are killed.

In each round several people dream, and while they do an actor, a machine, or the driver is killed at random,
or a machine is cut off (its processes stand still until Ray takes it for lost). At its end each dream must be
done once, with just the bytes that a child process of the bot makes alone. `--overhead N`: how long dreams
take in turn on the cluster and on such a child. Begin it with `nice`, and read its last lines.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import monotonic

from bot.dreams.dream import Dream, DreamState, Wish
from bot.queue.engine_worker import Engine
from engine import DreamRequest, Finished
from engine.process.host import EngineHost
from tests.bot.bot_process import some_model
from tests.bot.on_ray import OnRay
from tests.engine.cluster.machines import Machines, kill, processes_of

PROMPT = "a red house at the sea"


@dataclass
class Report:
    """What the rounds came to."""

    rounds: int = 0
    dreams: int = 0
    done_once: int = 0
    same_bytes: int = 0
    told_twice: int = 0
    resumed: int = 0  # dreams that another engine went on with
    steps_again: int = 0  # steps that were made twice, for no state was kept after them
    steps: int = 0
    kills: dict[str, int] = field(default_factory=dict)  # by what was killed
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def line(self) -> str:
        return json.dumps(asdict(self))


class Rounds:
    """Live: machines, the bot's heart on them, and what the dreams ought to be."""

    def __init__(self, folder: Path, given: argparse.Namespace, random_: random.Random) -> None:
        self.given = given
        self.random = random_
        self.model = some_model(folder)
        self.folder = folder
        self.report = Report()
        self.machines = Machines({"DATA_DIR": str(folder)})
        for _ in range(given.machines):
            self.machines.add(cpus=1)
        self.rays = OnRay(folder, self.machines)
        self.expected: dict[int, bytes] = {}  # by seed

    async def run(self) -> None:
        """All rounds."""
        self.expected = await self._alone(range(1, self.given.seeds + 1))
        print("dreamt alone:", len(self.expected), flush=True)  # noqa: T201
        await self.rays.open()
        begun = monotonic()
        try:
            await self.rays.engines(self.given.machines)
            for number in range(self.given.rounds):
                await self._round(number)
                self.report.seconds = round(monotonic() - begun, 1)
                print(self.report.line(), flush=True)  # noqa: T201
                if monotonic() - begun > self.given.minutes * 60:
                    break
        finally:
            await self.rays.close()

    async def _alone(self, seeds: range) -> dict[int, bytes]:
        host = EngineHost(environ={**os.environ, "DATA_DIR": str(self.folder), "OMP_NUM_THREADS": "1"})
        found = {}
        try:
            for seed in seeds:
                request = DreamRequest(str(seed), PROMPT, seed, model=self.model, steps=self.given.steps)
                *_, end = [event async for event in host.dream(request)]
                assert isinstance(end, Finished), end
                found[seed] = end.picture
        finally:
            await host.close()
        return found

    async def _round(self, number: int) -> None:
        dreams = [await self.rays.heart.worker.submit(self._wish(n)) for n in range(self.given.dreams)]
        what: Callable[[Dream], object] = self.random.choice(
            (self._actor, self._actor, self._machine, self._driver)
        )
        if self.given.splits and number % self.given.splits == self.given.splits - 1:
            what = self._split
        victim = self.random.choice(dreams[: self.given.machines])
        await self.rays.in_mid_dream(victim, self.random.randint(1, self.given.steps // 2))
        if what(victim):
            name = what.__name__.strip("_")
            self.report.kills[name] = self.report.kills.get(name, 0) + 1
        ended = [await self.rays.ended(dream) for dream in dreams]
        for dream in ended:
            await self._check(dream)
        self.report.rounds += 1
        while len(self.machines.nodes) < self.given.machines:
            self.machines.add(cpus=1)
        await self.rays.engines(self.given.machines)

    def _wish(self, number: int) -> Wish:
        author = number + 1
        return Wish(
            prompt=PROMPT,
            seed=self.random.randint(1, self.given.seeds),
            model=self.model,
            steps=self.given.steps,
            author_id=author,
            guild_id=1,
            channel_id=1,
            origin=self.random.getrandbits(60),
        )

    async def _check(self, dream: Dream) -> None:
        report, watch = self.report, self.rays.watch
        report.dreams += 1
        steps = watch.steps.get(dream.id, [])
        report.steps += len(steps)
        report.steps_again += len(steps) - len(set(steps))
        report.resumed += any(later <= before for before, later in pairwise(steps))
        ends = len(watch.ends.get(dream.id, ()))
        report.told_twice += ends > 1
        done = dream.state is DreamState.DONE
        report.done_once += done and ends == 1
        if not done or ends != 1:
            report.faults.append(
                f"dream {dream.id}: {dream.state}, told {ends} times: {dream.failure_detail}"
            )
        elif await self.rays.picture(dream) == self.expected[dream.seed]:
            report.same_bytes += 1
        else:
            report.faults.append(f"dream {dream.id}: another picture")

    # ------------------------------------------------------------ what goes wrong

    def _node_of(self, dream: Dream) -> str | None:
        engine = self.rays.engine_of(dream)
        return engine.node if engine is not None and engine.node in self.machines.nodes else None

    def _actor(self, dream: Dream) -> bool:
        node = self._node_of(dream)
        actors = self.rays.actors(node) if node else []
        for pid in actors:
            kill(pid)
        return bool(actors)

    def _machine(self, dream: Dream) -> bool:
        if node := self._node_of(dream):
            self.machines.lose(self.machines.machine(node))
        return node is not None

    def _split(self, dream: Dream) -> bool:
        """Nothing is heard of it any more; nobody says that it ended."""
        if node := self._node_of(dream):
            machine = self.machines.machine(node)
            for pid in processes_of(machine):
                os.kill(pid, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(self.given.split_s, self.machines.lose, machine)
        return node is not None

    def _driver(self, dream: Dream) -> bool:
        if (pid := self.rays.cluster.pid) is not None:
            os.kill(pid, signal.SIGKILL)
        return pid is not None


async def overhead(rounds: Rounds) -> str:
    """What a dream takes on one of the cluster's engines and on a child, in turn: seconds, and CPU seconds.

    Those of all processes: on a machine with other work they are what tells.
    """
    given, seconds, cpu = rounds.given, defaultdict(list), defaultdict(list)
    host = EngineHost(environ={**os.environ, "DATA_DIR": str(rounds.folder), "OMP_NUM_THREADS": "1"})
    await rounds.rays.open()
    try:
        engine = (await rounds.rays.engines(given.machines))[0]
        node = rounds.machines.machine(engine.node)

        def on_ray() -> list[int]:
            return [os.getpid(), rounds.rays.cluster.pid or 0, *processes_of(node), *rounds.machines.head]

        def on_child() -> list[int]:
            return [os.getpid(), host.pid or 0]

        ways: tuple[tuple[str, Engine, Callable[[], list[int]]], ...] = (
            ("ray", engine, on_ray),
            ("child", host, on_child),
        )
        for number in range(given.overhead + 1):
            for name, one, processes in ways:
                request = DreamRequest(
                    f"{name} {number}", PROMPT, 1, model=rounds.model, steps=given.steps, state_every_s=15.0
                )
                begun, used = monotonic(), cpu_seconds(processes())
                *_, end = [event async for event in one.dream(request)]
                assert isinstance(end, Finished), end
                if number:  # the first one loads
                    seconds[name].append(monotonic() - begun)
                    cpu[name].append(cpu_seconds(processes()) - used)
                    print(f"{name}: {seconds[name][-1]:.2f} s, {cpu[name][-1]:.2f} CPU s", flush=True)  # noqa: T201
    finally:
        await host.close()
        await rounds.rays.close()
    told = [f"{given.overhead} dreams of {given.steps} steps each; load {os.getloadavg()[0]:.1f}"]
    for what, took in (("seconds", seconds), ("CPU seconds of all processes", cpu)):
        ray, child = median(took["ray"]), median(took["child"])
        told.append(f"{what}: median {ray:.2f} on Ray, {child:.2f} on a child ({ray / child - 1:+.1%})")
    return "\n".join(told)


def cpu_seconds(pids: list[int]) -> float:
    """That these processes have used, as far as they run."""
    ticks = 0
    for pid in pids:
        try:
            fields_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields_[11]) + int(fields_[12])  # utime, stime
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60.0, help="no round begins after so many")
    parser.add_argument("--machines", type=int, default=4)
    parser.add_argument("--dreams", type=int, default=6, help="a round")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument(
        "--splits", type=int, default=0, help="each so manieth round cuts a machine off; 0: none"
    )
    parser.add_argument("--split-s", type=float, default=120.0, help="how long it stands still")
    parser.add_argument("--overhead", type=int, default=0, help="measure so many dreams instead")
    parser.add_argument("--seeds", type=int, default=4, help="different dreams, each made once alone")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oneiro-ray-") as folder:
        rounds = Rounds(Path(folder), given, random.Random(given.seed))
        try:
            if given.overhead:
                print(asyncio.run(overhead(rounds)))  # noqa: T201
            else:
                asyncio.run(rounds.run())
        finally:
            rounds.machines.close()
    if rounds.report.faults:
        raise SystemExit("\n".join(rounds.report.faults))


if __name__ == "__main__":
    main()
