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


_words = func.lower(func.trim(dreams.c.prompt))


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
        counted = self._counted(view, period)
        tally = _tally_of(counted)
        key: Any
        match by:
            case By.PICTURE:
                key, order = dreams.c.id, (tally.c.votes.desc(), dreams.c.ended_at.desc(), dreams.c.id)
            case By.DREAMER:
                key, order = dreams.c.author_id, _by_sum(tally, dreams.c.author_id)
            case By.PROMPT:
                key, order = _words, _by_sum(tally, _words)
        sums = (func.sum(tally.c.votes), func.count(dreams.c.id))
        query = select(key.label("key"), *(one.label(f"n{i}") for i, one in enumerate(sums)))
        query = query.join(tally, tally.c.dream_id == dreams.c.id).where(counted).group_by(key)
        if by is By.PICTURE:
            query = query.group_by(tally.c.votes, dreams.c.ended_at)
        async with self._transaction() as connection:
            total = await connection.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = (await connection.execute(query.order_by(*order).offset(page * size).limit(size))).all()
            found = []
            for number, row in enumerate(rows, start=page * size + 1):
                best = (
                    select(dreams)
                    .join(tally, tally.c.dream_id == dreams.c.id)
                    .where(counted, key == row.key)
                    .order_by(tally.c.votes.desc(), dreams.c.ended_at.desc())
                    .limit(1)
                )
                dream = dream_of((await connection.execute(best)).one())
                found.append(Place(number, int(row.n0), int(row.n1), dream))
        return found, total

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


def _tally_of(counted: Any) -> Any:
    """Each of these dreams' votes: people, not reactions, for one may have given several emoji.

    Only theirs are read, and not everybody's: there may be millions.
    """
    theirs = votes.c.dream_id.in_(select(dreams.c.id).where(counted))
    people = func.count(votes.c.person.distinct()).label("votes")
    return select(votes.c.dream_id, people).where(theirs).group_by(votes.c.dream_id).subquery()


def _by_sum(tally: Any, key: Any) -> tuple[Any, ...]:
    return func.sum(tally.c.votes).desc(), func.count(dreams.c.id), key
