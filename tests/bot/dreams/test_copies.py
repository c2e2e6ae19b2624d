"""Which messages that show dreams are not there any more."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from bot.community.contests import Contests
from bot.community.hall_of_fame import HallOfFame
from bot.database.connection import Database
from bot.database.tables import dreams
from bot.dreams.copies import Copies
from bot.dreams.dream import (
    DreamState,
    Gone,
    Picture,
    Wish,
)
from bot.dreams.store import Store
from engine import Finished, Recipe

A_WISH = Callable[..., Wish]
FINISHED = Finished("1", Recipe("a", 1, 9, "m", "g", "c", "0"), 31.5, 9, 9, 1.0, False, b"x")


@pytest.fixture
def copies(database: Database) -> Copies:
    return Copies(database=database)


async def many(database: Database, store: Store, a_wish: A_WISH, number: int) -> list[int]:
    """So many dreams in channel 7 of server 1, in the gallery 8; their messages are 1000 and up."""
    first = await store.add(a_wish(guild_id=1, channel_id=7))
    rest = [a_wish(guild_id=1, channel_id=7) for _ in range(number - 1)]
    ids = [first.id, *(dream.id for dream in (await store.add_story(rest) if rest else []))]
    async with database.transaction() as connection:
        for id in ids:
            place = {"message_id": 1000 + id, "gallery_channel_id": 8, "gallery_message_id": 10**6 + id}
            await connection.execute(update(dreams).where(dreams.c.id == id).values(place))
    return ids


async def test_a_thousand_messages_are_gone_at_once(
    database: Database, store: Store, copies: Copies, a_wish: A_WISH
) -> None:
    ids = await many(database, store, a_wish, 1000)
    assert await copies.messages_gone([1000 + id for id in ids]) == ids
    assert await copies.messages_gone([1000 + id for id in ids]) == []
    assert [dream.id for dream in await copies.leftovers()] == ids
    assert await copies.places() == []


async def test_a_channel_s_end_is_that_of_its_dreams_and_of_the_copies_in_it(
    database: Database, store: Store, copies: Copies, a_wish: A_WISH
) -> None:
    ids = await many(database, store, a_wish, 3)
    assert await copies.channel_gone(2, 7) == [], "another server's"
    assert await copies.channel_gone(1, 8) == ids, "the gallery's"
    assert await copies.of(ids[0]) == []
    assert [(await store.get(id)).gone for id in ids] == [Gone.NOT] * 3  # type: ignore[union-attr]
    assert await copies.channel_gone(1, 7) == ids
    assert [(await store.get(id)).gone for id in ids] == [Gone.DELETED] * 3  # type: ignore[union-attr]


async def test_a_copy_that_is_gone_takes_its_votes_along(
    database: Database, store: Store, copies: Copies, a_wish: A_WISH
) -> None:
    (id,) = await many(database, store, a_wish, 1)
    dream, fame = await store.get(id), HallOfFame(database=database)
    assert dream is not None
    await fame.hang(dream, 9, 1)
    await fame.set_message(id, 77)
    for person, copy_id in ((1, 0), (2, 77), (3, 10**6 + id)):
        await store.add_vote(id, person, "⭐", copy_id=copy_id)
    assert await copies.of(id) == [(8, 10**6 + id), (9, 77)]
    assert await copies.messages_gone([77]) == [id] and await store.count_votes(id) == 2
    assert await fame.hang(dream, 9, 1) is None, "it is not hung again"
    assert await copies.messages_gone([10**6 + id]) == [id] and await store.count_votes(id) == 1


async def test_a_server_that_was_left_gets_back_what_was_there(
    database: Database, store: Store, copies: Copies, a_wish: A_WISH
) -> None:
    ids = await many(database, store, a_wish, 2)
    await copies.messages_gone([1000 + ids[0]])
    await copies.server_left(1)
    assert (await store.get(ids[1])).gone is Gone.LEFT  # type: ignore[union-attr]
    assert await copies.servers() == {1}
    await copies.server_back(1)
    gone = [(await store.get(id)).gone for id in ids]  # type: ignore[union-attr]
    assert gone == [Gone.DELETED, Gone.NOT]


async def test_what_is_gone_wins_no_contest(
    database: Database, store: Store, copies: Copies, a_wish: A_WISH
) -> None:
    contests = Contests(database=database)
    contest = await contests.start(guild_id=1, channel_id=7, theme="x", language="en", by=1, span_s=99.0)
    dream = await store.add(a_wish(guild_id=1, channel_id=7))
    await store.claim(dream.id, lease_s=30)
    await store.finish(dream.id, DreamState.DONE, finished=FINISHED, picture=Picture(b"png", "png"))
    await store.set_message(dream.id, 500)
    await contests.enter(contest, dream)
    assert len(await contests.entries(contest.id)) == 1
    await copies.messages_gone([500])
    assert await contests.entries(contest.id) == []
    assert await contests.candidates(contest, dream.author_id) == []
    await store.set_message(dream.id, 501)  # a new message shows it
    assert len(await contests.entries(contest.id)) == 1
