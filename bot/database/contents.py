"""The bytes that rows have, and the one place that knows where: in the row, or in the object store.

A row has either its `content`, or an empty one with a `digest` and a `size`. Bytes are put into the object
store before the row that refers to them is written. If they cannot be put there, they stay in the row and are
moved later (`bot.keeping.objects`): nothing waits for the object store, or is lost with it.

A row refers to no object whose name stands in `unreferenced`, for it may be deleted just now: the bytes stay
in the row until that is over.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, Table, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, StoreError
from bot.database.tables import CONTENTS, object_store, unreferenced
from bot.objects.store import ObjectLost, Objects, ObjectsAway, WrongObjects

log = logging.getLogger(__name__)

REST_S = 30.0  # for which nothing is put into an object store that could not be used
FRESH_S = 60.0  # for so long nobody deletes what was put
_ONLY = 1  # the row of `object_store`

UNSET = (
    "Pictures of this database lie in an object store, but OBJECTS_URL is blank; please set it as it was "
    "(bot/hosting/README.md tells how to bring them back)."
)
OTHERS = (
    "The object store that OBJECTS_URL names belongs to another database; please give this one an empty "
    "folder or prefix of its own."
)
NOT_HERE = (
    "Pictures of this database lie in an object store, but the one that OBJECTS_URL names is empty. "
    "Is its disk there? If it moved, please move what is in it, too."
)


@dataclass(frozen=True, slots=True)
class Put:
    """Bytes on their way into a row."""

    content: bytes
    digest: str | None  # in the object store; None: they are not there
    at: float  # on the clock of `Contents`


class Contents:
    """Live."""

    def __init__(
        self,
        database: Database,
        objects: Objects | None = None,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`objects`: where new bytes go; None: into the database. `clock`: in seconds."""
        self._transaction = database.transaction
        self._clock = clock
        self._rests_until = 0.0
        self.objects = objects
        self.is_ours = False  # the object store, as far as is known
        self.trouble = ""  # what is wrong with it, for the host

    async def start(self) -> None:
        """Look whether the object store is this database's. Raises `WrongObjects` and `StoreError`.

        One that is away is none of that: it is looked at again before anything is put there.
        """
        try:
            await self.recognise()
        except ObjectsAway as error:
            self._note(error)

    async def recognise(self) -> None:
        """As `start`. Raises `ObjectsAway`, too. The first to use an empty store makes it this database's."""
        self.is_ours = False
        if self.objects is None:
            if await self._is_referring():
                raise WrongObjects(UNSET)
            return
        theirs = await self.objects.label()
        async with self._transaction() as connection:
            ours = await connection.scalar(select(object_store.c.label))
        if ours is None and theirs is None:
            ours = await self._name()
        if theirs is None and ours is not None:
            if await self._is_referring():
                raise WrongObjects(NOT_HERE)
            await self.objects.set_label(ours)
            theirs = await self.objects.label()  # somebody else's, who came at the same moment
        if theirs != ours:
            raise WrongObjects(OTHERS)
        self.is_ours, self.trouble = True, ""

    # ------------------------------------------------------------------ writing

    async def put(self, content: bytes) -> Put:
        """Bytes for a row that is written next, by `columns`. Raises nothing: they may stay in the row."""
        now = self._clock()
        if self.objects is None or not self.is_ours or now < self._rests_until or not content:
            return Put(content, None, now)
        try:
            digest = await self.objects.put(content)
        except StoreError as error:
            self._note(error)
            self._rests_until = self._clock() + REST_S
            return Put(content, None, now)
        self.trouble = ""
        return Put(content, digest, now)

    async def columns(self, connection: AsyncConnection, put: Put) -> dict[str, Any]:
        """What stands in the row, in whose transaction this is asked."""
        digest = put.digest
        if digest is None or self._clock() - put.at > FRESH_S:
            return {"content": put.content, "digest": None, "size": None}
        if await connection.scalar(select(unreferenced.c.digest).where(unreferenced.c.digest == digest)):
            return {"content": put.content, "digest": None, "size": None}
        return {"content": b"", "digest": digest, "size": len(put.content)}

    # ------------------------------------------------------------------ reading

    async def row(self, table: Table, condition: Any) -> Mapping[str, Any] | None:
        """A row of one of `CONTENTS` with its bytes; None when there is none. Raises `StoreError`."""
        async with self._transaction() as connection:
            found = (await connection.execute(select(table).where(condition))).mappings().first()
        if found is None:
            return None
        content = await self.content(found["content"], found["digest"])
        return None if content is None else dict(found) | {"content": content}

    async def content(self, held: bytes, digest: str | None) -> bytes | None:
        """The bytes of a row with these columns; None when they are lost. Raises `ObjectsAway`."""
        if digest is None:
            return held
        if self.objects is None:
            raise ObjectsAway(UNSET)
        try:
            found = await self.objects.get(digest)
        except ObjectLost as error:
            # To people it is as one that was let go: it can be dreamt again. The row stays: it may be found.
            log.error("In the object store %s", error)
            return None
        except ObjectsAway as error:
            self.trouble = str(error)
            raise
        if self.is_ours:
            self.trouble = ""
        return found

    async def size(self) -> int:
        """Bytes of all that rows refer to in the object store. Raises `StoreError`."""
        async with self._transaction() as connection:
            return sum([await _size_there(connection, table) for table in CONTENTS])

    async def _is_referring(self) -> bool:
        async with self._transaction() as connection:
            for table in CONTENTS:
                query = select(table.c.digest).where(table.c.digest.is_not(None)).limit(1)
                if await connection.scalar(query) is not None:
                    return True
        return False

    async def _name(self) -> str:
        row = {"id": _ONLY, "label": f"oneiro-{token_hex(12)}"}
        with suppress(IntegrityError):  # another process was quicker
            async with self._transaction() as connection:
                await connection.execute(insert(object_store).values(row))
        async with self._transaction() as connection:
            return str(await connection.scalar(select(object_store.c.label)))

    def _note(self, error: StoreError) -> None:
        self.trouble = str(error)
        log.warning("%s Pictures stay in the database meanwhile.", error)


async def _size_there(connection: AsyncConnection, table: Table) -> int:
    query = select(func.sum(table.c.size)).where(table.c.digest.is_not(None))
    return int(await connection.scalar(query) or 0)


def size_of(table: Table) -> ColumnElement[int]:
    """How many bytes a row has, wherever they are; none of them is read."""
    return func.coalesce(table.c.size, func.length(table.c.content))
