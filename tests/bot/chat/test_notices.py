"""The answer under a dream's message that tells its author that it is over."""

import discord
import pytest
from sqlalchemy import update

from bot.database.outbox import Kind, owe
from bot.database.tables import outbox
from bot.dreams.dream import DreamState
from bot.dreams.preferences import Preference
from bot.sentences import ENGLISH, ITALIAN
from engine import FailureKind
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import owed, until_nothing_is_owed
from tests.bot.scripted import picture


async def wants(world: World, notice: str = "always") -> None:
    for member in (world.alice, world.bob):
        await world.parts.preferences.put(member.id, Preference(notice=notice))


def notices(world: World) -> list[discord.Message]:
    return [message for message in world.messages() if not message.embeds]


async def until_told(world: World, dream_id: int = 1) -> list[discord.Message]:
    """Wait until nothing is to be told any more."""
    await world.until_delivered(dream_id)

    await until_nothing_is_owed(world)
    return notices(world)


async def test_whoever_wants_it_is_told_in_answer_to_the_dream_and_nobody_else_is(world: World) -> None:
    await wants(world)
    await world.dream(world.alice, f"@everyone <@{world.bob.id}>")
    await world.engine.dreams(1)
    world.engine.finish()
    (told,) = await until_told(world)
    assert told.content == ENGLISH.notice(world.alice.id, DreamState.DONE, story=False)
    assert told.reference is not None and told.reference.message_id == world.messages()[0].id
    bodies = [request.json for request in world.env.http_requests if isinstance(request.json, dict)]
    (sent,) = [body for body in bodies if body.get("content") == told.content]
    assert sent["allowed_mentions"] == {"parse": [], "users": [world.alice.id]}
    assert len(sent["nonce"]) <= 25, "Discord takes no longer one"


@pytest.mark.parametrize("notice", ["off", "waited"])
async def test_a_dream_that_was_over_at_once_is_told_to_nobody_who_did_not_ask(
    world: World, notice: str
) -> None:
    await wants(world, notice)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    assert await until_told(world) == []


async def test_who_set_nothing_is_told_after_a_long_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    now = world.parts.store._clock() + 90
    monkeypatch.setattr(world.parts.store, "_clock", lambda: now)
    world.engine.finish()
    assert len(await until_told(world)) == 1


async def test_the_notice_is_in_the_language_of_the_dream(world: World, admin) -> None:
    await wants(world)
    await admin.slash(world.channel, "moderate language", language="it")
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.fail(FailureKind.MEMORY, "There is not enough memory for this dream.")
    (told,) = await until_told(world)
    assert told.content == ITALIAN.notice(world.alice.id, DreamState.FAILED, story=False)


async def test_whoever_cancels_a_dream_is_not_told_of_it_but_its_author_is(world: World) -> None:
    await wants(world)
    for number, member in ((1, world.alice), (2, world.moderator)):
        await world.dream(world.alice)
        await world.engine.dreams(number)
        world.engine.step(preview=picture("JPEG"))
        message = await world.until_text("step 1")
        await member.click(message, label=ENGLISH.CANCEL)
        await world.until_state(number, DreamState.CANCELLED)
        await until_told(world, number)
        assert len(notices(world)) == number - 1
    assert notices(world)[0].content == ENGLISH.notice(world.alice.id, DreamState.CANCELLED, story=False)


async def test_a_waiting_dream_that_a_moderator_clears_away_is_told(world: World, admin) -> None:
    await wants(world)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.dream(world.bob)
    await world.until_text("Next in line")
    shown = await admin.slash(world.channel, "moderate clear")
    assert shown.response is not None
    await admin.click(shown.response, label=ENGLISH.CLEAR)
    (told,) = await until_told(world, 2)
    assert told.content == ENGLISH.notice(world.bob.id, DreamState.CANCELLED, story=False)


async def test_a_story_is_told_once_at_its_end(world: World) -> None:
    await wants(world)
    await world.alice.slash(world.channel, "dreams story", chapters="a seed | a tree")
    for number in (1, 2):
        await world.engine.dreams(number)
        world.engine.finish()
        told = await until_told(world, number)
        assert len(told) == number - 1
    assert told[0].content == ENGLISH.notice(world.alice.id, DreamState.DONE, story=True)


async def test_a_notice_that_could_not_be_posted_is_posted_after_the_restart(world: World) -> None:
    await wants(world)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(ENGLISH.LOADING)
    world.env.inject_error("POST", "/channels/*/messages", status=500, times=None)
    world.engine.finish()
    await world.until_delivered(1)
    await world.parts.end()
    world.env.backend.faults.clear()
    assert Kind.NOTICE in await owed(world) and not notices(world)
    await world.restart()
    assert len(await until_told(world)) == 1


async def test_a_notice_whose_answer_was_lost_is_not_posted_twice(world: World) -> None:
    await wants(world)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await until_told(world)
    async with world.parts.database.transaction() as connection:  # killed before it could remember
        await owe(connection, Kind.NOTICE, 1, now=0.0)
        await connection.execute(update(outbox).values(begun=1))
    await world.restart()
    assert len(await until_told(world)) == 1
    await world.restart()
    assert len(await until_told(world)) == 1


async def test_a_notice_that_may_not_be_posted_loses_nothing(world: World) -> None:
    await wants(world)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(ENGLISH.LOADING)
    world.parts.outbox._retry_s = 0.01
    world.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    world.engine.finish()
    assert await until_told(world) == []
    assert (await world.stored(1)).state is DreamState.DONE and world.messages()[0].attachments
    world.env.backend.faults.clear()
    await world.dream(world.bob)
    await world.engine.dreams(2)
    world.engine.finish()
    assert len(await until_told(world, 2)) == 1


async def test_a_moment_s_trouble_delays_a_notice_only(world: World) -> None:
    await wants(world)
    world.parts.outbox._retry_s = 0.0
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(ENGLISH.LOADING)
    world.env.inject_error("POST", "/channels/*/messages", status=500, times=2)
    world.engine.finish()
    assert len(await until_told(world)) == 1


async def test_a_dream_whose_message_is_gone_is_told_to_nobody(world: World) -> None:
    await wants(world)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(ENGLISH.LOADING)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=404, code=10008, times=None)
    world.engine.finish()
    await world.until_delivered(1)
    await world.restart()
    await until_nothing_is_owed(world)
    assert not notices(world)


async def test_beginnings_are_told_to_nobody(world: World) -> None:
    await wants(world)
    await world.dream(world.alice, candidates=2)
    for number in (1, 2):
        await world.engine.dreams(number)
        world.engine.finish()
        await world.until_state(number, DreamState.DONE)
        assert Kind.NOTICE not in await owed(world)
    assert not notices(world)
