"""/top: pictures and pages, for whoever asks, and nothing that they may not see."""

import io

import discord
import pytest
from PIL import Image
from simcord.actors import MemberActor, _dispatch_actor_interaction
from simcord.builders import ChannelHandle
from simcord.enums import InteractionType
from simcord.results import InteractionResult

from bot.sentences import ENGLISH
from bot.servers.settings import VOTE_EMOJI
from tests.bot.chat.conftest import World
from tests.bot.scripted import picture


async def voted(
    world: World, fans: int, *, number: int = 1, channel: ChannelHandle | None = None, prompt: str = "a tree"
) -> None:
    """Alice's dream with so many votes of others; `number`: how many dreams there are with it."""
    place = channel or world.channel
    await world.alice.slash(place, "dream", prompt=prompt)
    await world.engine.dreams(number)
    world.engine.finish(png=picture("PNG", size=600))
    await world.until_delivered(number)
    message = world.messages(place)[-1]
    for member in (world.bob, world.moderator)[:fans]:
        await member.react(message, VOTE_EMOJI[0])


def shown(answer: InteractionResult) -> discord.Message:
    message = answer.response or answer.followups[0]
    assert message.flags.ephemeral
    return message


async def top(
    world: World, member: MemberActor | None = None, channel: ChannelHandle | None = None, **options: str
) -> discord.Message:
    return shown(await (member or world.bob).slash(channel or world.channel, "top", **options))


async def test_the_best_pictures_come_with_their_words_votes_and_links(world: World) -> None:
    await voted(world, 1, prompt="a *tree*")
    await voted(world, 2, number=2, prompt="a house")
    message = await top(world)
    first, second = message.embeds
    assert first.title == "The best pictures of the last 7 days"
    assert "🥇 [a house](https://discord.com/channels/" in (first.description or "")
    assert f"2 votes · {world.alice.mention}" in (first.description or "")
    assert "a \\*tree\\*" in (second.description or "") and "1 vote ·" in (second.description or "")
    assert [a.filename for a in message.attachments] == ["dream-2.jpg", "dream-1.jpg"]
    with Image.open(io.BytesIO(await message.attachments[0].read())) as image:
        assert image.size == (512, 512)
    assert message.attachments[0].description == "A dreamt picture: a house"


@pytest.mark.parametrize(
    ("by", "line"), [("dreamer", "3 votes for 2 dreams"), ("prompt", "· 3 votes for 2 dreams")]
)
async def test_dreamers_and_prompts_have_their_ranking(world: World, by: str, line: str) -> None:
    await voted(world, 1)
    await voted(world, 2, number=2)
    message = await top(world, by=by, period="ever")
    (embed,) = message.embeds
    assert line in (embed.description or "") and "of all time" in (embed.title or "")
    assert len(message.attachments) == 1


async def test_without_votes_it_says_what_to_do(world: World) -> None:
    await voted(world, 0)
    message = await top(world)
    assert message.content == ENGLISH.NO_TOP and not message.embeds


async def test_a_private_channel_s_picture_is_for_those_who_may_see_it(world: World) -> None:
    secret = world.guild.create_text_channel(
        "secret",
        overwrites={
            world.guild.default_role: discord.PermissionOverwrite(view_channel=False),
            world.guild.me: discord.PermissionOverwrite(view_channel=True),
            world.alice: discord.PermissionOverwrite(view_channel=True),
            world.bob: discord.PermissionOverwrite(view_channel=True),
        },
    )
    await voted(world, 1, channel=secret, prompt="a secret")
    assert "a secret" in ((await top(world)).embeds[0].description or "")
    assert "a secret" in ((await top(world, by="prompt")).embeds[0].description or "")
    for by in ("picture", "dreamer", "prompt"):
        assert (await top(world, world.moderator, by=by)).content == ENGLISH.NO_TOP


async def test_an_age_restricted_channel_s_picture_stays_there(world: World) -> None:
    adults = world.guild.create_text_channel("adults")
    await world.env.settle()
    world.parts.client.get_channel(adults.id).nsfw = True  # simcord knows no such channels
    await voted(world, 1, channel=adults)
    assert (await top(world)).content == ENGLISH.NO_TOP
    assert (await top(world, channel=adults)).embeds


async def test_options_that_discord_does_not_offer_get_a_sentence(world: World) -> None:
    root = world.env.backend.find_command("top", world.guild.id, type=1)
    assert root is not None
    for options in ({"by": "beauty"}, {"period": "century"}):
        sent = [{"name": name, "type": 3, "value": value} for name, value in options.items()]
        data = {"id": root["id"], "name": "top", "type": 1, "options": sent}
        kind = InteractionType.APPLICATION_COMMAND
        answer = await _dispatch_actor_interaction(world.bob, kind, world.channel, data)
        assert shown(answer).content == ENGLISH.BAD_OPTION


async def test_pages_turn_after_a_restart_too(world: World) -> None:
    for number in (1, 2, 3, 4):
        await voted(world, 1, number=number, prompt=f"dream {number}")
    answer = await world.bob.slash(world.channel, "top")
    assert len(shown(answer).embeds) == 3
    await world.restart()
    await world.bob.click(shown(answer), label="▶")
    message = shown(answer)
    assert len(message.embeds) == 1 and "**4.** [dream 1]" in (message.embeds[0].description or "")
    assert [button["label"] for row in message.components for button in row["components"]] == ["◀"]
    await world.bob.click(message, label="◀")
    assert len(shown(answer).embeds) == 3


async def test_a_deleted_dream_is_left_out(world: World) -> None:
    await voted(world, 1)
    await world.parts.store.erase(1)
    assert (await top(world)).content == ENGLISH.NO_TOP
