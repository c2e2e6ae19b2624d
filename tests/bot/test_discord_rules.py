"""Discord's rules, each broken once by a client on purpose: the loopback server does not let it pass."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest

from tests.bot.scripted import until
from tests.bot.test_discord_server import partial, picture, running, server
from tests.discord_server import DiscordServer
from tests.discord_server.commands import check_commands
from tests.discord_server.description import VARIABLE, Description
from tests.discord_server.limits import InvalidRequests, Limit, RateLimits
from tests.discord_server.messages import NONCE_S
from tests.discord_server.rest import MIB

__all__ = ["server"]  # the fixture

HOUR_S = 3600.0
# So much of an OpenAPI description as the test needs.
DESCRIBED = {
    "paths": {
        "/channels/{channel_id}/messages": {
            "parameters": [
                {
                    "name": "channel_id",
                    "in": "path",
                    "required": True,
                    "schema": {"$ref": "#/components/schemas/SnowflakeType"},
                }
            ],
            "get": {
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                    {"name": "pinned", "in": "query", "schema": {"type": "boolean"}},
                ]
            },
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Message"}},
                        "multipart/form-data": {},
                    },
                }
            },
        },
        "/channels/{channel_id}/messages/pins": {
            "parameters": [{"name": "channel_id", "in": "path", "schema": {"type": "string"}}],
            "get": {},
        },
    },
    "components": {
        "schemas": {
            "ChannelTypes": {"oneOf": []},
            "SnowflakeType": {"type": "string", "pattern": "^[0-9]+$", "format": "snowflake"},
            "Message": {
                "type": "object",
                "required": ["content"],
                "properties": {
                    "content": {"type": "string", "maxLength": 20},
                    "permissions": {"type": "integer", "maximum": 8},
                    "reply_to": {"$ref": "#/components/schemas/SnowflakeType"},
                    "parts": {
                        "type": "array",
                        "items": {
                            "oneOf": [
                                {"properties": {"type": {"enum": [1]}, "label": {"maxLength": 3}}},
                                {"properties": {"type": {"enum": [2]}, "url": {"maxLength": 3}}},
                            ]
                        },
                    },
                },
            },
        }
    },
}


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "wrong"),
    [
        ("POST", "/channels/1/messages", {}, {"content": "hello"}, None),
        ("POST", "/channels/1/messages", {}, {"content": "x" * 21}, "content: "),
        ("POST", "/channels/1/messages", {}, {}, "'content' is a required property"),
        ("POST", "/channels/1/messages", {}, None, "the body: there is none"),
        # A snowflake may be a number, a number may be text.
        ("POST", "/channels/1/messages", {}, {"content": "", "permissions": "8", "reply_to": 7}, None),
        ("POST", "/channels/1/messages", {}, {"content": "", "permissions": "9"}, "'9' is more than 8"),
        (
            "POST",
            "/channels/1/messages",
            {},
            {"content": "", "parts": [{"type": 2, "url": "abcd"}]},
            "parts.0.url",
        ),
        ("POST", "/channels/general/messages", {}, {"content": ""}, "channel_id: 'general'"),
        ("GET", "/channels/1/messages", {"limit": "100", "pinned": "1"}, None, None),
        ("GET", "/channels/1/messages", {"limit": "101"}, None, "limit: "),
        ("GET", "/channels/1/messages", {"limits": "10"}, None, "limits: is no parameter of the query"),
        ("GET", "/channels/1/messages/pins", {"limit": "10"}, None, "limit: is no parameter"),
        ("GET", "/channels/1/messages/pins", {}, {"content": ""}, "no body belongs here"),
        ("PUT", "/channels/1/messages", {}, {}, "is not in Discord's description"),
    ],
)
def test_a_request_is_held_against_its_description(
    method: str, path: str, query: dict[str, str], body: Any, wrong: str | None
) -> None:
    described = Description(json.loads(json.dumps(DESCRIBED)))
    told = [str(violation) for violation in described.check(method, path, query=query, body=body)]
    assert told == [] if wrong is None else len(told) == 1 and wrong in told[0]


async def test_a_wrong_body_is_refused_and_the_test_that_sent_it_fails(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "openapi.json"))
    (tmp_path / "openapi.json").write_text(json.dumps(DESCRIBED))
    with pytest.raises(AssertionError, match=r"POST /channels/.*content: 'x+' is too long"):
        async with DiscordServer() as strict, rude(strict) as ask:
            status, told, _ = await ask("POST", f"/channels/{strict.channel.id}/messages", content="x" * 21)
            assert (status, told["code"]) == (400, 50035)
            assert told["errors"]["content"]["_errors"][0]["code"] == "BASE_TYPE_MAXLENGTH"
            assert strict.messages() == []


async def test_more_than_discord_lets_through_is_refused_without_a_description_too(
    server: DiscordServer,
) -> None:
    async with running(server) as client:
        for wrong in ({"content": "x" * 2001}, {"embeds": [discord.Embed(description="x" * 3001)] * 2}):
            with pytest.raises(discord.HTTPException) as refused:
                await partial(client, server).send(**wrong)  # type: ignore[call-overload]
            assert (refused.value.status, refused.value.code) == (400, 50035)
    assert len(server.problems) == 2
    server.problems.clear()


@asynccontextmanager
async def rude(server: DiscordServer) -> AsyncIterator[Any]:
    """Asks as the bot, but minds no limit: a method, a path and a body; gives status, body and headers."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {server.token}"}) as session:

        async def ask(method: str, path: str, **body: Any) -> tuple[int, Any, Any]:
            url = server.environment()["DISCORD_API_URL"] + path
            async with session.request(method, url, json=body or None) as answer:
                text = await answer.text()
                return answer.status, json.loads(text) if text[:1] in ("{", "[") else text, answer.headers

        yield ask


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ({}, None),
        ({"name": "Dream"}, "'Dream' is no name"),
        ({"name": "träume"}, None),
        ({"name": "two words"}, "is no name"),
        ({"description": ""}, "has no description"),
        ({"options": [{}, {"name": "b", "required": True}]}, "stands behind one that is not"),
        ({"options": [{}, {}]}, "is the name of two options"),
        ({"options": [{"type": 1}, {"name": "b"}]}, "both subcommands and options"),
        ({"options": [{"autocomplete": True, "choices": [{"name": "x", "value": "x"}]}]}, "completions"),
        ({"options": [{"type": 1, "options": [{"type": 2}]}]}, "holds a group"),
        ({"options": [{"name": f"n{n}", "description": "x" * 100} for n in range(80)]}, "more than 8000"),
    ],
)
def test_commands_that_discord_would_not_register_are_told(
    command: dict[str, Any], wrong: str | None
) -> None:
    def whole(node: dict[str, Any], type: int) -> dict[str, Any]:
        options = [whole(option, 3) for option in node.get("options", [])]
        return {"name": "a", "description": "d", "type": type} | node | {"options": options}

    told = check_commands([whole(command, 1)])
    assert told == [] if wrong is None else wrong in told[0]


async def test_two_commands_of_one_name_are_refused(server: DiscordServer) -> None:
    command = {"name": "hello", "description": "d", "type": 1}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {server.token}"}) as session:
        path = f"/applications/{server.backend.application_id}/commands"
        url = server.environment()["DISCORD_API_URL"] + path
        async with session.put(url, json=[command, command]) as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, 50035)
    assert server.commands() == set() and len(server.problems) == 1
    server.problems.clear()


async def test_a_bucket_tells_what_is_left_and_when_it_is_full_again(server: DiscordServer) -> None:
    path = f"/channels/{server.channel.id}/messages"
    async with rude(server) as ask:
        answers = [await ask("POST", path, content=str(number)) for number in range(6)]
        assert [status for status, *_ in answers] == [200] * 5 + [429]
        assert [answer[2]["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
        _, body, headers = answers[-1]
        assert 0 < body["retry_after"] <= 5 and int(headers["Retry-After"]) >= body["retry_after"]
        assert (body["global"], headers["X-RateLimit-Scope"]) == (False, "user")
        other = server.backend.create_channel(server.guild.id, "other")
        assert (await ask("POST", f"/channels/{other.id}/messages", content="there"))[0] == 200
        server.move_clock(5.0)
        assert (await ask("POST", path, content="again"))[0] == 200


async def test_too_much_of_everything_is_too_much(server: DiscordServer) -> None:
    server.rest.limits = RateLimits(everywhere=3)
    ada = server.person("Ada")
    async with rude(server) as ask:
        answers = [await ask("GET", "/users/@me") for _ in range(4)]
        assert [status for status, *_ in answers] == [200] * 3 + [429]
        _, body, headers = answers[-1]
        assert body["global"] is True and headers["X-RateLimit-Global"] == "true"
        assert headers["X-RateLimit-Scope"] == "global"
        server.move_clock(1.0)
        assert (await ask("GET", "/users/@me"))[0] == 200
    async with running(server):  # answers to people are not counted among it
        for _ in range(5):
            await server.slash(ada, server.channel, "hello", name="Ada")


async def test_edits_of_a_message_older_than_an_hour_are_counted_more_strictly(
    server: DiscordServer,
) -> None:
    path = f"/channels/{server.channel.id}/messages"
    async with rude(server) as ask:
        _, message, _ = await ask("POST", path, content="young")
        young = [await ask("PATCH", f"{path}/{message['id']}", content=str(n)) for n in range(4)]
        assert [status for status, *_ in young] == [200] * 4
        server.move_clock(HOUR_S + 1)
        old = [await ask("PATCH", f"{path}/{message['id']}", content=str(n)) for n in range(4)]
        assert [status for status, *_ in old] == [200] * 3 + [429]
        assert old[-1][1]["code"] == 30046 and old[-1][1]["retry_after"] > 5


async def test_whoever_is_refused_all_the_time_is_banned(server: DiscordServer) -> None:
    server.rest.invalid = InvalidRequests(3)
    async with rude(server) as ask:
        server.fault("GET", "/users/*", status=403, times=3)
        for _ in range(3):
            assert (await ask("GET", "/users/@me"))[0] == 403
        status, _, headers = await ask("GET", "/users/@me")
        assert status == 429 and "Via" not in headers  # discord.py takes it for a ban
        server.move_clock(600.0)
        assert (await ask("GET", "/users/@me"))[0] == 200
    assert server.problems == ["3 invalid requests within ten minutes: the address is banned"]
    server.problems.clear()


async def test_a_boosted_server_takes_larger_files(server: DiscordServer) -> None:
    large = picture(b"x" * (10 * MIB + 1))
    async with running(server) as client:
        await client.wait_until_ready()
        guild = client.get_guild(server.guild.id)
        assert guild is not None and guild.filesize_limit == 10 * MIB
        with pytest.raises(discord.HTTPException) as refused:
            await partial(client, server).send(file=large)
        assert (refused.value.status, refused.value.code) == (413, 40005)
        server.boost(2)
        await until(lambda: guild.filesize_limit > 10 * MIB)
        await partial(client, server).send(file=discord.File(io.BytesIO(b"x" * (10 * MIB + 1)), "a.png"))
        assert len(server.messages()) == 1


async def test_an_answer_after_three_seconds_is_void_by_itself(server: DiscordServer) -> None:
    server.rest.tokens.answer_within_s = 0.1
    async with running(server) as client:
        with pytest.raises(AssertionError, match="did not respond"):
            await server.slash(server.person("Ada"), server.channel, "silent")
        client.go_on.set()
        error = await client.late.get()
        assert (error.status, error.code) == (404, 10062)
    assert server.messages() == []


async def test_the_three_seconds_begin_when_the_bot_hears_of_it(server: DiscordServer) -> None:
    server.rest.tokens.answer_within_s = 2.0
    async with running(server):
        server.gateway.drop()
        await server.wait(lambda: not server.gateway.online, "the drop")
        asking = asyncio.create_task(server.slash(server.person("Ada"), server.channel, "hello", name="Ada"))
        answer = await asking  # the client was away for longer than its answer took
        assert answer.kind == "message" and answer.latency_s < 2.0
        assert server.gateway.resumes == 1


async def test_a_token_that_was_answered_lives_for_fifteen_minutes(server: DiscordServer) -> None:
    async with running(server) as client:
        answer = await server.slash(server.person("Ada"), server.channel, "patient")
        async with aiohttp.ClientSession() as session:
            token = answer.interaction.token
            path = f"/webhooks/{server.backend.application_id}/{token}/messages/@original"
            url = server.environment()["DISCORD_API_URL"] + path
            for minutes, status in ((14, 200), (1, 401)):
                server.move_clock(minutes * 60.0)
                async with session.patch(url, json={"content": "done"}) as edited:
                    assert edited.status == status
        client.go_on.set()
        assert (await client.late.get()).code == 50027


async def test_a_follow_up_before_the_first_answer_finds_nothing(server: DiscordServer) -> None:
    async with running(server):
        asking = asyncio.create_task(
            server.slash(server.person("Ada"), server.channel, "silent", timeout_s=1)
        )
        record = await server.wait(lambda: list(server.backend.interactions.values()), "the interaction")
        async with rude(server) as ask:
            path = f"/webhooks/{server.backend.application_id}/{record[0].token}"
            status, body, _ = await ask("POST", path, content="too early")
            assert (status, body["code"]) == (404, 10015)
        with pytest.raises(AssertionError):
            await asking


async def test_a_nonce_is_forgotten_after_some_minutes(server: DiscordServer) -> None:
    async with running(server) as client:
        first = await partial(client, server).send("once", nonce="dream-1")
        server.move_clock(NONCE_S - 5)
        assert (await partial(client, server).send("once", nonce="dream-1")).id == first.id
        server.move_clock(10)
        assert (await partial(client, server).send("once", nonce="dream-1")).id != first.id
        assert len(server.messages()) == 2


class Raw:
    """A gateway client by hand."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def hear(self, wanted: int | str) -> dict[str, Any]:
        """The next message with this op or of this event."""
        async with asyncio.timeout(10):
            while True:
                message = json.loads(await self.ws.receive_str())
                if wanted in (message["op"], message["t"]):
                    return message  # type: ignore[no-any-return]

    async def identify(self, token: str, /, **more: Any) -> None:
        intents = discord.Intents(guilds=True, guild_reactions=True).value
        await self.say(2, {"token": token, "intents": intents, "properties": {}} | more)

    async def say(self, op: int, data: Any = None) -> None:
        await self.ws.send_json({"op": op, "d": data})

    async def closed(self) -> int | None:
        """The code with which the server ends it."""
        async with asyncio.timeout(10):
            while (await self.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        return self.ws.close_code


@asynccontextmanager
async def raw(server: DiscordServer) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as session, session.ws_connect(server.gateway.url) as ws:
        yield Raw(ws)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"shard": [2, 2]}, 4010),
        ({"intents": 1 << 40}, 4013),
        ({"intents": discord.Intents(members=True).value}, 4014),
        ({"token": "wrong"}, 4004),
    ],
)
async def test_an_identify_that_discord_forbids_closes_the_connection(
    server: DiscordServer, more: dict[str, Any], code: int
) -> None:
    async with raw(server) as client:
        await client.identify(server.token, **more)
        assert await client.closed() == code
    server.problems.clear()


async def test_who_says_something_before_who_they_are_is_sent_away(server: DiscordServer) -> None:
    async with raw(server) as client:
        await client.say(3, {"since": None, "activities": [], "status": "online", "afk": False})
        assert await client.closed() == 4003
    async with raw(server) as client:
        await client.say(99)
        assert await client.closed() == 4001
    async with raw(server) as client:
        await client.ws.send_str("no json")
        assert await client.closed() == 4002
    assert len(server.problems) == 3
    server.problems.clear()


async def test_each_shard_hears_of_its_own_servers(server: DiscordServer) -> None:
    ada = server.person("Ada")
    mine = (server.guild.id >> 22) % 2
    async with raw(server) as own, raw(server) as other:
        await own.identify(server.token, shard=[mine, 2])
        await other.identify(server.token, shard=[1 - mine, 2])
        assert (await own.hear("READY"))["d"]["guilds"] == [{"id": str(server.guild.id), "unavailable": True}]
        assert (await own.hear("GUILD_CREATE"))["d"]["id"] == str(server.guild.id)
        ready = await other.hear("READY")
        assert (ready["d"]["shard"], ready["d"]["guilds"]) == ([1 - mine, 2], [])
        message = server.backend.create_message(server.channel.id, server.backend.bot_user.id, content="vote")
        server.react(ada, message, "👍")
        await own.hear("MESSAGE_REACTION_ADD")
        (session,) = [s for s in server.gateway.online if s.shard == (1 - mine, 2)]
        assert len(session.frames) == 1  # READY, and nothing since


async def test_one_shard_is_lost_alone_and_may_not_be_resumed(server: DiscordServer) -> None:
    async with raw(server) as one, raw(server) as other:
        await one.identify(server.token, shard=[0, 2])
        session_id = (await one.hear("READY"))["d"]["session_id"]
        await other.identify(server.token, shard=[1, 2])
        await other.hear("READY")
        server.gateway.forget(0)
        await server.wait(lambda: len(server.gateway.online) == 1, "the loss")
        server.gateway.invalidate(0)  # nobody is left whom that would concern
        server.gateway.ask_to_reconnect(1)
        await other.hear(7)
    async with raw(server) as one:
        await one.say(6, {"token": server.token, "session_id": session_id, "seq": 1})
        assert (await one.hear(9))["d"] is False


async def test_the_address_tells_shards_and_how_many_starts_are_left(server: DiscordServer) -> None:
    server.gateway.shards, server.gateway.most_starts = 4, 1
    async with rude(server) as ask:
        _, told, _ = await ask("GET", "/gateway/bot")
        assert (told["url"], told["shards"]) == (server.gateway.url, 4)
        assert told["session_start_limit"] == {
            "total": 1,
            "remaining": 1,
            "reset_after": 0,
            "max_concurrency": 1,
        }
        async with raw(server) as client:
            await client.identify(server.token)
            await client.hear("READY")
        limit = (await ask("GET", "/gateway/bot"))[1]["session_start_limit"]
        assert limit["remaining"] == 0 and 0 < limit["reset_after"] <= 24 * HOUR_S * 1000
    async with raw(server) as client:
        await client.identify(server.token)
        assert await client.closed() == 4004
    assert len(server.problems) == 1
    server.problems.clear()


async def test_who_identifies_in_a_hurry_has_to_do_so_again(server: DiscordServer) -> None:
    server.gateway.identify_every_s = 5.0
    async with raw(server) as one, raw(server) as two:
        await one.identify(server.token)
        await one.hear("READY")
        await two.identify(server.token)
        assert (await two.hear(9))["d"] is False
        server.move_clock(5.0)
        await two.identify(server.token)
        await two.hear("READY")


async def test_what_was_missed_comes_again_in_order_and_with_its_numbers(server: DiscordServer) -> None:
    ada = server.person("Ada")
    async with raw(server) as client:
        await client.identify(server.token)
        session_id = (await client.hear("READY"))["d"]["session_id"]
        seen = (await client.hear("GUILD_CREATE"))["s"]
        server.gateway.drop()
        await server.wait(lambda: not server.gateway.online, "the drop")
    message = server.backend.create_message(server.channel.id, server.backend.bot_user.id, content="vote")
    emoji = ["👍", "👎", "🎉"]
    for one in emoji:
        server.react(ada, message, one)
    async with raw(server) as client:
        await client.say(6, {"token": server.token, "session_id": session_id, "seq": seen})
        told = [await client.hear("MESSAGE_REACTION_ADD") for _ in emoji]
        assert [event["d"]["emoji"]["name"] for event in told] == emoji
        assert [event["s"] for event in told] == [seen + 1, seen + 2, seen + 3]
        assert (await client.hear("RESUMED"))["s"] == seen + 4


async def test_a_session_can_be_resumed_for_some_minutes_and_with_a_number_that_was_told(
    server: DiscordServer,
) -> None:
    async with raw(server) as client:
        await client.identify(server.token)
        session_id = (await client.hear("READY"))["d"]["session_id"]
        server.gateway.drop()
        await server.wait(lambda: not server.gateway.online, "the drop")
    resume = {"token": server.token, "session_id": session_id, "seq": 1}
    async with raw(server) as client:
        await client.say(6, resume | {"seq": 99})
        assert await client.closed() == 4007
    server.problems.clear()
    server.move_clock(301.0)
    async with raw(server) as client:
        await client.say(6, resume)
        assert (await client.hear(9))["d"] is False


async def test_an_invalid_session_that_can_be_resumed_is_resumed(server: DiscordServer) -> None:
    async with running(server):
        server.gateway.invalidate(resumable=True)
        await server.wait(lambda: server.gateway.resumes == 1, "a RESUME")
        assert server.gateway.identifies == 1


async def test_who_is_asked_for_a_heartbeat_sends_one(server: DiscordServer) -> None:
    async with running(server):
        (connection,) = server.gateway.connections
        before = len(connection.beats)
        server.gateway.ask_for_heartbeat()
        await server.wait(lambda: len(connection.beats) > before, "a heartbeat")


async def test_who_sends_no_heartbeat_is_cut_off(server: DiscordServer) -> None:
    server.gateway.heartbeat_interval_s, server.gateway.grace_s = 0.1, 0.1
    async with raw(server) as client:
        await client.identify(server.token)
        assert await client.closed() == 4009


def test_buckets_count_by_channel() -> None:
    limits = RateLimits((Limit("send", "POST", re.compile(r"/channels/(\d+)/messages"), 1, 1.0),))
    assert limits.take("POST", "/channels/1/messages", 0.0)[1] is None
    assert limits.take("POST", "/channels/2/messages", 0.0)[1] is None
    assert limits.take("POST", "/channels/1/messages", 0.5)[1] is not None
    assert limits.take("POST", "/channels/1/messages", 1.0)[1] is None
