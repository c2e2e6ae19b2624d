"""Connections to a SQLite database: how they are begun, prepared and ended, and which one may write."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Thread
from typing import Any
from weakref import WeakSet

import aiosqlite
from sqlalchemy import Connection
from sqlalchemy.util import await_only

INCREMENTAL = 2  # what `auto_vacuum` says of a file that can shrink
_END_S = 5.0  # a thread that is still at work then is left to the process' end


class Connections:
    """Those of one database: SQLAlchemy calls `connect` for each; `ended` comes after the last one's end."""

    def __init__(self) -> None:
        self._threads: WeakSet[Thread] = WeakSet()

    def connect(self, database: str, **options: Any) -> aiosqlite.Connection:
        """As `aiosqlite.connect`, whose end nobody waits for in vain.

        Cancelled at work, a connection is stopped by SQLAlchemy, and once more by its own `close`. Its thread
        ends at the first: whoever waited for the second did so for ever, and with them the end of the loop.
        """
        connection = aiosqlite.connect(database, **options)
        connection.stop = cache(connection.stop)  # type: ignore[method-assign]
        thread: Thread = connection._thread
        thread.daemon = True  # as SQLAlchemy does with those that it begins itself
        self._threads.add(thread)
        return connection

    async def ended(self) -> None:
        """No thread tells the loop anything any more, which it may when this is over."""
        for thread in list(self._threads):
            if thread.is_alive():
                await asyncio.to_thread(thread.join, _END_S)


_WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE")


class Writers:
    """Lets this process's transactions write one after the other, first come, first served.

    SQLite lets only one write, and has all others try again and again after ever longer pauses: whoever came
    last is often the first, and some wait until they give up.
    """

    def __init__(self, *, patience_s: float) -> None:
        """`patience_s`: how long one waits for the others of this process."""
        self._patience_s = patience_s
        self._turn = asyncio.Lock()
        self._writes: dict[Connection, bool] = {}  # each transaction's: whether it has its turn

    @contextmanager
    def transaction(self, connection: Connection | None) -> Iterator[None]:
        """From its first writing statement until the end of the context it is this connection's turn."""
        assert connection is not None
        self._writes[connection] = False
        try:
            yield
        finally:
            if self._writes.pop(connection):
                self._turn.release()

    def hear(self, connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        """For SQLAlchemy's `before_cursor_execute`."""
        if self._writes.get(connection) is False and statement.lstrip().upper().startswith(_WRITES):
            await_only(self._wait())
            self._writes[connection] = True

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._turn.acquire()
        except TimeoutError:
            raise sqlite3.OperationalError("database is locked") from None  # as SQLite says it


def prepare(connection: Any, _record: Any) -> None:
    """Readers and a writer at the same time, and no dream lost when the power is."""
    cursor = connection.cursor()
    # First, for it counts while a file is empty: so it can give back what is free in it. An older one can
    # after its next VACUUM. Said again it is written again, and each new connection would wait for writers.
    cursor.execute("PRAGMA auto_vacuum")
    if cursor.fetchone() != (INCREMENTAL,):
        cursor.execute(f"PRAGMA auto_vacuum={INCREMENTAL:d}")
    # What is deleted is overwritten: people delete pictures that nobody shall see again.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
