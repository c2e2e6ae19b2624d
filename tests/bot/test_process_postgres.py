"""The real bot end to end with PostgreSQL: the server dies, the bot is killed, two bots share a line."""

import signal
import sys
from pathlib import Path

import pytest

from bot.database.connection import StoreAway
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH as sentences
from bot.servers.settings import VOTE_EMOJI
from tests.bot.bot_process import until
from tests.bot.postgres import Cluster
from tests.bot.watching import (
    final,
    first_message,
    frame,
    has_votes,
    is_final,
    running,
    shown,
    stop,
    stored,
    voted,
)
from tests.discord_server import DiscordServer
from tests.discord_server.server import words

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]


async def test_what_dies_costs_no_dream_and_nothing_is_dreamt_twice(
    cluster: Cluster, on_server: str, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": cluster.url(on_server)}
    async with DiscordServer() as server, stored(tmp_path, **settings) as store:
        ada, bob, channel = server.person("Ada"), server.person("Bob"), server.channel
        async with running(server, tmp_path, **settings) as bot:
            await server.slash(bob, channel, "dream", prompt="a castle", steps=2)
            castle = await first_message(server, channel)
            await final(server, castle)
            await server.wait(lambda: voted(server, castle), "the vote reactions")
            server.react(ada, castle, VOTE_EMOJI[0])
            await until(lambda: has_votes(store, castle, 1), "the vote")
            top = await server.slash(ada, channel, "top")
            await server.wait(lambda: top.message and "a castle" in words(top.message), "the ranking")

            await server.slash(ada, channel, "dream", prompt="a rocket", steps=20)
            rocket = await first_message(server, channel, 2)
            await frame(server, rocket)
            cluster.stop()
            refused = await server.slash(bob, channel, "dream", prompt="a pizza", steps=2)
            assert refused.text == sentences.store_trouble(StoreAway())
            cluster.start()
            await final(server, rocket)

            await server.slash(bob, channel, "dream", prompt="a house", steps=50)
            house = await first_message(server, channel, 3)
            await frame(server, house)
            bot.send(signal.SIGKILL)
            assert await bot.end() == -signal.SIGKILL
            await until(lambda: not bot.engines_left(), "the orphaned engine's end")
        assert not is_final(server, house)

        async with running(server, tmp_path, **settings) as one, running(server, tmp_path, **settings) as two:
            for number in range(3):
                await server.slash(ada, channel, "dream", prompt=f"the moon and {number} stars", steps=5)
            late = [await first_message(server, channel, number) for number in range(4, 7)]
            for message in (house, *late):
                await final(server, message)
            await stop(one)
            await stop(two)
            said = [line for bot in (one, two) for line in bot.log]

        for message, attempts in ((castle, 1), (rocket, 1), (house, 2), *((message, 1) for message in late)):
            dream = await store.shown_by(message.id)
            assert dream is not None and (dream.state, dream.attempts) == (DreamState.DONE, attempts)
            pictures = {file for version in server.versions[message.id] for file in server.files(version)}
            assert sum(picture.startswith(b"\x89PNG") for picture in pictures) == 1
            ended = f"dream {dream.id}: done"
            assert sum(line.endswith(ended) for line in said) == (message in (house, *late))
        assert shown(server) == [castle, rocket, house, *late]
        assert "Traceback" not in "\n".join([*bot.log, *said])
