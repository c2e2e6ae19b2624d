"""Keeps who voted for which dream: each reaction that is a vote, and where it stands. Knows no Discord.

How many people voted for a dream the database counts by itself, in the same transaction (`tallies`).
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import time
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, put
from bot.database.gathering import Gathering
from bot.database.outbox import Kind, owe
from bot.database.tables import dreams, tallies, votes


@dataclass(slots=True)
class Counts:
    """How many people voted for a dream, before and after a change."""

    before: int = 0
    after: int = 0

    def reach(self, tally: int | None) -> bool:
        """Whether it has so many votes now, and had not."""
        return tally is not None and self.before < tally <= self.after


@dataclass(frozen=True, slots=True)
class Vote:
    """A row of `votes`, and how many make a place in a hall of fame due."""

    dream_id: int
    person: int
    emoji: str
    copy_id: int = 0
    burst: bool = False
    hall_at: int | None = None  # None: there is no hall

    @property
    def row(self) -> dict[str, Any]:
        names = ("dream_id", "person", "emoji", "copy_id", "burst")
        return {name: getattr(self, name) for name in names}


class VoteStore:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time) -> None:
        """`clock`: seconds since 1970."""
        self._clock = clock
        self._transaction = database.transaction
        self._gathering = Gathering(database.transaction, self._store_votes)

    async def add_vote(
        self,
        dream_id: int,
        person: int,
        emoji: str,
        *,
        copy_id: int = 0,
        burst: bool = False,
        hall_at: int | None = None,
    ) -> Counts:
        """Keep one reaction; a second time is harmless. `copy_id`: under which copy; 0: the dream itself.

        `hall_at`: once so many people voted, it is owed to look whether it may hang in a hall of fame. Those
        of the same moment are stored, and counted, together.
        """
        return await self._gathering.write(Vote(dream_id, person, emoji, copy_id, burst, hall_at))

    async def remove_votes(
        self,
        dream_id: int,
        *,
        person: int | None = None,
        emoji: str | None = None,
        copy_id: int | None = None,
        burst: bool | None = None,
    ) -> Counts:
        """Forget the reactions of a dream, or only those of which all that is named here is true."""
        wanted = {"person": person, "emoji": emoji, "copy_id": copy_id, "burst": burst}
        async with self._counting(dream_id) as (connection, counts):
            await connection.execute(_votes_of(delete(votes), {"dream_id": dream_id} | wanted))
        return counts

    async def replace_votes(
        self,
        dream_id: int,
        reactions: Iterable[tuple[int, str] | tuple[int, str, bool]],
        *,
        copy_id: int | None = None,
        but: Collection[int] = (),
        hall_at: int | None = None,
    ) -> Counts:
        """Let a dream's reactions be exactly these (person, emoji, burst).

        `copy_id`: only those under this copy, or (0) under the dream itself; None: all there are. `but`:
        people whose reactions are newer than these, and stay as they are. `hall_at`: as of `add_vote`.
        """
        rows = [
            Vote(dream_id, person, emoji, copy_id or 0, bool(burst and burst[0])).row
            for person, emoji, *burst in set(reactions)
            if person not in but
        ]
        alone = select(dreams.c.id).where(dreams.c.id == dream_id).with_for_update(key_share=True)
        old = _votes_of(delete(votes), {"dream_id": dream_id, "copy_id": copy_id})
        async with self._counting(dream_id, hall_at) as (connection, counts):
            await connection.execute(alone)  # two that insert in another order would block each other
            await connection.execute(old.where(votes.c.person.not_in(but)) if but else old)
            await put(connection, votes, *rows)
        return counts

    async def vote_emoji(self, dream_id: int) -> set[str]:
        """With which emoji people voted for it."""
        query = select(votes.c.emoji).where(votes.c.dream_id == dream_id).distinct()
        async with self._transaction() as connection:
            return set((await connection.execute(query)).scalars())

    async def count_votes(self, dream_id: int) -> int:
        """How many people voted for it."""
        query = select(tallies.c.people).where(tallies.c.dream_id == dream_id)
        async with self._transaction() as connection:
            return await connection.scalar(query) or 0

    async def votes_for(self, dream_ids: Collection[int]) -> dict[int, dict[str, set[int]]]:
        """Who voted for each of these dreams, by emoji."""
        found: dict[int, dict[str, set[int]]] = {dream_id: {} for dream_id in dream_ids}
        query = select(votes.c.dream_id, votes.c.emoji, votes.c.person).where(votes.c.dream_id.in_(dream_ids))
        async with self._transaction() as connection:
            for row in await connection.execute(query):
                found[row.dream_id].setdefault(row.emoji, set()).add(row.person)
        return found

    @asynccontextmanager
    async def _counting(
        self, dream_id: int, hall_at: int | None = None
    ) -> AsyncIterator[tuple[AsyncConnection, Counts]]:
        """A transaction that changes a dream's votes."""
        counts = Counts()
        async with self._transaction() as connection:
            counts.before = (await _people(connection, [dream_id])).get(dream_id, 0)
            yield connection, counts
            counts.after = (await _people(connection, [dream_id])).get(dream_id, 0)
            if counts.reach(hall_at):
                await owe(connection, Kind.FAME, dream_id, now=self._clock())

    async def _store_votes(self, connection: AsyncConnection, given: Sequence[Vote]) -> list[Counts]:
        """Of each vote the counts of its dream, before and after all of them."""
        ids = sorted({vote.dream_id for vote in given})
        before = await _people(connection, ids)
        # In one order: in PostgreSQL two processes would block each other.
        rows = [vote.row for vote in given]
        await put(connection, votes, *sorted(rows, key=lambda row: tuple(row.values())))
        after = await _people(connection, ids)
        counts = [Counts(before.get(vote.dream_id, 0), after.get(vote.dream_id, 0)) for vote in given]
        due = {vote.dream_id for vote, count in zip(given, counts, strict=True) if count.reach(vote.hall_at)}
        await owe(connection, Kind.FAME, *sorted(due), now=self._clock())
        return counts


async def _people(connection: AsyncConnection, dream_ids: Sequence[int]) -> dict[int, int]:
    """How many people voted for each of these dreams, within a transaction that writes votes."""
    query = select(votes.c.dream_id, func.count(votes.c.person.distinct()).label("people"))
    query = query.where(votes.c.dream_id.in_(dream_ids)).group_by(votes.c.dream_id)
    return {row.dream_id: row.people for row in await connection.execute(query)}


def _votes_of(statement: Any, wanted: Any) -> Any:
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(votes.c[name] == value)
    return statement
