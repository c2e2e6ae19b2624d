"""What outlives the process: the line, the dream in hand, buttons, ends."""

from dataclasses import replace
from time import time

import pytest
from sqlalchemy import update

from bot.chat.messages.dream_message import DreamMessage
from bot.database.outbox import Kind, owe
from bot.database.tables import dreams, outbox
from bot.dreams.dream import DreamState, Picture
from bot.dreams.store import Store
from bot.sentences import ENGLISH as sentences
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import until_nothing_is_owed
from tests.bot.scripted import picture, until


async def test_the_line_is_there_after_a_restart_and_the_dream_in_hand_is_first(world: World) -> None:
    for prompt in ("one", "two", "three"):
        await world.dream(world.alice, prompt)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1 of 10", at=0)
    await world.restart()
    for number in (1, 2, 3):
        await world.engine.dreams(number)
        world.engine.finish()
        dream = await world.until_delivered(number)
        assert dream.state is DreamState.DONE and dream.attempts == 1, "an orderly stop costs no attempt"
    assert [m.attachments[0].filename for m in world.messages()] == [f"dream-{n}.png" for n in (1, 2, 3)]


async def test_the_message_says_that_the_bot_restarts_and_keeps_its_frame(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1 of 10")
    await world.parts.end()
    assert sentences.PAUSED in world.text()
    assert [a.filename for a in world.messages()[0].attachments] == ["dream-1.jpg"]
    assert world.engine.abandoned == ["1"]
    assert (await world.stored(1)).state is DreamState.QUEUED


async def test_a_button_from_before_the_restart_works(world: World) -> None:
    await world.dream(world.bob)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text("Next in line", at=1)
    await world.restart()
    await world.engine.dreams(1)
    stranger = await world.bob.click(world.messages()[1], label=sentences.CANCEL)
    assert stranger.response is not None and stranger.response.content == sentences.NOT_YOURS
    author = await world.alice.click(world.messages()[1], label=sentences.CANCEL)
    assert author.response is not None and author.response.content == sentences.WITHDRAWN
    await world.until_delivered(2)
    assert sentences.cancelled(has_picture=False) in world.text(1)


@pytest.mark.parametrize("restarts", [False, True])
async def test_an_end_that_could_not_be_shown_is_shown_when_discord_is_back(
    world: World, restarts: bool
) -> None:
    png = picture("PNG", shade=77)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    world.parts.outbox._retry_s = 0.001
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=500, times=None)
    tries = len([r for r in world.env.http_requests if r.method == "PATCH"])
    world.engine.finish(png=png)
    await until(lambda: len([r for r in world.env.http_requests if r.method == "PATCH"]) >= tries + 6)
    if restarts:
        await world.parts.end()
    assert not (await world.stored(1)).delivered
    world.env.backend.faults.clear()
    if restarts:
        await world.restart()
    await world.until_delivered(1)
    (attachment,) = world.messages()[0].attachments
    assert await attachment.read() == png


async def test_a_dream_stored_but_never_posted_is_posted_after_the_restart(world: World, a_wish) -> None:
    wish = a_wish(
        author_id=world.alice.id, guild_id=world.guild.id, channel_id=world.channel.id, origin=12345
    )
    await world.parts.end()
    await world.parts.store.add(wish)
    await world.restart()
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    assert [a.filename for a in world.messages()[0].attachments] == ["dream-1.png"]


async def test_a_dream_whose_process_was_killed_is_dreamt_again(world: World, a_wish) -> None:
    killed = Store(world.parts.database, owner="killed")
    wish = a_wish(author_id=world.alice.id, guild_id=world.guild.id, channel_id=world.channel.id)
    await killed.add(wish)
    assert await killed.claim(1, lease_s=-1.0), "its lease has run out"
    await world.parts.worker.refresh()
    await world.engine.dreams(1)
    world.engine.finish()
    dream = await world.until_delivered(1)
    assert dream.state is DreamState.DONE and dream.attempts == 2


async def test_an_end_whose_process_died_beside_us_is_shown(world: World, a_wish) -> None:
    killed = Store(world.parts.database, owner="killed")
    for origin in (98, 99):
        wish = a_wish(author_id=world.alice.id, guild_id=world.guild.id, channel_id=world.channel.id)
        dream = await killed.add(replace(wish, origin=origin))
        await killed.claim(dream.id, lease_s=30)
        await killed.finish(dream.id, DreamState.DONE, picture=Picture(picture("PNG"), "png"))
    world.parts.outbox.wake()
    for number in (1, 2):
        await world.until_delivered(number)
    assert [m.attachments[0].filename for m in world.messages()] == ["dream-1.png", "dream-2.png"]


async def running_elsewhere(world: World) -> Store:
    """Alice's dream, of which this process has shown frames, was taken over by another one."""
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1")
    other = Store(world.parts.database, owner="other")
    async with world.parts.database.transaction() as connection:
        await connection.execute(update(dreams).values(lease_until=0.0))
    assert await other.claim(1, lease_s=30)
    return other


async def test_a_process_that_was_frozen_shows_no_frame_of_what_another_one_dreams(world: World) -> None:
    await running_elsewhere(world)
    before = len(world.env.http_requests)
    world.engine.step(preview=picture("JPEG", shade=9))
    await until(lambda: not world.parts.dream_messages._messages)
    assert "step 1" in world.text() and len(world.env.http_requests) == before


async def test_a_frame_that_comes_over_an_end_is_healed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await running_elsewhere(world)
    shows_now = world.parts.dream_messages._show_now

    async def thawed(message: DreamMessage) -> bool:  # frozen between the look and the edit
        shown = await shows_now(message)
        await other.finish(1, DreamState.DONE, picture=Picture(picture("PNG"), "png"))
        await other.set_delivered(1)
        return shown

    async def ours(message: DreamMessage) -> bool:
        return True

    monkeypatch.setattr(world.parts.dream_messages, "_is_ours", ours)
    monkeypatch.setattr(world.parts.dream_messages, "_show_now", thawed)
    world.engine.step(preview=picture("JPEG", shade=9))
    await until(lambda: [a.filename for a in world.messages()[0].attachments] == ["dream-1.png"])


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_message_whose_answer_nobody_heard_is_found_and_not_posted_again(
    world: World, is_over: bool
) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    if is_over:
        world.engine.finish()
        await world.until_delivered(1)
    await world.parts.end()
    (before,) = world.messages()
    async with world.parts.database.transaction() as connection:
        lost = {"message_id": None, "delivered": False, "created_at": time() - 1000}
        await connection.execute(update(dreams).values(lost))
    await world.restart()
    if not is_over:
        await world.engine.dreams(1)
        world.engine.finish()
    await world.until_delivered(1)
    (after,) = (message for message in world.messages() if message.embeds)  # and one tells that it is ready
    assert after.id == before.id and [a.filename for a in after.attachments] == ["dream-1.png"]


async def test_while_its_channel_cannot_be_read_nothing_is_posted_again(world: World) -> None:
    """What stands there may be the very message."""
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    (before,) = (message.id for message in world.messages() if message.embeds)
    await world.parts.end()
    async with world.parts.database.transaction() as connection:
        await connection.execute(update(dreams).values(message_id=None, delivered=False))
        await owe(connection, Kind.END, 1, now=time() - 1.0)
        await connection.execute(update(outbox).values(begun=1))
    world.env.inject_error("GET", "/channels/*/messages", status=400, times=3)
    await world.restart()
    await world.until_delivered(1)
    await until_nothing_is_owed(world)
    assert [message.id for message in world.messages() if message.embeds] == [before]
