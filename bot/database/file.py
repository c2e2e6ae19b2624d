"""A SQLite database's own file: read by its owner alone, and without the bytes of what was deleted.

PostgreSQL's server sees to its files itself: there deleted rows stay in them until it vacuums (autovacuum
does, after a while), and in its backups as long as those are kept.
"""

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

MAX_REWRITTEN = 512 * 2**20  # bytes; a larger file would keep the bot from starting for a minute or more
_REWRITTEN = 1  # what `user_version` says once nothing lies in the file that was deleted before
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


async def truncate_log(engine: AsyncEngine) -> bool:
    """Move everything from the write-ahead log into the file and empty it; False while somebody reads it."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        row = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).first()
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
                log.info("The database keeps bytes of deleted pictures; sqlite3's VACUUM removes them.")
                return
            await connection.exec_driver_sql("VACUUM")
            await connection.exec_driver_sql(f"PRAGMA user_version={_REWRITTEN}")
    except (SQLAlchemyError, OSError) as error:
        log.info("The database is not written anew this time: %s", error)
