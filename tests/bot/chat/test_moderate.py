"""/moderate: who may use it, that each command is effective at once."""

from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.enums import OptionType

from bot.chat.commands.moderate.group import moderate
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH
from bot.servers.settings import (
    LIMITS,
    Allowance,
    NsfwPolicy,
    ServerSettings,
)
from engine.settings import SIZES
from tests.bot.chat.conftest import World
from tests.bot.chat.moderator import Options, force, nested, read, refused, settings, trail, use
from tests.bot.scripted import places

# ------------------------------------------------------------------ who may use it

LEAVES = sorted(
    command.qualified_name.split(" ", 1)[1]
    for command in moderate.walk_commands()
    if not isinstance(command, discord.app_commands.Group)
)


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


@pytest.mark.parametrize(
    ("limit", "value"), [("steps", 0), ("steps", 10**6), ("waiting", -1), ("size", 7), ("size", 300)]
)
async def test_a_limit_out_of_range_changes_nothing(
    world: World, admin: MemberActor, limit: str, value: int
) -> None:
    options = [
        {"name": "limit", "type": OptionType.STRING, "value": limit},
        {"name": "value", "type": OptionType.INTEGER, "value": value},
    ]
    said = read(await force(world, admin, nested(["limits", "set"], options)))
    assert (ENGLISH.none_of(SIZES) if limit == "size" else "whole number from") in said
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
    assert "you have to wait 10:00 between dreams; you can ask again <t:" in answer.response.content


# ------------------------------------------------------------------ the line


async def test_a_pause_stops_the_line_and_resume_goes_on(world: World, admin: MemberActor) -> None:
    await use(world, admin, "pause")
    answer = await world.dream(world.alice)
    assert answer.response is not None and answer.response.content == ENGLISH.LINE_PAUSED
    assert places(world.parts.worker) == {} and world.engine.current is None
    await use(world, admin, "resume")
    await world.engine.dreams(1)
    assert [what for _, what, *_ in await trail(world)] == ["paused", "paused"]


async def test_a_pause_outlives_a_restart(world: World, admin: MemberActor) -> None:
    await use(world, admin, "pause")
    await world.dream(world.alice)
    await world.restart()
    assert places(world.parts.worker) == {} and world.engine.current is None
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
    assert places(world.parts.worker) == {2: 1, 3: 2, 4: 3}
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


# ------------------------------------------------------------------ what a limit means


async def test_a_limit_on_steps_and_pixels_is_no_target(world: World, admin: MemberActor) -> None:
    await use(world, admin, "limits set", limit="steps", value=2000)
    await use(world, admin, "limits set", limit="size", value=256)
    await world.dream(world.alice)
    await world.dream(world.bob, preset="quick")
    for number, preset in ((1, ""), (2, "quick")):
        await world.engine.dreams(number)
        asked = world.engine.requests[-1]
        assert (asked.steps, asked.most_steps, asked.preset) == (None, 2000, preset)
        assert (asked.size, asked.most_size) == (None, 256)
        world.engine.finish()
        await world.until_delivered(number)


async def test_a_preferred_size_beyond_the_limit_refuses_nothing(world: World, admin: MemberActor) -> None:
    await world.alice.slash(world.channel, "preferences", size=1024)
    await use(world, admin, "limits set", limit="size", value=256)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    assert (world.engine.requests[0].size, world.engine.requests[0].most_size) == (None, 256)


async def test_a_story_and_beginnings_cannot_pass_a_limit_on_dreams(world: World, admin: MemberActor) -> None:
    await use(world, admin, "limits set", limit="per_hour", value=2)
    story = await world.alice.slash(world.channel, "dreams story", chapters="a | b | c")
    assert story.response is not None and story.response.content.startswith(ENGLISH.so_many(3))
    steered = await world.dream(world.alice, candidates=2)
    assert steered.response is not None and steered.response.content.startswith(ENGLISH.so_many(3))
    assert not world.engine.requests
    await world.dream(world.alice)
    await world.engine.dreams(1)


# ------------------------------------------------------------------ what moderators are told


async def test_the_votes_of_the_hall_of_fame_change_without_losing_it(
    world: World, admin: MemberActor
) -> None:
    hall = world.guild.create_text_channel("hall")
    await use(world, admin, "halloffame", channel=hall)
    await use(world, admin, "halloffame", votes=2)
    assert (settings(world).fame_channel, settings(world).fame_votes) == (hall.id, 2)
    await use(world, admin, "halloffame")
    assert settings(world).fame_channel is None


async def test_who_names_a_role_learns_how_its_people_see_the_commands(
    world: World, admin: MemberActor
) -> None:
    role = world.guild.create_role("keepers")
    assert ENGLISH.unhide(role.id) in await use(world, admin, "role", role=role)
    assert "Integrations" not in await use(world, admin, "role")


async def test_who_sets_what_becomes_of_unsafe_pictures_learns_that_none_is_checked(
    world: World, admin: MemberActor
) -> None:
    assert ENGLISH.UNCHECKED in await use(world, admin, "nsfw", policy="refuse")
    assert ENGLISH.UNCHECKED in await use(world, admin, "show")
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.start(model="biggan-deep-512")
    world.engine.finish()
    await world.until_delivered(1)
    assert ENGLISH.UNCHECKED not in await use(world, admin, "nsfw", policy="spoiler")
    assert ENGLISH.UNCHECKED not in await use(world, admin, "show")
