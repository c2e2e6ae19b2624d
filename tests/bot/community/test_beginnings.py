"""What the worker hands to the engine to begin with: options, kept states, other dreams' ends, chapters."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from bot.dreams.dream import DreamState, Wish
from bot.settings import Settings
from engine import FailureKind
from engine.sentences import Key, Saying
from tests.bot.rig import Rig
from tests.bot.scripted import picture, until

A_WISH = Callable[..., Wish]


async def test_every_option_reaches_the_engine(rig: Rig, a_wish: A_WISH) -> None:
    wish = a_wish(avoid="people", preset="quick", size=512, spoiler=True)
    await rig.worker.submit(wish, image=picture("PNG"))
    await rig.engine.dreams(1)
    request = rig.engine.requests[0]
    assert (request.avoid, request.preset, request.size) == ("people", "quick", 512)
    assert request.image == picture("PNG")
    assert (request.begin, request.state, request.other_state) == ("new", None, None)
    assert request.state_every_s > 0 and request.timelapse_bytes > 0


async def test_a_crash_costs_only_what_came_after_the_last_state(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.step(state=b"step 1")
    rig.engine.step(state=b"step 2")
    rig.engine.step()
    rig.engine.fail(FailureKind.CRASH)
    await until(lambda: len(rig.engine.requests) == 2)
    again = rig.engine.requests[1]
    assert (again.begin, again.state) == ("resume", b"step 2")
    await rig.engine.dreams(1)
    rig.engine.finish()
    await rig.until(1, DreamState.DONE)
    assert await rig.store.state(1) == b"end of 1"


async def test_a_restart_goes_on_from_the_last_state(settings: Settings, a_wish: A_WISH) -> None:
    before = await Rig(settings.database_url, "before").open()
    await before.worker.submit(a_wish())
    await before.engine.dreams(1)
    before.engine.step(state=b"step 1")
    await until(lambda: _has_state(before))
    await before.close()
    after = await Rig(settings.database_url, "after").open()
    await after.engine.dreams(1)
    assert (after.engine.requests[0].begin, after.engine.requests[0].state) == ("resume", b"step 1")
    await after.close()


async def _has_state(rig: Rig) -> bool:
    return await rig.store.state(1) is not None


async def test_who_lost_the_lease_overwrites_no_state(settings: Settings, a_wish: A_WISH) -> None:
    slow = await Rig(settings.database_url, "slow").open()
    await slow.worker.submit(a_wish())
    await slow.engine.dreams(1)
    slow.engine.step(state=b"step 1")
    await until(lambda: _has_state(slow))
    async with slow.database.transaction() as connection:
        await connection.execute(text("UPDATE dreams SET owner = 'somebody else', lease_until = 9e9"))
    slow.engine.step(state=b"step 2")
    slow.engine.finish()
    await until(lambda: slow.engine.current is None)
    assert await slow.store.state(1) == b"step 1"
    await slow.close()


async def test_a_state_that_the_engine_cannot_use_costs_no_dream(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.step(state=b"of an older version")
    rig.engine.fail(FailureKind.CRASH)
    await until(lambda: len(rig.engine.requests) == 2)
    await rig.engine.dreams(1)
    rig.engine.fail(FailureKind.BAD_REQUEST, "This state does not fit.")
    await until(lambda: len(rig.engine.requests) == 3)
    await rig.engine.dreams(1)
    assert rig.engine.requests[2].begin == "new" and rig.engine.requests[2].state is None
    rig.engine.finish()
    await rig.until(1, DreamState.DONE)


async def dreamt(rig: Rig, *wishes: Wish) -> None:
    """These are the first dreams, and they are done."""
    for id, wish in enumerate(wishes, start=1):
        await rig.worker.submit(wish)
        await rig.engine.dreams(id)
        rig.engine.finish()
        await rig.until(id, DreamState.DONE)


async def test_a_dream_begins_at_another_ones_end(rig: Rig, a_wish: A_WISH) -> None:
    await dreamt(rig, a_wish(), a_wish())
    await rig.worker.submit(a_wish(begin="vary", parent_id=1, strength=0.25))
    await rig.engine.dreams(3)
    rig.engine.finish()
    await rig.worker.submit(a_wish(begin="blend", parent_id=1, other_id=2))
    await rig.engine.dreams(4)
    vary, blend = rig.engine.requests[2:]
    assert (vary.begin, vary.state, vary.other_state, vary.strength) == ("vary", b"end of 1", None, 0.25)
    assert (blend.begin, blend.state, blend.other_state) == ("blend", b"end of 1", b"end of 2")


async def test_a_dream_whose_beginning_is_gone_says_so(rig: Rig, a_wish: A_WISH) -> None:
    await dreamt(rig, a_wish())
    await rig.store.erase(1)
    await rig.worker.submit(a_wish(begin="continue", parent_id=1))
    failed = await rig.until(2, DreamState.FAILED)
    assert Saying.from_json(failed.failure_detail) == Saying.of(Key.PARENT_GONE)
    assert len(rig.engine.requests) == 1


def chapters(a_wish: A_WISH, count: int, author: int = 11) -> list[Wish]:
    return [
        a_wish(prompt=f"chapter {i}", chapter=i, chapters=count, author_id=author)
        for i in range(1, count + 1)
    ]


async def test_a_story_is_dreamt_chapter_by_chapter_and_others_have_their_turns(
    rig: Rig, a_wish: A_WISH
) -> None:
    await rig.worker.submit_story(chapters(a_wish, 3))
    await rig.engine.dreams(1)
    await rig.worker.submit(a_wish(author_id=12, prompt="a tree"))
    assert rig.turns.places() == {4: 1}, "later chapters are not in line yet"
    for expected in (1, 4, 2, 3):
        await rig.engine.dreams(expected)
        rig.engine.finish()
        await rig.until(expected, DreamState.DONE)
    begun = [(r.prompt, r.begin, r.state) for r in rig.engine.requests]
    assert begun == [
        ("chapter 1", "new", None),
        ("a tree", "new", None),
        ("chapter 2", "continue", b"end of 1"),
        ("chapter 3", "continue", b"end of 2"),
    ]


async def test_a_story_goes_on_after_a_restart(settings: Settings, a_wish: A_WISH) -> None:
    before = await Rig(settings.database_url, "before").open()
    await before.worker.submit_story(chapters(a_wish, 2))
    await before.engine.dreams(1)
    before.engine.finish()
    await before.until(1, DreamState.DONE)
    await before.close()
    after = await Rig(settings.database_url, "after").open()
    await after.engine.dreams(2)
    await after.close()


@pytest.mark.parametrize("begun", [True, False])
async def test_a_cancelled_chapter_ends_the_story(rig: Rig, a_wish: A_WISH, begun: bool) -> None:
    if not begun:
        await rig.worker.submit(a_wish(author_id=99))
        await rig.engine.dreams(1)
    first = (await rig.worker.submit_story(chapters(a_wish, 3)))[0].id
    if begun:
        await rig.engine.dreams(first)
        rig.engine.step()
    await rig.worker.cancel(first)
    await rig.until(first, DreamState.CANCELLED)
    for id in (first + 1, first + 2):
        later = await rig.until(id, DreamState.CANCELLED)
        assert later.delivered and later.message_id is None
