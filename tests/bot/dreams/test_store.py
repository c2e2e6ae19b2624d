"""The database: nothing is lost, and two processes never dream the same dream."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from time import time

import pytest

from bot.database.connection import Database
from bot.dreams.dream import DreamState, Picture, Wish
from bot.dreams.store import FORGIVEN, AlreadyStored, Store, asked_since
from bot.settings import Settings
from engine import Failed, FailureKind, Finished, Recipe
from engine.sentences import Saying

A_WISH = Callable[..., Wish]
RECIPE = Recipe("a house", 7, 100, "pocket", "gan", "clip", "0.1.0")
FINISHED = Finished("1", RECIPE, 31.5, 90, 100, 42.0, False, b"png")


@pytest.fixture
async def other(settings: Settings, store: Store) -> AsyncIterator[Store]:
    """A second process on the same database."""
    database = Database(settings.database_url)
    await database.open()
    yield Store(database, owner="another process")
    await database.close()


async def asked(store: Store) -> list[float]:
    async with store.reading() as connection:
        return await asked_since(connection, 0.0, guild_id=1, author_id=11)


async def test_a_stored_dream_comes_back_as_it_was_in_a_new_process(
    store: Store, other: Store, a_wish: A_WISH
) -> None:
    prompt = "🍒 'quoted'; DROP TABLE dreams; -- \u202e ا" + "x" * 1900
    dream = await store.add(a_wish(prompt=prompt, seed=2**32 - 1, author_id=2**62, steps=5))
    assert dream.state is DreamState.QUEUED and abs(dream.created_at - time()) < 5
    assert await other.get(dream.id) == dream
    assert (dream.prompt, dream.seed, dream.author_id, dream.steps) == (prompt, 2**32 - 1, 2**62, 5)


async def test_an_unknown_dream_is_none(store: Store) -> None:
    assert await store.get(5) is None
    assert await store.shown_by(5) is None
    assert await store.picture(5) is None
    assert await store.claim(5, lease_s=1) is None


async def test_the_same_interaction_is_stored_once(store: Store, other: Store, a_wish: A_WISH) -> None:
    wish = a_wish(origin=99)
    await store.add(wish)
    with pytest.raises(AlreadyStored):
        await other.add(wish)
    assert len(await store.undelivered()) == 1


async def test_of_two_processes_one_gets_the_dream(store: Store, other: Store, a_wish: A_WISH) -> None:
    ids = [(await store.add(a_wish())).id for _ in range(20)]
    claims = [await asyncio.gather(store.claim(id, lease_s=30), other.claim(id, lease_s=30)) for id in ids]
    assert all(len([c for c in pair if c]) == 1 for pair in claims)


async def test_a_lease_that_ran_out_can_be_taken_and_its_old_owner_has_no_say(
    store: Store, other: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    assert await store.claim(dream.id, lease_s=-1)
    assert [d.id for d in await other.waiting()] == [dream.id]
    taken = await other.claim(dream.id, lease_s=30)
    assert taken is not None and taken.attempts == 2
    assert await store.renew(dream.id, lease_s=30) is None
    assert await store.release(dream.id, refund=True) is None
    assert await store.finish(dream.id, DreamState.DONE, finished=FINISHED) is None
    assert (await store.get(dream.id)).state is DreamState.DREAMING  # type: ignore[union-attr]


async def test_whoever_did_not_hear_that_they_have_it_claims_it_again_at_no_cost(
    store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    first, second = [await store.claim(dream.id, lease_s=30) for _ in range(2)]
    assert first is not None and second is not None
    assert (second.attempts, second.rescues) == (first.attempts, first.rescues) == (1, 0)


async def test_what_is_over_is_nobody_s_although_its_lease_ran_out(
    store: Store, other: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    assert await store.claim(dream.id, lease_s=-1)
    assert await store.finish(dream.id, DreamState.DONE, finished=FINISHED)
    assert await other.waiting() == [] and await other.line(0, dream.id + 1) == []
    for process in (store, other):
        assert await process.claim(dream.id, lease_s=30) is None
        assert await process.renew(dream.id, lease_s=30) is None
        assert await process.release(dream.id, refund=True) is None
        assert await process.finish(dream.id, DreamState.FAILED) is None
        assert await process.move_to_front(dream.id) is None
    assert (await store.get(dream.id)).state is DreamState.DONE  # type: ignore[union-attr]


async def test_a_held_lease_cannot_be_taken(store: Store, other: Store, a_wish: A_WISH) -> None:
    dream = await store.add(a_wish())
    await store.claim(dream.id, lease_s=-1)
    assert await store.renew(dream.id, lease_s=30)
    assert await other.waiting() == []
    assert await other.claim(dream.id, lease_s=30) is None


async def test_a_released_dream_waits_again_and_an_orderly_stop_costs_no_attempt(
    store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    for refund, attempts in ((True, 0), (False, 1)):
        await store.claim(dream.id, lease_s=30)
        released = await store.release(dream.id, refund=refund)
        assert released is not None
        assert (released.state, released.attempts) == (DreamState.QUEUED, attempts)


async def test_an_end_keeps_picture_recipe_and_figures(store: Store, other: Store, a_wish: A_WISH) -> None:
    dream = await store.add(a_wish())
    await store.claim(dream.id, lease_s=30)
    png = bytes(range(256)) * 200
    await store.finish(dream.id, DreamState.DONE, finished=FINISHED, picture=Picture(png, "png"))
    ended = await other.get(dream.id)
    assert ended is not None and ended.ended_at is not None
    assert (ended.state, ended.score, ended.best_step, ended.steps_done, ended.seconds) == (
        DreamState.DONE, 31.5, 90, 100, 42.0,
    )  # fmt: skip
    assert Recipe.from_json(ended.recipe) == RECIPE
    assert await other.picture(dream.id) == Picture(png, "png")
    assert await other.waiting() == []


async def test_a_failure_keeps_its_kind_and_sentence(store: Store, a_wish: A_WISH) -> None:
    dream = await store.add(a_wish())
    await store.claim(dream.id, lease_s=30)
    failed = Failed("1", FailureKind.MODEL, Saying.plain("The model is damaged."))
    ended = await store.finish(dream.id, DreamState.FAILED, failure=failed)
    assert ended is not None
    assert (ended.failure, ended.failure_detail) == (FailureKind.MODEL, failed.message.to_json())


@pytest.mark.parametrize(
    ("kind", "counted"), [(FailureKind.CRASH, 2), (FailureKind.HANG, 2), (FailureKind.MODEL, 0)]
)
async def test_dreams_that_make_the_engine_fail_again_and_again_count_in_the_end(
    store: Store, a_wish: A_WISH, kind: FailureKind, counted: int
) -> None:
    for number in range(FORGIVEN + 2):
        dream = await store.add(a_wish(author_id=11))
        await store.claim(dream.id, lease_s=30)
        await store.finish(dream.id, DreamState.FAILED, failure=Failed(str(number), kind))
        if number < FORGIVEN:
            assert not await asked(store)
    assert len(await asked(store)) == counted


async def test_only_a_waiting_dream_can_be_withdrawn_and_only_a_running_one_asked(
    store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    assert await store.ask_cancel(dream.id) is None
    await store.claim(dream.id, lease_s=30)
    assert await store.cancel_queued(dream.id) is None
    asked = await store.ask_cancel(dream.id)
    assert asked is not None and asked.cancel_asked
    await store.finish(dream.id, DreamState.CANCELLED)
    assert await store.ask_cancel(dream.id) is None


async def test_what_is_undelivered_and_what_is_recent(store: Store, a_wish: A_WISH) -> None:
    first, second = await store.add(a_wish()), await store.add(a_wish())
    await store.set_message(first.id, 500)
    await store.claim(first.id, lease_s=30)
    await store.finish(first.id, DreamState.DONE, finished=FINISHED)
    assert [d.id for d in await store.undelivered()] == [first.id, second.id]
    assert await store.recent(since=0.0, most=10) == []
    await store.set_delivered(first.id)
    assert [d.id for d in await store.undelivered()] == [second.id]
    assert [d.id for d in await store.recent(since=0.0, most=10)] == [first.id]
    assert await store.recent(since=time() + 60, most=10) == []
    assert (await store.shown_by(500)).id == first.id  # type: ignore[union-attr]


async def test_votes_are_counted_by_person(store: Store, a_wish: A_WISH) -> None:
    dream = await store.add(a_wish())
    for person, emoji in ((1, "⭐"), (1, "⭐"), (1, "❤"), (2, "⭐"), (3, "❤")):
        await store.add_vote(dream.id, person, emoji)
    assert await store.count_votes(dream.id) == 3
    await store.remove_votes(dream.id, person=1, emoji="⭐")
    assert await store.count_votes(dream.id) == 3
    await store.remove_votes(dream.id, emoji="❤")
    assert await store.count_votes(dream.id) == 1
    await store.replace_votes(dream.id, [(4, "⭐"), (5, "⭐"), (5, "⭐")])
    assert await store.count_votes(dream.id) == 2
    await store.remove_votes(dream.id)
    assert await store.count_votes(dream.id) == 0


async def test_two_processes_that_hear_the_same_vote_keep_it_once(
    settings: Settings, store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    databases = [Database(settings.database_url, busy_timeout_s=20) for _ in range(2)]
    processes = [Store(database, owner="x") for database in databases]
    for _ in range(5):
        await asyncio.gather(
            *(process.add_vote(dream.id, person, "⭐") for process in processes for person in (1, 2)),
            *(process.replace_votes(dream.id, [(1, "⭐"), (3, "⭐")]) for process in processes),
        )
        await store.add_vote(dream.id, 2, "⭐")
        assert await store.count_votes(dream.id) == 3
        await store.remove_votes(dream.id)
    for database in databases:
        await database.close()


async def test_what_no_database_can_hold_is_written_otherwise(store: Store, a_wish: A_WISH) -> None:
    dream = await store.add(a_wish())
    await store.claim(dream.id, lease_s=30)
    notice, detail = Saying.plain("cut\x00 here"), Saying.plain("The model\x00 is \ud800 damaged.")
    await store.set_notice(dream.id, notice)
    failed = Failed("1", FailureKind.MODEL, detail)
    ended = await store.finish(dream.id, DreamState.FAILED, failure=failed)
    assert ended is not None
    assert Saying.from_json(ended.notice) == notice
    assert Saying.from_json(ended.failure_detail) == detail


async def test_what_a_dream_leaves_behind_comes_back(store: Store, other: Store, a_wish: A_WISH) -> None:
    dream = await store.add(a_wish(), image=b"attached")
    assert dream.image_id is not None and await other.image(dream.image_id) == b"attached"
    await store.claim(dream.id, lease_s=30)
    await store.keep_state(dream.id, b"step 1")
    await other.keep_state(dream.id, b"of another one")
    assert await other.state(dream.id) == b"step 1"
    ended = replace(FINISHED, state=b"end", timelapse=b"RIFF")
    await store.finish(dream.id, DreamState.DONE, finished=ended)
    assert (await other.state(dream.id), await other.timelapse(dream.id)) == (b"end", b"RIFF")
    await store.keep_state(dream.id, b"late")
    assert await store.state(dream.id) == b"end"


async def test_an_erased_dream_leaves_no_word_or_picture(store: Store, a_wish: A_WISH) -> None:
    secret = a_wish(prompt="a secret", avoid="secrets")
    first = await store.add(secret, image=b"the secret picture")
    assert await store.erase(first.id) is None, "it is not over"
    again = await store.add(a_wish(image_id=first.image_id))
    assert first.image_id is not None
    ended = replace(FINISHED, state=b"secret", timelapse=b"secret")
    for dream in (first, again):
        await store.claim(dream.id, lease_s=30)
        await store.finish(dream.id, DreamState.DONE, finished=ended, picture=Picture(b"secret", "png"))
        await store.add_vote(dream.id, 5, "⭐")
    erased = await store.erase(first.id)
    assert erased is not None and erased.erased and erased.prompt == erased.avoid == erased.recipe == ""
    assert await store.image(first.image_id) is not None, "another dream uses it"
    await store.erase(again.id)
    assert await store.erase(again.id) is None, "only once"
    assert await store.image(first.image_id) is None
    for id in (first.id, again.id):
        assert await store.picture(id) is await store.state(id) is await store.timelapse(id) is None
        assert await store.count_votes(id) == 0
    assert await store.by(secret.author_id, most=10) == []


async def test_a_person_s_dreams_come_newest_first_and_page_by_page(store: Store, a_wish: A_WISH) -> None:
    for author in (11, 12, 11, 11):
        await store.add(a_wish(author_id=author))
    assert [d.id for d in await store.by(11, most=2)] == [4, 3]
    assert [d.id for d in await store.by(11, before=3, most=2)] == [1]
    assert await store.count_by(11) == 3
