"""`python -m tests.bot.load`: an hour of many people's wishes in simulated time, and how long each waited.

Everything between the command and the engine is real, `tests.bot.simulation.real_bot`; its one engine is a
script, and Discord is not part of it. Many engines, people and days: `python -m tests.bot.simulation`.
"""

import argparse
import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median

from tests.bot.simulation.crowd import HOUR_S, Arrival
from tests.bot.simulation.line import Rules
from tests.bot.simulation.real_bot import RealBot


@dataclass(frozen=True, slots=True)
class Fared:
    """How one dream fared."""

    person: int
    server: int | None
    asked_at: float  # seconds after the hour's begin
    waited_s: float
    alone: bool  # its person had no other dream in line when they asked


def crowd(*, people: int, dreams: int, servers: int, seed: int) -> list[Arrival]:
    """An hour's wishes: most people ask now and then, one floods at the beginning, and so does one server.

    Person 0 asks for a tenth of all dreams at once; the people of server 1 ask for a fifth together in the
    first minute; the others ask at any time. Every person asks at least once.
    """
    random = Random(seed)
    home = [1 if person < people // 5 else random.randint(2, servers) for person in range(people)]
    home[0] = 2
    flood = [Arrival(0.0, 0, home[0])] * (dreams // 10)
    neighbours = [person for person in range(people) if home[person] == 1]
    rush = [Arrival(random.uniform(0, 60), random.choice(neighbours), 1) for _ in range(dreams // 5)]
    left = dreams - len(flood) - len(rush)
    others = [*range(1, people), *(random.randrange(1, people) for _ in range(left))][:left]
    usual = [Arrival(random.uniform(0, HOUR_S), person, home[person]) for person in others]
    return sorted([*flood, *rush, *usual], key=lambda arrival: arrival.at)


def first_come_first_served(arrivals: Sequence[Arrival], dream_s: float) -> list[float]:
    """How long each would have waited without turns, in seconds."""
    waits, free = [], 0.0
    for arrival in arrivals:
        begin = max(free, arrival.at)
        waits.append(begin - arrival.at)
        free = begin + dream_s
    return waits


def report(waits: Sequence[Fared], arrivals: Sequence[Arrival], dream_s: float) -> str:
    """The figures, one line each."""
    plain = first_come_first_served(arrivals, dream_s)
    bystanders = [wait for wait in waits if wait.person != 0 and wait.server != 1]
    unserved = [
        w for w, arrival in zip(plain, arrivals, strict=True) if arrival.person and arrival.server != 1
    ]
    longest = {person: 0.0 for person in {wait.person for wait in waits}}
    for wait in waits:
        longest[wait.person] = max(longest[wait.person], wait.waited_s)
    first = [wait.waited_s for wait in bystanders if wait.alone]
    lines = [
        f"{len(waits)} dreams of {len(longest)} people in {len({w.server for w in waits})} servers, "
        f"{dream_s:g} s each; every one was dreamt, once",
        f"longest wait per person: median {median(longest.values()):.0f} s, "
        f"most {max(longest.values()):.0f} s",
        f"the one who floods: most {longest[0]:.0f} s",
        f"people of the server that floods: most {max(w.waited_s for w in waits if w.server == 1):.0f} s",
        f"everybody else: median {median(w.waited_s for w in bystanders):.0f} s, "
        f"most {max(w.waited_s for w in bystanders):.0f} s",
        f"everybody else's dream when they have none in line: median {median(first):.0f} s, "
        f"most {max(first):.0f} s",
        f"everybody else without turns (first come, first served): median {median(unserved):.0f} s, "
        f"most {max(unserved):.0f} s",
    ]
    return "\n".join(lines)


async def simulate(
    arrivals: Sequence[Arrival], *, dream_s: float, folder: Path, restart_at: float | None = None
) -> list[Fared]:
    """All waits of an hour like this. Fails when a dream is lost or dreamt twice."""
    timed = [replace(arrival, takes_s=dream_s) for arrival in arrivals]
    rules = Rules(per_person=10**6, in_all=10**6)
    bot = RealBot(f"sqlite+aiosqlite:///{folder}/load.db", timed, rules=rules)
    fared: list[Fared] = []
    busy_until: dict[tuple[int, int | None], float] = defaultdict(float)  # person and server → last begin
    for wait in await bot.run(restart_at=restart_at):
        arrival = wait.arrival
        who = arrival.person, arrival.server
        fared.append(Fared(*who, arrival.at, wait.waited_s, arrival.at >= busy_until[who]))
        busy_until[who] = max(busy_until[who], arrival.at + wait.waited_s)
    return fared


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bot.load", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--dreams", type=int, default=1000)
    parser.add_argument("--servers", type=int, default=12)
    parser.add_argument("--dream-s", type=float, default=3.4, help="seconds that one dream takes")
    parser.add_argument("--restart-at", type=float, help="second of the hour at which the bot restarts")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    arrivals = crowd(people=given.people, dreams=given.dreams, servers=given.servers, seed=given.seed)
    with tempfile.TemporaryDirectory() as folder:
        waits = asyncio.run(
            simulate(arrivals, dream_s=given.dream_s, folder=Path(folder), restart_at=given.restart_at)
        )
    print(report(waits, arrivals, given.dream_s))  # noqa: T201 (that is what it is for)


if __name__ == "__main__":
    main()
