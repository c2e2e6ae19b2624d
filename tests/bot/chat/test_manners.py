"""/queue, the presence, hello and goodbye."""

import asyncio
from datetime import timedelta
from typing import Any

import discord
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult

from bot.chat.listeners.servers import welcome, welcome_late
from bot.chat.messages.presence import Presence
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH
from tests.bot.chat.conftest import NEEDED, World
from tests.bot.scripted import until


def read(answer: InteractionResult) -> str:
    assert answer.response is not None and answer.response.ephemeral
    return "\n".join([answer.response.content, *(e.description or "" for e in answer.response.embeds)])


# ------------------------------------------------------------------ the line


async def test_the_line_is_shown_with_its_order_its_reason_and_my_places(world: World) -> None:
    for member, prompt in (
        (world.alice, "a **red** house"),
        (world.alice, "a blue house"),
        (world.alice, "a green house"),
        (world.bob, "the sea " * 30),
    ):
        await world.dream(member, prompt)
    await world.engine.dreams(1)
    lines = read(await world.alice.slash(world.channel, "queue")).strip().splitlines()
    assert lines[0] == rf"▸ <@{world.alice.id}>: a \*\*red\*\* house"
    assert lines[1].startswith(f"1. <@{world.bob.id}>: the sea") and lines[1].endswith("…")
    assert len(lines[1]) < 120
    assert lines[2:4] == [
        f"2. <@{world.alice.id}>: a blue house",
        f"3. <@{world.alice.id}>: a green house",
    ]
    assert lines[-2:] == [ENGLISH.WHY_SO, ENGLISH.your_places([2, 3])]


async def test_the_line_says_when_a_dream_will_be_ready_once_that_was_measured(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step()
    world.engine.step()
    world.engine.finish()
    await world.until_delivered(1)
    await world.dream(world.alice)
    await world.engine.dreams(2)
    await world.dream(world.bob)
    await until(lambda: world.parts.dream_messages.ready_at(3) is not None)
    said = read(await world.bob.slash(world.channel, "queue"))
    assert f"1. <@{world.bob.id}>: a bowl of cherries · <t:" in said


async def test_an_empty_line_is_told_so(world: World) -> None:
    assert read(await world.alice.slash(world.channel, "queue")).strip() == ENGLISH.LINE_EMPTY


async def test_other_servers_are_counted_and_not_shown(world: World, a_wish: Any) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.parts.worker.submit(a_wish(guild_id=999, prompt="somebody else's secret"))
    said = read(await world.bob.slash(world.channel, "queue"))
    assert "secret" not in said and ENGLISH.why_so(1) in said and "place" not in said


async def test_a_hidden_dream_s_words_stay_hidden(world: World) -> None:
    await world.dream(world.alice, "a surprise", spoiler=True)
    await world.engine.dreams(1)
    assert "surprise" not in read(await world.bob.slash(world.channel, "queue"))


async def test_a_paused_line_says_so(world: World) -> None:
    await world.parts.moderation.change(world.guild.id, by=1, change=lambda old: type(old)(paused=True))
    await world.dream(world.alice)
    assert ENGLISH.LINE_PAUSED in read(await world.alice.slash(world.channel, "queue"))


async def test_a_long_line_is_shown_in_part(world: World) -> None:
    for author in range(20):
        await world.parts.store.add(world.wish(author_id=author + 1))
    await world.parts.worker.refresh()
    said = read(await world.alice.slash(world.channel, "queue"))
    assert ENGLISH.more_in_line(4) in said


# ------------------------------------------------------------------ the presence


class Stage:
    """A client that can only show its presence, and remembers what it showed."""

    def __init__(self, *, ready: bool = True) -> None:
        self.activity: discord.CustomActivity | None = None
        self.shown: list[str | None] = []
        self.ready = ready
        self.fails = False

    def is_ready(self) -> bool:
        return self.ready

    async def change_presence(self, *, activity: discord.CustomActivity) -> None:
        if self.fails:
            raise ConnectionResetError
        self.shown.append(activity.name)


async def test_the_presence_follows_the_line_and_skips_what_was_between() -> None:
    stage, waiting = Stage(), [3]
    presence = Presence(client=stage, waiting=lambda: waiting[0], pace_s=0.01)  # type: ignore[arg-type]
    await presence.start()
    assert stage.activity is not None and stage.activity.name == ENGLISH.presence(3)
    await until(lambda: stage.shown == [ENGLISH.presence(3)])
    for waiting[0] in (4, 5, 6, 2):
        pass  # nobody looks before the pace is over
    await until(lambda: stage.shown[1:] == [ENGLISH.presence(2)])
    await asyncio.sleep(0.05)
    assert len(stage.shown) == 2, "nothing is sent while nothing changes"
    await presence.close()


async def test_a_lost_connection_delays_the_presence() -> None:
    stage = Stage(ready=False)
    stage.fails = True
    presence = Presence(client=stage, waiting=lambda: 1, pace_s=0.001)  # type: ignore[arg-type]
    await presence.start()
    await asyncio.sleep(0.01)
    stage.ready = True
    await asyncio.sleep(0.01)
    assert stage.shown == []
    stage.fails = False
    await until(lambda: stage.shown == [ENGLISH.presence(1)])
    await presence.close()


# ------------------------------------------------------------------ hello and goodbye


def greetings(channel: ChannelHandle) -> list[str]:
    return [message.content for message in channel.history()]


async def test_the_owner_is_greeted_where_there_is_no_system_channel_and_only_once(world: World) -> None:
    owner = world.guild.owner
    await world.hear("guild_join", world.env.bot.get_guild(world.guild.id))
    await until(lambda: greetings(owner.dm_channel) == [ENGLISH.WELCOME])
    await world.hear("guild_join", world.env.bot.get_guild(world.guild.id))
    await world.restart()
    await world.hear("guild_join", world.env.bot.get_guild(world.guild.id))
    assert greetings(owner.dm_channel) == [ENGLISH.WELCOME]


async def test_a_server_is_greeted_in_its_system_channel(world: World) -> None:
    newcomers = world.env.create_guild("Newcomers")
    channel = newcomers.create_text_channel("general")
    await world.env.settle()
    guild = world.env.bot.get_guild(newcomers.id)
    assert guild is not None
    guild._system_channel_id = channel.id
    await welcome(world.env.bot, world.parts.moderation, guild)
    await welcome(world.env.bot, world.parts.moderation, guild)
    assert greetings(channel) == [ENGLISH.WELCOME]


async def test_who_invited_us_while_we_were_away_is_greeted_later(world: World) -> None:
    newcomers = world.env.create_guild("Newcomers")
    await world.env.settle()
    for handle, days in ((newcomers, 0.5), (world.guild, 2)):
        guild = world.env.bot.get_guild(handle.id)
        assert guild is not None
        guild.me.joined_at = discord.utils.utcnow() - timedelta(days=days)
    await welcome_late(world.env.bot, world.parts.moderation)
    assert greetings(newcomers.owner.dm_channel) == [ENGLISH.WELCOME]
    assert greetings(world.guild.owner.dm_channel) == []


async def test_an_owner_who_takes_no_messages_hinders_nothing(world: World) -> None:
    world.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    await world.hear("guild_join", world.env.bot.get_guild(world.guild.id))
    assert greetings(world.guild.owner.dm_channel) == []


async def test_leaving_a_server_withdraws_its_dreams(world: World, a_wish: Any) -> None:
    await world.dream(world.alice)
    await world.dream(world.bob)
    await world.engine.dreams(1)
    other = world.env.create_guild("Others")
    other.default_role._role.permissions = NEEDED.value
    channel = other.create_text_channel("dreams")
    elsewhere = await world.parts.worker.submit(a_wish(guild_id=other.id, channel_id=channel.id))
    guild = world.env.bot.get_guild(world.guild.id)
    await world.hear("guild_remove", guild)
    await world.until_state(1, DreamState.CANCELLED)
    assert (await world.stored(2)).state is DreamState.CANCELLED
    assert not (await world.stored(elsewhere.id)).state.is_over
