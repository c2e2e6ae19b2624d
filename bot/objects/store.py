"""An object store: what every kind of it does, and how it fails. Knows no table.

What is put is named by its SHA-256: whoever puts the same bytes again gets the same name, and what was
changed or is damaged is seen. Beside the objects lies one label, by which a database knows its store again.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection
from hashlib import sha256

from bot.database.connection import StoreError

LABEL = "oneiro-store"
LABEL_BYTES = 200  # at most
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})", re.ASCII)


class ObjectsAway(StoreError):
    """The object store cannot be used just now; nothing is lost."""


class WrongObjects(StoreError):
    """The object store is not the one of this database."""


class ObjectLost(Exception):
    """An object is not in its store, or is not what was put there."""


class Objects(ABC):
    """Live, for one event loop. Every method may raise `ObjectsAway`, and `StoreFull` where it writes."""

    async def put(self, content: bytes) -> str:
        """Keep these bytes, whole or not at all. Gives their digest: 64 hexadecimal digits."""
        digest = sha256(content).hexdigest()
        await self._write(_name(digest), content)
        return digest

    async def get(self, digest: str) -> bytes:
        """What was put. Raises `ObjectLost`."""
        if not _DIGEST.fullmatch(digest):
            raise ObjectLost(f"{digest[:80]!r} names no object")
        content = await self._read(_name(digest))
        if content is None:
            raise ObjectLost(f"the object {digest} is not there")
        if sha256(content).hexdigest() != digest:
            raise ObjectLost(f"the object {digest} is damaged")
        return content

    async def delete(self, digests: Collection[str]) -> None:
        """Let these be gone; those that are not there are so already."""
        await self._remove([_name(digest) for digest in digests if _DIGEST.fullmatch(digest)])

    async def older(self, before: float) -> AsyncIterator[list[str]]:
        """The digests of all objects that were last put before then (seconds since 1970), some at a time.

        What else lies there is none of ours.
        """
        async for names in self._names(before):
            yield [found[2] for name in names if (found := _NAME.fullmatch(name))]

    async def label(self) -> str | None:
        """What `set_label` was told; None: nothing yet."""
        content = await self._read(LABEL)
        return None if content is None else content[:LABEL_BYTES].decode(errors="replace").strip()

    async def set_label(self, label: str) -> None:
        """Whose it is."""
        await self._write(LABEL, label.encode())

    @abstractmethod
    async def _write(self, name: str, content: bytes) -> None: ...

    @abstractmethod
    async def _read(self, name: str) -> bytes | None: ...

    @abstractmethod
    async def _remove(self, names: list[str]) -> None: ...

    @abstractmethod
    def _names(self, before: float) -> AsyncIterator[list[str]]: ...


def _name(digest: str) -> str:
    """In 256 folders: some file systems are slow with very many files in one."""
    return f"{digest[:2]}/{digest}"
