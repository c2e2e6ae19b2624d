"""The best dreams of a server by the votes of its people. Knows no Discord.

Of pictures with as many votes the newer one comes first: it had less time. Of dreamers and prompts with as
many votes the one with fewer dreams. A dream counts for the time in which it ended. A ranking has `PLACES`
places: nobody turns more than twenty pages, and so no server is too large for it.

What is read here the database keeps itself as votes come: `tallies` and `standings` of `bot.database.tables`.
Only that time goes by it has to be told: `Ageing`.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from time import time
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.background import BackgroundLoop
from bot.database.connection import TALLYING, Database, StoreBusy, alone_on_server
from bot.database.tables import dreams, standings, tallies
from bot.dreams.dream import Dream
from bot.dreams.store import dream_of

DAY_S = 24 * 3600.0
PLACES = 200  # of a ranking
LOOKED_AT = 400  # dreamers or prompts that are looked at first; more where others' channels hide many
BITE = 100  # dreams that grow older in one transaction: votes wait meanwhile
AGEING_S = 60.0  # seconds between two looks whether some do
RETRY_S = 30.0


class Period(StrEnum):
    """How far back to look; the value is what a button carries."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    EVER = "ever"

    @property
    def seconds(self) -> float | None:
        """None: everything."""
        return {"day": DAY_S, "week": 7 * DAY_S, "month": 30 * DAY_S}.get(self.value)

    @property
    def age(self) -> int:
        """Of dreams of this period that are of no shorter one, as `tallies` and `standings` say it: 0..3."""
        return list(Period).index(self)


class By(StrEnum):
    """What is ranked; the value is what a button carries."""

    PICTURE = "picture"
    DREAMER = "dreamer"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a ranking."""

    number: int  # 1 is the best
    votes: int  # of all its dreams
    dreams: int  # with votes
    best: Dream  # the one of them with most votes


@dataclass(frozen=True, slots=True)
class Scope:
    """What whoever asks may see."""

    guild_id: int
    channels: Collection[int]
    flagged: bool = False  # also pictures in which the safety check found something


@dataclass(frozen=True, slots=True)
class _Standing:
    """A dreamer's or a prompt's, in what somebody may see."""

    key: str
    votes: int
    fewer: int  # minus the dreams


class Ranking:
    """Every method raises `StoreError`."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        self._transaction = database.transaction
        self._clock = clock

    async def channels(self, guild_id: int) -> set[int]:
        """Where this server's people dreamt.

        From one channel to the next in their index: the dreams of each are not read.
        """
        here = dreams.c.guild_id == guild_id
        first = select(func.min(dreams.c.channel_id).label("id")).where(here).cte("channels", recursive=True)
        following = (
            select(func.min(dreams.c.channel_id))
            .where(here, dreams.c.channel_id > first.c.id)
            .scalar_subquery()
        )
        found = first.union_all(select(following).where(first.c.id.is_not(None)))
        async with self._transaction() as connection:
            ids = await connection.scalars(select(found.c.id))
            return {id for id in ids if id is not None}

    async def page(
        self, view: Scope, by: By, period: Period, *, page: int, size: int
    ) -> tuple[list[Place], int]:
        """A page of a ranking, 0 for the first one, and how many places there are, at most `PLACES`."""
        if by is not By.PICTURE and period is not Period.EVER:
            with suppress(StoreBusy):  # it is done in a minute anyway
                async with self._transaction() as connection:
                    await age(connection, self._clock())
        async with self._transaction() as connection:
            if by is By.PICTURE:
                return await self._pictures(connection, view, period, page * size, size)
            found = await self._standings(connection, view, by, period, until=(page + 1) * size)
            part = found[page * size : (page + 1) * size]
            best = await self._best(connection, view, by, period, [one.key for one in part])
            shown = await _dreams(connection, list(best.values()))
        places = [
            Place(number, one.votes, -one.fewer, shown[best[one.key]])
            for number, one in enumerate(part, start=page * size + 1)
            if best.get(one.key) in shown
        ]
        return places, len(found)

    async def _pictures(
        self, connection: AsyncConnection, view: Scope, period: Period, start: int, size: int
    ) -> tuple[list[Place], int]:
        found = (await connection.execute(self._tallies(view, period, most=PLACES))).all()
        part = found[start : start + size]
        shown = await _dreams(connection, [row.dream_id for row in part])
        places = [
            Place(number, row.people, 1, shown[row.dream_id])
            for number, row in enumerate(part, start=start + 1)
        ]
        return places, len(found)

    def _tallies(self, view: Scope, period: Period, *only: Any, most: int) -> Select[Any]:
        seen = [tallies.c.ranked_in == view.guild_id, tallies.c.channel_id.in_(view.channels), *only]
        if not view.flagged:
            seen.append(tallies.c.flagged.is_(False))
        return best_tallies(and_(*seen), period, now=self._clock(), most=most)

    async def _best(
        self, connection: AsyncConnection, view: Scope, by: By, period: Period, keys: Sequence[str]
    ) -> dict[str, int]:
        """The best dream of each of these dreamers or prompts."""
        parts = []
        for key in keys:
            theirs = tallies.c.author_id == int(key) if by is By.DREAMER else tallies.c.words == key
            found = self._tallies(view, period, theirs, most=1).subquery()
            parts.append(select(literal(key).label("key"), found.c.dream_id))
        if not parts:
            return {}
        return {row.key: row.dream_id for row in await connection.execute(union_all(*parts))}

    async def _standings(
        self, connection: AsyncConnection, view: Scope, by: By, period: Period, *, until: int
    ) -> list[_Standing]:
        """The best dreamers or prompts, at least so many if there are.

        Of the best of the whole server it is asked what they have in what may be seen. Nobody who is not
        among those has more than the last of them has in all; so it is enough when the last one that is
        shown has as much, and else more of them are looked at.
        """
        most = LOOKED_AT
        while True:
            all_in_all = (
                select(standings.c.key, standings.c.votes)
                .where(_of(standings, view, by, period), standings.c.channel_id == 0)
                .order_by(*_most_first(standings))
                .limit(most)
            )
            looked_at = all_in_all.subquery()
            bound = select(func.count(), func.min(looked_at.c.votes)).select_from(looked_at)
            count, least = (await connection.execute(bound)).one()
            rows = await connection.execute(_seen(view, by, period, looked_at))
            found = [_Standing(row.key, int(row.votes), int(row.fewer)) for row in rows][:PLACES]
            shown = found[:until]
            if count < most or (len(shown) == min(until, PLACES) and shown[-1].votes >= least):
                return found
            most *= 8


def _of(table: Any, view: Scope, by: By, period: Period) -> Any:
    return and_(table.c.guild_id == view.guild_id, table.c.kind == by.value, table.c.period == period.age)


def _seen(view: Scope, by: By, period: Period, looked_at: Any) -> Select[Any]:
    """Of those that are looked at, what they have in the channels that may be seen, the best one first."""
    votes, fewer = func.sum(standings.c.votes).label("votes"), func.sum(standings.c.fewer).label("fewer")
    here = and_(_of(standings, view, by, period), standings.c.channel_id.in_(view.channels))
    query = (
        select(standings.c.key, votes, fewer).join(looked_at, looked_at.c.key == standings.c.key).where(here)
    )
    if not view.flagged:
        query = query.where(standings.c.flagged.is_(False))
    return query.group_by(standings.c.key).order_by(votes.desc(), fewer.desc(), standings.c.key.desc())


def best_tallies(which: Any, period: Period, *, now: float, most: int) -> Select[Any]:
    """So many of the best dreams of a period, as a query for `dream_id`, `people` and `ended_at`.

    Of each age they are read off an index of `tallies`, the best one first.
    """
    if period.seconds is not None:  # what grew older a moment ago is not aged yet
        which = and_(which, tallies.c.ended_at >= now - period.seconds)
    parts = []
    for each in range(period.age + 1):
        query = select(tallies.c.dream_id, tallies.c.people, tallies.c.ended_at)
        query = query.where(tallies.c.age == each, which).order_by(*best_first(tallies)).limit(most)
        parts.append(select(query.subquery()))
    found = union_all(*parts).subquery()
    return select(found).order_by(*best_first(found)).limit(most)


def best_first(table: Any) -> tuple[Any, ...]:
    """The order of `tallies`, or of a query of them."""
    return table.c.people.desc(), table.c.ended_at.desc(), table.c.dream_id.desc()


def _most_first(table: Any) -> tuple[Any, ...]:
    return table.c.votes.desc(), table.c.fewer.desc(), table.c.key.desc()


async def _dreams(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Dream]:
    """By their number."""
    if not ids:
        return {}
    rows = await connection.execute(select(dreams).where(dreams.c.id.in_(ids)))
    return {row.id: dream_of(row) for row in rows}


async def age(connection: AsyncConnection, now: float) -> int:
    """Let some dreams grow older that are of a shorter period no more. Gives how many: `BITE`, or all."""
    spans = [(period.age, now - period.seconds) for period in Period if period.seconds is not None]
    due = or_(*(and_(tallies.c.age == number, tallies.c.ended_at < since) for number, since in spans))
    ids = list(await connection.scalars(select(tallies.c.dream_id).where(due).limit(BITE)))
    if ids:
        await alone_on_server(connection, TALLYING)
        grown = case(*((tallies.c.ended_at >= since, number) for number, since in spans), else_=len(spans))
        change = update(tallies).where(tallies.c.dream_id.in_(ids)).values(age=grown)
        await connection.execute(change)
    return len(ids)


class Ageing(BackgroundLoop):
    """Live. Lets dreams grow older in rankings; of several processes whichever comes first does it."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        super().__init__(retry_s=RETRY_S)
        self._transaction = database.transaction
        self._clock = clock

    async def _look(self) -> float:
        async with self._transaction() as connection:
            count = await age(connection, self._clock())
        return 0.1 if count == BITE else AGEING_S
