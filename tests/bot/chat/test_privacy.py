"""/privacy: what is kept is shown, sent as a file, forgotten with its messages; a server when it is left."""

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import discord
import pytest
from simcord.results import to_discord_message

from bot.dreams.dream import DreamState
from bot.keeping.forgetting import Kind
from bot.sentences import ENGLISH
from tests.bot.chat.conftest import World, labels
from tests.bot.chat.moderator import read
from tests.bot.scripted import until


async def finished(world: World, number: int = 1) -> None:
    """A dream of Alice's, shown to its end."""
    await world.dream(world.alice)
    await world.engine.dreams(number)
    world.engine.finish()
    await world.until_state(number, DreamState.DONE)
    await world.until_delivered(number)


async def test_what_is_kept_is_shown(world: World) -> None:
    await finished(world)
    said = read(await world.alice.slash(world.channel, "privacy show"))
    assert ENGLISH.PRIVACY_YOURS in said and "· 1 dream\n· 1 picture" in said
    assert "Films and states stay for 30 days." in said and "`/privacy forget`" in said
    assert "· 0 dreams" in read(await world.bob.slash(world.channel, "privacy show"))


async def files_of(messages: list[discord.Message]) -> dict[str, bytes]:
    """What lies in the zips of these messages, by name."""
    found: dict[str, bytes] = {}
    for message in messages:
        for attachment in message.attachments:
            with zipfile.ZipFile(io.BytesIO(await attachment.read())) as opened:
                found |= {name: opened.read(name) for name in opened.namelist()}
    return found


def direct_messages(world: World, person: int) -> list[discord.Message]:
    """What the bot wrote to somebody alone."""
    channel = world.env.backend.get_dm_channel(person)
    stored = world.env.backend.messages[channel.id].values()
    return [to_discord_message(world.env, message) for message in stored]


async def test_everything_of_a_person_is_sent_to_them(world: World) -> None:
    await finished(world)
    said = read(await world.alice.slash(world.channel, "privacy export"))
    assert said.strip() == ENGLISH.EXPORT_SENT
    files = await files_of(direct_messages(world, world.alice.id))
    assert sorted(files) == ["dreams-0001.json", "person.json", "pictures/dream-1.png"]
    (dream,) = json.loads(files["dreams-0001.json"])
    assert dream["prompt"] == "a bowl of cherries" and dream["recipe"]["seed"] == dream["seed"]
    assert json.loads(files["person.json"])["id"] == str(world.alice.id)
    picture = await world.parts.store.picture(1)
    assert picture is not None and files["pictures/dream-1.png"] == picture.content


async def test_who_takes_no_messages_gets_the_file_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finished(world)

    async def closed(*_: Any, **__: Any) -> None:
        response: Any = type("Response", (), {"status": 403, "reason": "Forbidden"})()
        raise discord.Forbidden(response, {"code": 50007, "message": "Cannot send messages to this user"})

    monkeypatch.setattr(discord.DMChannel, "send", closed)
    answer = await world.alice.slash(world.channel, "privacy export")
    messages = [message.message for message in (answer.response, *answer.followups) if message]
    assert any(ENGLISH.EXPORT_HERE in message.content for message in messages)
    assert all(message.flags.ephemeral for message in messages)
    assert "pictures/dream-1.png" in await files_of(messages)


async def test_who_asks_is_asked_once_and_then_forgotten_with_their_messages(world: World) -> None:
    world.parts.forgetter._linger_s = 0.0
    await finished(world)
    await world.dream(world.alice, "a boat")
    await world.engine.dreams(2)
    answer = await world.alice.slash(world.channel, "privacy forget")
    assert answer.response is not None
    question = answer.response.message
    assert "2 dreams, 0 votes and 0 contest entries" in question.content
    assert labels(question) == [ENGLISH.FORGET_SURELY]
    assert len(world.messages()) == 2, "nothing is done yet"
    said = await world.alice.click(answer.response, label=ENGLISH.FORGET_SURELY)
    assert said.response is not None and ENGLISH.FORGETTING in said.response.content

    async def done() -> bool:
        return not await world.parts.forgetter._records()

    await until(done)
    assert world.messages() == []
    for dream_id in (1, 2):
        dream = await world.stored(dream_id)
        assert dream.erased and dream.author_id == 0 and dream.prompt == ""
    assert "· 0 dreams" in read(await world.alice.slash(world.channel, "privacy show"))


async def test_a_server_that_removes_the_bot_is_forgotten_after_a_week(world: World) -> None:
    parts, guild_id = world.parts, world.guild.id
    parts.forgetter._linger_s = 0.0
    await finished(world)
    await parts.moderation.change(guild_id, by=1, change=lambda old: replace(old, words=("blood",)))
    guild = parts.client.get_guild(guild_id)
    assert guild is not None
    await world.hear("guild_remove", guild)
    records: list[Any] = []

    async def recorded() -> bool:
        records[:] = await parts.forgetter._records()
        return bool(records)

    await until(recorded)
    assert (records[0].kind, records[0].subject) == (Kind.SERVER, guild_id)
    await world.hear("guild_join", guild)

    async def withdrawn() -> bool:
        return not await parts.forgetter._records()

    await until(withdrawn)
    assert (await world.stored(1)).prompt == "a bowl of cherries"
