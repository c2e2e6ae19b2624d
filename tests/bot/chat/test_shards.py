"""Several shards: what one of them missed is looked for when it is there anew, whatever the others do.

And of shards that other processes have nothing is concluded here.
"""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from bot.database.shards import Shards
from bot.database.tables import forgettings
from bot.dreams.dream import Gone
from bot.servers.settings import VOTE_EMOJI
from tests.bot.bot_process import LOADED_CORES_S
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


async def test_a_server_of_another_process_is_not_taken_for_one_that_we_left(world: World) -> None:
    """And one of our own is: Discord tells both processes of the servers of their own shards alone."""
    ours = world.guild.id >> 22 & 1
    elsewhere = world.guild.id ^ 1 << 22
    dream = await world.parts.store.add(world.wish(guild_id=elsewhere))
    await world.parts.store.cancel_queued(dream.id)
    await world.parts.store.set_message(dream.id, 99)
    known = await found_left(world, Shards(2, frozenset({ours})))
    assert (known, (await world.stored(dream.id)).gone) == (set(), Gone.NOT)
    known = await found_left(world, Shards(2, frozenset({0, 1})))
    assert (known, (await world.stored(dream.id)).gone) == ({elsewhere}, Gone.LEFT)


async def found_left(world: World, shards: Shards) -> set[int]:
    """The servers that are taken for left once a process with these shards has looked."""
    world.settings = replace(world.settings, shards=shards)
    await world.restart()
    async with asyncio.timeout(LOADED_CORES_S):
        await world.parts.contest_messages._counted.wait()
    await world.env.settle()
    async with world.parts.database.transaction() as connection:
        return set(await connection.scalars(select(forgettings.c.subject)))


# Where the bot asks discord.py for a server, or for all: why none of another process is taken for gone there.
ASKS = {
    "chat/access.py": "an interaction comes to whoever hears of its server",
    "chat/channels.py": "what is not known is hidden",
    "chat/client.py": "for the log",
    "chat/erasing.py": "Discord itself is asked besides",
    "chat/listeners/reaction_commands.py": "a reaction comes to whoever hears of its server",
    "chat/listeners/servers.py": "only servers of our shards are taken for left",
    "chat/messages/deletions.py": "only servers of our shards are taken for left",
    "chat/messages/moderation_log.py": "for the language; what is owed there is claimed for our shards alone",
    "chat/messages/poster.py": "for the size of a file; without it what holds in every server",
}


def test_nobody_else_asks_discord_py_which_servers_there_are() -> None:
    bot = Path(__file__).parents[3] / "bot"
    asking = re.compile(r"client\.guilds\b|self\.guilds\b|\bget_guild\(")
    found = {
        str(path.relative_to(bot)) for path in bot.rglob("*.py") if asking.search(path.read_text("utf-8"))
    }
    assert found == set(ASKS)
