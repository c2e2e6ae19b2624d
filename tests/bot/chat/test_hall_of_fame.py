"""The hall of fame: each picture once, its votes up to date, gone with its original."""

from dataclasses import replace

import discord
import pytest
from simcord.builders import ChannelHandle

from bot.community.hall_of_fame import HallOfFame
from bot.database.outbox import Kind
from bot.sentences import ENGLISH
from bot.servers.settings import VOTE_EMOJI
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import until_nothing_is_owed
from tests.bot.scripted import until


async def hall_of(world: World, votes: int = 2) -> ChannelHandle:
    """A hall of fame, and alice's finished dream."""
    hall = world.guild.create_text_channel("hall")
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, fame_channel=hall.id, fame_votes=votes)
    )
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    return hall


async def vote(world: World, *members) -> None:
    for member in members:
        await member.react(world.messages()[0], VOTE_EMOJI[0])


async def until_hangs(world: World, hall: ChannelHandle, text: str) -> discord.Message:
    await until(lambda: [m.content for m in world.messages(hall)] == [text])
    return world.messages(hall)[0]


def fame(world: World) -> HallOfFame:
    return world.parts.hall_of_fame_messages._hall_of_fame


async def test_over_the_threshold_it_is_posted_with_its_picture_and_votes(world: World) -> None:
    hall = await hall_of(world)
    await vote(world, world.bob)
    assert world.messages(hall) == []
    await vote(world, world.moderator)
    message = await until_hangs(world, hall, f"⭐ 2 · <#{world.channel.id}>")
    assert [a.filename for a in message.attachments] == ["dream-1.png"]
    (embed,) = message.embeds
    assert "cherries" in (embed.description or "") and embed.title == ENGLISH.FAME_TITLE
    assert embed.url == world.messages()[0].jump_url
    carol = world.guild.add_member(world.env.create_user("carol"))
    await vote(world, carol)
    await until_hangs(world, hall, f"⭐ 3 · <#{world.channel.id}>")


async def test_it_is_posted_by_another_process_when_the_one_that_heard_the_votes_was_killed(
    world: World,
) -> None:
    hall = await hall_of(world)
    for member in (world.bob, world.moderator):  # stored, and nobody heard of it
        await world.parts.store.add_vote(1, member.id, VOTE_EMOJI[0], hall_at=2)
    world.parts.outbox.wake()
    await until_hangs(world, hall, f"⭐ 2 · <#{world.channel.id}>")


async def test_it_is_posted_once_also_by_a_process_that_overlaps_and_after_a_restart(world: World) -> None:
    hall = await hall_of(world)
    await vote(world, world.bob, world.moderator)
    await until_hangs(world, hall, f"⭐ 2 · <#{world.channel.id}>")
    dream = await world.stored(1)
    assert await fame(world).hang(dream, hall.id, 2) is None, "the place is taken"
    await world.restart()
    await world.parts.hall_of_fame_messages._look_at(1)
    await until_nothing_is_owed(world)
    assert len(world.messages(hall)) == 1


async def test_what_was_posted_but_not_remembered_is_found_again(world: World) -> None:
    hall = await hall_of(world)
    await vote(world, world.bob, world.moderator)
    message = await until_hangs(world, hall, f"⭐ 2 · <#{world.channel.id}>")
    dream = await world.stored(1)
    await world.parts.outbox.close()
    await fame(world).take_down(1)
    await fame(world).hang(dream, hall.id, 2)
    async with world.parts.database.transaction() as connection:  # killed between posting and remembering
        await connection.exec_driver_sql("UPDATE outbox SET tries = 1, begun = 1")
    await world.restart()

    async def remembered() -> bool:
        hung = await fame(world).get(1)
        return hung is not None and hung.message_id == message.id

    await until(remembered)
    assert len(world.messages(hall)) == 1


async def test_it_is_taken_down_when_its_votes_are_gone_and_may_come_back(world: World) -> None:
    hall = await hall_of(world)
    await vote(world, world.bob, world.moderator)
    await until_hangs(world, hall, f"⭐ 2 · <#{world.channel.id}>")
    await world.bob.unreact(world.messages()[0], VOTE_EMOJI[0])
    await until_hangs(world, hall, f"⭐ 1 · <#{world.channel.id}>")
    await world.moderator.unreact(world.messages()[0], VOTE_EMOJI[0])
    await until(lambda: world.messages(hall) == [])
    await vote(world, world.bob, world.moderator)
    await until_hangs(world, hall, f"⭐ 2 · <#{world.channel.id}>")


async def test_it_goes_with_its_original(world: World) -> None:
    hall = await hall_of(world, 1)
    await vote(world, world.bob)
    await until(lambda: len(world.messages(hall)) == 1)
    await world.parts.store.erase(1)
    await until(lambda: world.messages(hall) == [])

    async def forgotten() -> bool:
        return await fame(world).get(1) is None

    await until(forgotten)


async def test_it_goes_at_the_next_start_when_the_bot_ended_meanwhile(world: World) -> None:
    hall = await hall_of(world, 1)
    await vote(world, world.bob)
    await until(lambda: len(world.messages(hall)) == 1 and world.messages(hall)[0].content != "")
    await world.parts.end()
    await world.parts.store.erase(1)
    await world.restart()
    await until(lambda: world.messages(hall) == [])


@pytest.mark.parametrize("why", ["private", "adults", "flagged"])
async def test_what_not_everybody_may_see_does_not_hang_there(world: World, why: str) -> None:
    hall = await hall_of(world, 1)
    channel = world.parts.client.get_channel(world.channel.id)
    if why == "private":
        await channel.set_permissions(channel.guild.default_role, view_channel=False)
        await world.env.settle()
    elif why == "adults":
        channel.nsfw = True
    else:
        real = world.parts.store.get

        async def flagged(dream_id: int):
            dream = await real(dream_id)
            return dream and replace(dream, flagged="nudity")

        world.parts.store.get = flagged
    await world.parts.store.add_vote(1, world.bob.id, VOTE_EMOJI[0])
    await world.parts.hall_of_fame_messages._look_at(1)
    await until_nothing_is_owed(world, but=[Kind.REACTIONS])  # in a channel that is closed they wait
    assert await fame(world).get(1) is None
    if why == "adults":
        world.parts.client.get_channel(hall.id).nsfw = True
        world.parts.hall_of_fame_messages.moved(1)
        await until(lambda: len(world.messages(hall)) == 1)


async def test_what_discord_would_not_take_just_then_hangs_a_little_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await hall_of(world, 1)
    monkeypatch.setattr(world.parts.outbox, "_retry_s", 0.05)
    world.env.inject_error("POST", f"/channels/{hall.id}/messages", status=503, code=0, times=1)
    await vote(world, world.bob)
    await until(lambda: len(world.messages(hall)) == 1)


async def test_a_hall_that_takes_no_pictures_harms_nobody(world: World) -> None:
    hall = await hall_of(world, 1)
    world.env.inject_error("POST", f"/channels/{hall.id}/messages", status=403, code=50013, times=1)
    await vote(world, world.bob)
    await until(lambda: not world.env.backend.faults)
    await vote(world, world.moderator)
    await until_hangs(world, hall, f"⭐ 2 · <#{world.channel.id}>")
