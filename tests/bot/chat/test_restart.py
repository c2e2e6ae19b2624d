"""What outlives the process: the line, the dream in hand, buttons, ends, votes."""

from bot.chat import sentences
from bot.chat.presenter import RETRIES
from bot.dreams import DreamState
from bot.store import Store
from bot.votes import VOTE_EMOJI
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
    await world.until_text("Next in line.", at=1)
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
    world.parts.presenter._retry_s = 0.0
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
    killed = Store(world.settings.database_url, owner="killed")
    wish = a_wish(author_id=world.alice.id, guild_id=world.guild.id, channel_id=world.channel.id)
    await killed.add(wish)
    assert await killed.claim(1, lease_s=-1.0), "its lease has run out"
    await killed.close()
    await world.parts.worker.refresh()
    await world.engine.dreams(1)
    world.engine.finish()
    dream = await world.until_delivered(1)
    assert dream.state is DreamState.DONE and dream.attempts == 2


async def finished(world: World) -> None:
    """Alice's dream, done and under vote."""
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    await until(lambda: len(world.messages()[-1].reactions) == len(VOTE_EMOJI))


async def votes(world: World) -> int:
    return await world.parts.client.votes.tally(1)


async def test_a_vote_counts_once_per_person_and_not_the_authors_or_a_bots(world: World) -> None:
    await finished(world)
    message = world.messages()[0]
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    for member, emoji in (
        (world.bob, VOTE_EMOJI[0]),
        (world.bob, VOTE_EMOJI[1]),
        (world.moderator, "❤"),
        (world.alice, VOTE_EMOJI[0]),
        (robot, VOTE_EMOJI[0]),
        (world.bob, "🍕"),
    ):
        await member.react(message, emoji)
    assert await votes(world) == 2
    await world.bob.unreact(message, VOTE_EMOJI[0])
    assert await votes(world) == 2, "one of bob's two reactions is left"
    await world.bob.unreact(message, VOTE_EMOJI[1])
    assert await votes(world) == 1


async def test_reactions_cleared_by_a_moderator_are_votes_no_more(world: World) -> None:
    await finished(world)
    message = world.messages()[0]
    await world.bob.react(message, VOTE_EMOJI[0])
    await world.moderator.react(message, VOTE_EMOJI[1])
    world.env.backend.clear_reaction(world.channel.id, message.id, VOTE_EMOJI[0])
    await world.env.settle()
    assert await votes(world) == 1
    world.env.backend.clear_reactions(world.channel.id, message.id)
    await world.env.settle()
    assert await votes(world) == 0


async def test_votes_survive_a_restart_and_those_cast_meanwhile_are_found(world: World) -> None:
    await finished(world)
    message = world.messages()[0]
    carol = world.guild.add_member(world.env.create_user("carol"))
    await world.bob.react(message, VOTE_EMOJI[0])
    await world.parts.end()
    # While the bot is away nobody tells it.
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    for member in (world.moderator, carol, world.alice):
        await member.react(message, VOTE_EMOJI[0])
    await world.bob.unreact(message, VOTE_EMOJI[0])
    world.env.backend.subscribers[:] = subscribers
    assert await votes(world) == 1
    await world.restart()
    await world.env.settle()
    assert await votes(world) == 2, "the moderator's and carol's; not alice's, bob's is taken back"


async def test_a_vote_under_another_message_is_ignored(world: World) -> None:
    other = await world.alice.send(world.channel, "not a dream")
    await finished(world)
    await world.bob.react(other, VOTE_EMOJI[0])
    assert await votes(world) == 0
