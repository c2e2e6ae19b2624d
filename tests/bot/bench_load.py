"""`python -m tests.bot.bench_load`: a busy bot's database and line, without Discord: who waits how long.

Builds so many finished dreams with ten votes each and so many waiting ones of 500 servers, starts, and lets
people ask, vote, list, cancel and look at rankings, all at once. Measures the start, each answer, the loop's
worst delay, what the processor did, and the memory; says at its end a table of all sizes.
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
from time import perf_counter, process_time, time

from sqlalchemy import text

from bot.community.ranking import By, Period, Scope
from bot.database.connection import Database, StoreError
from bot.database.tallying import CountedAtTheEnd
from bot.dreams.dream import Wish
from bot.heart import Heart, build_heart
from bot.settings import Settings
from tests.bot.bot_process import memory
from tests.bot.postgres import Cluster
from tests.bot.scripted import ScriptedEngine

SERVERS = 500
PEOPLE = 20_000
BEAT_S = 0.05
RATES = {  # a second
    "cancel": 1.0,
    "dream": 2.0,
    "mine": 2.0,
    "place": 5.0,
    "queue": 0.5,
    "show": 2.0,
    "top": 0.5,
    "vote": 50.0,
}
LISTED = 15  # dreams of a server that /queue lists
PART = 20_000  # rows that are made in one statement

# `state` and times apart, finished and waiting dreams are alike; a dream's server is n % 500 + 1.
_MAKE = """
INSERT INTO dreams (id, origin, prompt, seed, model, author_id, guild_id, channel_id, message_id, state,
    attempts, created_at, started_at, ended_at, cancel_asked, delivered, failure_detail, notice, score,
    recipe, flagged, slug)
SELECT n, n, 'a bowl of cherries, number ' || n, n, 'pocket', (n * 7919) % {people} + 1000, n % {servers} + 1,
    n % {servers} + 1, n + 1000000000, '{state}', 1, {at}, {started}, {started}, {false},
    {delivered}, '', '', 30.0, '{recipe}', '', 'slug' || n FROM {numbers}
"""
# As many as `n % 21`: ten a dream.
_VOTE = """
INSERT INTO votes (dream_id, person, emoji, copy_id, burst)
SELECT n, (n * 31 + k * 977) % {people} + 1000 AS person, '⭐', 0, {false}
FROM {numbers}, (WITH RECURSIVE c(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM c WHERE k < 19) SELECT k FROM c)
AS ks WHERE k < n % 21 ORDER BY n, person
"""
_INDEXES = (
    "SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE%INDEX%' AND tbl_name IN ('dreams', 'votes')"
)


async def build(database: Database, finished: int, *, servers: int, now: float) -> None:
    """Fill an empty database with finished dreams, a minute apart until now, and their votes."""
    at = f"{now} - ({finished} - n) * 60.0 - 60.0"
    is_server = database.tells_news
    counting = CountedAtTheEnd()
    async with database.transaction() as connection:
        indexes = [] if is_server else (await connection.execute(text(_INDEXES))).all()
        for name, _ in indexes:  # made anew at the end: quicker than row by row
            await connection.execute(text(f"DROP INDEX {name}"))
        await counting.begin(connection)
    await _make(database, "done", range(1, finished + 1), servers=servers, at=at, started=at)
    async with database.transaction() as connection:
        await counting.end(connection)
    for _, sql in indexes:
        async with database.transaction() as connection:
            await connection.execute(text(sql))
    if is_server:  # which does so by itself, sooner or later; of SQLite nobody asks it
        async with database.transaction() as connection:
            await connection.execute(text("ANALYZE"))


async def line_up(database: Database, finished: int, waiting: int, *, servers: int, now: float) -> None:
    """Let so many dreams wait, and nothing else be there than them and the finished ones."""
    async with database.transaction() as connection:
        await connection.execute(text(f"DELETE FROM dreams WHERE id > {finished}"))
        await connection.execute(text("DELETE FROM outbox"))
    numbers = range(finished + 1, finished + waiting + 1)
    await _make(database, "queued", numbers, servers=servers, at=str(now), started="NULL")
    if database.tells_news:
        sequence = "SELECT setval(pg_get_serial_sequence('dreams', 'id'), max(id)) FROM dreams"
        async with database.transaction() as connection:
            await connection.execute(text(sequence))


async def _make(
    database: Database, state: str, numbers: range, *, servers: int, at: str, started: str
) -> None:
    false, true = ("false", "true") if database.tells_news else ("0", "1")
    begun = perf_counter()
    for part in (numbers[start : start + PART] for start in range(0, len(numbers), PART)):
        many = f"SELECT {part[0]} UNION ALL SELECT n + 1 FROM c WHERE n < {part[-1]}"
        spelled = {
            "people": PEOPLE,
            "servers": servers,
            "false": false,
            "numbers": f"(WITH RECURSIVE c(n) AS ({many}) SELECT n FROM c) AS numbers",
            "state": state,
            "recipe": "{}" if state == "done" else "",  # without one it is in no ranking
            "delivered": true if state == "done" else false,
            "at": at,
            "started": started,
        }
        async with database.transaction() as connection:
            await connection.execute(text(_MAKE.format(**spelled)))
            if state == "done":
                await connection.execute(text(_VOTE.format(**spelled)))
        if part[-1] % (10 * PART) == 0:
            say(f"  … {part[-1]:,} dreams, {perf_counter() - begun:.0f} s")


class Crowd:
    """People who do something again and again; remembers how long each answer took."""

    def __init__(self, heart: Heart, *, dreams: int, waiting: int, servers: int, seed: int = 1) -> None:
        self._heart = heart
        self._servers = servers
        self._dreams = dreams
        self._waiting = waiting
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
        return self._random.randrange(self._servers) + 1

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
        """The line's part in /queue of a server: its first ones, and their places."""
        for dream_id in self._heart.worker.order_of(self._server(), LISTED):
            self._heart.worker.place(dream_id)

    async def place(self) -> None:
        """Where a dream stands, wherever it is."""
        self._heart.worker.place(self._dreams + self._random.randrange(max(1, self._waiting)) + 1)

    async def top(self) -> None:
        """/top of a server, any of its rankings."""
        server = self._server()
        view = Scope(guild_id=server, channels=(server,))
        by, period = self._random.choice(list(By)), self._random.choice(list(Period))
        await self._heart.ranking.page(view, by, period, page=0, size=10)


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


async def measure(settings: Settings, finished: int, waiting: int, *, servers: int, seconds: float) -> str:
    """One size, on a database that holds it; says each answer's times and gives its line of the table."""
    heart = build_heart(settings, engines=[ScriptedEngine()])
    begun = perf_counter()
    await heart.database.open()
    await heart.begin()
    started = perf_counter() - begun
    crowd = Crowd(heart, dreams=finished, waiting=waiting, servers=servers)
    delays: list[float] = []
    before, worked = memory_mib(), process_time()
    until = perf_counter() + seconds

    def doing(what: str) -> Callable[[], Awaitable[None]]:
        return lambda: crowd.timed(what, getattr(crowd, what))

    everybody = [often(rate, doing(what), until) for what, rate in RATES.items()]
    await asyncio.gather(beat(delays, until), tell(until), *everybody)
    worked = process_time() - worked
    after = memory_mib()
    await heart.end()
    await heart.database.close()
    cells = []
    for what, times in sorted(crowd.took.items()):
        times.sort()
        late = times[min(len(times) - 1, int(len(times) * 0.99))]
        median = statistics.median(times)
        cells.append(f"{median:.1f} / {late:.0f}")
        failed = f"  failed {crowd.failed[what]}" if crowd.failed[what] else ""
        told = f"median {median:7.1f}  99 % {late:7.1f}  worst {times[-1]:7.1f} ms"
        say(f"  {what:8} {len(times):6,}  {told}{failed}")
    busy = 100 * worked / seconds
    first = f"| {finished:,} | {waiting:,} | {started:.1f} s | {before:.0f} → {after:.0f} | {busy:.0f} % "
    return first + f"| {max(delays):.0f} | " + " | ".join(cells) + " |"


async def tell(until: float) -> None:
    """Now and then that it goes on, and how long it still takes."""
    while (left := until - perf_counter()) > 0:
        say(f"  … {left:.0f} s left, {memory_mib():.0f} MiB")
        await asyncio.sleep(min(30.0, left))


def headline() -> str:
    """Of the table."""
    names = ["finished", "waiting", "start", "memory (MiB)", "processor", "worst delay of the loop (ms)"]
    names += [f"{what} (ms: median / 99 %)" for what in sorted(RATES)]
    return "| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|"


def memory_mib() -> float:
    """Of this process, now."""
    return memory(os.getpid())[0]


async def prepare(settings: Settings, finished: int, waiting: int | None, *, servers: int) -> None:
    """Fill an empty database with finished dreams (`waiting` None), or let so many wait in a full one."""
    database = Database(settings.database_url, busy_timeout_s=60)
    await database.open()
    if waiting is None:
        await build(database, finished, servers=servers, now=time())
    else:
        await line_up(database, finished, waiting, servers=servers, now=time())
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bot.bench_load", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--finished", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--waiting", type=int, nargs="+", default=[10, 1_000, 100_000])
    parser.add_argument("--servers", type=int, default=SERVERS, help="among which they are shared out")
    parser.add_argument("--seconds", type=float, default=600.0, help="for each size")
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    given = parser.parse_args()
    cluster = Cluster() if given.postgres else None
    table = [headline()]
    try:
        if cluster is not None:
            cluster.start()
        for finished in given.finished:
            with tempfile.TemporaryDirectory() as folder:
                url = cluster.url(cluster.create()) if cluster is not None else ""
                settings = Settings.read({"DATA_DIR": folder, "DATABASE_URL": url})
                settings = replace(settings, waiting_in_all=10**6, waiting_per_person=10**6)
                say(f"{finished:,} finished dreams are made")
                asyncio.run(prepare(settings, finished, None, servers=given.servers))
                for waiting in given.waiting:
                    say(f"{finished:,} finished, {waiting:,} waiting")
                    asyncio.run(prepare(settings, finished, waiting, servers=given.servers))
                    measured = measure(
                        settings, finished, waiting, servers=given.servers, seconds=given.seconds
                    )
                    table.append(asyncio.run(measured))
    finally:
        if cluster is not None:
            cluster.close()
        say("\n".join(table))


if __name__ == "__main__":
    main()
