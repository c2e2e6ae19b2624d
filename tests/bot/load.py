"""`python -m tests.bot.load`: an hour of many people's wishes in simulated time, and how long each waited.

Everything between the command and the engine is real: worker, turns, limits, moderation, store and its
database. The engine is a script that takes no time but moves the clock; Discord is not part of it.
"""

import argparse
import asyncio
import tempfile
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

from bot.database.connection import Database
from bot.dreams.dream import Dream, DreamState, Wish
from bot.dreams.store import AlreadyStored, Store
from bot.queue.fair_queue import Turns
from bot.queue.limits import Limits
from bot.queue.worker import Worker
from bot.servers.moderation import Moderation
from engine import DreamRequest, Event, Finished, Recipe, Started

HOUR_S = 3600.0
NEVER_S = 1e6  # seconds of real time: the worker's looks for other processes have no part in this
EPOCH = 1_000_000.0  # the simulated hour's begin, in seconds since 1970


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody asks for a dream."""

    at: float  # seconds after the hour's begin
    person: int
    server: int


@dataclass(frozen=True, slots=True)
class Wait:
    """How one dream fared."""

    person: int
    server: int
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


class Clock:
    """The simulated time."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> float:
        return self.now


class Simulation:
    """A bot without Discord. Its engine takes `dream_s` of the simulated time for each dream."""

    def __init__(self, url: str, arrivals: Sequence[Arrival], *, dream_s: float) -> None:
        self._url = url
        self._dream_s = dream_s
        self._coming = list(arrivals)[::-1]  # the next one last
        self.clock = Clock()
        self._asked = 0
        self._ended = 0
        self._arriving = asyncio.Lock()
        self._begin()

    def _begin(self) -> None:
        self.database = Database(self._url, busy_timeout_s=60.0)
        self.store = Store(self.database, owner="load", clock=self.clock)
        moderation = Moderation(database=self.database, clock=self.clock)
        self.worker = Worker(
            store=self.store,
            turns=Turns(),
            engines=[self],
            audience=self,
            limits=Limits(
                store=self.store,
                moderation=moderation,
                per_person=10**6,
                in_all=10**6,
                clock=self.clock,
            ),
            lease_s=NEVER_S,
            preview_every_s=0.0,
            poll_s=NEVER_S,
            clock=self.clock,
        )

    async def run(self, *, restart_at: float | None = None) -> list[Wait]:
        """Live through it, with an orderly restart at this time of the hour."""
        await self.database.open()
        await self.worker.start()
        while self._coming or self._asked > self._ended:
            if restart_at is not None and self.clock.now >= EPOCH + restart_at:
                restart_at = None
                await self.worker.close()
                await self.database.close()
                self._begin()
                await self.database.open()
                await self.worker.start()
            if self._asked == self._ended and self._coming:
                await self._arrive(until=self._coming[-1].at)  # nobody waits: the next one comes
            await asyncio.sleep(0.0005)
        await self.worker.close()
        waits = await self._waits()
        await self.database.close()
        return waits

    async def _arrive(self, *, until: float) -> None:
        async with self._arriving:
            while self._coming and self._coming[-1].at <= until:
                await self._ask(self._coming[-1])

    async def _ask(self, arrival: Arrival) -> None:
        self.clock.now = max(self.clock.now, EPOCH + arrival.at)
        wish = Wish(
            prompt="a bowl of cherries",
            seed=0,
            steps=None,
            model="auto",
            author_id=arrival.person + 1,
            guild_id=arrival.server,
            channel_id=arrival.server,
            origin=len(self._coming),
        )
        with suppress(AlreadyStored):  # a restart came between storing and answering
            await self.worker.submit(wish)
        self._coming.pop()
        self._asked += 1

    async def dream(self, request: DreamRequest) -> AsyncGenerator[Event, None]:
        """See `bot.queue.engine_worker.Engine`."""
        end = self.clock.now + self._dream_s
        yield Started(request.id, "pocket", 60)
        await self._arrive(until=end - EPOCH)
        self.clock.now = end
        recipe = Recipe(request.prompt, request.seed, 60, "pocket", "gan", "clip", "0")
        yield Finished(request.id, recipe, 30.0, 60, 60, self._dream_s, False, b"png")

    async def stop(self, id: str) -> None:
        """See `bot.queue.engine_worker.Engine`."""

    def heard(self, dream: Dream, event: Event | None) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        self._ended += dream.state.is_over

    def line_moved(self) -> None:
        """See `bot.queue.engine_worker.Audience`."""

    async def _waits(self) -> list[Wait]:
        dreams = [dream for id in range(1, self._asked + 1) if (dream := await self.store.get(id))]
        assert all(dream.state is DreamState.DONE for dream in dreams), "somebody's dream was not dreamt"
        waits: list[Wait] = []
        busy_until: dict[tuple[int, int], float] = defaultdict(float)  # person and server → last begin
        for dream in sorted(dreams, key=lambda dream: (dream.created_at, dream.id)):
            assert dream.started_at is not None and dream.guild_id is not None and dream.attempts == 1
            who = (dream.author_id - 1, dream.guild_id)
            waited_s, alone = dream.started_at - dream.created_at, dream.created_at >= busy_until[who]
            waits.append(Wait(*who, dream.created_at - EPOCH, waited_s, alone))
            busy_until[who] = max(busy_until[who], dream.started_at)
        return waits


def first_come_first_served(arrivals: Sequence[Arrival], dream_s: float) -> list[float]:
    """How long each would have waited without turns, in seconds."""
    waits, free = [], 0.0
    for arrival in arrivals:
        begin = max(free, arrival.at)
        waits.append(begin - arrival.at)
        free = begin + dream_s
    return waits


def report(waits: Sequence[Wait], arrivals: Sequence[Arrival], dream_s: float) -> str:
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
) -> list[Wait]:
    """All waits of an hour like this. Fails when a dream is lost or dreamt twice."""
    simulation = Simulation(f"sqlite+aiosqlite:///{folder}/load.db", arrivals, dream_s=dream_s)
    return await simulation.run(restart_at=restart_at)


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
