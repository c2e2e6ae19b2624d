"""What outlives the process: the line, the dream in hand, buttons, ends."""

from bot.chat.messages.dreams import RETRIES
from bot.dreams.dream import DreamState
from bot.dreams.store import Store
from bot.sentences import ENGLISH as sentences
from tests.bot.chat.conftest import World
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


async def test_an_end_that_could_not_be_shown_is_shown_after_the_restart(world: World) -> None:
    png = picture("PNG", shade=77)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    world.parts.dream_messages._retry_s = 0.0
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=500, times=None)
    tries = len([r for r in world.env.http_requests if r.method == "PATCH"])
    world.engine.finish(png=png)
    await until(lambda: len([r for r in world.env.http_requests if r.method == "PATCH"]) == tries + RETRIES)
    await world.parts.end()
    world.env.backend.faults.clear()
    assert not (await world.stored(1)).delivered
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
