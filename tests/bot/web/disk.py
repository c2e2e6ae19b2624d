"""A disk that is full, for tests: SQLite's file cannot grow any more."""

from typing import Any

from sqlalchemy import event, text

from bot.database.connection import Database


async def grow_no_more(database: Database) -> None:
    """From now on the file is as large as its disk."""
    engine = database._engine
    async with database.transaction() as connection:
        pages = await connection.scalar(text("PRAGMA page_count"))

    def bound(raw: Any, *_: Any) -> None:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA max_page_count={pages}")
        cursor.close()

    event.listen(
        engine.sync_engine, "checkout", bound
    )  # of each connection of the pool, when it is lent next
