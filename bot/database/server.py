"""Connections to PostgreSQL, and what it tells of itself. Knows no table."""

import asyncio
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

try:
    import asyncpg
except ImportError:  # the extra `postgres`
    asyncpg = None

_CONTENTS = text(
    "SELECT quote_ident(table_name), quote_ident(column_name) FROM information_schema.columns "
    "WHERE data_type = 'bytea' AND table_schema = current_schema()"
)


async def contents_size(connection: AsyncConnection) -> int:
    """Bytes of all pictures, films, states and the like. It reads how large each is, and none of them."""
    total = 0
    for table, column in (await connection.execute(_CONTENTS)).all():
        total += int(await connection.scalar(text(f"SELECT sum(octet_length({column})) FROM {table}")) or 0)
    return total


class ServerConnections:
    """Those of one database: SQLAlchemy calls `connect` for each; `ended` comes after the last one's end."""

    def __init__(self) -> None:
        self._beginning: set[asyncio.Task[Any]] = set()

    async def connect(self, *address: Any, **options: Any) -> Any:
        """As `asyncpg.connect`, which goes on to its end when whoever asked for it is cancelled.

        Cancelled on the way it would leave a future behind of which nobody hears how it ended, and asyncio
        complains in the log.
        """
        beginning = asyncio.create_task(asyncpg.connect(*address, **options))
        self._beginning.add(beginning)
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            beginning.add_done_callback(_drop)
            raise
        finally:
            beginning.add_done_callback(self._beginning.discard)

    async def ended(self) -> None:
        """No connection is on its way any more."""
        if self._beginning:
            await asyncio.wait(list(self._beginning))


def _drop(beginning: "asyncio.Task[Any]") -> None:
    """Nobody wants this connection."""
    if not beginning.cancelled() and beginning.exception() is None:
        beginning.result().terminate()
