"""Who is sent which picture: once, and nobody too many."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from bot.database.connection import Database
from bot.database.tables import outbox
from bot.dreams.dream import Wish
from bot.dreams.sendings import (
    HOUR_S,
    MOST_AN_HOUR,
    Sendings,
)
from bot.dreams.store import Store


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sendings(database: Database, clock: Clock) -> Sendings:
    return Sendings(database=database, clock=clock)


async def test_a_person_gets_a_picture_once_also_from_the_next_process(
    sendings: Sendings, database: Database, store: Store, a_wish: Callable[..., Wish], clock: Clock
) -> None:
    dream, other = await store.add(a_wish()), await store.add(a_wish())
    assert await sendings.claim(5, dream.id)
    assert not await sendings.claim(5, dream.id)
    assert await sendings.claim(6, dream.id) and await sendings.claim(5, other.id)
    clock.now += 2 * HOUR_S
    assert not await Sendings(database=database, clock=clock).claim(5, dream.id)


async def test_what_is_to_be_sent_is_owed(
    sendings: Sendings, database: Database, store: Store, a_wish: Callable[..., Wish]
) -> None:
    dream = await store.add(a_wish())
    for _ in range(2):
        await sendings.claim(5, dream.id)
    async with database.transaction() as connection:
        owed = [tuple(row) for row in await connection.execute(select(*outbox.primary_key))]
    assert owed == [("sending", dream.id, 5)]


async def test_nobody_gets_too_many_within_an_hour(
    sendings: Sendings, store: Store, a_wish: Callable[..., Wish], clock: Clock
) -> None:
    dreams = [await store.add(a_wish()) for _ in range(MOST_AN_HOUR + 1)]
    claims = [await sendings.claim(5, dream.id) for dream in dreams]
    assert claims == [True] * MOST_AN_HOUR + [False]
    clock.now += HOUR_S + 1
    assert await sendings.claim(5, dreams[-1].id)


async def test_whoever_takes_no_messages_is_left_alone_for_an_hour(
    sendings: Sendings, store: Store, a_wish: Callable[..., Wish], clock: Clock
) -> None:
    dreams = [await store.add(a_wish()) for _ in range(3)]
    assert await sendings.claim(5, dreams[0].id)
    sendings.refused(5)
    assert not await sendings.claim(5, dreams[1].id) and await sendings.claim(6, dreams[1].id)
    clock.now += HOUR_S + 1
    assert await sendings.claim(5, dreams[1].id)
    assert not await sendings.claim(5, dreams[0].id)
