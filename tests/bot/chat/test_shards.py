"""Several shards: what one of them missed is looked for when it is there anew, whatever the others do."""

from bot.servers.settings import VOTE_EMOJI
from tests.bot.chat.conftest import World
from tests.bot.scripted import until


async def test_a_vote_that_one_shard_missed_counts_once_it_is_ready_anew(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    (message,) = (one for one in world.messages() if one.attachments)
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    await world.bob.react(message, VOTE_EMOJI[0])
    world.env.backend.subscribers[:] = subscribers
    assert await world.parts.store.count_votes(1) == 0
    # Of one shard alone discord.py says no more than that; `on_ready` waits for the others.
    await world.hear("shard_ready", world.guild.id >> 22 & 1)

    async def is_counted() -> bool:
        return await world.parts.store.count_votes(1) == 1

    await until(is_counted)
