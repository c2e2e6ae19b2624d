"""The best dreams of a server by the votes of its people. Knows no Discord.

Of pictures with as many votes the newer one comes first: it had less time. Of dreamers and prompts with as
many votes the one with fewer dreams. A dream counts for the time in which it ended.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from time import time
from typing import Any

from sqlalchemy import and_, func, or_, select

from bot.database.connection import Database
from bot.database.tables import dreams, pictures, votes
from bot.dreams.dream import Dream, DreamState, Gone
from bot.dreams.store import dream_of

DAY_S = 24 * 3600.0


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


_KEYS: dict[By, Any] = {
    By.PICTURE: dreams.c.id,
    By.DREAMER: dreams.c.author_id,
    By.PROMPT: func.lower(func.trim(dreams.c.prompt)),
}


class Ranking:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        self._transaction = database.transaction
        self._clock = clock

    async def channels(self, guild_id: int) -> set[int]:
        """Where this server's people dreamt."""
        query = select(dreams.c.channel_id).where(dreams.c.guild_id == guild_id).distinct()
        async with self._transaction() as connection:
            return set((await connection.execute(query)).scalars())

    async def page(
        self, view: Scope, by: By, period: Period, *, page: int, size: int
    ) -> tuple[list[Place], int]:
        """A page of a ranking, 0 for the first one, and how many places there are in all."""
        best = _best_of_each(self._counted(view, period), _KEYS[by])
        first = best.c.ended_at.desc() if by is By.PICTURE else best.c.dreams
        order = (best.c.votes.desc(), first, best.c.key)
        places = select(best, func.count().over().label("in_all")).order_by(*order)
        async with self._transaction() as connection:
            rows = (await connection.execute(places.offset(page * size).limit(size))).all()
            in_all = rows[0].in_all if rows else 0
            if page and not rows:
                in_all = await connection.scalar(select(func.count()).select_from(best)) or 0
            shown = select(dreams).where(dreams.c.id.in_([row.id for row in rows]))
            found = {row.id: dream_of(row) for row in await connection.execute(shown)} if rows else {}
        return [
            Place(number, int(row.votes), row.dreams, found[row.id])
            for number, row in enumerate(rows, start=page * size + 1)
        ], in_all

    def _counted(self, view: Scope, period: Period) -> Any:
        """The dreams that are ranked."""
        conditions = [
            dreams.c.guild_id == view.guild_id,
            dreams.c.channel_id.in_(view.channels),
            dreams.c.state.in_((DreamState.DONE, DreamState.CANCELLED)),
            dreams.c.erased.is_(False),
            dreams.c.gone == Gone.NOT,
            dreams.c.message_id.is_not(None),
            # With a picture, or a finished one whose picture was let go (`bot.keeping.retention`).
            or_(dreams.c.recipe != "", dreams.c.id.in_(select(pictures.c.dream_id))),
        ]
        if not view.flagged:
            conditions.append(dreams.c.flagged == "")
        if period.seconds is not None:
            conditions.append(dreams.c.ended_at >= self._clock() - period.seconds)
        return and_(*conditions)


def _best_of_each(counted: Any, key: Any) -> Any:
    """A row for each key of these dreams: its votes, how many dreams have some, the best one and its end.

    Votes are people, not reactions, for one may have given several emoji. Only those of these dreams are
    read, once, and not everybody's: there may be millions.
    """
    people = func.count(votes.c.person.distinct()).label("votes")
    tally = select(dreams.c.id, key.label("key"), dreams.c.ended_at, people)
    tally = tally.join(votes, votes.c.dream_id == dreams.c.id).where(counted).group_by(dreams.c.id)
    each = tally.subquery()
    best_first = (each.c.votes.desc(), each.c.ended_at.desc(), each.c.id)
    ranked = select(
        each.c.key,
        each.c.id,
        each.c.ended_at,
        func.sum(each.c.votes).over(partition_by=each.c.key).label("votes"),
        func.count().over(partition_by=each.c.key).label("dreams"),
        func.row_number().over(partition_by=each.c.key, order_by=best_first).label("within"),
    ).subquery()
    return select(ranked).where(ranked.c.within == 1).subquery()
