"""The database: opening it with its tables in their newest form, transactions, named errors. Knows no table.

`Store` and its neighbours share one `Database`; each has tables of its own on `bot.schema.metadata`.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.migrations import NewerTables, is_current, upgrade

BUSY_TIMEOUT_S = 2.0  # how long SQLite waits for another writer; an interaction must be answered within 3 s


class StoreError(Exception):
    """The database cannot be used just now."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or (type(self).__doc__ or "").split("\n")[0])


class StoreFull(StoreError):
    """The disk is full, so nothing new can be kept."""


class StoreBusy(StoreError):
    """The database is locked by another program."""


class Database:
    """One database, SQLite or PostgreSQL. `open` first, `close` last."""

    def __init__(self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """`url`: for SQLAlchemy's asyncio engine."""
        parsed = make_url(url)
        self._file = (
            Path(parsed.database) if parsed.drivername == "sqlite+aiosqlite" and parsed.database else None
        )
        options: dict[str, Any] = {"connect_args": {"timeout": busy_timeout_s}} if self._file else {}
        self._engine: AsyncEngine = create_async_engine(parsed, **options)
        if self._file:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)

    async def open(self) -> None:
        """Bring the tables to their newest form. Raises `StoreError` when they are newer or not usable."""
        if self._file:
            try:
                await asyncio.to_thread(self._file.parent.mkdir, parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"The folder {self._file.parent} cannot be made: {error.strerror}."
                ) from error
        try:
            async with self.transaction() as connection:
                current = await connection.run_sync(is_current)
            if not current:
                await self._upgrade()
        except NewerTables as error:
            raise StoreError(
                "The database was made by a newer version of Oneiro; please update this one."
            ) from error

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """All or nothing. Raises `StoreError`; `IntegrityError` passes: it is about a row."""
        try:
            async with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise _named(error) from error

    async def _upgrade(self) -> None:
        """All steps in one transaction that shuts other processes out: two may open a database at once."""
        async with self.transaction() as connection:
            if self._file:
                # Outside a transaction, or it has no effect; with it a table made anew takes its rows along.
                await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20211)")  # any number of ours
            await connection.run_sync(upgrade)
        await self._engine.dispose()  # the next connections mind foreign keys again


def _named(error: Exception) -> StoreError:
    """The `StoreError` for an error of the driver. SQLite tells these apart only in its message."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause).lower()
    if "full" in text or "no space" in text:
        return StoreFull()
    if "locked" in text or "busy" in text:
        return StoreBusy()
    return StoreError()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Readers and a writer at the same time, and no dream lost when the power is."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
