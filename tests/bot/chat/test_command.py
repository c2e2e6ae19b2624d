"""/dream: what is asked before a dream joins the line, and how it answers."""

import sqlite3

import discord
import pytest
from simcord.backend.errors import OptionError

from bot.chat.access import missing
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH as sentences
from engine.settings import MAX_SEED
from tests.bot.chat.conftest import NEEDED, World
from tests.bot.scripted import until


def said(answer) -> str:
    """What the person who used the command reads; it must be for them alone."""
    assert answer.response is not None and answer.response.ephemeral
    return answer.response.content


async def nothing_happened(world: World) -> bool:
    return not world.engine.requests and not world.messages() and not await world.parts.store.undelivered()


async def test_the_answer_comes_before_the_engine_has_said_a_word(world: World) -> None:
    answer = await world.dream(world.alice)
    assert said(answer) == sentences.queued(1)
    assert not answer.deferred


@pytest.mark.parametrize("prompt", ["   ", "\u202e\u200b", "\x00\x07\n", "!?… —", "\ufe0f"])
async def test_a_prompt_without_words_is_refused_with_a_sentence(world: World, prompt: str) -> None:
    assert "say what to dream" in said(await world.dream(world.alice, prompt))
    assert await nothing_happened(world)


async def test_an_emoji_alone_is_a_prompt(world: World) -> None:
    await world.dream(world.alice, "🍒")
    await world.engine.dreams(1)
    assert world.engine.requests[0].prompt == "🍒"


async def test_a_prompt_of_2000_characters_is_kept_whole_and_shown_shortened(world: World) -> None:
    prompt = "cherry *" * 250
    await world.dream(world.alice, prompt)
    await world.engine.dreams(1)
    assert world.engine.requests[0].prompt == prompt
    world.engine.finish()
    await world.until_delivered(1)
    assert len(prompt) == 2000
    assert "…**" in world.text() and len(world.text()) < 4096
    assert (world.messages()[0].attachments[0].description or "").startswith("A dreamt picture: cherry *")


async def test_nobody_is_mentioned_and_no_markdown_works(world: World) -> None:
    prompt = f"@everyone **bold** <@{world.bob.id}> ```code``` ||x|| [a](https://b.c) \u202egnp.exe"
    await world.dream(world.alice, prompt)
    message = await world.until_text("everyone")
    assert not message.mention_everyone and not message.mentions and not message.role_mentions
    line = world.text().split("\n")[0]
    assert line == (
        "**\\@everyone \\*\\*bold\\*\\* \\`\\`\\`code\\`\\`\\` "
        "\\|\\|x\\|\\| \\[a\\]\\(https\\:\\/\\/b.c\\) gnp.exe**"
    )


async def test_a_path_as_prompt_names_no_file(world: World) -> None:
    await world.dream(world.alice, "../../etc/passwd")
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    assert [a.filename for a in world.messages()[0].attachments] == ["dream-1.png"]


async def test_ranges_are_discords_to_keep(world: World) -> None:
    for options in ({"seed": -1}, {"seed": MAX_SEED + 1}, {"steps": 0}, {"steps": 5001}):
        with pytest.raises(OptionError):
            await world.dream(world.alice, **options)


async def test_seed_and_steps_reach_the_engine(world: World) -> None:
    await world.dream(world.alice, seed=MAX_SEED, steps=3)
    await world.engine.dreams(1)
    request = world.engine.requests[0]
    assert (request.seed, request.steps, request.model) == (MAX_SEED, 3, "auto")


async def test_without_a_seed_each_dream_gets_its_own(world: World) -> None:
    await world.dream(world.alice)
    await world.dream(world.bob)
    seeds = [dream.seed for dream in await world.parts.store.undelivered()]
    assert len(set(seeds)) == 2 and all(0 <= seed <= MAX_SEED for seed in seeds)


@pytest.mark.parametrize(
    ("permission", "name"),
    [
        ("send_messages", "Send Messages"),
        ("embed_links", "Embed Links"),
        ("attach_files", "Attach Files"),
        ("read_message_history", "Read Message History"),
        ("add_reactions", "Add Reactions"),
    ],
)
async def test_a_missing_permission_is_named_before_any_work(
    world: World, permission: str, name: str
) -> None:
    overwrite = discord.PermissionOverwrite(**{permission: False})
    quiet = world.guild.create_text_channel("quiet", overwrites={world.guild.me: overwrite})
    answer = await world.alice.slash(quiet, "dream", prompt="a house")
    assert name in said(answer) and said(answer) == sentences.missing_permissions([permission])
    assert await nothing_happened(world)


def test_a_thread_needs_the_permission_for_threads() -> None:
    without = discord.Permissions(NEEDED.value & ~discord.Permissions(send_messages_in_threads=True).value)
    assert missing(without, thread=True) == ["send_messages_in_threads"]
    assert missing(without, thread=False) == []
    assert missing(discord.Permissions.none(), thread=False)[0] == "view_channel"


async def test_in_a_direct_message_it_says_where_to_go(world: World) -> None:
    answer = await world.env.create_user("carol").slash("dream", prompt="a house")
    assert answer.response is not None and answer.response.content == sentences.ONLY_IN_SERVERS
    assert await nothing_happened(world)


async def test_one_person_cannot_fill_the_line(world: World) -> None:
    allowed = world.settings.waiting_per_person
    await world.dream(world.alice)
    await world.engine.dreams(1)  # it waits no more
    for _ in range(allowed):
        assert "in line" in said(await world.dream(world.alice))
    assert said(await world.dream(world.alice)) == sentences.too_many_waiting(allowed)
    assert "in line" in said(await world.dream(world.bob))


async def test_a_message_that_cannot_be_posted_takes_the_dream_back(world: World) -> None:
    await world.dream(world.bob)
    await world.engine.dreams(1)
    world.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=1)
    answer = await world.dream(world.alice)
    assert [f.content for f in answer.followups] == [sentences.NO_CHANNEL]
    world.engine.finish()
    await world.until_delivered(1)
    assert [d.id for d in await world.parts.store.waiting()] == []
    assert len(world.engine.requests) == 1


async def test_a_locked_database_becomes_a_sentence_and_nothing_is_promised(world: World) -> None:
    other = sqlite3.connect(world.settings.data_dir / "oneiro.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = await world.dream(world.alice)
    other.execute("ROLLBACK")
    other.close()
    assert "database is busy" in said(answer)
    assert await nothing_happened(world)
    assert said(await world.dream(world.alice)) == sentences.queued(1)


async def test_a_fault_of_ours_becomes_one_apology(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(world.parts.worker, "submit_story", broken)
    assert said(await world.dream(world.alice)) == sentences.APOLOGY
    (error,) = world.env.errors  # acknowledges it
    assert "a fault" in str(error)


async def test_an_interaction_that_two_processes_see_is_dreamt_once(world: World) -> None:
    await world.dream(world.alice)
    dream = await world.stored(1)
    tree = world.parts.client.tree
    before = len(world.env.http_requests)
    seen: list[discord.Interaction] = []

    async def check(interaction: discord.Interaction) -> bool:
        interaction.id = dream.origin  # the same interaction, as a second process gets it
        seen.append(interaction)
        return True

    tree.interaction_check = check
    answer = await world.dream(world.alice)
    assert seen and not answer.acknowledged
    await until(lambda: len(world.messages()) == 1)
    assert len(await world.parts.store.undelivered()) == 1
    assert not [r for r in world.env.http_requests[before:] if "callback" in r.path]


async def test_a_dream_whose_answer_came_too_late_is_dreamt_all_the_same(world: World) -> None:
    world.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062)
    answer = await world.dream(world.alice)
    assert not answer.acknowledged
    await world.engine.dreams(1)
    world.engine.finish()
    assert (await world.until_delivered(1)).state is DreamState.DONE
