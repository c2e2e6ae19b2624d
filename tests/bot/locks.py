"""Another program that holds the database, so that nobody else can write; reading goes on."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

_ALL_TABLES = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"


@asynccontextmanager
async def locked(database_url: str) -> AsyncIterator[None]:
    """`database_url`: as it stands in DATABASE_URL, of a database that has its tables."""
    kind, _, place = database_url.partition("://")
    if kind == "sqlite":
        with closing(sqlite3.connect(place.removeprefix("/"), isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        return
    import asyncpg

    server = await asyncpg.connect(database_url)
    try:
        async with server.transaction():
            await server.execute(f"LOCK TABLE {await server.fetchval(_ALL_TABLES)} IN EXCLUSIVE MODE")
            yield
    finally:
        await server.close()
