"""A simulated Discord with the real bot in it, and an engine that dreams by script."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env
from simcord.results import InteractionResult

from bot.chat.access import PERMISSIONS
from bot.dreams.dream import Dream, DreamState, Wish
from bot.parts import AllParts, build
from bot.settings import Settings
from tests.bot.bot_process import LOADED_CORES_S
from tests.bot.scripted import ScriptedEngine, until
from tests.discord_server.description import description

NEEDED = discord.Permissions(PERMISSIONS.value | discord.Permissions(use_application_commands=True).value)


class World:
    """A server with a channel, two members and a moderator; the bot may do what it needs and no more."""

    def __init__(self, env: Env, parts: AllParts, engine: ScriptedEngine, settings: Settings) -> None:
        self.env = env
        self.parts = parts
        self.hurry()
        self.engine = engine
        self.settings = settings
        self.guild = env.create_guild("Dreamers")
        self.guild.default_role._role.permissions = NEEDED.value
        self.channel = self.guild.create_text_channel("dreams")
        self.alice = self.guild.add_member(env.create_user("alice"))
        self.bob = self.guild.add_member(env.create_user("bob"))
        moderators = self.guild.create_role(
            "moderators", permissions=discord.Permissions(manage_messages=True)
        )
        self.moderator = self.guild.add_member(env.create_user("mo"), roles=[moderators])

    def hurry(self) -> None:
        """What Discord does not take is tried again at once."""
        self.parts.outbox._retry_s = 0.002

    async def dream(
        self, member: MemberActor, prompt: str = "a bowl of cherries", **options: object
    ) -> InteractionResult:
        """`/dream` in the channel."""
        return await member.slash(self.channel, "dream", prompt=prompt, **options)

    def wish(self, **changes: object) -> Wish:
        """Alice's, for the channel."""
        plain = Wish(
            prompt="a bowl of cherries",
            seed=7,
            steps=None,
            model="auto",
            author_id=self.alice.id,
            guild_id=self.guild.id,
            channel_id=self.channel.id,
            origin=self.env.backend.snowflake(),
        )
        return replace(plain, **changes)  # type: ignore[arg-type]  # the names come from the tests

    async def stored(self, dream_id: int) -> Dream:
        dream = await self.parts.store.get(dream_id)
        assert dream is not None
        return dream

    async def until_state(self, dream_id: int, state: DreamState) -> Dream:
        """Wait until the store says so."""

        async def reached() -> bool:
            return (await self.stored(dream_id)).state is state

        await until(reached)
        return await self.stored(dream_id)

    async def until_delivered(self, dream_id: int) -> Dream:
        """Wait until the channel shows how it ended, or never will."""

        async def delivered() -> bool:
            return (await self.stored(dream_id)).delivered

        await until(delivered)
        return await self.stored(dream_id)

    def messages(self, channel: ChannelHandle | None = None) -> list[discord.Message]:
        """The messages that everybody sees: dreams, not answers to one person."""
        return [m for m in (channel or self.channel).history() if not m.flags.ephemeral]

    def text(self, at: int = -1) -> str:
        """The embed's text of a dream's message; '' while there is none."""
        messages = self.messages()
        if len(messages) < (at + 1 if at >= 0 else -at):
            return ""
        return messages[at].embeds[0].description or ""

    async def until_text(self, part: str, at: int = -1) -> discord.Message:
        """Wait until a dream's message says this."""
        await until(lambda: part in self.text(at))
        return self.messages()[at]

    async def hear(self, event: str, *told: object) -> None:
        """Let all listeners have heard of something that the simulation does not know."""
        for listener in self.parts.client.extra_events[f"on_{event}"]:
            await listener(*told)

    async def restart(self) -> None:
        """An orderly end, and another process with the same database."""
        await self.parts.end()
        await self.parts.database.close()
        self.engine = ScriptedEngine()
        self.parts = build(self.settings, engines=[self.engine])
        self.hurry()
        await self.parts.database.open()
        await self.env.restart_bot(self.parts.client)
        await self.parts.begin()


def labels(message: discord.Message) -> list[str]:
    """What the buttons under a message say."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    return [
        button.label or "" for row in rows for button in row.children if isinstance(button, discord.Button)
    ]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite only: what the chat asks of a database is tried with both in `tests/bot`."""
    return f"sqlite:///{tmp_path / 'oneiro.db'}"


@pytest.fixture
async def world(prepared: Settings) -> AsyncIterator[World]:
    engine = ScriptedEngine()
    parts = build(prepared, engines=[engine])
    await parts.database.open()
    # Discord names the number of shards to a bot in many servers.
    env = Env(parts.client, shard_count=2, settle_timeout=LOADED_CORES_S)
    await env.start()
    world = World(env, parts, engine, prepared)
    await env.settle()
    # Begun outside the simulation's own tasks: it would wait for them to end.
    await parts.begin()
    try:
        yield world
    finally:
        await world.parts.end()
        await env.shutdown()
        await world.parts.database.close()
    env._raise_errors_since(env._errors_acknowledged)  # as simcord's own fixture does
    assert misspelt(env) == []


def misspelt(env: Env) -> list[str]:
    """Which of the bot's requests are not as Discord's description says, where its file is given."""
    described = description()
    if described is None:
        return []
    found: list[str] = []
    for asked in env.backend.http_requests:
        query = {name: str(value) for name, value in asked.params.items()}
        wrong = described.check(asked.method, asked.path, query=query, body=asked.json)
        found += [f"{asked.method} {asked.path}: {violation}" for violation in wrong]
    return found


@pytest.fixture
async def admin(world: World) -> AsyncIterator[MemberActor]:
    """Somebody with Manage Server."""
    role = world.guild.create_role("admins", permissions=discord.Permissions(manage_guild=True))
    yield world.guild.add_member(world.env.create_user("ada"), roles=[role])
