"""Writes everything that is in a database into one file, as it is at one moment, while bots go on working.

The file has all bytes itself, also those that lie in an object store.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from time import time
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, StoreError, StoreMissing
from bot.database.contents import Contents
from bot.database.migrations import UnknownTables, step_of, tables_at
from bot.database.tables import (
    CONTENTS,
    chores,
    object_store,
    schema_version,
    standings,
    tallies,
    unreferenced,
)
from bot.moving.export_file import Contents as FileContents
from bot.moving.export_file import TableContents, Writer, writing
from bot.moving.rows import Rows
from bot.objects.store import Objects

PAGE_ROWS = 1000
PAGE_BYTES = 2 * 2**20  # that are read at once, as far as the rows before tell
COUNTED = frozenset({tallies.name, standings.name})  # by the database itself, from the votes
OF_STORE = frozenset({unreferenced.name, object_store.name})  # of the one object store of a database
# What the steps write themselves, what processes have in hand, and what is counted anew.
NOT_MOVED = frozenset({schema_version.name, "alembic_version", chores.name}) | COUNTED | OF_STORE
AT_ONCE = 8  # objects that are fetched
_MAY_BE_ELSEWHERE = frozenset(table.name for table in CONTENTS)

Progress = Callable[[int, int], None]  # (rows that are done, rows in all)


def moved_tables(step: str) -> list[Table]:
    """All tables that hold what people and moderators did, each after those that it refers to."""
    return [table for table in tables_at(step).sorted_tables if table.name not in NOT_MOVED]


async def export(
    database: Database,
    path: Path,
    *,
    objects: Objects | None = None,
    replace: bool = False,
    progress: Progress = lambda done, of: None,
) -> FileContents:
    """Write the export of a database, which needs no `open`. Gives what is in it.

    The database is left as it is, its tables' form included. Rows whose bytes are lost in the object store
    are left out, and the log says so. Raises `StoreError` and `OSError`.
    """
    places = Contents(database, objects)
    with writing(path, replace=replace) as writer:
        async with database.snapshot() as connection:
            try:
                step = await connection.run_sync(step_of)
            except UnknownTables as error:
                raise StoreError(error.__doc__) from error
            if step is None:
                raise StoreMissing("There is nothing in the database yet.")
            tables = [Rows(table) for table in await asyncio.to_thread(moved_tables, step)]
            found = {rows.name: await _count(connection, rows) for rows in tables}
            done, contents = 0, {}
            for rows in tables:
                written = 0
                async for written in _written(connection, rows, writer, places):
                    progress(done + written, sum(found.values()))
                done += written
                contents[rows.name] = TableContents(tuple(rows.columns), written)
        whole = FileContents(step, time(), contents)
        writer.end(whole)
    return whole


async def _count(connection: AsyncConnection, rows: Rows) -> int:
    return await connection.scalar(select(func.count()).select_from(rows.table)) or 0


async def _written(
    connection: AsyncConnection, rows: Rows, writer: Writer, places: Contents
) -> AsyncIterator[int]:
    """Write a table's rows; gives after each page how many."""
    written = 0
    with writer.table(rows.name) as write:
        async for page in pages(connection, rows):
            for start in range(0, len(page), AT_ONCE):
                for row in await _whole(page[start : start + AT_ONCE], rows, places):
                    write(rows.write(row))
                    written += 1
            yield written


async def _whole(some: Sequence[Any], rows: Rows, places: Contents) -> list[Any]:
    """These rows with their bytes, wherever they lie."""
    if rows.name not in _MAY_BE_ELSEWHERE or "digest" not in rows.columns:
        return list(some)
    found = await asyncio.gather(*(places.content(row.content, row.digest) for row in some))
    return [
        tuple({**row._mapping, "content": content, "digest": None, "size": None}.values())
        for row, content in zip(some, found, strict=True)
        if content is not None
    ]


async def pages(connection: AsyncConnection, rows: Rows) -> AsyncIterator[list[Any]]:
    """A table's rows, ordered by its key, some at a time: fewer where they are large."""
    key = tuple_(*(rows.table.c[name] for name in rows.key))
    places = [rows.columns.index(name) for name in rows.key]
    blobs = [func.coalesce(func.length(each), 0) for each in rows.table.c if rows.is_bytes(each.name)]
    if rows.name in _MAY_BE_ELSEWHERE and "size" in rows.columns:
        blobs.append(func.coalesce(rows.table.c.size, 0))
    after: ColumnElement[bool] | None = None
    most = PAGE_ROWS
    while True:
        if blobs:
            most = await _fitting(connection, select(*blobs), key, after)
        query = _next(select(rows.table), key, after).limit(most)
        page = list(await connection.execute(query))
        if page:
            yield page
        if len(page) < most:
            return
        last = page[-1]
        after = key > tuple_(*(last[place] for place in places))


async def _fitting(connection: AsyncConnection, sizes: Any, key: Any, after: Any) -> int:
    """How many of the next rows have no more bytes than a page, but at least one."""
    fitting, total = 0, 0
    for row in await connection.execute(_next(sizes, key, after).limit(PAGE_ROWS)):
        total += sum(row)
        if total > PAGE_BYTES:
            break
        fitting += 1
    return max(fitting, 1)


def _next(query: Any, key: Any, after: Any) -> Any:
    return (query if after is None else query.where(after)).order_by(*key.clauses)
