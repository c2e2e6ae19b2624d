"""Banned words at every way to a dream, and what people write in chats as words."""

import ast
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path

import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

import bot
from bot.dreams.dream import DreamState, Wish
from bot.sentences import ENGLISH as SAY
from engine import DreamRequest
from tests.bot.chat.conftest import World
from tests.bot.chat.moderator import settings, use
from tests.bot.scripted import picture


def said(answer: InteractionResult) -> str:
    (message,) = [*([answer.response] if answer.response else []), *answer.followups]
    assert message.ephemeral
    return message.content


async def dreamt(world: World, prompt: str, number: int = 1) -> None:
    await world.dream(world.alice, prompt)
    await world.engine.dreams(number)
    world.engine.finish()
    await world.until_delivered(number)


async def edited(world: World, **words: str) -> InteractionResult:
    shown = await world.alice.click(world.messages()[0], label="Edit")
    return await world.alice.submit_modal(shown, {"begin": ["afresh"], **words})


async def dreamt_on(world: World, **words: str) -> InteractionResult:
    posted = await world.bob.send(world.channel, "look!", attachments=[("a.png", picture("PNG"))])
    shown = await world.alice.context_menu(world.channel, SAY.MENU_DREAM_ON, posted)
    return await world.alice.submit_modal(shown, words)


async def clicked(world: World, label: str) -> InteractionResult:
    return await world.bob.click(world.messages()[0], label=label)


# Each way by which new words come, with the words in it.
NEW_WORDS: dict[str, Callable[[World, str], Awaitable[InteractionResult]]] = {
    "prompt": lambda world, words: world.dream(world.alice, words),
    "avoid": lambda world, words: world.dream(world.alice, "a cat", avoid=words),
    "beginnings": lambda world, words: world.dream(world.alice, words, candidates=2),
    "chapter": lambda world, words: world.alice.slash(
        world.channel, "dreams story", chapters=f"a seed | {words} | a tree"
    ),
    "blend": lambda world, words: world.alice.slash(
        world.channel, "dreams blend", first=1, second=2, prompt=words
    ),
    "edit": lambda world, words: edited(world, prompt=words, avoid=""),
    "edit, avoid": lambda world, words: edited(world, prompt="a cat", avoid=words),
    "dream on": lambda world, words: dreamt_on(world, prompt=words, avoid=""),
    "dream on, avoid": lambda world, words: dreamt_on(world, prompt="a cat", avoid=words),
}
# Each way by which words are used again that were allowed once.
OLD_WORDS: dict[str, Callable[[World], Awaitable[InteractionResult]]] = {
    "repeat": lambda world: world.bob.slash(world.channel, "dreams repeat", dream=1),
    "blend": lambda world: world.bob.slash(world.channel, "dreams blend", first=1, second=2),
    "blend, second": lambda world: world.bob.slash(world.channel, "dreams blend", first=2, second=1),
    "again": lambda world: clicked(world, "Again"),
    "vary": lambda world: clicked(world, "Vary"),
    "continue": lambda world: clicked(world, "Continue"),
    "contest": lambda world: world.alice.slash(world.channel, "contest enter", dream=1),
}


@pytest.mark.parametrize("way", NEW_WORDS)
async def test_an_emoji_s_name_is_banned_at_every_way_to_a_dream(
    world: World, admin: MemberActor, way: str
) -> None:
    for number in (1, 2):
        await dreamt(world, "a cat", number)
    await use(world, admin, "words add", text="pistol")
    assert said(await NEW_WORDS[way](world, "🔫")) == SAY.BANNED_WORDS
    assert said(await NEW_WORDS[way](world, "<:Pistol2:123456789012345678>")) == SAY.BANNED_WORDS
    assert len(world.engine.requests) == 2


@pytest.mark.parametrize("way", OLD_WORDS)
async def test_words_banned_since_are_not_dreamt_or_shown_anew(
    world: World, admin: MemberActor, way: str
) -> None:
    await admin.slash(world.channel, "moderate contest start", theme="autumn", days=7)
    await dreamt(world, "a 🔫")
    await dreamt(world, "a cat", 2)
    await use(world, admin, "words add", text="🔫")
    world_messages = [m for m in world.messages() if "🔫" in str(m.embeds[0].description)]
    assert world_messages
    if way in ("again", "vary", "continue"):
        answer = await world.bob.click(world_messages[0], label=way.capitalize())
    else:
        answer = await OLD_WORDS[way](world)
    assert said(answer) == SAY.BANNED_WORDS
    assert len(world.engine.requests) == 2


async def test_a_contest_s_theme_holds_no_banned_word(world: World, admin: MemberActor) -> None:
    await use(world, admin, "words add", text="pistol")
    answer = await admin.slash(world.channel, "moderate contest start", theme="my 🔫", days=7)
    assert said(answer) == SAY.BANNED_WORDS
    assert await world.parts.contests.running(world.guild.id) is None


def test_text_reaches_the_engine_through_these_fields_only() -> None:
    """A new field of words must be checked (`bot.queue.limits`), and be put into words
    (`bot.chat.asking`)."""
    texts = {field.name for field in fields(DreamRequest) if field.type in ("str", str)}
    assert texts - {"id", "model", "preset", "recipe", "begin", "clip"} == {"prompt", "avoid"}
    texts = {field.name for field in fields(Wish) if field.type in ("str", str)}
    assert texts - {"model", "language", "preset", "begin", "decision"} == {"prompt", "avoid"}


def test_only_what_was_checked_is_stored_as_a_wish() -> None:
    """`add_story` is called by the worker alone, and requests are made by an engine's worker alone."""
    root = Path(bot.__file__).parent
    callers: dict[str, set[str]] = {}
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                callers.setdefault(name, set()).add(path.relative_to(root).as_posix())
    assert callers["add_story"] <= {"queue/worker.py", "dreams/store.py"}
    assert callers["DreamRequest"] == {"queue/engine_worker.py"}
    assert callers["submit_story"] | callers.get("submit", set()) <= {"queue/worker.py", "dreams/asking.py"}


async def test_an_emoji_and_a_server_s_own_emoji_can_be_banned(world: World, admin: MemberActor) -> None:
    await use(world, admin, "words add", text="🔫\ufe0f")
    await use(world, admin, "words add", text="<:catjam:123456789012345678>")
    assert settings(world).words == ("🔫\ufe0f", "catjam")
    assert SAY.NOTHING_NEW in await use(world, admin, "words add", text="🔫")
    for prompt in ("a 🔫", "<a:catjam:5>", "a catjam"):
        assert said(await world.dream(world.alice, prompt)) == SAY.BANNED_WORDS
        assert SAY.WORDS_ALLOWED not in await use(world, admin, "words test", prompt=prompt)
    assert SAY.WORDS_ALLOWED in await use(world, admin, "words test", prompt="a water slide 🐈")


async def test_mentions_and_own_emoji_are_dreamt_stored_and_shown_as_words(world: World) -> None:
    prompt = (
        f"<:party_catJam:1> with <@{world.alice.id}> and <@!{world.bob.id}> in <#{world.channel.id}> "
        "<t:1700000000:R><@5><#6><@&7>"
    )
    await world.dream(world.alice, prompt)
    await world.engine.dreams(1)
    dream = await world.stored(1)
    assert "<" not in dream.prompt and "party cat Jam with alice and" in dream.prompt
    assert "in dreams" in dream.prompt
    assert world.engine.requests[0].prompt == dream.prompt
    await world.until_text(f"**{dream.prompt}**")


async def test_a_name_is_checked_as_it_will_be_read(world: World, admin: MemberActor) -> None:
    await use(world, admin, "words add", text="alice")
    assert said(await world.dream(world.alice, f"<@{world.alice.id}>")) == SAY.BANNED_WORDS


async def test_a_mention_of_nobody_alone_is_a_kind_sentence(world: World) -> None:
    assert "say what to dream" in said(await world.dream(world.alice, "<@5>"))


@pytest.mark.parametrize(
    ("banned", "pasted"),
    [
        ("<:catjam:123456789012345678>", "<a:catjam:123456789012345678>"),
        ("<:catjam:123456789012345678>", "CatJam"),
        ("🔫\ufe0f", "🔫"),
        ("👍", "👍🏿"),
        ("Pistol", "pistol"),
        ("pist*", "PIST*"),
    ],
)
async def test_a_word_is_allowed_again_however_it_is_written(
    world: World, admin: MemberActor, banned: str, pasted: str
) -> None:
    await use(world, admin, "words add", text=banned)
    await use(world, admin, "words add", text="blood")
    assert SAY.NO_SUCH_WORD in await use(world, admin, "words remove", text="bl")
    assert SAY.NO_SUCH_WORD not in await use(world, admin, "words remove", text=pasted)
    assert settings(world).words == ("blood",)


async def test_what_is_banned_while_it_waits_is_not_dreamt_and_says_so(
    world: World, admin: MemberActor
) -> None:
    await world.dream(world.alice, "a cat")
    await world.engine.dreams(1)
    await world.dream(world.bob, "a 🔫")
    await world.dream(world.bob, "a house", avoid="a pistol")
    await world.dream(world.alice, "a dog")
    await use(world, admin, "words add", text="pistol")
    world.engine.finish()
    for number in (2, 3):
        refused = await world.until_delivered(number)
        assert refused.state is DreamState.FAILED
    await world.until_state(4, DreamState.DREAMING)
    assert [request.prompt for request in world.engine.requests] == ["a cat", "a dog"]
    assert any("This server has since banned" in world.text(at) for at in range(len(world.messages())))
