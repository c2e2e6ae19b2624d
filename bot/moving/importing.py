"""Fills an empty database with an export: all of it or nothing, also one that an older version made."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Select, func, insert, inspect, literal_column, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, StoreError
from bot.database.migrations import UnknownTables, step_of, steps, tables_at, upgrade
from bot.database.tables import CONTENTS, metadata
from bot.database.tallying import CountedAtTheEnd
from bot.dreams.store import left_behind
from bot.moving.export_file import BadExport, Contents, Reader, reading
from bot.moving.exporting import NOT_MOVED, Progress, moved_tables
from bot.moving.rows import BadRow, Rows

BATCH_ROWS = 1000
BATCH_BYTES = 4 * 2**20  # of lines
_WHOLE = frozenset(table.name for table in CONTENTS)  # whose rows have their bytes themselves in a file


class NotEmpty(StoreError):
    """The database is not empty, and an import would mix two. Please name an empty one in DATABASE_URL."""


async def import_(database: Database, path: Path, *, progress: Progress = lambda done, of: None) -> Contents:
    """Fill a database, which needs no `open` and no tables. Gives what came into it.

    All bytes come into the database; the bot moves them into its object store, if it has one.
    Dreams that were being dreamt wait in line again: whoever dreamt them is no more. Raises `NotEmpty`,
    `StoreInUse` and other `StoreError`, `BadExport`, and `OSError` when there is no such file.
    """
    with reading(path) as reader:
        contents = reader.contents
        if contents.step not in steps():
            raise BadExport("The export was made by a newer version of Oneiro; please update this one.")
        tables = [Rows(table) for table in await asyncio.to_thread(moved_tables, contents.step)]
        _check_tables(contents, tables)
        async with database.sole() as connection:
            await _prepare(connection, contents.step)
            counting = CountedAtTheEnd()
            await counting.begin(connection)
            done = 0
            for rows in tables:
                for batch in _batches(reader, rows):
                    await _insert(connection, rows, batch)
                    done += len(batch)
                    progress(done, contents.rows)
            await counting.end(connection)
            await connection.run_sync(upgrade)
            await _set_sequences(connection)
            for statement in left_behind():
                await connection.execute(statement)
    return contents


def _check_tables(contents: Contents, tables: list[Rows]) -> None:
    ours = {rows.name: rows.columns for rows in tables}
    strange = sorted(contents.tables.keys() ^ ours.keys())
    if strange:
        raise BadExport(f"The export does not hold Oneiro's tables ({', '.join(strange)[:200]}).")
    for name, said in contents.tables.items():
        if list(said.columns) != ours[name]:
            raise BadExport(f"The export's table {name} does not have the columns of Oneiro's.")


async def _prepare(connection: AsyncConnection, step: str) -> None:
    """Have the tables as they were in the export. Raises `NotEmpty` and `StoreError`."""
    try:
        found = await connection.run_sync(step_of)
    except UnknownTables as error:
        raise StoreError(error.__doc__) from error
    if found is not None:
        described = tables_at(found)
        await _check_empty(connection, described)
        if found != step:
            await connection.run_sync(described.drop_all)
            found = None
    elif await connection.run_sync(_has_strange_tables):
        raise NotEmpty
    if found is None:
        await connection.run_sync(upgrade, step)
    if connection.dialect.name == "postgresql":  # whoever begins meanwhile waits
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        await connection.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")


def _has_strange_tables(connection: Connection) -> bool:
    """Tables of somebody else's with names of ours."""
    return bool(metadata.tables.keys() & set(inspect(connection).get_table_names()))


async def _check_empty(connection: AsyncConnection, described: MetaData) -> None:
    for table in described.sorted_tables:
        if table.name not in NOT_MOVED:
            query: Select[Any] = select(literal_column("1")).select_from(table).limit(1)
            if (await connection.execute(query)).first() is not None:
                raise NotEmpty


def _batches(reader: Reader, rows: Rows) -> Iterator[list[dict[str, Any]]]:
    """A table's rows, some at a time. Raises `BadExport`."""
    batch: list[dict[str, Any]] = []
    size = 0
    for number, line in enumerate(reader.lines(rows.name), start=1):
        try:
            row = rows.read(line)
            if rows.name in _WHOLE and row.get("digest") is not None:
                raise BadRow
            batch.append(row)
        except BadRow as error:
            raise BadExport(f"Row {number} of the export's table {rows.name} is none of Oneiro's.") from error
        size += len(line)
        if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _insert(connection: AsyncConnection, rows: Rows, batch: list[dict[str, Any]]) -> None:
    try:
        await connection.execute(insert(rows.table), batch)
    except (IntegrityError, DataError) as error:
        raise _unfit(rows, batch) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "")[:2] == "22":  # of PostgreSQL: a value that it does not take
            raise _unfit(rows, batch) from error
        raise


def _unfit(rows: Rows, batch: list[dict[str, Any]]) -> BadExport:
    first = ", ".join(str(batch[0][name]) for name in rows.key)
    return BadExport(
        f"A row of the export's table {rows.name} cannot be stored (it comes soon after {first})."
    )


async def _set_sequences(connection: AsyncConnection) -> None:
    """Let PostgreSQL count on from the highest id; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        key = list(table.primary_key)
        if len(key) == 1 and key[0].autoincrement is True:
            named = text("SELECT setval(pg_get_serial_sequence(:named, :key), :last)")
            last = await connection.scalar(select(func.max(key[0])))
            if last is not None:
                await connection.execute(named, {"named": table.name, "key": key[0].name, "last": last})
