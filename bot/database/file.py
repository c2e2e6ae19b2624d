"""A SQLite database's own file: read by its owner alone, and without the bytes of what was deleted.

PostgreSQL's server sees to its files itself: there deleted rows stay in them until it vacuums (autovacuum
does, after a while), and in its backups as long as those are kept.
"""

import logging
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.database.sqlite import INCREMENTAL

log = logging.getLogger(__name__)

CHECKPOINT_MS = 100  # for which whoever empties the write-ahead log may keep others from writing
MAX_REWRITTEN = 512 * 2**20  # bytes; a larger file would keep the bot from starting for a minute or more
# What `user_version` says once nothing lies in the file that was deleted before, and it can shrink.
_REWRITTEN = 2
SPARE_PAGES = 1000  # of 4 KB each: so many may be free
SHRINK_PAGES = 500  # at once: other writers wait meanwhile, for some 20 ms
_OWNER_ONLY, _OWNERS_FOLDER = 0o600, 0o700


def make_folder(path: Path) -> None:
    """Make the folder that the file lies in, for its owner alone, unless there is one. Raises `OSError`."""
    path.parent.mkdir(mode=_OWNERS_FOLDER, parents=True, exist_ok=True)


def make_private(path: Path) -> None:
    """Let only its owner read the file, which is made if there is none, and what SQLite puts beside it.

    SQLite gives its own files beside it the same permissions. What belongs to somebody else is left as it
    is, and so is everything on Windows, where a folder's permissions hold for its files.
    """
    if os.name != "posix":
        return
    with suppress(OSError):  # if it cannot be made, SQLite says why
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY))
    for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        with suppress(OSError):  # it is not there, or on a disk that knows no permissions
            found = each.stat()
            if found.st_uid == os.geteuid() and found.st_mode & 0o777 != _OWNER_ONLY:
                each.chmod(_OWNER_ONLY)


@dataclass(frozen=True, slots=True)
class FileSize:
    """Of a file, in bytes."""

    total: int
    used: int  # not free in it


async def file_size(connection: AsyncConnection) -> FileSize:
    """How large the file is, with what is still in its write-ahead log."""
    asked = {name: await _pragma(connection, name) for name in ("page_size", "page_count", "freelist_count")}
    pages, free = asked["page_count"], asked["freelist_count"]
    return FileSize(pages * asked["page_size"], (pages - free) * asked["page_size"])


async def shrink(engine: AsyncEngine) -> bool:
    """Cut some free pages off the file's end. True while there are many more, and it can be done."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        if await _pragma(connection, "auto_vacuum") != INCREMENTAL:
            return False
        if await _pragma(connection, "freelist_count") <= SPARE_PAGES:
            return False  # they are used again soon
        # As a script: each step of it cuts one page off, and a statement without rows is stepped but once.
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")
    return True


async def _pragma(connection: AsyncConnection, name: str) -> int:
    return int((await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() or 0)


async def truncate_log(engine: AsyncEngine) -> bool:
    """Move everything from the write-ahead log into the file and empty it; False while somebody reads it."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        # A reader, such as an export, may go on for long; who waits for its end keeps everybody from writing.
        patience = (await connection.exec_driver_sql("PRAGMA busy_timeout")).scalar() or 0
        await connection.exec_driver_sql(f"PRAGMA busy_timeout={CHECKPOINT_MS:d}")
        try:
            row = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).first()
        finally:
            await connection.exec_driver_sql(f"PRAGMA busy_timeout={patience:d}")
    return row is not None and row[0] == 0


async def rewrite_once(engine: AsyncEngine, path: Path) -> None:
    """Once in its life let the file be written anew, without what was deleted before that was overwritten.

    Where there is no room, or another process is at work, it stays for the next start.
    """
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            if ((await connection.exec_driver_sql("PRAGMA user_version")).scalar() or 0) >= _REWRITTEN:
                return
            size = path.stat().st_size  # noqa: ASYNC240 - at the start, once
            if size > MAX_REWRITTEN or shutil.disk_usage(path.parent).free < 3 * size:
                log.info(
                    "The database keeps bytes of deleted pictures; bot/README.md tells how to remove them."
                )
                return
            await connection.exec_driver_sql("VACUUM")  # it takes up `auto_vacuum`, as `prepare` sets it
            await connection.exec_driver_sql(f"PRAGMA user_version={_REWRITTEN}")
    except (SQLAlchemyError, OSError) as error:
        log.info("The database is not written anew this time: %s", error)
