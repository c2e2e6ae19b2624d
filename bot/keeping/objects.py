"""Looks after the object store: moves into it what lies in the database, and deletes what no row refers to.

Objects that a deleted row referred to stand in the table `unreferenced`; those that were put by a process
which was killed before it wrote their row are found by a look at the whole store once a day.

Nothing is deleted that a row refers to, or will. For `GRACE_S` an object only stands in the table: whoever
writes a row meanwhile sees it there and does not refer to it (`bot.database.contents`), and whoever saw
nothing has long written the row when it is looked for. After the deletion it stands there for `LINGER_S`, for
those who put it anew just before.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from itertools import accumulate
from time import time
from typing import Any

from sqlalchemy import Table, and_, delete, exists, func, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, put
from bot.database.contents import FRESH_S, Contents
from bot.database.tables import CONTENTS, dreams, images, unreferenced
from bot.dreams.store import OVER
from bot.keeping.chores import PACE_S, ChoreLoop, Overtaken
from bot.objects.store import WrongObjects

log = logging.getLogger(__name__)

LOOK_S = 60.0  # seconds between two looks
# No transaction is so long: PostgreSQL ends one whose process rests for a minute, and SQLite lets nobody else
# write while one goes on.
GRACE_S = 300.0
LINGER_S = 3600.0
EVERYTHING_S = 24 * 3600.0  # seconds between two looks at the whole store
YOUNG_S = 3600.0  # objects that were put since are none that somebody forgot
ROWS, BYTES = 50, 4 * 2**20  # that are moved in one bite, or fewer
OBJECTS = 200  # that are deleted in one
assert LINGER_S > 2 * FRESH_S and YOUNG_S > 2 * FRESH_S


class ObjectKeeper(ChoreLoop):
    """Live. Without an object store there is nothing to do."""

    chore = "objects"

    def __init__(
        self,
        *,
        database: Database,
        owner: str,
        contents: Contents,
        clock: Callable[[], float] = time,
        pace_s: float = PACE_S,
    ) -> None:
        """`clock`: seconds since 1970."""
        super().__init__(database=database, owner=owner, clock=clock, pace_s=pace_s)
        self._contents = contents
        self._seen_all_at: float | None = None  # when the whole store was looked at last

    async def _look(self) -> float | None:
        if self._contents.objects is None:
            return None
        try:
            if not self._contents.is_ours:
                await self._contents.recognise()
            if await self._is_ours():
                await self.enforce()
        except WrongObjects as error:
            self._contents.trouble = str(error)
            log.error("%s", error)
        except Overtaken:
            log.info("Another process goes on with the object store")
        return LOOK_S

    async def enforce(self) -> None:
        """All of it, now. Raises `StoreError`."""
        now = self._clock()
        if self._seen_all_at is None or now - self._seen_all_at >= EVERYTHING_S:
            await self._contents.recognise()  # before anything is taken to be nobody's
            await self._find_forgotten()
            self._seen_all_at = now
        await self._sweep()  # before what may take long: somebody wants it gone
        moved = 0
        for table in CONTENTS:
            moved += await self._move_all(table)
        if moved:
            log.info("%d pictures, films and states are moved into the object store", moved)
            self._database.forget()
            while await self._database.give_back():
                await self._rest()

    # ------------------------------------------------------------------ moving

    async def _move_all(self, table: Table) -> int:
        """Gives how many rows' bytes are moved; those that cannot be moved now are looked at again."""
        after, moved = 0, 0
        while keys := await self._held(table, after):
            if not await self._move(table, keys):
                return moved
            after, moved = keys[-1], moved + len(keys)
            await self._rest()
        return moved

    async def _held(self, table: Table, after: int) -> list[int]:
        """The keys of the next rows to move: not those of dreams that go on, which change all the time."""
        key, size = _key(table), func.length(table.c.content)
        query = select(key, size).where(table.c.digest.is_(None), key > after, size > 0)
        if table is not images:
            query = query.join(dreams, dreams.c.id == key).where(dreams.c.state.in_(OVER))
        async with self._database.transaction() as connection:
            found = (await connection.execute(query.order_by(key).limit(ROWS))).all()
        sizes = accumulate(size for _, size in found)
        return [row[0] for row, size in zip(found, sizes, strict=True) if size <= BYTES] or [
            row[0] for row in found[:1]
        ]

    async def _move(self, table: Table, keys: Sequence[int]) -> bool:
        """Whether the object store takes anything."""
        here = and_(_key(table).in_(keys), table.c.digest.is_(None))
        async with self._database.transaction() as connection:
            held = (await connection.execute(select(_key(table), table.c.content).where(here))).all()
        put_away = await asyncio.gather(*(self._contents.put(content) for _, content in held))
        async with self._database.transaction() as connection:
            for (key, content), one in zip(held, put_away, strict=True):
                values = await self._contents.columns(connection, one)
                if values["digest"] is not None:
                    same = and_(_key(table) == key, table.c.digest.is_(None))
                    change = update(table).where(same, func.length(table.c.content) == len(content))
                    await connection.execute(change.values(values))
        return all(one.digest is not None for one in put_away)

    # ---------------------------------------------------------------- deleting

    async def _find_forgotten(self) -> None:
        """Note all objects to which no row refers."""
        objects = self._contents.objects
        assert objects is not None
        async for digests in objects.older(self._clock() - YOUNG_S):
            for start in range(0, len(digests), OBJECTS):
                some = digests[start : start + OBJECTS]
                async with self._database.transaction() as connection:
                    known = await _known(connection, some)
                    rows = [{"digest": digest} for digest in some if digest not in known]
                    await put(connection, unreferenced, *rows)
                await self._rest()

    async def _sweep(self) -> None:
        """Delete what has stood there for long enough, if still nothing refers to it."""
        objects = self._contents.objects
        assert objects is not None
        while True:
            due = await self._due()
            if not due:
                return
            await objects.delete(due)
            # Only now: whoever is killed before does it again.
            gone = update(unreferenced).where(unreferenced.c.digest.in_(due))
            async with self._database.transaction() as connection:
                await connection.execute(gone.values(deleted_at=self._clock()))
            log.info("%d objects to which nothing refers any more are deleted", len(due))
            await self._rest()

    async def _due(self) -> list[str]:
        now = self._clock()
        waits = and_(unreferenced.c.deleted_at.is_(None), unreferenced.c.since <= now - GRACE_S)
        used = or_(*(exists().where(table.c.digest == unreferenced.c.digest) for table in CONTENTS))
        async with self._database.transaction() as connection:
            new = update(unreferenced).where(unreferenced.c.since.is_(None))
            await connection.execute(new.values(since=now))
            over = unreferenced.c.deleted_at < now - LINGER_S
            await connection.execute(delete(unreferenced).where(or_(over, and_(waits, used))))
            return list(await connection.scalars(select(unreferenced.c.digest).where(waits).limit(OBJECTS)))


async def _known(connection: AsyncConnection, digests: Collection[str]) -> set[str]:
    """Those to which rows refer, or that are noted already."""
    found = (select(table.c.digest).where(table.c.digest.in_(digests)) for table in (*CONTENTS, unreferenced))
    return set(await connection.scalars(union_all(*found)))


def _key(table: Table) -> Any:
    (key,) = table.primary_key
    return key
