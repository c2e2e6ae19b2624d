"""An object store in a folder: a file an object, for its owner alone, on the disk before it counts."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from tempfile import gettempprefix

from bot.database.connection import StoreFull
from bot.objects.store import Objects, ObjectsAway

_BESIDE = f".{gettempprefix()}-"  # how a file begins that is not whole yet
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OWNER_ONLY, _OWNERS_FOLDER = 0o600, 0o700


class Folder(Objects):
    """Live. It is made when something is put into it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def _write(self, name: str, content: bytes) -> None:
        try:
            await asyncio.to_thread(_write, self._path / name, content)
        except OSError as error:
            raise _named(error, self._path) from error

    async def _read(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread((self._path / name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _named(error, self._path) from error

    async def _remove(self, names: list[str]) -> None:
        def remove() -> None:
            for name in names:
                (self._path / name).unlink(missing_ok=True)

        try:
            await asyncio.to_thread(remove)
        except OSError as error:
            raise _named(error, self._path) from error

    async def _names(self, before: float) -> AsyncIterator[list[str]]:
        try:
            for folder in await asyncio.to_thread(_folders, self._path):
                yield await asyncio.to_thread(_old_files, folder, before)
        except OSError as error:
            raise _named(error, self._path) from error


def _write(path: Path, content: bytes) -> None:
    """Either the whole file is there or none, also when the power is lost in between."""
    folder = path.parent
    if not folder.is_dir():
        folder.mkdir(_OWNERS_FOLDER, parents=True, exist_ok=True)
        _sync(folder.parent)
    beside = folder / f"{_BESIDE}{token_hex(8)}"
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink()
    _sync(folder)


def _sync(folder: Path) -> None:
    """Have what a folder lists on the disk."""
    if os.name != "posix":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir()) if path.is_dir() else []


def _old_files(folder: Path, before: float) -> list[str]:
    """Their names below the store. What somebody did not write to its end, and is no more, goes."""
    found: list[str] = []
    with os.scandir(folder) as files:
        for file in files:
            with suppress(FileNotFoundError):  # it went meanwhile
                if file.stat(follow_symlinks=False).st_mtime >= before:
                    continue
                if file.name.startswith(_BESIDE):
                    os.unlink(file.path)  # noqa: PTH108 - an entry of the folder is no `Path`
                else:
                    found.append(f"{folder.name}/{file.name}")
    return found


def _named(error: OSError, path: Path) -> ObjectsAway | StoreFull:
    if error.errno in _NO_ROOM:
        return StoreFull()
    return ObjectsAway(f"The object store {path} cannot be used: {error.strerror or error}.")
