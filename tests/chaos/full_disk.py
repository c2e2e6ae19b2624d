"""A disk that is full while a file says so: SQLite's file of a running bot cannot grow meanwhile."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

MARK = "disk-is-full"  # in the bot's folder
_NO_LIMIT = 1_000_000_000  # pages


def watch() -> None:
    """From now on mind the mark in the working folder, each time that a connection is lent."""
    event.listen(Pool, "checkout", _bound)


def _bound(raw: Any, *_: Any) -> None:
    if "sqlite" not in type(raw).__module__ + type(getattr(raw, "driver_connection", None)).__module__:
        return
    cursor = raw.cursor()
    try:
        if Path(os.curdir, MARK).exists():
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count={cursor.fetchone()[0]}")
        else:
            cursor.execute(f"PRAGMA max_page_count={_NO_LIMIT}")
    finally:
        cursor.close()
