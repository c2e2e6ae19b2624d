"""The loopback server, driven by a plain discord.py client: what it promises to the tests of the bot."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from tests.discord_server import DiscordServer, Interference, NoAnswer
from tests.discord_server.limits import Limit, RateLimits

RED = b"\x89PNG red"


class Plain(discord.Client):
    """A client with one command that answers, one that never does, and one that waits before it edits."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True, guild_reactions=True))
        self.tree = app_commands.CommandTree(self)
        self.reactions: asyncio.Queue[discord.RawReactionActionEvent] = asyncio.Queue()
        self.go_on = asyncio.Event()
        self.late: asyncio.Queue[discord.HTTPException] = asyncio.Queue()

        @self.tree.command(description="Answers")
        async def hello(interaction: discord.Interaction, name: str) -> None:
            view = discord.ui.View(timeout=None)
            view.add_item(discord.ui.Button(label="Again", custom_id="again"))
            await interaction.response.send_message(f"Hello {name}", view=view)

        @self.tree.command(description="Never answers")
        async def silent(interaction: discord.Interaction) -> None:
            await self.go_on.wait()
            try:
                await interaction.response.send_message("too late")
            except discord.HTTPException as error:
                self.late.put_nowait(error)

        @self.tree.command(description="Answers and edits later")
        async def patient(interaction: discord.Interaction) -> None:
            await interaction.response.defer(ephemeral=True)
            await self.go_on.wait()
            try:
                await interaction.edit_original_response(content="done")
            except discord.HTTPException as error:
                self.late.put_nowait(error)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.component:
            await interaction.response.edit_message(content="Hello again")

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        self.reactions.put_nowait(event)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with DiscordServer(heartbeat_interval_s=0.5) as server:
        environment = server.environment()
        monkeypatch.setattr(discord.http.Route, "BASE", environment["DISCORD_API_URL"])
        gateway = yarl.URL(environment["DISCORD_GATEWAY_URL"])
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        yield server
        assert server.problems == []


@asynccontextmanager
async def running(server: DiscordServer) -> AsyncIterator[Plain]:
    client = Plain()
    async with client:
        task = asyncio.create_task(client.start(server.token))
        await server.wait(lambda: server.gateway.online, "a connection")
        yield client
    await task


def partial(client: Plain, server: DiscordServer) -> discord.PartialMessageable:
    return client.get_partial_messageable(server.channel.id, guild_id=server.guild.id)


def picture(data: bytes = RED, name: str = "a.png") -> discord.File:
    return discord.File(io.BytesIO(data), name)


async def test_commands_are_registered_and_answered_and_buttons_work(server: DiscordServer) -> None:
    ada = server.person("Ada")
    async with running(server):
        assert server.commands() == {"hello", "silent", "patient"}
        answer = await server.slash(ada, server.channel, "hello", name="Ada")
        assert (answer.kind, answer.message in server.messages()) == ("message", True)
        assert "Hello Ada" in answer.text and 0 < answer.latency_s < 1
        assert answer.message is not None
        again = await server.click(ada, answer.message, "again")
        assert again.text.startswith("Hello again")
        assert [v.content for v in server.versions[answer.message.id]] == ["Hello Ada", "Hello again"]


async def test_an_answer_that_comes_too_late_is_void(server: DiscordServer) -> None:
    ada = server.person("Ada")
    async with running(server) as client:
        with pytest.raises(NoAnswer) as late:
            await server.slash(ada, server.channel, "silent", timeout_s=0.2)
        server.expire(late.value.interaction)
        client.go_on.set()
        assert (await client.late.get()).code == 10062


async def test_an_interaction_token_dies_after_its_time(server: DiscordServer) -> None:
    ada = server.person("Ada")
    async with running(server) as client:
        answer = await server.slash(ada, server.channel, "patient")
        assert answer.kind == "deferred"
        server.expire(answer.interaction)
        client.go_on.set()
        error = await client.late.get()
        assert (error.status, error.code) == (401, 50027)


async def test_an_attachment_that_an_edit_does_not_list_is_gone(server: DiscordServer) -> None:
    async with running(server) as client:
        message = await partial(client, server).send("one", file=picture())
        await message.add_files(picture(b"two", "b.png"))
        (stored,) = server.messages()
        assert server.files(stored) == [RED, b"two"]
        await message.edit(attachments=[picture(b"three", "c.png")])
        assert server.files(stored) == [b"three"]
        assert (
            await (await partial(client, server).fetch_message(message.id)).attachments[0].read() == b"three"
        )
        await message.delete()
        assert server.messages() == []
        with pytest.raises(discord.NotFound) as gone:
            await message.edit(content="x")
        assert gone.value.code == 10008


async def test_a_file_that_an_embed_shows_is_a_link_in_the_embed(server: DiscordServer) -> None:
    async with running(server) as client:
        embed = discord.Embed(title="red").set_image(url="attachment://a.png")
        message = await partial(client, server).send(embed=embed, file=picture())
        assert message.attachments == []
        assert (message.embeds[0].image.url or "").startswith(server.url)
        (stored,) = server.messages()
        assert server.files(stored) == [RED]
        await message.edit(embed=embed, attachments=[picture(b"two")])
        assert server.files(stored) == [b"two"]


async def test_a_file_over_the_limit_is_refused(server: DiscordServer) -> None:
    server.rest.upload_limit = 10
    async with running(server) as client:
        with pytest.raises(discord.HTTPException) as refused:
            await partial(client, server).send(file=picture(b"x" * 11))
    assert (refused.value.status, refused.value.code) == (413, 40005)
    assert server.messages() == []


async def test_a_channel_where_files_are_forbidden_refuses_them(server: DiscordServer) -> None:
    server.forbid("attach_files")
    async with running(server) as client:
        await partial(client, server).send("words are fine")
        with pytest.raises(discord.Forbidden) as refused:
            await partial(client, server).send(file=picture())
    assert refused.value.code == 50013


async def test_reactions_of_others_are_told_and_listed(server: DiscordServer) -> None:
    ada = server.person("Ada")
    async with running(server) as client:
        message = await partial(client, server).send("vote")
        await message.add_reaction("👍")
        assert (await client.reactions.get()).user_id == server.backend.bot_user.id
        (stored,) = server.messages()
        server.react(ada, stored, "👍")
        event = await client.reactions.get()
        assert (event.user_id, event.message_id, str(event.emoji)) == (ada.id, message.id, "👍")
        fetched = await partial(client, server).fetch_message(message.id)
        voters = {user.id async for user in fetched.reactions[0].users()}
        assert voters == {server.backend.bot_user.id, ada.id}


async def test_a_send_with_an_enforced_nonce_is_made_once(server: DiscordServer) -> None:
    async with running(server) as client:
        first = await partial(client, server).send("once", nonce="dream-1")
        second = await partial(client, server).send("once", nonce="dream-1")
        other = await partial(client, server).send("twice", nonce="dream-2")
        assert first.id == second.id != other.id
        assert len(server.messages()) == 2


async def test_a_client_that_obeys_the_headers_is_never_refused(server: DiscordServer) -> None:
    server.rest.limits = RateLimits((Limit("send", "POST", re.compile(r"/channels/(\d+)/messages"), 2, 0.5),))
    async with running(server) as client:
        for number in range(5):
            await partial(client, server).send(str(number))
    sent = server.calls("POST", "/messages")
    assert [call.status for call in sent] == [200] * 5
    assert sent[4].at - sent[0].at > 0.9


async def test_a_client_that_ignores_the_headers_is_refused(server: DiscordServer) -> None:
    async with running(server), aiohttp.ClientSession() as rude:
        url = f"{server.environment()['DISCORD_API_URL']}/channels/{server.channel.id}/messages"
        headers = {"Authorization": f"Bot {server.token}"}
        for _ in range(6):
            answer = await rude.post(url, json={"content": "again"}, headers=headers)
        assert (answer.status, answer.headers["Via"]) == (429, "1.1 loopback")
        assert answer.headers["Content-Type"] == "application/json"
        assert 0 < (await answer.json())["retry_after"] <= 5


async def test_a_dropped_socket_is_resumed_and_what_was_missed_comes_again(server: DiscordServer) -> None:
    ada = server.person("Ada")
    async with running(server) as client:
        message = await partial(client, server).send("vote")
        (stored,) = server.messages()
        server.gateway.drop()
        await server.wait(lambda: not server.gateway.online, "the drop")
        server.react(ada, stored, "👍")
        async with asyncio.timeout(10):
            event = await client.reactions.get()
        assert event.message_id == message.id
        assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


@pytest.mark.parametrize("how", ["ask", "close"])
async def test_a_reconnect_asked_for_is_a_resume(server: DiscordServer, how: str) -> None:
    async with running(server):
        if how == "ask":
            server.gateway.ask_to_reconnect()
        else:
            await server.gateway.close(4000)
        await server.wait(lambda: server.gateway.resumes == 1, "a RESUME")
        assert server.gateway.identifies == 1


async def test_an_invalid_session_is_identified_anew(server: DiscordServer) -> None:
    async with running(server):
        server.gateway.invalidate()
        await server.wait(lambda: server.gateway.identifies == 2, "a second IDENTIFY")


async def test_heartbeats_are_recorded(server: DiscordServer) -> None:
    async with running(server):
        connection = server.gateway.connections[0]
        await server.wait(lambda: len(connection.beats) >= 4, "four heartbeats")
        assert 0.3 < connection.longest_gap_s() < 2


@pytest.mark.parametrize("path", ["/users/@me", "/gateway/bot"])
async def test_a_wrong_token_is_refused(server: DiscordServer, path: str) -> None:
    async with Plain() as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")
        with pytest.raises(discord.HTTPException) as refused:
            await client.http.request(discord.http.Route("GET", path))
    assert refused.value.status == 401


async def test_faults_hit_as_often_as_they_are_told(server: DiscordServer) -> None:
    async with running(server) as client:
        channel = partial(client, server)
        limited = server.fault("POST", "/channels/*/messages", status=429, retry_after_s=0.05, times=2)
        await channel.send("after two refusals")
        assert limited.hits == 2
        server.fault("POST", "/channels/*/messages", status=403, code=50001)
        with pytest.raises(discord.Forbidden):
            await channel.send("no")
        stall = server.fault("POST", "/channels/*/messages", does=Interference.STALL)
        sending = asyncio.create_task(channel.send("held"))
        await server.wait(lambda: stall.hits, "the stall")
        assert len(server.messages()) == 1
        stall.release()
        await sending
        server.fault("POST", "/channels/*/messages", does=Interference.LOSE)
        with pytest.raises(aiohttp.ClientError):
            await channel.send("made, but nobody says so")
        server.fault("POST", "/channels/*/messages", does=Interference.CUT)
        with pytest.raises(aiohttp.ClientError):
            await channel.send("never made")
        assert [m.content for m in server.messages()][1:] == ["held", "made, but nobody says so"]
