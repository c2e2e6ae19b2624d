"""What Discord may do to a dream while it is dreamt: places that vanish, old messages, tokens that die."""

import pytest

from bot.chat.messages.outbox import DENIALS
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH as SAY
from tests.bot.chat.conftest import World
from tests.bot.scripted import picture, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.chat.messages.dreams.MISSED_S", 0.05)


async def running(world: World) -> None:
    """Alice's dream is being dreamt and everybody sees it."""
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1")


async def next_one_is_dreamt(world: World) -> None:
    """Whatever happened, the bot goes on: elsewhere, for somebody else."""
    other = world.guild.create_text_channel("other")
    await world.bob.slash(other, "dream", prompt="a tree")
    await world.engine.dreams(2)
    world.engine.finish()
    dream = await world.until_delivered(2)
    assert dream.state is DreamState.DONE
    assert [a.filename for a in world.messages(other)[0].attachments] == ["dream-2.png"]


async def test_a_deleted_channel_ends_its_dream_and_no_other(world: World) -> None:
    await running(world)
    world.env.backend.delete_channel(world.channel.id)
    world.engine.step(preview=picture("JPEG", shade=9))
    await world.until_state(1, DreamState.CANCELLED)
    await next_one_is_dreamt(world)


async def test_a_server_that_throws_the_bot_out_ends_its_dream(world: World) -> None:
    await running(world)
    # Every call for that server's channel is answered so from now on.
    path = f"/channels/{world.channel.id}/messages/*"
    world.env.inject_error("PATCH", path, status=403, code=50001, times=None)
    world.engine.step(preview=picture("JPEG", shade=9))
    await world.until_state(1, DreamState.CANCELLED)
    world.env.backend.faults.clear()
    await next_one_is_dreamt(world)


@pytest.mark.parametrize(("status", "code"), [(403, 50001), (404, 10008)])
async def test_refusals_that_end_end_no_dream(world: World, status: int, code: int) -> None:
    await running(world)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=status, code=code, times=DENIALS - 1)
    world.engine.step(preview=picture("JPEG", shade=9))
    await world.until_text("step 2")
    world.engine.finish()
    assert (await world.until_delivered(1)).state is DreamState.DONE


async def test_a_message_too_old_to_be_edited_gives_way_to_a_new_one(world: World) -> None:
    await running(world)
    (old,) = world.messages()
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=429, code=30046, times=None)
    world.engine.finish()
    dream = await world.until_delivered(1)
    await until(lambda: [m.id for m in world.messages()] == [dream.message_id])
    assert dream.message_id != old.id, "the new one shows the picture, the old one is gone"
    assert [a.filename for a in world.messages()[0].attachments] == ["dream-1.png"]
    world.env.backend.faults.clear()


async def test_a_frame_that_an_old_message_does_not_take_is_no_loss(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bot.chat.messages.poster")
    await running(world)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=429, code=30046, times=1)
    world.engine.step(preview=picture("JPEG", shade=9))
    await until(lambda: "not shown" in caplog.text)
    world.engine.step(preview=picture("JPEG", shade=99))
    await world.until_text("step 3")
    world.engine.finish()
    assert (await world.until_delivered(1)).state is DreamState.DONE


async def test_a_dream_longer_than_its_interaction_lives_is_shown_all_the_same(world: World) -> None:
    await running(world)
    await world.env.advance_time(16 * 60)
    world.engine.finish()
    dream = await world.until_delivered(1)
    assert dream.state is DreamState.DONE
    assert [a.filename for a in world.messages()[0].attachments] == ["dream-1.png"]


@pytest.mark.parametrize("code", [10015, 50027, 10062])
async def test_an_answer_that_comes_too_late_undoes_nothing(world: World, code: int) -> None:
    await running(world)
    world.engine.finish(timelapse=b"RIFF film WEBP")
    await world.until_delivered(1)
    world.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=code)
    answer = await world.alice.click(world.messages()[0], label=SAY.AGAIN)
    assert not answer.acknowledged
    await world.engine.dreams(2)
