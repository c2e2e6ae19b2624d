"""The database: opening it with its tables in their newest form, transactions, named errors. Knows no table.

`Store` and its neighbours share one `Database`; their tables stand in `bot.database.tables`.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.database.file import file_size, make_folder, make_private, rewrite_once, shrink, truncate_log
from bot.database.migrations import UnknownTables, is_current, upgrade
from bot.database.server import ServerConnections, contents_size
from bot.database.sqlite import Connections, Writers, prepare

try:
    from asyncpg import InterfaceError, PostgresError

    _SERVER_ERRORS: tuple[type[Exception], ...] = (InterfaceError, PostgresError)
except ImportError:  # the extra `postgres`
    _SERVER_ERRORS = ()
_ERRORS: tuple[type[Exception], ...] = (SQLAlchemyError, sqlite3.Error, OSError, *_SERVER_ERRORS)

log = logging.getLogger(__name__)

FORGET_S, FORGET_TRIES = 1.0, 60  # seconds between tries to empty the write-ahead log, and how many
# How long a start waits for a database that is locked or away: hosts start both at once, and a process that
# is paused in the middle of a change keeps a SQLite file locked until it goes on.
STARTING_S = 20.0
STARTING_AGAIN_S = 0.5  # seconds between two tries
BUSY_TIMEOUT_S = 2.0  # how long to wait for another writer; an interaction must be answered within 3 s
# Of a PostgreSQL server:
CONNECT_S = 2.0  # for a connection, for the same reason
CLOSE_S = 5.0  # seconds to wait at the end for transactions that run
ALIVE_S = 30.0  # between looks whether the connection that listens still lives
SILENCE_S = 60.0  # for one statement's answer; a time-lapse of some MB is long on its way
CONNECTIONS = 8  # hosts' small plans allow 20, and two of our processes may overlap; one of them listens
# For `alone`: numbers that no other program uses.
UPGRADING, MODERATING, ADMITTING, TALLYING = 20211, 20212, 20213, 20214

# As which our connections show in PostgreSQL's list of those at work: with a word for each process behind it.
PROGRAM = "oneiro"
NEWS = "oneiro"  # where it tells "TABLE PROGRAM WORD"; the migrations write it out
_OTHERS_AT_WORK = f"""SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '{PROGRAM} %'
    AND datname = current_database() AND pid <> pg_backend_pid()"""

# SQLSTATEs (PostgreSQL 15, appendix A) that say what to do.
_FULL = frozenset({"53100"})
_BUSY = frozenset({"40001", "40P01", "55P03", "57014"})  # locks and deadlocks
_CROWDED = "53300"
_SHUT = frozenset({"57P01", "57P02", "57P03"})  # it is starting or stopping
_POOLED = (
    "Before the database's server stands a pooler that lends a connection for one transaction only; "
    "please write pgbouncer=true behind the ? of DATABASE_URL."
)
_WRONG = {
    "26000": _POOLED,  # a prepared statement is not there …
    "42P05": _POOLED,  # … or is there already
    "28000": "The database does not accept the name in DATABASE_URL, or not from here.",
    "28P01": "The database does not accept the name or the password in DATABASE_URL.",
    "3D000": "The database's server does not know the database that DATABASE_URL names.",
    "42501": "The name in DATABASE_URL may not make or change tables in this database.",
}
_TELLING = ("08", "25", "42", "53", "54", "55", "57", "58", "XX")  # classes whose messages quote no row


class StoreError(Exception):
    """The database cannot be used just now."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or (type(self).__doc__ or "").split("\n")[0])


class StoreFull(StoreError):
    """The disk is full, so nothing new can be kept."""


class StoreBusy(StoreError):
    """The database is locked by another program."""


class StoreAway(StoreError):
    """The database's server cannot be reached."""


class StoreClosed(StoreError):
    """The bot is stopping, so nothing is kept any more."""


class StoreMissing(StoreError):
    """There is no database yet."""


class StoreInUse(StoreError):
    """Another process is at work on the database; please stop it first."""


class Database:
    """One database, SQLite or PostgreSQL. `open` first, `close` last."""

    def __init__(
        self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S, starting_s: float = STARTING_S
    ) -> None:
        """`url`: for SQLAlchemy's asyncio engine; behind the ? of a server's address libpq's words, and
        `pgbouncer=true` where a pooler lends us another of its connections for each transaction."""
        self.url = url  # with its password
        parsed = make_url(url)
        self._is_pooled = "pgbouncer" in parsed.query
        parsed = parsed.difference_update_query(("pgbouncer",))
        self._file = (
            Path(parsed.database) if parsed.drivername == "sqlite+aiosqlite" and parsed.database else None
        )
        self._connections = Connections()  # to SQLite
        self._server_connections = ServerConnections()
        self._writers = Writers(patience_s=busy_timeout_s)  # in SQLite
        self._forgetting: asyncio.Task[None] | None = None
        self._tries = 0  # that are left to empty the write-ahead log
        self._running = 0  # transactions
        self.errors = 0  # transactions that failed, each because of the database
        self.on_full: list[Callable[[], None]] = []  # told when its disk had no room
        self._ended = asyncio.Event()  # one of them, once this is closed
        self._closed = asyncio.Event()
        self._starting_s = starting_s
        self._name = f"{PROGRAM} {token_hex(8)}"
        self._is_server = parsed.get_backend_name() == "postgresql"
        options: dict[str, Any] = {}
        if self._file:
            options = {
                "connect_args": {"timeout": busy_timeout_s, "async_creator_fn": self._connections.connect}
            }
        elif self._is_server:
            parsed, options = _for_server(parsed, is_pooled=self._is_pooled)
            options["connect_args"] |= {"async_creator_fn": self._server_connections.connect}
        self._engine: AsyncEngine = create_async_engine(parsed, **options)
        if self._file:
            event.listen(self._engine.sync_engine, "connect", prepare)
            event.listen(self._engine.sync_engine, "before_cursor_execute", self._writers.hear)
        elif self._is_pooled:
            event.listen(self._engine.sync_engine, "begin", _prepare_transaction(busy_timeout_s))
        elif self._is_server:
            event.listen(self._engine.sync_engine, "connect", _prepare_server(busy_timeout_s, self._name))

    async def open(self) -> None:
        """Bring the tables to their newest form. Raises `StoreError` when they are unknown or not usable."""
        self._closed.clear()
        await self._prepare_file()
        await patiently(self._bring_up, patience_s=self._starting_s)
        if self._file and self._is_on_disk:
            await rewrite_once(self._engine, self._file)
            if not await self._emptied_log():  # of what a process left that was killed
                self.forget()

    async def close(self) -> None:
        """Let transactions come to their end, and begin no others: whoever is still at work hears so."""
        self._closed.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self._running:
                    self._ended.clear()
                    await self._ended.wait()
        if self._forgetting is not None:
            await asyncio.wait({self._forgetting})
        await self._engine.dispose()  # the last connection's end empties the log
        await self._connections.ended()
        await self._server_connections.ended()

    def forget(self) -> None:
        """Soon have the bytes of what was deleted nowhere any more. Returns at once, raises nothing.

        In SQLite's file they are overwritten when they are deleted; older ones stay in its write-ahead log
        until that is emptied. Of PostgreSQL see `bot.database.file`.
        """
        if self._is_on_disk and not self._closed.is_set():
            self._tries = FORGET_TRIES
            if self._forgetting is None or self._forgetting.done():
                # It is nobody's of those who asked: it goes on after them.
                self._forgetting = asyncio.create_task(self._empty_log(), context=Context())

    async def size(self) -> int:
        """Bytes that it takes on its disk, as far as it tells. Raises `StoreError`."""
        async with self.transaction() as connection:
            if self._is_server:
                found = await connection.scalar(text("SELECT pg_database_size(current_database())"))
                return int(found or 0)
            return (await file_size(connection)).total

    async def used(self) -> int:
        """Bytes of what is kept in it. Raises `StoreError`.

        Of a SQLite file all that is not free in it. Of PostgreSQL the contents alone (pictures, films …):
        what is deleted there is free only once autovacuum was there, and must not count until then.
        """
        async with self.transaction() as connection:
            if self._is_server:
                return await contents_size(connection)
            return (await file_size(connection)).used

    async def give_back(self) -> bool:
        """Give the disk back some of what is free in the file. True while there is more. Raises `StoreError`.

        Files from before `auto_vacuum` keep their size, and what is free in them is used again; PostgreSQL's
        autovacuum sees to its own.
        """
        if self._is_server:
            return False
        if self._closed.is_set():
            raise StoreClosed
        try:
            return await shrink(self._engine)
        except _ERRORS as error:
            raise _named(error) from error

    @property
    def _is_on_disk(self) -> bool:
        return self._file is not None and self._file.name != ":memory:"

    async def _prepare_file(self) -> None:
        if self._file:
            try:
                await asyncio.to_thread(make_folder, self._file)
            except OSError as error:
                raise StoreError(
                    f"The folder {self._file.parent} cannot be made: {error.strerror}."
                ) from error
            if self._is_on_disk:
                await asyncio.to_thread(make_private, self._file)

    async def _empty_log(self) -> None:
        while self._tries and not self._closed.is_set():
            self._tries = left = self._tries - 1
            if await self._emptied_log() and self._tries == left:  # nobody asked again meanwhile
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(FORGET_S):
                    await self._closed.wait()

    async def _emptied_log(self) -> bool:
        try:
            return await truncate_log(self._engine)
        except _ERRORS as error:
            log.debug("The write-ahead log is not emptied yet: %s", error)
            return False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """All or nothing. Raises `StoreError`; `IntegrityError` passes: it is about a row."""
        async with self._transaction_of(self._engine) as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that only reads, and sees until its end what is there at its begin.

        Others go on writing. Needs no `open`, and changes nothing. Raises `StoreError`.
        """
        if self._is_on_disk and not (self._file and self._file.exists()):
            raise StoreMissing(f"There is no database at {self._file}.")
        engine = self._engine
        if self._is_server:
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with self._transaction_of(engine) as connection:
            if not self._is_server:
                await connection.exec_driver_sql("BEGIN")
            yield connection

    @asynccontextmanager
    async def sole(self) -> AsyncIterator[AsyncConnection]:
        """One transaction of the only process that is at work on the database, which may have no tables yet.

        Whoever begins meanwhile waits, and is then told that the database is locked. Needs no `open`. Raises
        `StoreInUse` and other `StoreError`.
        """
        await self._prepare_file()
        async with self._transaction_of(self._engine) as connection:
            if self._is_server:
                await _alone_at_work(connection)
                await alone(connection, UPGRADING)
            else:
                await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                try:  # which SQLite refuses while another connection is open
                    await connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
                except DBAPIError as error:
                    raise StoreInUse from error
                await connection.exec_driver_sql("BEGIN EXCLUSIVE")
            yield connection
        await self._engine.dispose()

    @property
    def tells_news(self) -> bool:
        """Whether the database says by itself what other processes change."""
        return self._is_server and not self._is_pooled

    @asynccontextmanager
    async def listening(self, hear: Callable[[str], None]) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Inside the context be told the tables that other processes change, on the loop, each at once.

        Gives what waits until the connection is lost. Only where `tells_news`. Raises `StoreError`.
        """
        gone = asyncio.Event()

        def told(_connection: object, _pid: int, _channel: str, message: object) -> None:
            table, _, who = str(message).partition(" ")
            if who != self._name:
                hear(table)

        try:
            async with self._engine.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None

                async def lost() -> None:
                    with suppress(*_ERRORS, TimeoutError):
                        while not gone.is_set():
                            await driver.execute("SELECT 1", timeout=CONNECT_S)  # of some ends nobody is told
                            with suppress(TimeoutError):
                                async with asyncio.timeout(ALIVE_S):
                                    await gone.wait()

                driver.add_termination_listener(lambda _connection: gone.set())
                try:
                    await driver.add_listener(NEWS, told)
                    yield lost
                finally:
                    await connection.invalidate()  # so that nobody else is told by it
        except _ERRORS as error:
            raise _named_by_server(error) from error

    @asynccontextmanager
    async def _transaction_of(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        if self._closed.is_set():
            raise StoreClosed
        self._running += 1
        try:
            async with engine.connect() as connection:
                with self._writers.transaction(connection.sync_connection):
                    async with connection.begin():
                        yield connection
        except IntegrityError:
            raise
        except _ERRORS as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # it is cancelled, whatever its rollback met
                raise asyncio.CancelledError from error
            self.errors += 1
            named = (_named_by_server if self._is_server else _named)(error)
            if isinstance(named, StoreFull):
                for hear in self.on_full:
                    hear()
            raise named from error
        finally:
            self._running -= 1
            if self._closed.is_set():
                self._ended.set()

    async def _bring_up(self) -> None:
        try:
            async with self.transaction() as connection:
                up_to_date = await connection.run_sync(is_current)
            if not up_to_date:
                await self._upgrade()
        except UnknownTables as error:
            raise StoreError(error.__doc__) from error

    async def _upgrade(self) -> None:
        """All steps in one transaction that shuts other processes out: two may open a database at once."""
        async with self.transaction() as connection:
            if self._is_server:
                await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{SILENCE_S:.0f}s'")
            else:
                # Outside a transaction, or it has no effect; with it a table made anew takes its rows along.
                await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            await alone(connection, UPGRADING)
            await connection.run_sync(upgrade)
        await self._engine.dispose()  # the next connections mind foreign keys again


async def patiently(work: Callable[[], Awaitable[None]], *, patience_s: float = STARTING_S) -> None:
    """Do this at the start, again while the database is locked or away. Raises `StoreError` in the end.

    Who starts beside a process that is stopped may meet its last transactions, and nobody else may be left.
    """
    until = monotonic() + patience_s
    while True:
        try:
            return await work()
        except (StoreAway, StoreBusy) as error:
            if monotonic() >= until:
                raise
            log.warning("%s It is tried again.", error)
        await asyncio.sleep(STARTING_AGAIN_S)


async def alone(connection: AsyncConnection, number: int) -> None:
    """Until its end let no other transaction be alone with this number (SQLite: let none write)."""
    if not await alone_on_server(connection, number):
        await connection.exec_driver_sql("BEGIN IMMEDIATE")


async def alone_on_server(connection: AsyncConnection, number: int) -> bool:
    """As `alone`, where that is PostgreSQL; for a transaction that has begun to read. Whether it is."""
    is_server = connection.dialect.name == "postgresql"
    if is_server:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number:d})")
    return is_server


async def _alone_at_work(connection: AsyncConnection) -> None:
    """Raises `StoreInUse` where another process of ours is connected to this PostgreSQL database."""
    until = monotonic() + BUSY_TIMEOUT_S  # whoever stops just now is seen a moment longer
    while await connection.scalar(text(_OTHERS_AT_WORK)):
        if monotonic() >= until:
            raise StoreInUse
        await connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
        await asyncio.sleep(0.05)


async def put(connection: AsyncConnection, table: Table, *rows: Mapping[str, Any]) -> None:
    """Let these rows be in a table, each instead of the one with its primary key; all name the same columns.

    In one statement, so that whoever puts the same row at the same moment is not refused: in PostgreSQL a
    deletion keeps nobody from inserting.
    """
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    others = {name: statement.excluded[name] for name in rows[0] if not table.c[name].primary_key}
    if others:
        statement = statement.on_conflict_do_update(index_elements=table.primary_key, set_=others)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=table.primary_key)
    await connection.execute(statement, list(rows))


def _named(error: Exception) -> StoreError:
    """The `StoreError` for an error of SQLite's driver, which tells them apart only in its message."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = str(cause).lower()
    if "full" in said or "no space" in said:
        return StoreFull()
    if "locked" in said or "busy" in said:
        return StoreBusy()
    return StoreError()


def _named_by_server(error: Exception) -> StoreError:
    """The `StoreError` for an error on the way to PostgreSQL, or of its own."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or ""
    if state in _FULL:
        return StoreFull()
    if state == _CROWDED or isinstance(error, PoolTimeout):
        return StoreBusy("The database has no connection left for us just now.")
    if state in _BUSY:
        return StoreBusy()
    if state in _SHUT or isinstance(cause, OSError) or getattr(error, "connection_invalidated", False):
        why = str(cause) if isinstance(cause, OSError) and str(cause) else "no answer"
        return StoreAway(f"{StoreAway.__doc__} Please check DATABASE_URL and the network ({why}).")
    if state in _WRONG:
        return StoreError(_WRONG[state])
    if state.startswith(_TELLING):
        return StoreError(f"{StoreError.__doc__} The reason: {cause}")
    return StoreError()


def _for_server(url: URL, *, is_pooled: bool) -> tuple[URL, dict[str, Any]]:
    """A PostgreSQL server's address without libpq's words, and the options of an engine for it."""
    told: dict[str, Any] = {"timeout": CONNECT_S, "command_timeout": SILENCE_S}
    if is_pooled:  # what was prepared in one transaction is not there in the next
        told |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": str,  # "", the one that is replaced: nothing piles up
        }
    if url.query:  # only of such an address does asyncpg take them
        told["dsn"] = f"postgresql://?{urlencode(url.query, doseq=True)}"
    return url.set(query={}), {
        "connect_args": told,
        "pool_size": CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": CONNECT_S,
        "pool_pre_ping": True,  # servers restart, and hosts cut connections that are idle
        "hide_parameters": True,  # people's words stay out of the log
    }


def _patience(busy_timeout_s: float) -> dict[str, Any]:
    """Nobody waits long for a row, and one whose process vanished while it held some lets them go; in ms."""
    return {
        "lock_timeout": round(busy_timeout_s * 1000),
        "idle_in_transaction_session_timeout": round(SILENCE_S * 1000),
    }


def _prepare_server(busy_timeout_s: float, own_name: str) -> Any:
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        # Not as parameters of the connection: PgBouncer refuses those that it does not know.
        for name, value in (_patience(busy_timeout_s) | {"application_name": own_name}).items():
            cursor.execute(f"SET {name} = '{value}'")
        connection.commit()
        cursor.close()

    return prepare


def _prepare_transaction(busy_timeout_s: float) -> Any:
    """For each transaction anew: what a session sets stays with the pooler's connection, for others."""
    settings = _patience(busy_timeout_s).items()
    given = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings)

    def prepare(connection: Any) -> None:
        connection.exec_driver_sql(f"SELECT {given}")

    return prepare
