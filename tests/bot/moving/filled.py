"""Rows for every table there is, whatever its columns: odd ones, as a move must not lose."""

from typing import Any

from sqlalchemy import Boolean, Float, Integer, LargeBinary, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database
from bot.database.tables import CONTENTS, dreams, metadata
from bot.moving.exporting import NOT_MOVED

MANY = 2**62  # as large as Discord's ids
WORDS = 'Ünïcödé 🍒 "quoted", \\ and\nlines \u2028'


def value(table: Table, name: str, number: int) -> Any:
    """A value of this column in the row with this number, 1 and on."""
    column = table.c[name]
    if table in CONTENTS and name in ("digest", "size"):
        return None  # in no object store
    if column.foreign_keys or (column.primary_key and column.autoincrement is True):
        return number
    if column.nullable and not column.unique and number % 3 == 0:
        return None
    kind = column.type
    if isinstance(kind, LargeBinary):
        return bytes(range(256)) * number
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, Float):
        return 1_700_000_000.123456 + number / 7
    if isinstance(kind, Integer):
        return number + (MANY if str(kind) == "BIGINT" else 0)
    return f"{number} {WORDS}"[: getattr(kind, "length", None)]


async def fill(database: Database, *, first: int = 1, rows: int = 5) -> None:
    """So many rows in each table."""
    async with database.transaction() as connection:
        for table in metadata.sorted_tables:
            if table.name not in NOT_MOVED:
                numbers = range(first, first + rows)
                values = [{each.name: value(table, each.name, n) for each in table.columns} for n in numbers]
                if table is dreams:
                    values = [each | {"state": "done", "gone": ""} for each in values]
                if values:
                    await connection.execute(insert(table), values)


async def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    async with database.transaction() as connection:
        return {table.name: await _rows(connection, table) for table in metadata.sorted_tables}


async def _rows(connection: AsyncConnection, table: Table) -> list[tuple[Any, ...]]:
    query = select(table).order_by(*table.primary_key.columns)
    return [tuple(row) for row in await connection.execute(query)]
