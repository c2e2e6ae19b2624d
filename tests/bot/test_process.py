"""The real bot end to end: `python -m bot` and its engine, over real sockets, with the embedded models."""

import io
import itertools
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image
from simcord.backend.models import Message
from yarl import URL

from bot.__main__ import (
    BAD_SETTING,
    NO_TOKEN,
    OFFLINE,
    PLAIN_HTTP,
    REFUSED,
    STOPPED,
    TOKEN_REFUSED,
    TOO_FEW_SHARDS,
    TURNED_AWAY,
    UNREACHABLE,
)
from bot.dreams.dream import DreamState
from bot.dreams.store import Store
from bot.sentences import ENGLISH as sentences
from bot.servers.settings import VOTE_EMOJI
from bot.web.server import own_address
from engine import Recipe
from tests.bot.bot_process import BotProcess, until
from tests.bot.watching import (
    BUSY_S,
    final,
    first_message,
    frame,
    has_votes,
    is_final,
    new_channel,
    running,
    shown,
    stop,
    stored,
    voted,
)
from tests.bot.web.conftest import Visitor
from tests.discord_server import DiscordServer, Interference, gateway
from tests.discord_server.server import words

BEAT_S = (
    1.0  # heartbeats come often, so that a blocked event loop shows; Discord allows 120 messages a minute
)
ENDLESS = 5000  # steps; such a dream ends only when it is stopped

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),  # an idle machine needs a tenth; on a busy one torch alone starts for a minute
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]

HOW_TO_HAVE_ONE = NO_TOKEN.format(again=f"{sys.executable} -m bot").strip()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(heartbeat_interval_s=BEAT_S) as server:
        yield server
        assert server.problems == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(server: DiscordServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotProcess]:
    """One bot for the tests that leave it as it was; each of them has a channel of its own."""
    async with running(server, tmp_path_factory.mktemp("bot")) as bot:
        yield bot
        await stop(bot)
        print(bot.text)  # noqa: T201 (pytest shows it with a failure)
    assert "Traceback" not in bot.text


def cancel_id(message: Message) -> str:
    """The custom id of the message's only button."""
    ((row),) = message.components
    (button,) = row["components"]
    return str(button["custom_id"])


async def test_a_dream_takes_shape_on_one_message_while_others_are_answered_at_once(
    server: DiscordServer, bot: BotProcess
) -> None:
    ada, bob, channel = server.person("Ada"), server.person("Bob"), new_channel(server)
    answer = await server.slash(ada, channel, "dream", prompt="a bowl of cherries", seed=7, steps=40)
    assert answer.latency_s < 1.0
    assert answer.text == sentences.queued(1) or answer.text == sentences.queued(None)
    message = await first_message(server, channel)
    await frame(server, message)

    second = await server.slash(bob, channel, "dream", prompt="the moon", steps=3)
    assert (second.latency_s < 1.0, second.text) == (True, sentences.queued(1))
    waiting = await first_message(server, channel, 2)
    assert "Next in line" in words(waiting)

    png = await final(server, message)
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.width) == ("PNG", image.height)
        recipe = Recipe.from_json(str(image.info["oneiro"]))
    assert (recipe.prompt, recipe.seed, recipe.steps) == ("a bowl of cherries", 7, 40)
    for told in (
        "a bowl of cherries",
        f"<@{ada.id}>",
        "Seed: 7",
        "Steps: 40",
        recipe.model,
        "Score: ",
        "Time: ",
    ):
        assert told in words(message)
    labels = {button["label"] for row in message.components for button in row["components"]}
    assert sentences.AGAIN in labels and sentences.CANCEL not in labels
    await server.wait(lambda: voted(server, message), "the vote reactions")

    frames = [server.files(version) for version in server.versions[message.id] if version.attachments]
    assert all(len(files) == 1 for files in frames)
    previews = {files[0] for files in frames[:-1]}
    assert len(previews) >= 2
    assert all(preview.startswith(b"\xff\xd8") for preview in previews)

    await final(server, waiting)
    assert shown(server, channel) == [message, waiting]
    assert server.gateway.longest_gap_s() < BEAT_S + 1.5


async def test_a_bot_comes_back_on_a_dropped_socket_and_hears_what_it_missed(
    server: DiscordServer, bot: BotProcess
) -> None:
    ada, bob, channel = server.person("Ada"), server.person("Bob"), new_channel(server)
    identifies = server.gateway.identifies
    await server.slash(ada, channel, "dream", prompt="a red heart", steps=ENDLESS)
    message = await first_message(server, channel)
    await frame(server, message)
    server.gateway.drop()
    await server.wait(lambda: not server.gateway.online, "the drop")
    # Asked for while nobody listens: it is answered once the bot has resumed.
    late = await server.slash(bob, channel, "dream", prompt="a house", steps=2)
    assert late.text == sentences.queued(1)
    assert (server.gateway.resumes, server.gateway.identifies) == (1, identifies)

    refused = await server.click(bob, message, cancel_id(message))
    assert refused.text == sentences.NOT_YOURS
    cancelled = await server.click(ada, message, cancel_id(message))
    assert (cancelled.latency_s < 1.0, cancelled.text) == (True, sentences.STOPPING)
    with Image.open(io.BytesIO(await final(server, message))) as image:
        assert image.format == "PNG"
    assert sentences.cancelled(has_picture=True) in words(message)
    labels = {button["label"] for row in message.components for button in row["components"]}
    assert sentences.AGAIN in labels and sentences.CANCEL not in labels
    await final(server, await first_message(server, channel, 2))


async def test_a_storm_of_rate_limits_costs_frames_but_not_the_picture(
    server: DiscordServer, bot: BotProcess
) -> None:
    ada, channel = server.person("Ada"), new_channel(server)
    path = f"/channels/{channel.id}/messages/*"
    storm = server.fault("PATCH", path, status=429, retry_after_s=0.5, times=7)
    await server.slash(ada, channel, "dream", prompt="a green tree", steps=10)
    message = await first_message(server, channel)
    await final(server, message)
    assert storm.hits == 7
    edits = server.calls("PATCH", str(message.id))
    refused = [call for call in edits if call.status == 429]
    assert len(refused) == 7  # and none for going too fast
    after = {id(call): later for call, later in itertools.pairwise(edits)}
    assert all(after[id(call)].at - call.at > 0.45 for call in refused)  # it waited as told


async def test_lost_answers_make_neither_a_second_message_nor_a_stale_one(
    server: DiscordServer, bot: BotProcess
) -> None:
    ada, channel = server.person("Ada"), new_channel(server)
    lost = server.fault("POST", f"/channels/{channel.id}/messages", does=Interference.LOSE, times=None)
    await server.slash(ada, channel, "dream", prompt="a castle", steps=2)
    message = await first_message(server, channel)
    async with stored(bot.folder) as store:
        await until(lambda: _newest_is_done(store), "the dream's end")
    lost.stop()  # so what is sent next is the end, and Discord has a message from the beginning
    await final(server, message)
    await server.wait(lambda: voted(server, message), "the vote reactions")
    assert shown(server, channel) == [message]


async def _newest_is_done(store: Store) -> bool:
    return (await store.undelivered())[-1].state is DreamState.DONE


async def test_line_and_votes_outlive_an_orderly_stop_and_a_kill(tmp_path: Path) -> None:
    async with DiscordServer() as server:
        ada, bob, channel = server.person("Ada"), server.person("Bob"), server.channel
        async with running(server, tmp_path) as bot:
            await server.slash(bob, channel, "dream", prompt="a castle", steps=2)
            done = await first_message(server, channel)
            await final(server, done)
            await server.wait(lambda: voted(server, done), "the vote reactions")
            server.react(ada, done, VOTE_EMOJI[0])
            await server.slash(ada, channel, "dream", prompt="a rocket", steps=50)
            halted = await first_message(server, channel, 2)
            await server.slash(bob, channel, "dream", prompt="a pizza", steps=2)
            waiting = await first_message(server, channel, 3)
            await frame(server, halted)
            async with stored(tmp_path) as store:
                await until(lambda: has_votes(store, done, 1), "the vote")
            await stop(bot)
            assert sentences.PAUSED in words(halted)
        assert not is_final(server, halted) and not is_final(server, waiting)
        server.react(server.person("Carol"), done, VOTE_EMOJI[1])  # nobody listens

        before = len(server.versions[halted.id])
        async with running(server, tmp_path) as bot, stored(tmp_path) as store:
            await until(lambda: has_votes(store, done, 2), "the vote that was cast while the bot was away")
            await frame(server, halted, after=before)
            bot.send(signal.SIGKILL)
            assert await bot.end() == -signal.SIGKILL
            await until(lambda: not bot.engines_left(), "the orphaned engine's end")
        assert not is_final(server, halted)

        async with running(server, tmp_path) as bot, stored(tmp_path) as store:
            await final(server, waiting)
            await final(server, halted)
            await server.wait(lambda: voted(server, halted) and voted(server, waiting), "the reactions")
            for one, attempts in ((halted, 2), (waiting, 1)):  # an orderly stop costs no attempt
                dream = await store.shown_by(one.id)
                assert dream is not None
                assert (dream.state, dream.attempts) == (DreamState.DONE, attempts)
            await stop(bot)
        assert shown(server) == [done, halted, waiting]
        for one in (done, halted, waiting):
            pictures = {files[0] for version in server.versions[one.id] if (files := server.files(version))}
            assert sum(picture.startswith(b"\x89PNG") for picture in pictures) == 1  # dreamt once
        assert server.problems == []


async def test_without_a_token_the_local_channel_opens_and_says_how_to_get_one(tmp_path: Path) -> None:
    async with BotProcess(tmp_path, OFFLINE="1") as bot:
        await until(
            lambda: HOW_TO_HAVE_ONE in bot.text,
            "the channel's address is told",
        )
        (address,) = re.findall(r"local channel is open: (http://127\.0\.0\.1:\d+/)", bot.text)
        async with aiohttp.ClientSession() as session, session.get(address) as page:
            assert page.status == 200 and "What may I call you?" in await page.text()
        bot.send(signal.SIGTERM)
        assert await bot.end() == STOPPED
    assert "Traceback" not in bot.text
    assert bot.engines_left() == set()


async def test_an_open_channel_says_so_plainly_and_nobody_elsewhere_comes_in_without_the_password(
    tmp_path: Path,
) -> None:
    settings = {"PAGE_ADDRESS": "0.0.0.0", "PAGE_PASSWORD": "a bowl of cherries"}
    async with BotProcess(tmp_path, OFFLINE="1", **settings) as bot:
        await until(
            lambda: HOW_TO_HAVE_ONE in bot.text,
            "the channel's address is told",
        )
        assert PLAIN_HTTP.strip() in bot.text and "as guests with the smallest limits" in bot.text
        assert settings["PAGE_PASSWORD"] not in bot.text
        (port,) = re.findall(r"local channel is open: http://127\.0\.0\.1:(\d+)/", bot.text)
        for host, status in (("127.0.0.1", 200), (own_address(socket.AF_INET) or "127.0.0.2", 401)):
            async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/") as page:
                assert page.status == status
        bot.send(signal.SIGTERM)
        assert await bot.end() == STOPPED
    assert "Traceback" not in bot.text


async def test_with_a_token_the_local_channel_opens_beside_discord_and_goes_on_after_a_kill(
    tmp_path: Path,
) -> None:
    async with DiscordServer() as server:
        ada, said = server.person("Ada"), "local channel is open: (http://127\\.0\\.0\\.1:\\d+/)"
        async with running(server, tmp_path, PAGE="on") as bot:
            await until(lambda: re.search(said, bot.text) is not None, "the channel's address is told")
            bo = Visitor(URL(re.findall(said, bot.text)[0]))
            await bo.come_in("Bo")
            await bo.say("/dream a bowl of cherries steps:2")
            await server.slash(ada, server.channel, "dream", prompt="a castle", steps=2)
            message = await first_message(server, server.channel)
            await final(server, message)

            async def is_there() -> bool:
                return "/dreams/1/picture" in await bo.html()

            await until(is_there, "the local dream's picture", timeout_s=BUSY_S)
            assert "castle" not in await bo.html() and "cherries" not in words(message)
            await bo.say(f"/dream a red heart steps:{ENDLESS}")
            bot.send(signal.SIGKILL)
            await bot.end()
            await bo.client.close()
        async with running(server, tmp_path) as bot:  # without the page
            async with stored(tmp_path) as store:

                async def goes_on() -> bool:
                    dream = await store.get(3)
                    return dream is not None and dream.state is DreamState.DREAMING

                await until(goes_on, "the dream in hand goes on", timeout_s=BUSY_S)
                await store.ask_cancel(3)
            await stop(bot)
        assert "Traceback" not in bot.text
        assert shown(server) == [message] and server.problems == []


async def test_a_wrong_token_is_one_sentence(tmp_path: Path) -> None:
    async with DiscordServer() as server:
        settings = server.environment() | {"DISCORD_TOKEN": "wrong.token"}
        async with BotProcess(tmp_path, **settings) as bot:
            assert await bot.end() == TOKEN_REFUSED
        assert REFUSED in bot.text and "Traceback" not in bot.text
        assert "wrong.token" not in bot.text
        assert len(server.rest.calls) == 1


async def test_fewer_shards_than_discord_wants_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MAX_GUILDS", 0)
    async with DiscordServer() as server:
        server.gateway.shards = 3
        async with BotProcess(tmp_path, **server.environment(), SHARD_COUNT="2", PAGE="off") as bot:
            assert await bot.end() == BAD_SETTING
        assert TOO_FEW_SHARDS in bot.text and "recommends 3 shards" in bot.text
        assert "Traceback" not in bot.text
        server.problems.clear()  # it says that it had to close


async def test_it_stops_when_asked_to_although_the_login_hangs(tmp_path: Path) -> None:
    async with DiscordServer() as server:
        login = server.fault("GET", "/users/@me", does=Interference.STALL)
        async with BotProcess(tmp_path, **server.environment()) as bot:
            await server.wait(lambda: login.hits, "the login", timeout_s=BUSY_S)
            bot.send(signal.SIGTERM)
            assert await bot.end(timeout_s=20) == 0
        assert "Traceback" not in bot.text


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [({"status": 503}, OFFLINE), ({"does": Interference.BAN}, TURNED_AWAY)],
    ids=["out of order", "not for us"],
)
async def test_a_discord_that_lets_nobody_in_is_one_sentence(
    tmp_path: Path, fault: dict[str, Any], sentence: str
) -> None:
    async with DiscordServer() as server:
        server.fault("GET", "/users/@me", **fault)
        async with BotProcess(tmp_path, **server.environment()) as bot:
            assert await bot.end() == UNREACHABLE
        assert sentence.format(address=server.environment()["DISCORD_API_URL"]) in bot.text
        assert "Traceback" not in bot.text


async def test_a_token_that_is_taken_back_while_it_runs_is_one_sentence(tmp_path: Path) -> None:
    async with DiscordServer() as server, running(server, tmp_path) as bot:
        server.gateway.token = server.rest.token = "another"
        server.gateway.invalidate()
        assert await bot.end() == TOKEN_REFUSED
        assert REFUSED in bot.text and "Traceback" not in bot.text
