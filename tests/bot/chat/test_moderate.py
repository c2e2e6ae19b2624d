"""/moderate: who may use it, that each command is effective at once, what the audit trail then says."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor, _dispatch_actor_interaction
from simcord.enums import InteractionType, OptionType
from simcord.results import InteractionResult

from bot.chat.moderate import NotAModerator, moderate
from bot.chat.sentences import ENGLISH
from bot.dreams import DreamState
from bot.guilds import LIMITS, VOTE_EMOJI, Allowance, NsfwPolicy, ServerSettings
from tests.bot.chat.conftest import World
from tests.bot.scripted import until

SUB = OptionType.SUBCOMMAND
Options = list[dict[str, Any]]


@pytest.fixture
async def admin(world: World) -> AsyncIterator[MemberActor]:
    """Somebody with Manage Server."""
    role = world.guild.create_role("admins", permissions=discord.Permissions(manage_guild=True))
    yield world.guild.add_member(world.env.create_user("ada"), roles=[role])


async def use(world: World, member: MemberActor, command: str, **options: Any) -> str:
    """What the person reads after `/moderate …`; it must be for them alone."""
    answer = await member.slash(world.channel, f"moderate {command}", **options)
    return read(answer)


def read(answer: InteractionResult) -> str:
    assert answer.response is not None and answer.response.ephemeral
    embeds = [f"{e.title}\n{e.description}" for e in answer.response.embeds]
    return "\n".join([answer.response.content, *embeds])


async def force(
    world: World, member: MemberActor, options: Options, *, complete: bool = False
) -> InteractionResult:
    """`/moderate` from a changed client: Discord's own checks have no say."""
    root = world.env.backend.find_command("moderate", world.guild.id, type=1)
    assert root is not None
    kind = (
        InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE if complete else InteractionType.APPLICATION_COMMAND
    )
    data = {"id": root["id"], "name": "moderate", "type": 1, "options": options}
    return await _dispatch_actor_interaction(member, kind, world.channel, data)


async def refused(world: World, member: MemberActor, options: Options) -> str:
    """What somebody reads whose changed client used a command that is not theirs."""
    said = read(await force(world, member, options)).strip()
    assert isinstance(world.env.errors[-1], NotAModerator)
    return said


def settings(world: World) -> ServerSettings:
    return world.parts.moderation.settings(world.guild.id)


async def trail(world: World) -> list[tuple[int, str, str, str, str]]:
    """The audit trail, newest first."""
    entries = await world.parts.moderation.audit(world.guild.id, most=50)
    return [(e.by, e.what, e.target, e.old, e.new) for e in entries]


# ------------------------------------------------------------------ who may use it

LEAVES = sorted(
    command.qualified_name.split(" ", 1)[1]
    for command in moderate.walk_commands()
    if not isinstance(command, discord.app_commands.Group)
)


def nested(path: list[str], options: Options | None = None) -> Options:
    inner: Options = [{"name": path[-1], "type": SUB, "options": options or []}]
    return [{"name": path[0], "type": SUB + 1, "options": inner}] if len(path) == 2 else inner


@pytest.mark.parametrize("command", LEAVES)
async def test_no_command_works_for_a_stranger_with_a_changed_client(world: World, command: str) -> None:
    said = await refused(world, world.alice, nested(command.split(), _needed(world, command)))
    assert said == ENGLISH.NOT_A_MODERATOR
    assert settings(world) == ServerSettings() and await trail(world) == []


def _needed(world: World, command: str) -> Options:
    """Values for the options that a command cannot do without."""
    root = world.env.backend.find_command("moderate", world.guild.id, type=1)
    assert root is not None
    node = root
    for name in command.split():
        node = next(option for option in node["options"] if option["name"] == name)
    values: dict[int, Any] = {OptionType.STRING: "x", OptionType.INTEGER: 1, OptionType.BOOLEAN: True}
    return [
        {"name": o["name"], "type": o["type"], "value": values.get(o["type"], str(world.channel.id))}
        for o in node.get("options", [])
        if o.get("required")
    ]


@pytest.mark.parametrize(
    "path", [["cancel"], ["front"], ["words", "remove"]], ids=lambda path: " ".join(path)
)
async def test_suggestions_tell_a_stranger_nothing(world: World, admin: MemberActor, path: list[str]) -> None:
    await use(world, admin, "words add", text="secret")
    name, kind = ("text", OptionType.STRING) if path[-1] == "remove" else ("dream", OptionType.INTEGER)
    focused = [{"name": name, "type": kind, "value": "", "focused": True}]
    answer = await force(world, world.alice, nested(path, focused), complete=True)
    assert not answer.autocomplete_choices


async def test_members_do_not_see_it_and_managers_do(world: World, admin: MemberActor) -> None:
    assert "moderate" not in " ".join(world.alice.available_commands(world.channel))
    assert "moderate" in " ".join(admin.available_commands(world.channel))


async def test_the_named_role_may_moderate_but_not_say_who_may(world: World, admin: MemberActor) -> None:
    role = world.guild.create_role("keepers")
    keeper = world.guild.add_member(world.env.create_user("kim"), roles=[role])
    assert await refused(world, keeper, nested(["pause"])) == ENGLISH.NOT_A_MODERATOR
    await use(world, admin, "role", role=role)
    read(await force(world, keeper, nested(["pause"])))
    assert settings(world).paused
    assert ENGLISH.ONLY_MANAGERS in read(await force(world, keeper, nested(["role"])))
    assert settings(world).moderator_role == role.id
    await use(world, admin, "role")
    assert await refused(world, keeper, nested(["resume"])) == ENGLISH.NOT_A_MODERATOR


# ------------------------------------------------------------------ limits


def test_every_setting_and_limit_has_its_words() -> None:
    assert set(ServerSettings.__dataclass_fields__) <= ENGLISH.DEEDS.keys()
    assert set(LIMITS) == ENGLISH.LIMITS.keys() and set(NsfwPolicy) == ENGLISH.NSFW.keys()


async def test_a_limit_for_everyone_is_effective_at_once(world: World, admin: MemberActor) -> None:
    said = await use(world, admin, "limits set", limit="waiting", value=1)
    assert "dreams in line: 1" in said
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.dream(world.alice)
    answer = await world.dream(world.alice)
    assert answer.response is not None and answer.response.content == ENGLISH.too_many_waiting(1)
    await use(world, admin, "limits set", limit="waiting")
    assert settings(world) == ServerSettings()
    assert (await trail(world))[::-1] == [
        (admin.id, "everyone", "", "{}", '{"waiting": 1}'),
        (admin.id, "everyone", "", '{"waiting": 1}', "{}"),
    ]


async def test_limits_of_a_role_a_person_and_the_server(world: World, admin: MemberActor) -> None:
    patrons = world.guild.create_role("patrons")
    await use(world, admin, "limits set", limit="steps", value=500, who=patrons)
    await use(world, admin, "limits set", limit="steps", value=50, who=world.alice)
    await use(world, admin, "limits set", limit="per_day", value=9, together=True)
    assert settings(world).roles == {patrons.id: Allowance(steps=500)}
    assert settings(world).people == {world.alice.id: Allowance(steps=50)}
    assert settings(world).together == Allowance(per_day=9)
    said = await use(world, admin, "limits show")
    for part in (f"<@&{patrons.id}> steps: 500", f"<@{world.alice.id}> steps: 50", "dreams a day: 9"):
        assert part in said
    await use(world, admin, "limits set", limit="steps", who=world.alice)
    assert settings(world).people == {}


async def test_a_role_s_limit_holds_for_whoever_has_it(world: World, admin: MemberActor) -> None:
    patrons = world.guild.create_role("patrons")
    patron = world.guild.add_member(world.env.create_user("pat"), roles=[patrons])
    await use(world, admin, "limits set", limit="steps", value=50)
    await use(world, admin, "limits set", limit="steps", value=500, who=patrons)
    refused = await world.dream(world.alice, steps=100)
    assert refused.response is not None and refused.response.content == ENGLISH.too_much("steps", 50)
    await world.dream(patron, steps=100)
    await world.engine.dreams(1)


async def test_no_limits_are_told_so(world: World, admin: MemberActor) -> None:
    assert ENGLISH.NO_LIMITS in await use(world, admin, "limits show")


async def test_only_counts_can_be_limited_for_the_whole_server(world: World, admin: MemberActor) -> None:
    assert ENGLISH.ONLY_COUNTS in await use(world, admin, "limits set", limit="steps", value=5, together=True)
    assert settings(world) == ServerSettings()


@pytest.mark.parametrize(("limit", "value"), [("steps", 0), ("steps", 10**6), ("waiting", -1), ("size", 7)])
async def test_a_limit_out_of_range_changes_nothing(
    world: World, admin: MemberActor, limit: str, value: int
) -> None:
    options = [
        {"name": "limit", "type": OptionType.STRING, "value": limit},
        {"name": "value", "type": OptionType.INTEGER, "value": value},
    ]
    assert "whole number from" in read(await force(world, admin, nested(["limits", "set"], options)))
    assert settings(world) == ServerSettings()


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (["limits", "set"], [{"name": "limit", "type": OptionType.STRING, "value": "wishes"}]),
        (["nsfw"], [{"name": "policy", "type": OptionType.STRING, "value": "everything"}]),
        (["language"], [{"name": "language", "type": OptionType.STRING, "value": "xx"}]),
        (["cooldown"], [{"name": "seconds", "type": OptionType.INTEGER, "value": -5}]),
        (["cooldown"], [{"name": "seconds", "type": OptionType.INTEGER, "value": 10**9}]),
        (["halloffame"], [{"name": "votes", "type": OptionType.INTEGER, "value": 0}]),
    ],
)
async def test_a_changed_client_s_options_change_nothing(
    world: World, admin: MemberActor, path: list[str], options: Options
) -> None:
    said = read(await force(world, admin, nested(path, options)))
    assert "whole number from" in said or ENGLISH.BAD_OPTION in said
    assert settings(world) == ServerSettings() and await trail(world) == []


async def test_a_cooldown_is_told_with_the_time_of_the_next_dream(world: World, admin: MemberActor) -> None:
    await use(world, admin, "cooldown", seconds=600)
    await world.dream(world.alice)
    answer = await world.dream(world.alice)
    assert answer.response is not None
    assert "a pause of 10:00; the next is possible <t:" in answer.response.content


# ------------------------------------------------------------------ the line


async def test_a_pause_stops_the_line_and_resume_goes_on(world: World, admin: MemberActor) -> None:
    await use(world, admin, "pause")
    answer = await world.dream(world.alice)
    assert answer.response is not None and answer.response.content == ENGLISH.LINE_PAUSED
    assert world.parts.worker.places() == {} and world.engine.current is None
    await use(world, admin, "resume")
    await world.engine.dreams(1)
    assert [what for _, what, *_ in await trail(world)] == ["paused", "paused"]


async def test_a_pause_outlives_a_restart(world: World, admin: MemberActor) -> None:
    await use(world, admin, "pause")
    await world.dream(world.alice)
    await world.restart()
    assert world.parts.worker.places() == {} and world.engine.current is None
    await use(world, admin, "resume")
    await world.engine.dreams(1)


async def test_drain_dreams_the_line_and_takes_no_more(world: World, admin: MemberActor) -> None:
    await world.dream(world.alice)
    await use(world, admin, "drain")
    answer = await world.dream(world.bob)
    assert answer.response is not None and answer.response.content == ENGLISH.NO_NEW_DREAMS
    await world.engine.dreams(1)
    await use(world, admin, "resume")
    await world.dream(world.bob)


async def test_nothing_new_is_told_so_and_leaves_no_trace(world: World, admin: MemberActor) -> None:
    assert ENGLISH.NOTHING_NEW in await use(world, admin, "resume")
    assert await trail(world) == []


async def test_clear_asks_first_and_withdraws_all_that_wait(world: World, admin: MemberActor) -> None:
    for member in (world.alice, world.alice, world.bob, world.bob):
        await world.dream(member)
    await world.engine.dreams(1)
    asked = await admin.slash(world.channel, "moderate clear")
    assert read(asked).strip() == ENGLISH.sure(3)
    assert world.parts.worker.waiting(world.guild.id) == 3
    done = await admin.click(asked.response, label=ENGLISH.CLEAR)
    assert read(done).strip() == ENGLISH.cleared(3)
    for dream_id in (2, 3, 4):
        assert (await world.stored(dream_id)).state is DreamState.CANCELLED
    assert (await world.stored(1)).state is DreamState.DREAMING
    assert (await trail(world))[0] == (admin.id, "clear", "", "", "3")
    again = await admin.click(asked.response, label=ENGLISH.CLEAR)
    assert read(again).strip() == ENGLISH.cleared(0), "a second click is harmless"


async def test_clear_of_one_person_leaves_the_others_in_line(world: World, admin: MemberActor) -> None:
    for member in (world.bob, world.alice, world.bob):
        await world.dream(member)
    await world.engine.dreams(1)
    asked = await admin.slash(world.channel, "moderate clear", person=world.bob)
    await admin.click(asked.response, label=ENGLISH.CLEAR)
    assert (await world.stored(2)).state is DreamState.QUEUED
    assert (await world.stored(3)).state is DreamState.CANCELLED
    assert (await trail(world))[0][1:] == ("clear", f"person:{world.bob.id}", "", "1")


async def test_an_empty_line_needs_no_clearing(world: World, admin: MemberActor) -> None:
    assert ENGLISH.LINE_EMPTY in await use(world, admin, "clear")


async def test_anybody_s_dream_is_cancelled_by_its_number(world: World, admin: MemberActor) -> None:
    await world.dream(world.alice)
    await world.dream(world.bob)
    await world.engine.dreams(1)
    assert ENGLISH.WITHDRAWN in await use(world, admin, "cancel", dream=2)
    assert ENGLISH.STOPPING in await use(world, admin, "cancel", dream=1)
    await world.until_state(1, DreamState.CANCELLED)
    assert ENGLISH.ALREADY_OVER in await use(world, admin, "cancel", dream=1)
    assert [(what, target) for _, what, target, *_ in await trail(world)] == [
        ("cancel", "dream:1"),
        ("cancel", "dream:2"),
    ]


async def test_a_dream_is_moved_to_the_front(world: World, admin: MemberActor) -> None:
    for member in (world.alice, world.alice, world.bob, world.moderator):
        await world.dream(member)
    await world.engine.dreams(1)
    assert ENGLISH.moved(2) in await use(world, admin, "front", dream=2)
    assert world.parts.worker.places() == {2: 1, 3: 2, 4: 3}
    assert ENGLISH.NOT_IN_LINE in await use(world, admin, "front", dream=1)
    assert (await trail(world))[0][1:3] == ("front", "dream:2")


@pytest.mark.parametrize("dream_id", [0, -1, 99, 2**53 - 1])
async def test_a_number_that_is_no_dream_of_this_server_is_told(
    world: World, admin: MemberActor, dream_id: int
) -> None:
    assert ENGLISH.NOT_IN_LINE in await use(world, admin, "cancel", dream=dream_id)
    assert ENGLISH.NOT_IN_LINE in await use(world, admin, "front", dream=dream_id)


async def test_another_server_s_dream_is_out_of_reach(world: World, admin: MemberActor, a_wish: Any) -> None:
    dream = await world.parts.worker.submit(a_wish(guild_id=999))
    assert ENGLISH.NOT_IN_LINE in await use(world, admin, "cancel", dream=dream.id)
    assert not (await world.stored(dream.id)).cancel_asked


async def test_dreams_are_suggested_with_their_words(world: World, admin: MemberActor) -> None:
    await world.dream(world.alice, "a red house")
    await world.dream(world.bob, "the @everyone sea")
    await world.engine.dreams(1)
    both = await admin.autocomplete(world.channel, "moderate cancel", "dream", "")
    assert [choice["value"] for choice in both] == [1, 2] and both[0]["name"] == "1 · a red house"
    waiting = await admin.autocomplete(world.channel, "moderate front", "dream", "")
    assert [choice["value"] for choice in waiting] == [2]
    found = await admin.autocomplete(world.channel, "moderate cancel", "dream", "SEA")
    assert [choice["value"] for choice in found] == [2]


# ------------------------------------------------------------------ people


async def test_a_ban_withdraws_what_waits_and_tells_why(world: World, admin: MemberActor) -> None:
    await world.dream(world.bob)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    said = await use(world, admin, "ban", person=world.alice, reason="**spam**", hours=2)
    assert f"<@{world.alice.id}> may not dream here any more until <t:" in said
    assert (await world.stored(2)).state is DreamState.CANCELLED
    answer = await world.dream(world.alice)
    assert answer.response is not None and r"The reason: \*\*spam\*\*" in answer.response.content
    assert f"<@{world.alice.id}>" in await use(world, admin, "bans")
    assert [what for _, what, *_ in await trail(world)] == ["clear", "ban"]
    assert ENGLISH.is_unbanned(world.alice.id) in await use(world, admin, "unban", person=world.alice)
    assert ENGLISH.NOT_BANNED in await use(world, admin, "unban", person=world.alice)
    assert ENGLISH.NO_BANS in await use(world, admin, "bans")
    await world.dream(world.alice)
    assert (await world.stored(3)).state is DreamState.QUEUED


# ------------------------------------------------------------------ words


async def test_a_banned_word_is_effective_at_once_and_listed(world: World, admin: MemberActor) -> None:
    await use(world, admin, "words add", text="blood")
    await use(world, admin, "words add", text="kni[fv]es?", pattern=True)
    for prompt in ("a bl00d moon", "KNIVES"):
        answer = await world.dream(world.alice, prompt)
        assert answer.response is not None and answer.response.content == ENGLISH.BANNED_WORDS
    listed = await use(world, admin, "words list")
    assert "blood" in listed and "kni" in listed
    assert ENGLISH.words_banned("blood") in await use(world, admin, "words test", prompt="b-l-o-o-d")
    assert ENGLISH.WORDS_ALLOWED in await use(world, admin, "words test", prompt="cherries")
    suggested = await admin.autocomplete(world.channel, "moderate words remove", "text", "bl")
    assert [choice["value"] for choice in suggested] == ["blood"]
    await use(world, admin, "words remove", text="blood")
    await world.dream(world.alice, "a blood moon")
    assert ENGLISH.NO_SUCH_WORD in await use(world, admin, "words remove", text="blood")
    assert ENGLISH.NOTHING_NEW in await use(world, admin, "words add", text="kni[fv]es?", pattern=True)


async def test_a_catastrophic_pattern_answers_at_once(world: World, admin: MemberActor) -> None:
    await use(world, admin, "words add", text="(a+)+$", pattern=True)
    said = await use(world, admin, "words test", prompt="a" * 1999 + "!")
    assert ENGLISH.WORDS_ALLOWED in said


@pytest.mark.parametrize(
    ("text", "pattern", "sentence"),
    [
        ("***", False, ENGLISH.BAD_WORD),
        ("(", True, ENGLISH.BAD_PATTERN),
        (r"(?=a)b", True, ENGLISH.BAD_PATTERN),
        (".*", True, ENGLISH.PATTERN_TOO_WIDE),
    ],
)
async def test_what_cannot_be_banned_is_told(
    world: World, admin: MemberActor, text: str, pattern: bool, sentence: str
) -> None:
    assert sentence in await use(world, admin, "words add", text=text, pattern=pattern)
    assert settings(world) == ServerSettings()


async def test_no_banned_words_are_told_so(world: World, admin: MemberActor) -> None:
    assert ENGLISH.NO_WORDS in await use(world, admin, "words list")


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
    assert "notebook" in said and settings(world) == ServerSettings()
    assert len(world.env.errors) == 1  # acknowledges it
