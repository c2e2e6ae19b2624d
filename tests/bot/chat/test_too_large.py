"""A picture that Discord finds too large comes smaller, wherever it is shown; none is given up for it."""

import io
from dataclasses import replace

import discord
import pytest
from PIL import Image

from bot.chat.messages.choice_message import NUMBERS
from bot.community.choices import ChoiceState
from bot.sentences import ENGLISH
from bot.servers.settings import VOTE_EMOJI
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import until_nothing_is_owed
from tests.bot.chat.test_contest import after_its_end, begun, enter, until_told
from tests.bot.scripted import until

REFUSED = 2  # times
SIDE = 512


@pytest.fixture(scope="module")
def noise() -> bytes:
    """A picture that no file format makes small."""
    buffer = io.BytesIO()
    Image.effect_noise((SIDE, SIDE), 90).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


async def dreamt(world: World, noise: bytes) -> discord.Message:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish(png=noise)
    await world.until_delivered(1)
    return next(message for message in world.messages() if message.attachments)


def refuse(world: World, method: str, path: str) -> None:
    world.env.inject_error(method, path, status=413, code=40005, times=REFUSED)


def is_smaller(message: discord.Message, noise: bytes) -> bool:
    (attachment,) = message.attachments
    return attachment.filename.endswith(".jpg") and attachment.size <= len(noise) / 4**REFUSED


async def test_in_a_gallery(world: World, noise: bytes) -> None:
    gallery = world.guild.create_text_channel("gallery")
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, gallery_channel=gallery.id)
    )
    refuse(world, "POST", f"/channels/{gallery.id}/messages")
    await dreamt(world, noise)
    await until_nothing_is_owed(world)
    (message,) = gallery.history()
    assert is_smaller(message, noise)


async def test_in_the_hall_of_fame(world: World, noise: bytes) -> None:
    hall = world.guild.create_text_channel("hall")
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, fame_channel=hall.id, fame_votes=1)
    )
    message = await dreamt(world, noise)
    await until_nothing_is_owed(world)
    refuse(world, "POST", f"/channels/{hall.id}/messages")
    await world.bob.react(message, VOTE_EMOJI[0])
    await until(lambda: len(hall.history()) == 1)
    assert is_smaller(hall.history()[0], noise)


async def test_one_wrong_answer_takes_nothing_away_that_is_as_small_as_can_be(world: World) -> None:
    gallery, hall = (world.guild.create_text_channel(name) for name in ("gallery", "hall"))
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id,
        by=1,
        change=lambda old: replace(old, gallery_channel=gallery.id, fame_channel=hall.id, fame_votes=1),
    )
    for place in (gallery, hall):
        world.env.inject_error("POST", f"/channels/{place.id}/messages", status=413, code=40005, times=1)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()  # so small that no JPEG of a quarter of its size exists
    await world.until_delivered(1)
    await world.bob.react(world.messages()[0], VOTE_EMOJI[0])
    await until(lambda: len(gallery.history()) == len(hall.history()) == 1)
    await until_nothing_is_owed(world)
    world.env.inject_error("POST", "/channels/*/messages", status=413, code=40005, times=1)
    await world.bob.react(world.messages()[0], "✉️")
    await until_nothing_is_owed(world)
    assert len(world.bob.user.dm_channel.history()) == 1


async def test_of_a_contest_s_winner(world: World, noise: bytes) -> None:
    await begun(world)
    message = await dreamt(world, noise)
    assert await enter(world, world.alice) == ENGLISH.entered("a bowl of cherries")
    await world.bob.react(message, VOTE_EMOJI[0])
    await until_nothing_is_owed(world, but=["contest"])  # type: ignore[list-item]  # a `Kind` is its text
    refuse(world, "POST", f"/channels/{world.channel.id}/messages")
    after_its_end(world)
    world.parts.outbox.wake()
    assert is_smaller(await until_told(world), noise)


async def test_of_a_choice(world: World, noise: bytes) -> None:
    await world.dream(world.alice, candidates=2)
    await until(lambda: len(world.messages()) == 1)
    await world.engine.dreams(1)
    world.engine.finish(png=noise)
    await world.engine.dreams(2)
    refuse(world, "PATCH", "/channels/*/messages/*")
    world.engine.finish(png=noise)
    await until(lambda: [str(r.emoji) for r in world.messages()[0].reactions] == list(NUMBERS[:2]))
    choice = await world.parts.choices.get(1)
    assert choice is not None and choice.state is ChoiceState.VOTING
    assert len(world.messages()[0].attachments) == 1


async def test_of_a_choice_that_is_shown_without_it_in_the_end(world: World) -> None:
    await world.dream(world.alice, candidates=2)
    await until(lambda: len(world.messages()) == 1)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.engine.dreams(2)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=413, code=40005, times=1)
    world.engine.finish()  # so small that no JPEG of a quarter of its size exists
    await until(lambda: [str(r.emoji) for r in world.messages()[0].reactions] == list(NUMBERS[:2]))


async def test_that_somebody_asked_for_in_a_direct_message(world: World, noise: bytes) -> None:
    message = await dreamt(world, noise)
    await until_nothing_is_owed(world)
    refuse(world, "POST", "/channels/*/messages")
    await world.bob.react(message, "✉️")
    await until_nothing_is_owed(world)
    (sent,) = world.bob.user.dm_channel.history()
    assert is_smaller(sent, noise)
