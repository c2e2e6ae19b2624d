"""Channels of every kind in the simulated Discord, with a dream in one of them."""

from collections.abc import Callable

import discord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle

from tests.bot.chat.conftest import NEEDED, World
from tests.bot.chat.owing import until_nothing_is_owed
from tests.bot.scripted import picture

PRIVATE_THREAD = 12  # Discord's number of this kind


def connected(world: World) -> None:
    """Let everybody join voice channels: who may not cannot read there."""
    world.guild.default_role._role.permissions = NEEDED.value | discord.Permissions(connect=True).value


def secret(world: World, *members: MemberActor, name: str = "secret") -> ChannelHandle:
    """A channel for these and the bot."""
    closed, seen = discord.PermissionOverwrite(view_channel=False), discord.PermissionOverwrite()
    seen.update(view_channel=True)
    return world.guild.create_text_channel(
        name,
        overwrites={world.guild.default_role: closed, world.guild.me: seen} | dict.fromkeys(members, seen),
    )


def thread(
    world: World, parent: ChannelHandle, member: MemberActor, *, private: bool = False
) -> ChannelHandle:
    """The member's thread in a channel; the bot is in it too."""
    backend = world.env.backend
    kind = {"type": PRIVATE_THREAD} if private else {}
    made = backend.create_thread(parent.id, "a thread", member.id, **kind)
    backend.add_thread_member(made.id, backend.bot_user.id)
    return ChannelHandle(world.env, world.guild, made)


async def archive(world: World, made: ChannelHandle) -> None:
    """discord.py knows it no more."""
    world.env.backend.edit_channel(made.id, {}, thread_metadata={"archived": True})
    await world.env.settle()
    guild = world.parts.client.get_guild(world.guild.id)
    assert guild is not None and guild.get_thread(made.id) is None


async def restarted(world: World) -> None:
    """Another process; unlike simcord Discord tells it of no archived threads."""
    await world.restart()
    guild = world.parts.client.get_guild(world.guild.id)
    assert guild is not None
    for one in [one for one in guild.threads if one.archived]:
        guild._remove_thread(one)


async def for_adults(world: World, *channels: ChannelHandle) -> None:
    """Make them age-restricted; simcord knows no such channels."""
    await world.env.settle()
    for channel in channels:
        world.parts.client.get_channel(channel.id).nsfw = True  # type: ignore[union-attr]


async def dreamt_in(
    world: World,
    place: ChannelHandle,
    member: MemberActor | None = None,
    *,
    number: int = 1,
    flagged: str = "",
    prompt: str = "a secret tree",
    **options: object,
) -> discord.Message:
    """A finished dream and its message; `number`: how many dreams there are with it."""
    await (member or world.alice).slash(place, "dream", prompt=prompt, **options)
    await world.engine.dreams(number)
    world.engine.start()
    world.engine.step(preview=picture("JPEG"), flagged=flagged)
    world.engine.finish(flagged=flagged, timelapse=picture("PNG"))
    await world.until_delivered(number)
    stored = await world.stored(number)
    return next(message for message in world.messages(place) if message.id == stored.message_id)


def forum_post(world: World, member: MemberActor) -> ChannelHandle:
    """A post; its forum is its channel."""
    return thread(world, world.guild.create_forum_channel("forum"), member)


Maker = Callable[[World], ChannelHandle]
OPEN_KINDS: dict[str, Maker] = {
    "channel": lambda world: world.channel,
    "thread": lambda world: thread(world, world.channel, world.alice),
    "announcements": lambda world: world.guild.create_news_channel("news"),
    "forum post": lambda world: forum_post(world, world.alice),
    "voice": lambda world: world.guild.create_voice_channel("voice"),
    "stage": lambda world: world.guild.create_stage_channel("stage"),
}
CLOSED_KINDS: dict[str, Maker] = {
    "hidden": lambda world: secret(world, world.alice),
    "private thread": lambda world: thread(world, world.channel, world.alice, private=True),
    "thread of a hidden one": lambda world: thread(world, secret(world, world.alice), world.alice),
}


async def made(world: World, kind: str, *, adults: bool) -> ChannelHandle:
    """A channel of this kind."""
    connected(world)
    place = (OPEN_KINDS | CLOSED_KINDS)[kind](world)
    await world.env.settle()
    if adults:
        parent = place._channel.parent_id if place.is_thread else None
        gate = place if parent is None else ChannelHandle(
            world.env, world.guild, world.env.backend.channels[parent]
        )  # fmt: skip
        await for_adults(world, gate)
    return place


async def until_idle(world: World) -> None:
    """Wait until the gallery has posted what it will."""
    await until_nothing_is_owed(world)
