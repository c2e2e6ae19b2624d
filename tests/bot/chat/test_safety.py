"""Unsafe pictures under each of a server's rules, reports, and the gallery that shows what all may see."""

from dataclasses import replace

import discord
import pytest
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult

from bot.chat.erasing import erase
from bot.chat.messages.exhibit import Visibility, visibility
from bot.database.outbox import Kind
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH
from bot.servers.settings import NsfwPolicy
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import owed
from tests.bot.scripted import picture, until


async def set_(world: World, **changes: object) -> None:
    """What a moderator sets."""
    await world.parts.moderation.change(
        world.guild.id,
        by=world.moderator.id,
        change=lambda old: replace(old, **changes),  # type: ignore[arg-type]  # names come from the tests
    )


def read(answer: InteractionResult) -> str:
    assert answer.response is not None and answer.response.ephemeral
    return answer.response.content


def files(message: discord.Message) -> list[str]:
    """The names of its pictures, wherever in the message they stand."""
    return [attachment.filename for attachment in message.attachments]


async def dreamt(world: World, *, flagged: str = "", spoiler: bool = False) -> discord.Message:
    """A dream that is over, and its message."""
    options = {"spoiler": True} if spoiler else {}
    await world.dream(world.alice, **options)
    await world.engine.dreams(1)
    world.engine.start()
    world.engine.finish(flagged=flagged)
    await world.until_delivered(1)
    return world.messages()[0]


# ------------------------------------------------------------------ the safety check


@pytest.mark.parametrize(
    ("flagged", "policy", "age_restricted", "meant"),
    [
        ("", NsfwPolicy.REFUSE, False, Visibility.OPEN),
        ("nudity", NsfwPolicy.REFUSE, False, Visibility.WITHHELD),
        ("nudity", NsfwPolicy.REFUSE, True, Visibility.WITHHELD),
        ("nudity", NsfwPolicy.SPOILER, False, Visibility.SPOILER),
        ("nudity", NsfwPolicy.SPOILER, True, Visibility.SPOILER),
        ("nudity", NsfwPolicy.AGE_RESTRICTED, False, Visibility.WITHHELD),
        ("nudity", NsfwPolicy.AGE_RESTRICTED, True, Visibility.OPEN),
    ],
)
def test_a_rule_says_how_a_picture_may_be_shown(
    flagged: str, policy: NsfwPolicy, age_restricted: bool, meant: Visibility
) -> None:
    assert visibility(flagged, policy, age_restricted=age_restricted) is meant


async def test_an_unsafe_picture_is_withheld_and_cannot_be_voted_for(world: World) -> None:
    message = await dreamt(world, flagged="nudity")
    assert files(message) == [] and ENGLISH.WITHHELD in world.text() and not message.reactions
    stored = await world.stored(1)
    assert (stored.state, stored.flagged) == (DreamState.DONE, "nudity")


async def test_an_unsafe_picture_is_a_spoiler_where_the_server_says_so(world: World) -> None:
    await set_(world, nsfw=NsfwPolicy.SPOILER)
    message = await dreamt(world, flagged="nudity")
    assert files(message) == ["SPOILER_dream-1.png"]
    assert message.embeds[0].image.url is None, "Discord hides no picture inside an embed"


async def test_an_unsafe_picture_is_shown_in_an_age_restricted_channel(world: World) -> None:
    channel = world.env.bot.get_channel(world.channel.id)
    assert isinstance(channel, discord.TextChannel)
    channel.nsfw = True
    assert files(await dreamt(world, flagged="nudity")) == ["dream-1.png"]


async def test_no_unsafe_frame_is_seen_on_the_way(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.start()
    world.engine.step(preview=picture("JPEG"))
    await until(lambda: files(world.messages()[0]) == ["dream-1.jpg"])
    world.engine.step(preview=picture("JPEG", shade=50), flagged="nudity")
    await until(lambda: files(world.messages()[0]) == [])
    assert ENGLISH.WITHHELD in world.text()
    world.engine.step(preview=picture("JPEG", shade=90))
    await world.until_text("step 3")
    assert files(world.messages()[0]) == [], "between two checks it may be there again"
    world.engine.finish()
    await world.until_delivered(1)
    assert files(world.messages()[0]) == ["dream-1.png"], "what counts is the picture that stays"


async def test_a_stopped_dream_s_unsafe_picture_is_withheld_too(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.start()
    world.engine.step(preview=picture("JPEG"), flagged="nudity")
    await until(lambda: ENGLISH.WITHHELD in world.text())
    await world.parts.worker.cancel(1)
    await world.until_delivered(1)
    assert (await world.stored(1)).state is DreamState.CANCELLED


async def test_no_time_lapse_shows_what_is_withheld(world: World) -> None:
    await set_(world, nsfw=NsfwPolicy.SPOILER)
    message = await dreamt(world, flagged="nudity")
    await set_(world, nsfw=NsfwPolicy.REFUSE)
    assert read(await world.bob.click(message, label=ENGLISH.TIMELAPSE)) == ENGLISH.WITHHELD


async def test_the_library_keeps_to_the_rule_too(world: World) -> None:
    await dreamt(world, flagged="nudity")
    withheld = await world.alice.slash(world.channel, "dreams show", dream=1)
    assert withheld.response is not None and withheld.response.attachments == []
    await set_(world, nsfw=NsfwPolicy.SPOILER)
    hidden = await world.alice.slash(world.channel, "dreams show", dream=1)
    assert hidden.response is not None
    assert [file.filename for file in hidden.response.attachments] == ["SPOILER_dream-1.png"]


# ------------------------------------------------------------------ reports


async def test_a_report_reaches_the_moderators_once_with_a_link(world: World) -> None:
    log = world.guild.create_text_channel("log")
    await set_(world, log_channel=log.id)
    await until(lambda: len(log.history()) == 1)
    message = await dreamt(world)
    told = await world.bob.context_menu(world.channel, ENGLISH.REPORT_COMMAND, message)
    assert read(told) == ENGLISH.REPORTED
    report = log.history()[-1].embeds[0]
    assert report.title == ENGLISH.REPORT_TITLE
    assert f"<@{world.alice.id}>, reported by <@{world.bob.id}>" in (report.description or "")
    assert message.jump_url in (report.description or "")
    again = await world.bob.context_menu(world.channel, ENGLISH.REPORT_COMMAND, message)
    assert read(again) == ENGLISH.REPORTED_BEFORE and len(log.history()) == 2
    other = await world.moderator.context_menu(world.channel, ENGLISH.REPORT_COMMAND, message)
    assert read(other) == ENGLISH.REPORTED and len(log.history()) == 3


async def test_moderators_act_on_a_report(world: World) -> None:
    log = world.guild.create_text_channel("log")
    role = world.guild.create_role("admins", permissions=discord.Permissions(manage_guild=True))
    admin = world.guild.add_member(world.env.create_user("ada"), roles=[role])
    await set_(world, log_channel=log.id)
    message = await dreamt(world)
    await world.bob.context_menu(world.channel, ENGLISH.REPORT_COMMAND, message)
    await until(lambda: bool(log.history()) and log.history()[-1].embeds[0].title == ENGLISH.REPORT_TITLE)
    report = log.history()[-1]
    assert read(await world.bob.click(report, label=ENGLISH.BAN_AUTHOR)) == ENGLISH.NOT_A_MODERATOR
    assert world.parts.moderation.ban(world.guild.id, world.alice.id) is None
    banned = read(await admin.click(report, label=ENGLISH.BAN_AUTHOR))
    assert banned == ENGLISH.is_banned(world.alice.id, None, 0)
    assert world.parts.moderation.ban(world.guild.id, world.alice.id) is not None
    asked = await admin.click(report, label=ENGLISH.DELETE_IT)
    assert read(asked) == ENGLISH.DELETE_QUESTION
    assert read(await admin.click(asked.response, label=ENGLISH.DELETE_SURELY)) == ENGLISH.DELETED
    assert world.messages() == [] and (await world.stored(1)).erased
    trail = await world.parts.moderation.audit(world.guild.id)
    assert [(entry.by, entry.what, entry.target) for entry in trail[:2]] == [
        (admin.id, "delete", "dream:1"),
        (admin.id, "ban", f"person:{world.alice.id}"),
    ]


async def test_a_report_that_reaches_nobody_is_told_so_and_can_be_made_again(world: World) -> None:
    message = await dreamt(world)
    refused = await world.bob.context_menu(world.channel, ENGLISH.REPORT_COMMAND, message)
    assert read(refused) == ENGLISH.NO_REPORTS
    log = world.guild.create_text_channel("log")
    await set_(world, log_channel=log.id)
    await until(lambda: len(log.history()) == 1)
    world.env.inject_error("POST", f"/channels/{log.id}/messages", status=403, code=50013)
    lost = await world.bob.context_menu(world.channel, ENGLISH.REPORT_COMMAND, message)
    assert read(lost) == ENGLISH.NO_REPORTS
    told = await world.bob.context_menu(world.channel, ENGLISH.REPORT_COMMAND, message)
    assert read(told) == ENGLISH.REPORTED


async def test_what_is_no_dream_cannot_be_reported(world: World) -> None:
    chat = await world.alice.send(world.channel, "hello")
    refused = await world.bob.context_menu(world.channel, ENGLISH.REPORT_COMMAND, chat)
    assert read(refused) == ENGLISH.NOT_A_DREAM


# ------------------------------------------------------------------ the gallery


@pytest.fixture
async def gallery(world: World) -> ChannelHandle:
    channel = world.guild.create_text_channel("gallery")
    await set_(world, gallery_channel=channel.id)
    return channel


async def test_a_final_picture_hangs_in_the_gallery_until_it_is_deleted(
    world: World, gallery: ChannelHandle
) -> None:
    message = await dreamt(world)
    await until(lambda: len(gallery.history()) == 1)
    (hung,) = gallery.history()
    assert files(hung) == ["dream-1.png"]
    assert f"/{message.id})" in (hung.embeds[0].description or ""), "it leads to the dream"

    async def remembered() -> bool:
        return (await world.stored(1)).gallery_message_id == hung.id

    await until(remembered)
    await erase(world.parts, await world.stored(1))
    await until(lambda: gallery.history() == [] and world.messages() == [])


async def test_a_private_spoiler_stays_out_of_the_gallery(world: World, gallery: ChannelHandle) -> None:
    await dreamt(world, spoiler=True)
    assert Kind.GALLERY not in await owed(world) and gallery.history() == []


async def test_an_unsafe_picture_stays_out_of_the_gallery(world: World, gallery: ChannelHandle) -> None:
    await set_(world, nsfw=NsfwPolicy.SPOILER)
    await dreamt(world, flagged="nudity")
    assert Kind.GALLERY not in await owed(world) and gallery.history() == []


async def test_a_dream_of_a_closed_channel_stays_out_of_the_gallery(
    world: World, gallery: ChannelHandle
) -> None:
    channel = world.env.bot.get_channel(world.channel.id)
    assert isinstance(channel, discord.TextChannel)
    everyone = discord.abc._Overwrites(
        {"id": world.guild.id, "type": 0, "allow": "0", "deny": str(discord.Permissions(1024).value)}
    )
    channel._overwrites.append(everyone)
    await dreamt(world)
    assert Kind.GALLERY not in await owed(world) and gallery.history() == []


async def test_a_gallery_that_takes_nothing_hinders_nobody(world: World, gallery: ChannelHandle) -> None:
    world.env.inject_error("POST", f"/channels/{gallery.id}/messages", status=403, code=50013)
    assert files(await dreamt(world)) == ["dream-1.png"]


async def test_a_paused_dream_s_message_says_why_it_waits(world: World) -> None:
    await set_(world, paused=True)
    await world.dream(world.alice)
    await world.until_text(ENGLISH.PAUSED_BY_MODERATORS)
    await set_(world, paused=False)
    await world.engine.dreams(1)
