"""The cancel button: whose click counts, and what is kept."""

import pytest

from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH as sentences
from engine import FailureKind
from engine.sentences import NOTHING
from tests.bot.chat.conftest import World, labels
from tests.bot.scripted import picture, until


async def click(world: World, member, at: int = -1) -> str:
    answer = await member.click(world.messages()[at], label=sentences.CANCEL)
    assert answer.response is not None and answer.response.ephemeral
    return answer.response.content


async def test_the_author_stops_a_running_dream_and_its_best_picture_stays(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1 of 10")
    assert await click(world, world.alice) == sentences.STOPPING
    dream = await world.until_delivered(1)
    assert dream.state is DreamState.CANCELLED and dream.steps_done == 1
    (message,) = world.messages()
    assert [a.filename for a in message.attachments] == ["dream-1.png"]
    assert sentences.cancelled(has_picture=True) in world.text()
    assert {f.name: f.value for f in message.embeds[0].fields}["Steps"] == "1", "what repeats the picture"
    assert sentences.CANCEL not in labels(message)


async def test_a_dream_cancelled_before_its_first_step_has_no_picture(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    assert await click(world, world.alice) == sentences.STOPPING
    assert (await world.until_delivered(1)).state is DreamState.CANCELLED
    assert sentences.cancelled(has_picture=False) in world.text()


async def test_the_author_takes_a_waiting_dream_out_of_the_line(world: World) -> None:
    await world.dream(world.bob)
    await world.engine.dreams(1)
    await world.dream(world.alice)
    await world.dream(world.bob, "a tree")
    await world.until_text("Number 2 in line", at=2)
    assert await click(world, world.alice, at=1) == sentences.WITHDRAWN
    await world.until_delivered(2)
    assert sentences.cancelled(has_picture=False) in world.text(1)
    await world.until_text("Next in line", at=2)
    world.engine.finish()
    await world.engine.dreams(3)
    assert [r.id for r in world.engine.requests] == ["1", "3"]


async def test_a_stranger_gets_a_kind_sentence_and_the_dream_goes_on(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    assert await click(world, world.bob) == sentences.NOT_YOURS
    world.engine.finish()
    assert (await world.until_delivered(1)).state is DreamState.DONE


async def test_a_moderator_may_cancel(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    assert await click(world, world.moderator) == sentences.STOPPING
    assert (await world.until_delivered(1)).state is DreamState.CANCELLED


async def test_a_second_click_on_cancel_is_harmless(world: World) -> None:
    await world.dream(world.bob)
    await world.engine.dreams(1)
    await world.dream(world.alice)
    await world.until_text("Next in line", at=1)
    message = world.messages()[1]
    answers = [
        await world.parts.worker.cancel(2),
        await world.parts.worker.cancel(2),
    ]
    assert [a.name for a in answers] == ["WITHDRAWN", "OVER"]
    await world.until_delivered(2)
    (message,) = [m for m in world.messages() if m.id == message.id]
    assert labels(message) == ["Again", "Edit", "Delete"], "no picture, nothing to go on from"


async def test_a_click_on_a_dream_that_nobody_remembers_is_answered(world: World) -> None:
    await world.dream(world.alice)
    await world.until_text("cherries")
    stored = world.env.backend.get_message(world.channel.id, world.messages()[0].id)
    stored.components[0]["components"][0]["custom_id"] = "dream:999:cancel"
    assert await click(world, world.alice) == sentences.UNKNOWN_DREAM


async def test_a_click_after_the_end_is_answered(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=500, times=None)
    world.engine.finish()
    await world.until_state(1, DreamState.DONE)
    assert await click(world, world.alice) == sentences.ALREADY_OVER
    world.env.backend.faults.clear()


@pytest.mark.parametrize("kind", [FailureKind.CRASH, FailureKind.HANG])
async def test_an_engine_that_breaks_down_twice_becomes_an_apology(world: World, kind: FailureKind) -> None:
    await world.dream(world.alice)
    await world.dream(world.bob, "a tree")
    await world.engine.dreams(1)
    world.engine.step(score=5.0, preview=picture("JPEG"))
    world.engine.fail(kind)
    await until(lambda: len(world.engine.requests) == 2)
    await world.until_text(sentences.LOADING_AGAIN, at=0)
    world.engine.step(score=6.0, preview=picture("JPEG", shade=10))
    world.engine.fail(kind)
    dream = await world.until_delivered(1)
    assert (dream.state, dream.failure) == (DreamState.FAILED, kind)
    assert sentences.failed(kind, NOTHING) in world.text(0).replace("\\", "")
    assert [a.filename for a in world.messages()[0].attachments] == ["dream-1.jpg"], "the best frame is kept"
    await world.engine.dreams(2)
    world.engine.finish()
    assert (await world.until_delivered(2)).state is DreamState.DONE


async def test_an_engine_that_breaks_down_once_costs_no_dream(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.fail(FailureKind.CRASH)
    await until(lambda: len(world.engine.requests) == 2)
    await world.engine.dreams(1)
    world.engine.finish()
    assert (await world.until_delivered(1)).state is DreamState.DONE


@pytest.mark.parametrize(
    "kind", [FailureKind.BAD_REQUEST, FailureKind.MODEL, FailureKind.DISK, FailureKind.MEMORY]
)
async def test_a_failure_that_would_happen_again_is_told_at_once(world: World, kind: FailureKind) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.fail(kind, "The model file generator.safetensors is damaged.")
    assert (await world.until_delivered(1)).state is DreamState.FAILED
    assert "The model file generator.safetensors is damaged." in world.text()
    assert len(world.engine.requests) == 1


async def test_a_click_that_cannot_be_answered_any_more_is_obeyed_all_the_same(world: World) -> None:
    await world.dream(world.bob)
    await world.engine.dreams(1)
    await world.dream(world.alice)
    await world.until_text("Next in line", at=1)
    world.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062)
    answer = await world.alice.click(world.messages()[1], label=sentences.CANCEL)
    assert not answer.acknowledged
    assert (await world.until_delivered(2)).state is DreamState.CANCELLED
