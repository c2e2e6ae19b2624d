"""`python -m tests.chaos`: rounds of chaos, a line each, and a table. Exits with 1 on a broken promise."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tests.bot.bot_process import ROOT
from tests.chaos.accounts import Broken
from tests.chaos.faults import KINDS, POSTGRESQL, SQLITE
from tests.chaos.rounds import Lane, Limits, Plan, Result
from tests.chaos.scene import newest_file


def table(results: Iterable[Result]) -> str:
    """Faults × rounds × broken promises."""
    by_fault: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_fault[result.plan.fault].append(result)
        by_fault["all"].append(result)
    names = list(Broken().counts())
    rows = [["fault", "rounds", "dreams", *names]]
    for fault in (*(name for name in sorted(KINDS) if name in by_fault), "all"):
        theirs = by_fault[fault]
        counts = [sum(r.broken.counts()[name] for r in theirs) for name in names]
        dreams = sum(sum(r.dreams.values()) for r in theirs)
        rows.append([fault, *(str(n or "·") for n in (len(theirs), dreams, *counts))])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(lines)


def line(result: Result) -> str:
    """One round in one line."""
    plan, dreams = result.plan, sum(result.dreams.values())
    several = f", {plan.engines} engines" if plan.engines > 1 else ""
    verdict = "ok" if not result.broken else "BROKEN"
    what = f"{plan.fault}, {plan.database}{several}"
    return f"seed {plan.seed}: {what}: {dreams} dreams, {result.seconds:.1f} s, {verdict}"


async def play(
    plans: list[Plan], results: list[Result], *, folder: Path, jobs: int, limits: Limits, keep: bool = False
) -> None:
    """All rounds, `jobs` at a time, each with its result. `folder`: for `rounds.jsonl` and logs."""
    waiting = plans[::-1]
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="oneiro-chaos-", dir=memory) as place:
        newest = await asyncio.to_thread(newest_file, Path(place))

        async def lane(number: int) -> None:
            own = Path(place) / f"lane-{number}"
            own.mkdir()
            async with Lane(own, logs=folder, newest=newest, limits=limits, keep=keep) as lane:
                while waiting:
                    result = await lane.play(waiting.pop())
                    results.append(result)
                    say(f"{len(results)}/{len(plans)} {line(result)}")
                    for broken in result.broken:
                        say(f"    {broken}")
                    with (folder / "rounds.jsonl").open("a", encoding="utf-8") as file:
                        file.write(json.dumps(result.to_json()) + "\n")

        await asyncio.gather(*(lane(number) for number in range(1, jobs + 1)))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").split(": ")[1])
    parser.add_argument("--rounds", "-n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each next one has the next")
    parser.add_argument("--only", nargs="+", choices=sorted(KINDS), default=(), help="kinds of faults")
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), default="")
    parser.add_argument("--engines", type=int, help="of each bot, instead of what the seed says")
    parser.add_argument("--jobs", type=int, default=1, help="rounds at a time")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "chaos", help="for rounds.jsonl and logs"
    )
    parser.add_argument(
        "--settle", type=float, default=Limits().settle_s, help="seconds until promises are kept"
    )
    parser.add_argument("--keep", action="store_true", help="keep every round's logs")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.rounds)
    plans = [Plan.of(seed, only=tuple(given.only), database=given.database) for seed in seeds]
    if given.engines:
        plans = [replace(plan, engines=given.engines) for plan in plans]
    given.folder.mkdir(parents=True, exist_ok=True)
    limits = Limits(settle_s=given.settle, late_s=given.settle)
    results: list[Result] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # no server is left behind
    with suppress(KeyboardInterrupt):
        asyncio.run(
            play(plans, results, folder=given.folder, jobs=given.jobs, limits=limits, keep=given.keep)
        )
    say("\n" + table(results))
    broken = sorted(result.plan.seed for result in results if result.broken)
    for seed in broken:
        say(f"To repeat it: make chaos N=1 SEED={seed}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
