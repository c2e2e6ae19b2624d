"""Several processes of the bot at one database, in a time that moves when a test says so.

For tests that try any order of things: whatever happens can be repeated exactly. The database is real, its
transactions come one after the other; a process can be killed, frozen and thawed, and lose its database.
"""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TypeVar

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, StoreBusy, StoreClosed
from bot.dreams.dream import DreamState
from tests.bot.rig import Rig

T = TypeVar("T")

BEGINNING = 1_000_000.0  # of every test's time, seconds since 1970
QUIET = 25  # turns of the loop in a row without a transaction, after which nothing more happens by itself


class Outage(Enum):
    """How a database fails."""

    NONE = auto()
    BEFORE = auto()  # nothing is kept
    AFTER = auto()  # it is kept, but nobody hears so: the connection broke at the commit


class MovedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGINNING

    def time(self) -> float:
        return self.now


class FailingDatabase(Database):
    """A real one, with faults on demand."""

    def __init__(self, path: Path, turn: asyncio.Lock, owner: str) -> None:
        """`turn`: whoever holds it has the only transaction of all; `owner`: whose transactions they are."""
        super().__init__(f"sqlite+aiosqlite:///{path}")
        event.listen(
            self._engine.sync_engine,
            "connect",
            lambda connection, _record: connection.create_function("acting", 0, lambda: owner),
        )
        self.outage = Outage.NONE
        self.is_dead = False
        self.at_work = 0  # transactions that are not held by a frozen process
        self._turn = turn
        self._thawed = asyncio.Event()
        self._thawed.set()

    @property
    def is_frozen(self) -> bool:
        return not self._thawed.is_set()

    def freeze(self) -> None:
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        await self._thawed.wait()
        self.at_work += 1
        try:
            if self.is_dead:
                raise StoreClosed
            if self.outage is Outage.BEFORE:
                raise StoreBusy
            async with self._turn, super().transaction() as connection:
                yield connection
            if self.outage is Outage.AFTER:
                raise StoreBusy
        finally:
            self.at_work -= 1


# Who changes what of a dream's lease, and whose state of it is kept.
_WATCH = """
CREATE TABLE steps (
    dream_id INTEGER, who TEXT, before TEXT, after TEXT, owner TEXT, new_owner TEXT,
    lease_until REAL, at REAL, attempts INTEGER, rescues INTEGER
);
CREATE TRIGGER step AFTER UPDATE OF state, owner, lease_until ON dreams BEGIN
    INSERT INTO steps VALUES (
        NEW.id, acting(), OLD.state, NEW.state, OLD.owner, NEW.owner,
        OLD.lease_until, NEW.started_at, NEW.attempts - OLD.attempts, NEW.rescues - OLD.rescues
    );
END;
CREATE TABLE kept (dream_id INTEGER, who TEXT, owner TEXT, state TEXT);
CREATE TRIGGER keep AFTER INSERT ON states BEGIN
    INSERT INTO kept SELECT id, acting(), owner, state FROM dreams WHERE id = NEW.dream_id;
END;
CREATE TRIGGER keep_again AFTER UPDATE ON states BEGIN
    INSERT INTO kept SELECT id, acting(), owner, state FROM dreams WHERE id = NEW.dream_id;
END;
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A change of a dream's state or lease."""

    dream_id: int
    who: str
    before: str
    after: str
    owner: str | None
    new_owner: str | None
    lease_until: float | None
    at: float | None  # when it was claimed last
    attempts: int  # how many more
    rescues: int


class Life(Rig):
    """One process. Its looks for others are seconds apart, as they really are."""

    poll_s, retry_s = 10.0, 5.0
    dreams = True  # its worker is begun
    database: FailingDatabase

    async def open(self) -> "Life":
        await self.database.open()
        await self.moderation.start()
        if self.dreams:
            await self.worker.start()
        return self

    @property
    def is_well(self) -> bool:
        """Whether it runs, and its database with it."""
        return not self.database.is_frozen and self.database.outage is Outage.NONE

    async def kill(self) -> None:
        """It is gone from one moment to the next: nothing that it was about to store is stored."""
        self.database.is_dead = True
        self.database.thaw()
        await self.close()


class Lives:
    """All processes of one test, and what any of them did to the dreams' states."""

    def __init__(self, folder: Path, newest_file: Path) -> None:
        """`newest_file`: a database with its tables; it is copied into the folder."""
        self.loop = MovedLoop()
        self.path = folder / "oneiro.db"
        shutil.copyfile(newest_file, self.path)
        self._file = sqlite3.connect(self.path, isolation_level=None)
        self._file.executescript(_WATCH)
        self._turn = asyncio.Lock()
        self._born = 0
        self.alive: list[Life] = []

    def close(self) -> None:
        for life in list(self.alive):
            self.kill(life)
        self._file.close()
        self.loop.close()

    def bear(self, *, per_person: int = 100, dreams: bool = True, engines: int = 1) -> Life:
        """Begin one more process. `dreams`: with its worker."""
        self._born += 1
        owner = f"process {self._born}"
        database = FailingDatabase(self.path, self._turn, owner)
        life = Life(database, owner, engines=engines, per_person=per_person, clock=self.loop.time)
        life.dreams = dreams
        self.run(life.open())
        self.alive.append(life)
        return life

    def kill(self, life: Life) -> None:
        self.alive.remove(life)
        self.run(life.kill())

    def stop(self, life: Life) -> None:
        """An orderly end."""
        self.alive.remove(life)
        self.run(life.close())

    def run(self, doing: Awaitable[T]) -> T:
        """Do this and whatever follows from it at the same moment."""
        return self.loop.run_until_complete(self._and_settle(doing))

    def settle(self) -> None:
        """Let everything happen that happens at this moment."""
        self.run(asyncio.sleep(0))

    def move(self, seconds: float, *, at_once: float = 5.0) -> None:
        """Let time go by, `at_once` seconds after each other, for all of them."""
        until = self.loop.now + seconds
        while self.loop.now < until:
            self.loop.now = min(self.loop.now + at_once, until)
            self.settle()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the database holds."""
        return self._file.execute(query).fetchall()

    def steps(self) -> dict[int, list[tuple[DreamState, DreamState]]]:
        """The changes of each dream's state, in order."""
        found: dict[int, list[tuple[DreamState, DreamState]]] = {}
        query = "SELECT dream_id, before, after FROM steps WHERE before <> after ORDER BY rowid"
        for dream_id, before, after in self._file.execute(query):
            found.setdefault(dream_id, []).append((DreamState(before), DreamState(after)))
        return found

    def changes(self, since: int) -> list[Step]:
        """The changes of dreams' states and leases after so many ones, in order."""
        rows = self._file.execute("SELECT * FROM steps WHERE rowid > ? ORDER BY rowid", (since,))
        return [Step(*row) for row in rows]

    async def _and_settle(self, doing: Awaitable[T]) -> T:
        try:
            return await doing
        finally:
            quiet = 0
            while quiet < QUIET:
                await asyncio.sleep(0)
                busy = any(life.database.at_work for life in self.alive)
                quiet = 0 if busy else quiet + 1
                if busy:
                    time.sleep(0.0001)  # noqa: ASYNC251 (SQLite's thread needs the core more)
