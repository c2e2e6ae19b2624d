"""What many write at the same moment is one transaction, and each hears what became of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, StoreBusy
from bot.database.gathering import Gathering
from bot.database.tables import bans
from bot.dreams.dream import Wish
from bot.dreams.store import Store


class Counted:
    """A database's transactions, counted; the next one fails if that is wanted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.count = 0
        self.fails = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.count += 1
        if self.fails:
            raise StoreBusy
        async with self._database.transaction() as connection:
            yield connection


async def ban(connection: AsyncConnection, people: Sequence[int]) -> Sequence[int]:
    for person in people:
        row = {"guild_id": 1, "person": person, "reason": "", "by": 2}
        await connection.execute(insert(bans).values(row))
    return people


async def test_what_comes_at_the_same_moment_is_one_transaction(database: Database) -> None:
    counted = Counted(database)
    gathering = Gathering(counted.transaction, ban)
    assert await asyncio.gather(*(gathering.write(n) for n in range(20))) == list(range(20))
    assert counted.count == 1


async def test_what_fails_fails_alone(database: Database) -> None:
    gathering = Gathering(database.transaction, ban)
    told = await asyncio.gather(*(gathering.write(n) for n in (1, 2, 2, 3)), return_exceptions=True)
    assert [told[0], told[1], told[3]] == [1, 2, 3] and isinstance(told[2], IntegrityError)


async def test_when_the_database_fails_each_one_hears_and_the_next_go_on(database: Database) -> None:
    counted = Counted(database)
    gathering = Gathering(counted.transaction, ban)
    counted.fails = True
    told = await asyncio.gather(*(gathering.write(n) for n in range(3)), return_exceptions=True)
    assert all(isinstance(error, StoreBusy) for error in told)
    counted.fails = False
    assert await gathering.write(1) == 1


async def test_who_waits_no_more_keeps_nobody_else(database: Database) -> None:
    gathering = Gathering(database.transaction, ban)
    gone, stays = (asyncio.create_task(gathering.write(n)) for n in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 2
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_votes_of_many_at_once_are_all_counted(
    database: Database, store: Store, a_wish: Callable[..., Wish]
) -> None:
    dream = await store.add(a_wish())
    counts = await asyncio.gather(*(store.add_vote(dream.id, n % 9, "⭐") for n in range(30)))
    assert all((count.before, count.after) == (0, 9) for count in counts)
    again = await asyncio.gather(*(store.add_vote(dream.id, n % 9, "⭐") for n in range(30)))
    assert all((count.before, count.after) == (9, 9) for count in again)
    assert await store.count_votes(dream.id) == 9
    with pytest.raises(IntegrityError):
        await store.add_vote(dream.id + 1, 1, "⭐")
