"""`python -m tests.bot.bench_load`: a busy bot's database and line, without Discord: who waits how long.

Builds so many finished dreams and so many waiting ones of 500 servers, then lets people ask, vote, list,
cancel and look at rankings, all at once. Measures each answer, the loop's worst delay, and the memory.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from time import perf_counter

from sqlalchemy import text

from bot.community.ranking import By, Period, Scope
from bot.database.connection import Database, StoreError
from bot.dreams.dream import Wish
from bot.heart import Heart, build_heart
from bot.settings import Settings
from tests.bot.bot_process import memory
from tests.bot.postgres import Cluster
from tests.bot.scripted import ScriptedEngine

SERVERS = 500
PEOPLE = 20_000
BEAT_S = 0.05
VOTES_A_S = 50
PART = 20_000  # rows that are made in one statement

# `state` and times apart, finished and waiting dreams are alike; a dream's server is n % 500 + 1.
_MAKE = """
INSERT INTO dreams (id, origin, prompt, seed, model, author_id, guild_id, channel_id, message_id, state,
    attempts, created_at, started_at, ended_at, cancel_asked, delivered, failure_detail, notice, score,
    recipe, flagged, slug)
SELECT n, n, 'a bowl of cherries, number ' || n, n, 'pocket', (n * 7919) % {people} + 1000, n % {servers} + 1,
    n % {servers} + 1, n + 1000000000, '{state}', 1, {at}, {started}, {started}, {false},
    {delivered}, '', '', 30.0, '', '', 'slug' || n FROM {numbers}
"""
_VOTE = """
INSERT INTO votes (dream_id, person, emoji, copy_id, burst)
SELECT n, (n * 31 + k) % {people} + 1000, '⭐', 0, {false}
FROM {numbers}, (SELECT 1 AS k UNION SELECT 2) AS ks
WHERE n % 10 = 0
"""


async def build(database: Database, finished: int, waiting: int, *, now: float) -> None:
    """Fill an empty database: the finished ones a minute apart until now."""
    is_server = database.tells_news
    spelled = {"people": PEOPLE, "servers": SERVERS, "false": "false" if is_server else "0"}
    true = "true" if is_server else "1"
    at = f"{now} - ({finished} - n) * 60.0 - 60.0"
    made = (
        ("done", 0, finished, true, at, at),
        ("queued", finished, waiting, spelled["false"], str(now), "NULL"),
    )
    for state, start, count, delivered, asked, started in made:
        for first in range(start + 1, start + count + 1, PART):
            last = min(first + PART - 1, start + count)
            numbers = (
                f"(WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last}) "
            )
            spelled["numbers"] = numbers + "SELECT n FROM c) AS numbers"
            ours = {"state": state, "delivered": delivered, "at": asked, "started": started}
            async with database.transaction() as connection:
                await connection.execute(text(_MAKE.format(**spelled, **ours)))
                if state == "done":
                    await connection.execute(text(_VOTE.format(**spelled)))
    if is_server:
        async with database.transaction() as connection:
            await connection.execute(
                text("SELECT setval(pg_get_serial_sequence('dreams', 'id'), max(id)) FROM dreams")
            )
            await connection.execute(text("ANALYZE"))


class Crowd:
    """People who do something again and again; remembers how long each answer took."""

    def __init__(self, heart: Heart, *, dreams: int, seed: int = 1) -> None:
        self._heart = heart
        self._dreams = dreams
        self._random = Random(seed)
        self._origin = 10**15
        self._mine: list[int] = []
        self.failed: Counter[str] = Counter()  # the database was busy for too long
        self.took: dict[str, list[float]] = defaultdict(list)  # milliseconds

    async def timed(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        begun = perf_counter()
        try:
            await work()
        except StoreError:
            self.failed[what] += 1
            return
        self.took[what].append(1000 * (perf_counter() - begun))

    def _person(self) -> int:
        return self._random.randrange(PEOPLE) + 1000

    def _server(self) -> int:
        return self._random.randrange(SERVERS) + 1

    def _dream(self) -> int:
        return self._random.randrange(self._dreams) + 1

    async def dream(self) -> None:
        """/dream, its place included."""
        self._origin += 1
        server = self._server()
        wish = Wish(
            prompt="the moon", seed=1, steps=None, model="auto", author_id=self._origin, guild_id=server,
            channel_id=server, origin=self._origin,
        )  # fmt: skip
        made = await self._heart.worker.submit(wish)
        assert self._heart.worker.place(made.id) is not None
        self._mine.append(made.id)

    async def cancel(self) -> None:
        """The Cancel button."""
        if self._mine:
            await self._heart.worker.cancel(self._mine.pop())

    async def vote(self) -> None:
        """A reaction comes."""
        await self._heart.store.add_vote(self._dream(), self._person(), "⭐")

    async def mine(self) -> None:
        """/dreams list."""
        person = self._person()
        await self._heart.store.count_by(person)
        await self._heart.store.by(person, most=10)

    async def show(self) -> None:
        """/dreams show."""
        dream = await self._heart.store.shown_by(self._dream() + 1_000_000_000)
        assert dream is not None
        await self._heart.store.votes_for([dream.id])

    async def queue(self) -> None:
        """/queue of a server."""
        self._heart.worker.order_of(self._server())
        self._heart.worker.places()

    async def top(self) -> None:
        """/top of a server."""
        server = self._server()
        view = Scope(guild_id=server, channels=(server,))
        await self._heart.ranking.page(view, By.PICTURE, Period.EVER, page=0, size=10)


async def often(a_second: float, work: Callable[[], Awaitable[None]], until: float) -> None:
    """Begin it so often, however long each takes."""
    running: set[asyncio.Task[None]] = set()
    begun, count = perf_counter(), 0
    while perf_counter() < until:
        task = asyncio.ensure_future(work())
        running.add(task)
        task.add_done_callback(running.discard)
        count += 1
        await asyncio.sleep(max(0.0, begun + count / a_second - perf_counter()))
    if running:
        await asyncio.wait(running)


async def beat(delays: list[float], until: float) -> None:
    """What a heartbeat would feel, in milliseconds."""
    while perf_counter() < until:
        due = perf_counter() + BEAT_S
        await asyncio.sleep(BEAT_S)
        delays.append(1000 * (perf_counter() - due))


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 (that is what it is for)


async def measure(settings: Settings, finished: int, waiting: int, *, seconds: float, now: float) -> None:
    """One size; says its line of the table."""
    heart = build_heart(settings, engines=[ScriptedEngine()])
    await heart.database.open()
    begun = perf_counter()
    await build(heart.database, finished, waiting, now=now)
    built = perf_counter() - begun
    begun = perf_counter()
    await heart.begin()
    started = perf_counter() - begun
    crowd = Crowd(heart, dreams=finished)
    until = perf_counter() + seconds
    delays: list[float] = []
    before = memory_mib()
    rates = {
        "dream": 2.0,
        "cancel": 1.0,
        "vote": VOTES_A_S,
        "mine": 2.0,
        "show": 2.0,
        "queue": 0.5,
        "top": 0.5,
    }

    def doing(what: str) -> Callable[[], Awaitable[None]]:
        return lambda: crowd.timed(what, getattr(crowd, what))

    await asyncio.gather(
        beat(delays, until), *(often(rate, doing(what), until) for what, rate in rates.items())
    )
    say(
        f"finished {finished:>9,}  waiting {waiting:>7,}  built {built:4.0f} s, started {started:5.2f} s "
        f"memory {before:4.0f} → {memory_mib():4.0f} MiB  worst delay of the loop {max(delays):5.0f} ms"
    )
    for what, times in sorted(crowd.took.items()):
        times.sort()
        late = times[min(len(times) - 1, int(len(times) * 0.99))]
        median = statistics.median(times)
        say(
            f"    {what:8} {len(times):6,}  median {median:7.1f}  99 % {late:7.1f}  worst {times[-1]:7.1f} ms"
        )
    await heart.end()
    await heart.database.close()


def memory_mib() -> float:
    """Of this process, now."""
    return memory(os.getpid())[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bot.bench_load", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--finished", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--waiting", type=int, nargs="+", default=[10, 1_000, 10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=600.0, help="for each size")
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    given = parser.parse_args()
    cluster = Cluster() if given.postgres else None
    try:
        if cluster is not None:
            cluster.start()
        for finished in given.finished:
            for waiting in given.waiting:
                with tempfile.TemporaryDirectory() as folder:
                    url = cluster.url(cluster.create()) if cluster is not None else ""
                    settings = Settings.read({"DATA_DIR": folder, "DATABASE_URL": url})
                    settings = replace(settings, waiting_in_all=10**6, waiting_per_person=10**6)
                    work = measure(settings, finished, waiting, seconds=given.seconds, now=1.8e9)
                    asyncio.run(work)
    finally:
        if cluster is not None:
            cluster.close()


if __name__ == "__main__":
    main()
