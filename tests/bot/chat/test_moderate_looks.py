"""/moderate: where one dreams, how the bot looks, what the audit log and the log channel say."""

import sqlite3
from contextlib import closing

import discord
import pytest
from simcord.actors import MemberActor

from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH
from bot.servers.settings import VOTE_EMOJI, NsfwPolicy, ServerSettings
from tests.bot.chat.conftest import World
from tests.bot.chat.moderator import read, settings, trail, use
from tests.bot.scripted import until

# ------------------------------------------------------------------ places and looks


async def test_one_dreams_in_allowed_channels_only(world: World, admin: MemberActor) -> None:
    other = world.guild.create_text_channel("other")
    await use(world, admin, "channels allow", channel=other)
    answer = await world.dream(world.alice)
    assert answer.response is not None and answer.response.content == ENGLISH.wrong_channel([other.id])
    await use(world, admin, "channels allow", channel=world.channel)
    await world.dream(world.alice)
    await use(world, admin, "channels disallow", channel=world.channel)
    await use(world, admin, "channels disallow", channel=other)
    await world.dream(world.alice)
    assert (await world.stored(2)).state is DreamState.QUEUED


async def test_an_allowed_channel_allows_its_threads_and_a_category_its_channels(
    world: World, admin: MemberActor
) -> None:
    category = world.guild.create_category("dreaming")
    inside = world.guild.create_text_channel("inside", category=category)
    await use(world, admin, "channels allow", channel=category)
    opener = await world.alice.send(inside, "dreams of the night")
    channel = world.env.bot.get_channel(inside.id)
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.get_partial_message(opener.id).create_thread(name="night")
    (handle,) = [t for t in inside.threads if t.id == thread.id]
    for place in (inside, handle):
        await world.alice.slash(place, "dream", prompt="a house")
    assert (await world.stored(2)).channel_id == thread.id
    refused = await world.dream(world.alice)
    assert refused.response is not None
    assert refused.response.content == ENGLISH.wrong_channel([category.id])


async def test_looks_are_set_and_shown(world: World, admin: MemberActor) -> None:
    gallery, log = (world.guild.create_text_channel(name) for name in ("gallery", "log"))
    await use(world, admin, "nsfw", policy="spoiler")
    await use(world, admin, "gallery", channel=gallery)
    await use(world, admin, "log", channel=log)
    await use(world, admin, "halloffame", channel=gallery, votes=7)
    await use(world, admin, "emoji", emoji="🍒 👍")
    await use(world, admin, "language", language="it")
    now = settings(world)
    assert (now.nsfw, now.gallery_channel, now.log_channel) == (NsfwPolicy.SPOILER, gallery.id, log.id)
    assert (now.fame_channel, now.fame_votes) == (gallery.id, 7)
    assert (now.vote_emoji, now.language) == (("🍒", "👍"), "it")
    shown = await use(world, admin, "show")
    for part in (f"<#{gallery.id}>", f"<#{log.id}>", "spoiler", "🍒 👍", "Italiano", "7"):
        assert part in shown
    await use(world, admin, "emoji")
    await use(world, admin, "language")
    await use(world, admin, "gallery")
    assert (settings(world).vote_emoji, settings(world).language) == (VOTE_EMOJI, "")
    assert settings(world).gallery_channel is None


@pytest.mark.parametrize("emoji", ["🏳️‍🌈", "🇮🇹", "3️⃣", "❤️", "⭐", "👩🏽‍🚀", "♻️", "‼️"])
async def test_what_is_an_emoji_is_taken(world: World, admin: MemberActor, emoji: str) -> None:
    await use(world, admin, "emoji", emoji=emoji)
    assert settings(world).vote_emoji == (emoji,)


async def test_the_server_s_own_emoji_is_taken_and_no_other(world: World, admin: MemberActor) -> None:
    own = world.guild.create_emoji("cherry")
    await use(world, admin, "emoji", emoji=f"<:cherry:{own.id}>")
    assert settings(world).vote_emoji == (f"<:cherry:{own.id}>",)
    said = await use(world, admin, "emoji", emoji=f"<:cherry:{own.id + 1}>")
    assert ENGLISH.NOT_EMOJI in said


@pytest.mark.parametrize(
    "emoji", ["abc", "1", "!", "a⭐", "🍒 🍓 🍎 🍐 🍊 🍋", ":cherries:", "@everyone", "   "]
)
async def test_what_is_no_emoji_is_refused(world: World, admin: MemberActor, emoji: str) -> None:
    assert ENGLISH.NOT_EMOJI in await use(world, admin, "emoji", emoji=emoji)
    assert settings(world) == ServerSettings()


async def test_a_channel_that_the_bot_cannot_post_in_is_refused(world: World, admin: MemberActor) -> None:
    closed = world.guild.create_text_channel(
        "closed", overwrites={world.guild.default_role: discord.PermissionOverwrite(send_messages=False)}
    )
    said = await use(world, admin, "log", channel=closed)
    # Discord takes all of these away with the first (API reference, permissions, implicit ones).
    assert said.strip() == ENGLISH.lacking_in(closed.id, "Send Messages, Embed Links, Attach Files")
    assert settings(world) == ServerSettings()


# ------------------------------------------------------------------ the trail


async def test_the_audit_trail_says_who_and_what_and_turns_pages(world: World, admin: MemberActor) -> None:
    assert ENGLISH.NO_CHANGES in await use(world, admin, "audit")
    for seconds in range(1, 13):
        await use(world, admin, "cooldown", seconds=seconds)
    first = await admin.slash(world.channel, "moderate audit")
    assert f"<@{admin.id}>: **seconds between two dreams** 11 → 12" in read(first)
    assert "1 → 2" not in read(first).replace("11 → 12", "")
    await admin.click(first.response, label=ENGLISH.OLDER)
    assert "0 → 1" in read(first) and "11 → 12" not in read(first)
    await admin.click(first.response, label=ENGLISH.NEWEST)
    assert "11 → 12" in read(first)


async def test_the_log_channel_tells_each_change(world: World, admin: MemberActor) -> None:
    log = world.guild.create_text_channel("log")
    await use(world, admin, "log", channel=log)
    await use(world, admin, "pause")
    await until(lambda: len(log.history()) == 2)
    last = log.history()[-1].embeds[0].description or ""
    assert f"<@{admin.id}>: **paused** no → yes" in last


async def test_a_deleted_log_channel_hinders_nothing(world: World, admin: MemberActor) -> None:
    log = world.guild.create_text_channel("log")
    await use(world, admin, "log", channel=log)
    await until(lambda: len(log.history()) == 1)
    channel = world.env.bot.get_channel(log.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.delete()
    await use(world, admin, "pause")
    assert settings(world).paused
    await until(lambda: settings(world).log_channel is None)
    bot = world.env.bot.user
    assert bot is not None and (await trail(world))[0][:2] == (bot.id, "log_channel")


async def test_a_log_channel_that_may_not_be_written_to_hinders_nothing(
    world: World, admin: MemberActor
) -> None:
    log = world.guild.create_text_channel("log")
    await use(world, admin, "log", channel=log)
    await until(lambda: len(log.history()) == 1)
    world.env.inject_error("POST", f"/channels/{log.id}/messages", status=403, code=50013)
    await use(world, admin, "pause")
    assert settings(world).paused and settings(world).log_channel == log.id


async def test_a_database_that_has_a_moment_changes_nothing_and_says_so(
    world: World, admin: MemberActor
) -> None:
    with closing(sqlite3.connect(world.settings.data_dir / "oneiro.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        said = await use(world, admin, "pause")
        lock.execute("ROLLBACK")
    assert "database is busy" in said and settings(world) == ServerSettings()
    assert len(world.env.errors) == 1  # acknowledges it


@pytest.mark.parametrize(("status", "code"), [(400, 10014), (403, 50013), (404, 10014), (400, 50035)])
async def test_an_emoji_that_discord_refuses_is_named_and_nothing_is_kept(
    world: World, admin: MemberActor, status: int, code: int
) -> None:
    for path in ("%E2%86%92", "→"):
        world.env.inject_error("PUT", f"*/reactions/{path}/@me", status=status, code=code, times=None)
    said = await use(world, admin, "emoji", emoji="⭐ →")
    assert ENGLISH.emoji_refused("→") in said
    assert settings(world) == ServerSettings() and world.messages() == []
    await use(world, admin, "emoji", emoji="🍒")
    assert settings(world).vote_emoji == ("🍒",) and world.messages() == []


async def test_emoji_that_could_not_be_tried_are_not_kept(world: World, admin: MemberActor) -> None:
    world.env.inject_error("PUT", "*/reactions/*", status=500, times=20)
    assert ENGLISH.EMOJI_NOT_TRIED in await use(world, admin, "emoji", emoji="🍒")
    assert settings(world) == ServerSettings() and world.messages() == []


@pytest.mark.parametrize("emoji", ["❌", "✉️", "✉", "⭐ ❌"])
async def test_an_emoji_that_means_something_else_is_no_vote(
    world: World, admin: MemberActor, emoji: str
) -> None:
    assert ENGLISH.emoji_in_use(emoji.split()[-1]) in await use(world, admin, "emoji", emoji=emoji)
    assert settings(world) == ServerSettings()


async def test_the_same_emoji_in_two_forms_is_kept_once(world: World, admin: MemberActor) -> None:
    await use(world, admin, "emoji", emoji="❤️ ❤ 👍🏽 👍 🍒 🍒 🍓 🍎")
    assert settings(world).vote_emoji == ("❤️", "👍🏽", "🍒", "🍓", "🍎")


async def test_where_the_bot_may_not_react_it_says_so(world: World, admin: MemberActor) -> None:
    closed = world.guild.create_text_channel(
        "closed", overwrites={world.guild.default_role: discord.PermissionOverwrite(add_reactions=False)}
    )
    answer = await admin.slash(closed, "moderate emoji", emoji="🍒")
    assert ENGLISH.lacking_in(closed.id, "Add Reactions") in read(answer)
    assert settings(world) == ServerSettings()
