"""What a changed client sends that Discord's own would not: a sentence comes back, and nothing is stored."""

import json
import logging
from typing import Any

import pytest
from simcord.enums import AppCommandType, InteractionType
from simcord.results import InteractionResult

from bot.community.choices import MAX_CANDIDATES, MIN_CANDIDATES
from bot.dreams.dream import Wish, checked
from bot.sentences import ENGLISH as SAY
from bot.servers.settings import LIMITS, ServerSettings, in_range
from engine.errors import BadRequest
from engine.settings import MAX_SEED, MAX_STEPS
from tests.bot.chat.conftest import World
from tests.bot.chat.test_options import said

STRING, INTEGER, BOOLEAN, USER, ROLE, NUMBER, ATTACHMENT = 3, 4, 5, 6, 8, 10, 11
SEED = f"The seed must be a whole number from 0 to {MAX_SEED}."
STEPS = f"The steps must be a whole number from 1 to {MAX_STEPS}."
SIZE = "The size must be one of 128, 256, 512, 1024."
CANDIDATES = SAY.out_of_range(MIN_CANDIDATES, MAX_CANDIDATES)
PRESET = "The preset must be one of quick, normal, thorough."


def option(name: str, value: object, kind: int = INTEGER) -> dict[str, object]:
    return {"name": name, "type": kind, "value": value}


PROMPT = option("prompt", "a house", STRING)


async def sent(
    world: World,
    path: str,
    options: list[Any],
    *,
    who: Any = None,
    kind: int = InteractionType.APPLICATION_COMMAND,
    **more: Any,
) -> InteractionResult:
    """A command as it comes; `path`: 'moderate limits set'."""
    name, *within = path.split()
    for inner in reversed(within):
        depth = 2 if inner != within[-1] else 1
        options = [{"name": inner, "type": depth, "options": options}]
    root = (who or world.alice)._resolve_root(name, AppCommandType.CHAT_INPUT, world.channel.id)
    data = {"id": root["id"], "name": name, "type": AppCommandType.CHAT_INPUT, "options": options} | more
    return await (who or world.alice)._dispatch_interaction(kind, world.channel, data)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([PROMPT, option("steps", 1.5)], STEPS),
        ([PROMPT, option("steps", 1.0)], STEPS),
        ([PROMPT, option("steps", True)], STEPS),
        ([PROMPT, option("steps", "5", STRING)], STEPS),
        ([PROMPT, option("steps", float("nan"), NUMBER)], STEPS),
        ([PROMPT, option("steps", "many", NUMBER)], STEPS),
        ([PROMPT, option("steps", [5])], STEPS),
        ([PROMPT, option("seed", 2**63)], SEED),
        ([PROMPT, option("seed", 10**400)], SEED),
        ([PROMPT, option("seed", 7.0)], SEED),
        ([PROMPT, option("seed", {"a": 1})], SEED),
        ([PROMPT, option("size", 512.0)], SIZE),
        ([PROMPT, option("size", 0)], SIZE),
        ([PROMPT, option("size", "512", STRING)], SIZE),
        ([PROMPT, option("preset", 0)], PRESET),
        ([PROMPT, option("preset", False, BOOLEAN)], PRESET),
        ([PROMPT, option("preset", ["quick"])], PRESET),
        ([PROMPT, option("candidates", 1.5)], CANDIDATES),
        ([PROMPT, option("candidates", 10**9)], CANDIDATES),
        ([PROMPT, option("candidates", -1)], CANDIDATES),
        ([PROMPT, option("spoiler", "yes", STRING)], SAY.BAD_OPTION),
        ([PROMPT, option("spoiler", 1, BOOLEAN)], SAY.BAD_OPTION),
        ([option("prompt", 5)], SAY.BAD_OPTION),
        ([option("prompt", None, STRING)], SAY.BAD_OPTION),
        ([option("prompt", "x" * 6001, STRING)], SAY.BAD_OPTION),
        ([PROMPT, option("avoid", ["people"], STRING)], SAY.BAD_OPTION),
        ([PROMPT, option("image", "99", ATTACHMENT)], SAY.BAD_OPTION),
        ([PROMPT, option("image", "a.png", STRING)], SAY.BAD_OPTION),
        ([PROMPT, option("image", "x", ATTACHMENT)], SAY.BAD_OPTION),
        ([PROMPT, PROMPT], SAY.BAD_OPTION),
        ([PROMPT, {"name": "steps", "type": INTEGER}], SAY.BAD_OPTION),
        ([PROMPT, {"name": "avoid", "type": STRING}], SAY.BAD_OPTION),
        ([PROMPT, {"type": INTEGER, "value": 5}], SAY.BAD_OPTION),
        ([PROMPT, "steps"], SAY.BAD_OPTION),
        ([PROMPT, option("colour", "red", STRING)], SAY.OLD_COMMAND),
        ([], SAY.OLD_COMMAND),
    ],
    ids=str,
)
async def test_odd_options_of_dream_are_answered_with_a_sentence(
    world: World, options: list[Any], sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = said(await sent(world, "dream", options))
    assert answer == sentence
    assert not [record for record in caplog.records if record.exc_info]
    assert not await world.parts.store.undelivered()
    _ = world.env.errors  # acknowledges what discord.py found of another version


@pytest.mark.parametrize(
    ("path", "options", "sentence"),
    [
        (
            "moderate limits set",
            [option("limit", "steps", STRING), option("value", 1.5)],
            LIMITS["steps"].ends,
        ),
        (
            "moderate limits set",
            [option("limit", "waiting", STRING), option("value", -1)],
            LIMITS["waiting"].ends,
        ),
        (
            "moderate limits set",
            [option("limit", "waiting", STRING), option("value", True)],
            LIMITS["waiting"].ends,
        ),
        (
            "moderate limits set",
            [option("limit", "waiting", STRING), option("value", "3")],
            LIMITS["waiting"].ends,
        ),
        (
            "moderate limits set",
            [option("limit", "waiting", STRING), option("who", "7", USER)],
            SAY.BAD_OPTION,
        ),
        ("moderate limits set", [option("limit", "waiting", STRING), option("together", 1)], SAY.BAD_OPTION),
        ("moderate limits set", [option("limit", ["waiting"], STRING)], SAY.BAD_OPTION),
        ("moderate limits set", [option("limit", "colour", STRING)], SAY.BAD_OPTION),
        ("moderate cooldown", [option("seconds", 0.5)], (0, 86400)),
        ("moderate cooldown", [option("seconds", float("inf"))], (0, 86400)),
        ("moderate votetime", [option("seconds", 60.0)], (10, 86400)),
        ("moderate ban", [option("person", "99", USER)], SAY.BAD_OPTION),
        ("moderate role", [option("role", "x", ROLE)], SAY.BAD_OPTION),
        ("moderate cancel", [option("dream", 1.0)], SAY.BAD_OPTION),
        ("moderate cancel", [option("dream", 2**63)], SAY.BAD_OPTION),
        ("moderate front", [option("dream", 10**400)], SAY.BAD_OPTION),
        ("moderate nsfw", [option("policy", 3)], SAY.BAD_OPTION),
        ("moderate limits", [], SAY.BAD_OPTION),
        ("dreams show", [option("dream", "1", STRING)], SAY.BAD_OPTION),
        ("dreams show", [option("dream", 2**63)], SAY.BAD_OPTION),
        ("dreams show", [option("dream", -(10**400))], SAY.BAD_OPTION),
        ("dreams repeat", [option("dream", None)], SAY.BAD_OPTION),
        ("dreams blend", [option("first", 1), option("second", 1), option("share", 0.5)], (0, 100)),
        ("preferences", [option("size", 300)], SAY.BAD_OPTION),
        ("preferences", [option("preset", "lightning", STRING)], SAY.BAD_OPTION),
        ("preferences", [option("language", "tlh", STRING)], SAY.BAD_OPTION),
        ("top", [option("by", 5)], SAY.BAD_OPTION),
        ("moderate contest start", [option("theme", "cats", STRING), option("days", 1.5)], (1, 60)),
        ("contest enter", [option("dream", "newest", STRING)], SAY.BAD_OPTION),
    ],
    ids=str,
)
async def test_odd_options_of_other_commands_are_answered_with_a_sentence_and_change_nothing(
    world: World,
    admin: Any,
    path: str,
    options: list[Any],
    sentence: str | tuple[int, int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected = sentence if isinstance(sentence, str) else SAY.out_of_range(*sentence)
    with caplog.at_level(logging.WARNING):
        assert said(await sent(world, path, options, who=admin)) == expected
    assert not [record for record in caplog.records if record.exc_info]
    assert world.parts.moderation.settings(world.guild.id) == ServerSettings()
    assert not world.parts.moderation.bans(world.guild.id)


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("dream", [option("prompt", 5) | {"focused": True}]),
        ("dream", [option("prompt", None, STRING) | {"focused": True}]),
        ("dream", [option("prompt", ["a"], STRING) | {"focused": True}]),
        ("dream", [option("prompt", "a", STRING)]),
        ("dream", [option("steps", 5) | {"focused": True}]),
        ("dreams show", [option("dream", 1.5, NUMBER) | {"focused": True}]),
        ("dreams show", [option("dream", "\ud800" * 9, STRING) | {"focused": True}]),
        ("contest enter", [option("dream", 10**400) | {"focused": True}]),
        ("moderate cancel", [option("dream", {}) | {"focused": True}]),
        ("moderate words remove", [option("text", 7) | {"focused": True}]),
    ],
    ids=str,
)
async def test_odd_typing_gets_suggestions_or_none_and_no_traceback(
    world: World, admin: Any, path: str, options: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        result = await sent(world, path, options, who=admin, kind=4)
    assert not [record for record in caplog.records if record.exc_info], caplog.text
    assert result is not None


@pytest.mark.parametrize(
    "components",
    [
        [],
        None,
        5,
        "prompt",
        [None, 5, "x", []],
        [{"type": 1, "components": 5}],
        [{"type": 18, "component": {"type": 4, "custom_id": "prompt", "value": 5}}],
        [{"type": 18, "component": {"type": 4, "custom_id": ["prompt"], "value": "a house"}}],
        [{"type": 18, "component": {"type": 3, "custom_id": "prompt", "values": {"a": 1}}}],
        [{"type": 18, "component": {"type": 3, "custom_id": "prompt", "values": [5]}}],
    ],
    ids=str,
)
async def test_a_form_with_odd_fields_is_answered_with_a_sentence(
    world: World, components: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await world.parts.worker.submit(world.wish())
    before = len(await world.parts.store.undelivered())
    data = {"custom_id": "edit:1", "components": components}
    with caplog.at_level(logging.WARNING):
        result = await world.alice._dispatch_interaction(InteractionType.MODAL_SUBMIT, world.channel, data)
    assert said(result) == "Please say what to dream: the prompt is empty."
    assert not [record for record in caplog.records if record.exc_info]
    assert len(await world.parts.store.undelivered()) == before


async def test_a_form_that_chooses_what_was_not_offered_begins_no_dream_that_cannot_be(world: World) -> None:
    await world.parts.worker.submit(world.wish())  # not over: there is no picture to begin at
    fields = [
        {"type": 18, "component": {"type": 4, "custom_id": "prompt", "value": "a house"}},
        {"type": 18, "component": {"type": 3, "custom_id": "begin", "values": ["from_here"]}},
    ]
    data = {"custom_id": "edit:1", "components": fields}
    result = await world.alice._dispatch_interaction(InteractionType.MODAL_SUBMIT, world.channel, data)
    assert said(result) == SAY.NO_STATE
    assert len(await world.parts.store.undelivered()) == 1


@pytest.mark.parametrize(
    "change", [{"steps": 1.5}, {"seed": True}, {"size": 128.0}, {"preset": 0}, {"prompt": 5}]
)
def test_a_wish_that_is_stored_holds_what_its_fields_say(change: dict[str, Any]) -> None:
    values = dict(prompt="a", seed=1, steps=2, model="auto", author_id=1, guild_id=1, channel_id=1, origin=1)
    assert checked(Wish(**values))  # type: ignore[arg-type]
    with pytest.raises(BadRequest):
        checked(Wish(**values | change))


@pytest.mark.parametrize("value", [1.5, True, "3", None, float("nan")])
def test_a_limit_is_a_whole_number(value: Any) -> None:
    assert not in_range("waiting", value) and in_range("waiting", 3)
    assert json.loads(ServerSettings().to_json()) == {}
