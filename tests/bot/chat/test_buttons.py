"""The buttons under a dream: each does its one thing, after restarts too; whatever else comes is answered."""

import asyncio

import discord
import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.chat.erasing import erase
from bot.chat.listeners.clicks import ClickListener
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH as SAY
from tests.bot.chat.conftest import World, labels
from tests.bot.scripted import picture, until

AFTER = ["Again", "Vary", "Continue", "Edit", "Time-lapse", "Recipe", "Delete"]


async def dreamt(world: World, prompt: str = "a bowl of cherries", **options: object) -> None:
    """Alice's dream number 1 is done."""
    await world.dream(world.alice, prompt, **options)
    await world.engine.dreams(1)
    world.engine.finish(timelapse=b"RIFF film WEBP")
    await world.until_delivered(1)


async def click(world: World, member: MemberActor, label: str, at: int = 0) -> InteractionResult:
    return await member.click(world.messages()[at], label=label)


def said(answer: InteractionResult) -> str:
    """What only the one who clicked reads."""
    (message,) = [*([answer.response] if answer.response else []), *answer.followups]
    assert message.ephemeral
    return message.content


async def forge(world: World, custom_id: str, at: int = 0) -> None:
    """Put another id under the first button, as a changed client could send it."""
    stored = world.env.backend.get_message(world.channel.id, world.messages()[at].id)
    stored.components[0]["components"][0]["custom_id"] = custom_id


async def test_again_dreams_the_same_words_with_a_new_seed(world: World) -> None:
    await dreamt(world, avoid="people", seed=7, steps=5, preset="quick", size=512, spoiler=True)
    assert said(await click(world, world.bob, "Again")) == SAY.queued(1)
    await world.engine.dreams(2)
    first, again = world.engine.requests
    assert (again.prompt, again.avoid, again.steps) == ("a bowl of cherries", "people", 5)
    assert (again.preset, again.size, again.begin) == ("quick", 512, "new")
    assert first.seed == 7 != again.seed
    dream = await world.stored(2)
    assert dream.author_id == world.bob.id and dream.spoiler


async def test_vary_begins_at_a_changed_copy(world: World) -> None:
    await dreamt(world, seed=7)
    await click(world, world.alice, "Vary")
    await world.engine.dreams(2)
    request = world.engine.requests[1]
    assert (request.begin, request.state) == ("vary", b"end of 1") and request.seed != 7
    assert 0 < request.strength < 1


async def test_continue_goes_on_with_the_same_seed(world: World) -> None:
    await dreamt(world, seed=7)
    await click(world, world.alice, "Continue")
    await world.engine.dreams(2)
    request = world.engine.requests[1]
    assert (request.begin, request.state, request.seed) == ("continue", b"end of 1", 7)


async def test_what_can_no_longer_be_gone_on_from_says_so(world: World) -> None:
    await dreamt(world)
    await world.parts.store.drop_state(1)
    for label in ("Vary", "Continue"):
        assert said(await click(world, world.alice, label)) == SAY.NO_STATE
    assert len(world.engine.requests) == 1


@pytest.mark.parametrize("begin", ["afresh", "from_here"])
async def test_edit_dreams_other_words_afresh_or_from_the_picture(world: World, begin: str) -> None:
    await dreamt(world, seed=7, avoid="people")
    shown = await click(world, world.bob, "Edit")
    answer = await world.bob.submit_modal(
        shown, {"prompt": "a bowl of plums", "avoid": "spoons", "begin": [begin]}
    )
    assert said(answer) == SAY.queued(1)
    await world.engine.dreams(2)
    request = world.engine.requests[1]
    assert (request.prompt, request.avoid, request.seed) == ("a bowl of plums", "spoons", 7)
    expected = ("continue", b"end of 1") if begin == "from_here" else ("new", None)
    assert (request.begin, request.state) == expected


async def test_a_form_filled_in_during_a_restart_still_counts(world: World) -> None:
    await dreamt(world)
    shown = await click(world, world.alice, "Edit")
    await world.restart()
    answer = await world.alice.submit_modal(shown, {"prompt": "a bowl of plums", "begin": ["afresh"]})
    assert said(answer) == SAY.queued(1)
    await world.engine.dreams(2)
    assert world.engine.requests[0].prompt == "a bowl of plums"


async def test_words_that_cannot_be_dreamt_are_refused_in_the_form_too(world: World) -> None:
    await dreamt(world)
    shown = await click(world, world.alice, "Edit")
    answer = await world.alice.submit_modal(shown, {"prompt": "?!", "begin": ["afresh"]})
    assert "say what to dream" in said(answer)


async def test_the_time_lapse_goes_to_whoever_asks_alone(world: World) -> None:
    await dreamt(world)
    film = (await click(world, world.bob, "Time-lapse")).response
    assert film is not None and film.ephemeral
    assert [a.filename for a in film.attachments] == ["dream-1-timelapse.webp"]
    assert await film.attachments[0].read() == b"RIFF film WEBP"


async def test_a_dream_without_a_time_lapse_says_so(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    assert said(await click(world, world.bob, "Time-lapse")) == SAY.NO_TIMELAPSE


async def test_the_recipe_says_all_that_repeats_the_picture(world: World) -> None:
    await dreamt(world, "a *bowl*", avoid="people", seed=7, steps=5, preset="quick", size=512)
    answer = await click(world, world.bob, "Recipe")
    assert answer.response is not None and answer.response.ephemeral
    (embed,) = answer.response.embeds
    assert "a \\*bowl\\*" in (embed.description or "") and "/dreams repeat dream:1" in (
        embed.description or ""
    )
    assert {f.name: f.value for f in embed.fields} == {
        "What to avoid": "people",
        "Seed": "7",
        "Steps": "5",
        "Preset": "quick",
        "Size": "512",
        "Models": "pocket (pocket-gan, pocket-clip)",
        "Version": "0.1.0",
    }


@pytest.mark.parametrize("who", ["alice", "moderator"])
async def test_delete_asks_once_and_leaves_nothing(world: World, who: str) -> None:
    await dreamt(world)
    member: MemberActor = getattr(world, who)
    question = await click(world, member, "Delete")
    assert said(question) == SAY.DELETE_QUESTION
    assert world.messages(), "nothing has happened yet"
    assert question.response is not None
    assert said(await member.click(question.response, label=SAY.DELETE_SURELY)) == SAY.DELETED
    assert world.messages() == []
    dream = await world.stored(1)
    assert dream.erased and dream.prompt == "" and await world.parts.store.picture(1) is None
    assert said(await member.click(question.response, label=SAY.DELETE_SURELY)) == SAY.DELETED_ALREADY


async def test_a_confirmation_outlives_a_restart(world: World) -> None:
    await dreamt(world)
    question = await click(world, world.alice, "Delete")
    await world.restart()
    assert question.response is not None
    assert said(await world.alice.click(question.response, label=SAY.DELETE_SURELY)) == SAY.DELETED


async def test_a_message_that_cannot_be_deleted_keeps_its_dream(world: World) -> None:
    await dreamt(world)
    question = await click(world, world.alice, "Delete")
    world.env.inject_error("DELETE", "/channels/*/messages/*", status=400, code=50083)
    assert question.response is not None
    assert said(await world.alice.click(question.response, label=SAY.DELETE_SURELY)) == SAY.NOT_DELETED
    assert not (await world.stored(1)).erased and await world.parts.store.picture(1)


async def test_a_stranger_deletes_nothing(world: World) -> None:
    await dreamt(world)
    assert said(await click(world, world.bob, "Delete")) == SAY.NOT_YOURS_TO_DELETE
    await forge(world, "dream:1:erase")
    assert said(await world.bob.click(world.messages()[0], custom_id="dream:1:erase")) == (
        SAY.NOT_YOURS_TO_DELETE
    )
    assert not (await world.stored(1)).erased


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("delete", SAY.CANCEL_FIRST),
        ("erase", SAY.CANCEL_FIRST),
        ("vary", SAY.NOT_OVER),
        ("continue", SAY.NOT_OVER),
        ("timelapse", SAY.NO_TIMELAPSE),
        ("recipe", SAY.NO_RECIPE),
    ],
)
async def test_a_button_that_comes_too_early_is_answered(world: World, action: str, sentence: str) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(SAY.LOADING)
    await forge(world, f"dream:1:{action}")
    answer = await world.alice.click(world.messages()[0], custom_id=f"dream:1:{action}")
    assert said(answer) == sentence


@pytest.mark.parametrize(
    ("custom_id", "sentence"),
    [
        ("dream:1:nonsense", SAY.UNKNOWN_BUTTON),
        ("dream:99:again", SAY.UNKNOWN_DREAM),
        ("dream:999999999999999999:again", SAY.UNKNOWN_DREAM),
        ("dream:one:again", SAY.UNKNOWN_BUTTON),
        ("something else entirely", SAY.UNKNOWN_BUTTON),
        ("0123456789abcdef0123456789abcdef", SAY.UNKNOWN_BUTTON),
    ],
)
async def test_an_unknown_button_gets_a_sentence(world: World, custom_id: str, sentence: str) -> None:
    listener = world.parts.client.get_cog("ClickListener")
    assert isinstance(listener, ClickListener)
    listener.patience_s = 0.05
    await dreamt(world)
    await forge(world, custom_id)
    assert said(await world.alice.click(world.messages()[0], custom_id=custom_id)) == sentence


@pytest.mark.parametrize("place", ["hidden", "elsewhere", "deleted"])
async def test_a_dream_of_a_channel_that_one_cannot_read_is_not_known(world: World, place: str) -> None:
    await dreamt(world)
    closed = discord.PermissionOverwrite(view_channel=False)
    hidden = world.guild.create_text_channel("hidden", overwrites={world.guild.default_role: closed})
    other = world.env.create_guild("others")
    guild_id, channel_id = {
        "hidden": (world.guild.id, hidden.id),
        "elsewhere": (other.id, other.create_text_channel("dreams").id),
        "deleted": (world.guild.id, 5),
    }[place]
    async with world.parts.database.transaction() as connection:
        moved = f"UPDATE dreams SET guild_id = {guild_id}, channel_id = {channel_id}"
        await connection.exec_driver_sql(moved)
    answer = await click(world, world.bob, "Recipe")  # as a changed client can: the id is all it needs
    assert said(answer) == SAY.UNKNOWN_DREAM
    own = await click(world, world.alice, "Recipe")
    assert own.response is not None and own.response.embeds, "one's own dreams are always there"


async def test_all_buttons_work_after_a_restart(world: World) -> None:
    await dreamt(world)
    await world.restart()
    assert labels(world.messages()[0]) == AFTER
    for place, label in enumerate(("Again", "Vary", "Continue"), start=1):
        answer = await click(world, world.bob, label)
        assert "in line" in said(answer) or "begins now" in said(answer), (place, label)
    assert (await click(world, world.bob, "Recipe")).response.embeds
    assert (await click(world, world.bob, "Time-lapse")).response.attachments
    assert said(await click(world, world.bob, "Delete")) == SAY.NOT_YOURS_TO_DELETE


async def test_two_deletions_at_the_same_moment_are_harmless(world: World) -> None:
    await dreamt(world)
    dream = await world.stored(1)
    assert await asyncio.gather(*(erase(world.parts, dream) for _ in range(2))) == [True, True]
    assert (await world.stored(1)).erased


async def test_a_cancelled_dream_with_a_picture_can_be_gone_on_from(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1")
    await click(world, world.alice, "Cancel")
    assert (await world.until_delivered(1)).state is DreamState.CANCELLED
    await until(lambda: labels(world.messages()[0]) == AFTER)
    await click(world, world.alice, "Continue")
    await world.engine.dreams(2)
    assert world.engine.requests[1].state == b"end of 1"


async def test_a_spoiler_hides_previews_and_the_picture(world: World) -> None:
    await world.dream(world.alice, spoiler=True)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    message = await world.until_text("step 1")
    assert [a.filename for a in message.attachments] == ["SPOILER_dream-1.jpg"]
    assert not message.embeds[0].image.url, "Discord hides no picture inside an embed"
    world.engine.finish()
    await world.until_delivered(1)
    (message,) = world.messages()
    assert [a.filename for a in message.attachments] == ["SPOILER_dream-1.png"]
    assert message.attachments[0].is_spoiler() and not message.embeds[0].image.url
