"""The hall of fame as it is stored: each dream hangs there once, whichever process hangs it."""

import asyncio
from collections.abc import Callable

from sqlalchemy import delete, select

from bot.community.hall_of_fame import HallOfFame
from bot.database.connection import Database
from bot.database.tables import outbox
from bot.dreams.dream import DreamState, Wish
from bot.dreams.store import Store


async def test_a_dream_hangs_once_until_it_is_taken_down(
    database: Database, store: Store, a_wish: Callable[..., Wish]
) -> None:
    fame, dream = HallOfFame(database=database), await store.add(a_wish())
    hung = await asyncio.gather(*(fame.hang(dream, 5, 3) for _ in range(3)))
    assert len([one for one in hung if one]) == 1
    assert [one.dream_id for one in await fame.unfinished()] == [dream.id]
    await fame.set_message(dream.id, 2**62)
    await fame.set_votes(dream.id, 4)
    kept = await fame.get(dream.id)
    assert kept is not None and (kept.message_id, kept.votes) == (2**62, 4)
    assert await fame.unfinished() == []
    await fame.take_down(dream.id)
    assert await fame.get(dream.id) is None
    assert await fame.hang(dream, 5, 3) is not None


async def test_an_erased_dream_is_to_be_taken_down(
    database: Database, store: Store, a_wish: Callable[..., Wish]
) -> None:
    fame, dream = HallOfFame(database=database), await store.add(a_wish())
    await fame.hang(dream, 5, 3)
    await fame.set_message(dream.id, 77)
    await store.claim(dream.id, lease_s=30)
    await store.finish(dream.id, DreamState.CANCELLED)
    await store.erase(dream.id)
    assert [one.dream_id for one in await fame.unfinished()] == [dream.id]


async def test_what_gets_enough_votes_is_owed_a_look_in_the_same_transaction(
    database: Database, store: Store, a_wish: Callable[..., Wish]
) -> None:
    dream = await store.add(a_wish())

    async def owed() -> list[tuple[str, int]]:
        async with database.transaction() as connection:
            found = [(row.kind, row.subject) for row in await connection.execute(select(outbox))]
            await connection.execute(delete(outbox))
            return found

    await store.add_vote(dream.id, 5, "⭐", hall_at=2)
    await store.add_vote(dream.id, 5, "❤", hall_at=2)
    assert await owed() == []
    await store.add_vote(dream.id, 6, "⭐", hall_at=2)
    assert await owed() == [("fame", dream.id)]
    await store.add_vote(dream.id, 7, "⭐", hall_at=2)
    assert await owed() == [], "it was enough before"
    await store.remove_votes(dream.id)
    await store.replace_votes(dream.id, [(5, "⭐"), (6, "⭐")], hall_at=2)
    assert await owed() == [("fame", dream.id)]
    await store.remove_votes(dream.id)
    await store.replace_votes(dream.id, [(5, "⭐"), (6, "⭐")])
    assert await owed() == [], "there is no hall"
