"""Lets go of what was kept for long enough, or has no room: films and states first, then pictures.

Two limits, days and megabytes; the oldest go first, and pictures that nobody voted for before the others.
Kept whatever the limits say is what something still needs:

- a dream that waits or is dreamt: the states of those at whose end it begins, and a choice's beginnings;
- a dream whose end its channel does not show yet;
- a picture in a hall of fame, in a contest that runs or whose winner is not told, on the public wall.

A dream whose picture was let go keeps its row: its words, seed and recipe dream the same picture again. What
it takes is done in small bites, each a transaction of its own, by one process at a time. Knows no Discord.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import time
from typing import Any

from sqlalchemy import Table, and_, delete, exists, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.community.choices import ChoiceState
from bot.community.wall import may_hang
from bot.database.connection import Database
from bot.database.contents import Contents, size_of
from bot.database.outbox import owed_of
from bot.database.tables import (
    choices,
    contests,
    dreams,
    entries,
    fame,
    images,
    pictures,
    states,
    thumbnails,
    timelapses,
    votes,
)
from bot.dreams.store import OVER
from bot.keeping.chores import PACE_S, ChoreLoop, Overtaken

log = logging.getLogger(__name__)

LOOK_S = 600.0  # seconds between two looks: 1,000 dreams a day grow by 3 MB in that time
ROWS = 500  # that are looked at in one bite …
MOST = 50  # … and deleted, or fewer …
BYTES = 4 * 2**20  # … with no more bytes, if it is not one film alone: others wait to write meanwhile
MB = 10**6
DAY_S = 24 * 3600.0
_OPEN = (ChoiceState.DREAMING, ChoiceState.VOTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLimits:
    """For how long, and how much; the host's."""

    days: int  # films and states
    picture_days: int | None  # pictures, and those that people gave; None: as long as there is room
    megabytes: int  # all of it together


class Retention(ChoreLoop):
    """Live. `wake` has it look at once."""

    chore = "retention"

    def __init__(
        self,
        *,
        database: Database,
        owner: str,
        limits: KeepLimits,
        on_wall: Callable[[], Collection[int]],
        contents: Contents | None = None,
        clock: Callable[[], float] = time,
        pace_s: float = PACE_S,
    ) -> None:
        """`on_wall`: the servers whose dreams hang on the public wall; `contents`: as of `Store`."""
        super().__init__(database=database, owner=owner, clock=clock, pace_s=pace_s)
        self.limits = limits
        self.over = 0  # bytes beyond the limit that something still needs
        self._contents = contents or Contents(database)
        self._on_wall = on_wall

    async def enforce(self) -> None:
        """All of it, now. Raises `StoreError`."""
        now, limits = self._clock(), self.limits
        let_go = await self._drop_orphans()
        for table in (timelapses, states):
            let_go += await self._sweep(table, before=now - limits.days * DAY_S)
        if limits.picture_days is not None:
            let_go += await self._sweep(pictures, before=now - limits.picture_days * DAY_S)
        for table, only in ((timelapses, None), (states, None), (pictures, _unvoted()), (pictures, None)):
            if not await self._has_too_much():
                break
            let_go += await self._sweep(table, only=only, enough=self._fits)
        self.over = max(0, await self._used() - limits.megabytes * MB)
        if self.over:
            log.warning("%d MB more than KEEP_MB are kept, for they are needed", self.over // MB)
        if let_go:
            log.info("%d films, states and pictures are let go", let_go)
        while await self._database.give_back():
            await self._rest()
        if let_go:
            self._database.forget()

    async def _look(self) -> float:
        if await self._is_ours():
            try:
                await self.enforce()
            except Overtaken:
                log.info("Another process goes on with what is to be let go")
        return LOOK_S

    async def _has_too_much(self) -> bool:
        return not await self._fits()

    async def _fits(self) -> bool:
        return await self._used() <= self.limits.megabytes * MB

    async def _used(self) -> int:
        """Bytes of what is kept, in the database and in the object store. Raises `StoreError`."""
        return await self._database.used() + await self._contents.size()

    # ------------------------------------------------------------------- bites

    async def _sweep(
        self,
        table: Table,
        *,
        before: float | None = None,
        only: Any = None,
        enough: Callable[[], Any] | None = None,
    ) -> int:
        """Let go of a table's content, the oldest dreams' first. Gives of how many dreams.

        `before`: of those that ended before then; `enough`: asked after each bite, whether that will do.
        """
        which = and_(*self._needless(table), true() if only is None else only)
        if before is not None:
            which = and_(which, dreams.c.ended_at < before)
        after, count = 0, 0
        while True:
            async with self._database.transaction() as connection:
                ids, last = await _next(connection, table, which, after)
                if last is None:
                    return count
                await _let_go(connection, table, ids)
            after, count = last, count + len(ids)
            if ids and enough is not None and await enough():
                return count
            await self._rest()

    def _needless(self, table: Table) -> list[Any]:
        """What nothing needs any more."""
        child = dreams.alias("child")
        waits = child.c.state.not_in(OVER)
        undecided = exists().where(choices.c.id == dreams.c.choice_id, choices.c.state.in_(_OPEN))
        found = [
            dreams.c.state.in_(OVER),
            or_(dreams.c.delivered, dreams.c.candidate > 0, dreams.c.erased),
            ~exists().where(child.c.parent_id == dreams.c.id, waits),
            ~exists().where(child.c.other_id == dreams.c.id, waits),
            ~undecided,
            ~exists().where(owed_of(dreams.c.id)),  # its message, a gallery's, a hall's
        ]
        if table is pictures:
            # Whom a channel lets in may change: here it is the server that counts.
            on_wall = and_(dreams.c.guild_id.in_(self._on_wall()), may_hang())
            found += [~_in_hall(), ~_in_contest(), ~on_wall]
        return found

    async def _drop_orphans(self) -> int:
        """Pictures that people gave, of which no dream is left."""
        after, count = 0, 0
        while True:
            async with self._database.transaction() as connection:
                page = select(images.c.id).where(images.c.id > after).order_by(images.c.id).limit(ROWS)
                ids = list(await connection.scalars(page))
                if not ids:
                    return count
                used = set(
                    await connection.scalars(select(dreams.c.image_id).where(dreams.c.image_id.in_(ids)))
                )
                left = [id for id in ids if id not in used]
                if left:
                    await connection.execute(delete(images).where(images.c.id.in_(left)))
            after, count = ids[-1], count + len(left)
            await self._rest()


async def _next(
    connection: AsyncConnection, table: Table, which: Any, after: int
) -> tuple[list[int], int | None]:
    """The next dreams of a table that may go, and the last one that was looked at; None: there is none."""
    page = select(table.c.dream_id).where(table.c.dream_id > after).order_by(table.c.dream_id).limit(ROWS)
    looked_at = list(await connection.scalars(page))
    if not looked_at:
        return [], None
    sized = (
        select(table.c.dream_id, size_of(table).label("size"))
        .join_from(table, dreams, dreams.c.id == table.c.dream_id)
        .where(table.c.dream_id.in_(looked_at), which)
        .order_by(table.c.dream_id)
        .limit(MOST + 1)
    )
    ids: list[int] = []
    size = 0
    for row in (await connection.execute(sized)).all():
        size += row.size
        if ids and (size > BYTES or len(ids) >= MOST):
            return ids, ids[-1]
        ids.append(row.dream_id)
    return ids, looked_at[-1]


async def _let_go(connection: AsyncConnection, table: Table, ids: Collection[int]) -> None:
    if not ids:
        return
    await connection.execute(delete(table).where(table.c.dream_id.in_(ids)))
    if table is not pictures:
        return
    await connection.execute(delete(thumbnails).where(thumbnails.c.dream_id.in_(ids)))
    given = select(dreams.c.image_id).where(dreams.c.id.in_(ids), dreams.c.image_id.is_not(None))
    prompts = set(await connection.scalars(given))
    other = dreams.alias("other")
    kept = exists().where(pictures.c.dream_id == other.c.id)
    needed = select(other.c.image_id).where(
        other.c.image_id.in_(prompts), or_(kept, other.c.state.not_in(OVER))
    )
    prompts -= set(await connection.scalars(needed))
    if prompts:
        # Without the number, too: a later picture may get it.
        await connection.execute(update(dreams).where(dreams.c.image_id.in_(prompts)).values(image_id=None))
        await connection.execute(delete(images).where(images.c.id.in_(prompts)))


def _unvoted() -> Any:
    return ~exists().where(votes.c.dream_id == dreams.c.id)


def _in_hall() -> Any:
    return exists().where(fame.c.dream_id == dreams.c.id, fame.c.removed.is_(False))


def _in_contest() -> Any:
    goes_on = or_(contests.c.running_in.is_not(None), contests.c.told.is_(False))
    return exists().where(entries.c.dream_id == dreams.c.id, contests.c.id == entries.c.contest_id, goes_on)
