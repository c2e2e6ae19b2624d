"""Who may cancel and delete a dream, and what stands in the audit log of it."""

import pytest

from bot.community.choices import Choice
from bot.dreams.dream import Dream, DreamState
from bot.dreams.ending import (
    AlreadyDecided,
    CancelFirst,
    NotVoting,
    NotYourChoice,
    NotYours,
    NotYoursToDelete,
)
from bot.queue.worker import Cancelled
from tests.bot.dreams.conftest import ALICE, BOB, House


async def entries(house: House) -> list[tuple[int, str, str]]:
    return [(entry.by, entry.what, entry.target) for entry in await house.moderation.audit(1)]


async def test_one_s_own_dream_is_cancelled_without_an_entry(house: House) -> None:
    dream = await house.asked()
    await house.engine.dreams(dream.id)
    waiting = await house.asked()
    assert await house.ending.cancel(waiting, by=ALICE, moderates=False) is Cancelled.WITHDRAWN
    assert await house.ending.cancel(dream, by=ALICE, moderates=False) is Cancelled.STOPPING
    await house.rig.until(dream.id, DreamState.CANCELLED)
    assert await house.ending.cancel(dream, by=ALICE, moderates=False) is Cancelled.OVER
    assert await entries(house) == []


async def test_somebody_else_s_dream_is_for_moderators_and_leaves_an_entry(house: House) -> None:
    dream = await house.asked()
    with pytest.raises(NotYours):
        await house.ending.cancel(dream, by=BOB, moderates=False)
    await house.engine.dreams(dream.id)
    assert await house.ending.cancel(dream, by=BOB, moderates=True) is Cancelled.STOPPING
    await house.rig.until(dream.id, DreamState.CANCELLED)
    assert await house.ending.cancel(dream, by=BOB, moderates=True) is Cancelled.OVER
    assert await entries(house) == [(BOB, "cancel", f"dream:{dream.id}")]


async def test_a_dream_that_is_over_is_deleted_by_its_author_or_a_moderator(house: House) -> None:
    async def erase(dream: Dream) -> bool:
        return await house.store.erase(dream.id) is not None

    mine, theirs = await house.dreamt(), await house.dreamt()
    with pytest.raises(NotYoursToDelete):
        await house.ending.delete(mine, erase, by=BOB, moderates=False)
    assert await house.ending.delete(mine, erase, by=ALICE, moderates=False)
    assert await house.ending.delete(theirs, erase, by=BOB, moderates=True)
    assert (await house.stored(mine.id)).erased and (await house.stored(theirs.id)).erased
    assert await entries(house) == [(BOB, "delete", f"dream:{theirs.id}")]


async def test_a_dream_in_line_is_cancelled_before_it_is_deleted(house: House) -> None:
    async def erase(dream: Dream) -> bool:
        raise AssertionError

    with pytest.raises(CancelFirst):
        await house.ending.delete(await house.asked(), erase, by=ALICE, moderates=False)


async def test_what_could_not_be_taken_down_is_not_deleted_and_leaves_no_entry(house: House) -> None:
    async def in_vain(dream: Dream) -> bool:
        return False

    dream = await house.dreamt()
    assert not await house.ending.delete(dream, in_vain, by=BOB, moderates=True)
    assert not (await house.stored(dream.id)).erased and await entries(house) == []


async def a_choice(house: House) -> Choice:
    who = house.who()
    accepted = await house.asking.ask([house.asking.usual("a lighthouse", who)], who, candidates=2)
    choice = await house.choices.get(accepted.id)
    assert choice is not None
    return choice


async def test_a_choice_is_ended_once_by_its_author_or_a_moderator(house: House) -> None:
    choice = await a_choice(house)
    with pytest.raises(NotYourChoice):
        await house.ending.cancel_choice(choice, by=BOB, moderates=False)
    with pytest.raises(NotVoting):
        await house.ending.end_vote(choice, by=ALICE, moderates=False)
    await house.ending.cancel_choice(choice, by=BOB, moderates=True)
    with pytest.raises(AlreadyDecided):
        await house.ending.cancel_choice(choice, by=ALICE, moderates=False)
    first, *_ = await house.choices.candidates(choice.id)
    assert await entries(house) == [(BOB, "cancel", f"dream:{first.id}")]


async def test_a_server_s_moderators_tidy_its_own_line_only(house: House) -> None:
    running, first, second = [await house.asked() for _ in range(3)]
    await house.engine.dreams(running.id)
    elsewhere = 2
    assert await house.line.cancel(elsewhere, first.id, by=BOB) is None
    assert not await house.line.move_to_front(elsewhere, second.id, by=BOB)
    assert await house.line.cancel(1, 2**70, by=BOB) is None
    assert await house.line.move_to_front(1, second.id, by=BOB)
    assert await house.line.cancel(1, first.id, by=BOB) is Cancelled.WITHDRAWN
    assert await house.line.cancel(1, first.id, by=BOB) is Cancelled.OVER
    assert await house.line.clear(elsewhere, by=BOB) == 0
    assert await house.line.ban(1, ALICE, by=BOB) == 1
    assert (await house.stored(second.id)).state is DreamState.CANCELLED
    assert house.moderation.ban(1, ALICE) is not None
    told = [(what, target) for _, what, target in reversed(await entries(house))]
    assert told[:2] == [("front", f"dream:{second.id}"), ("cancel", f"dream:{first.id}")]
    assert [what for what, _ in told[2:]] == ["ban", "clear"]
