"""Votes: reactions under a finished dream, also those cast while the bot was away."""

from bot.votes import VOTE_EMOJI
from tests.bot.chat.conftest import World
from tests.bot.scripted import until


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
