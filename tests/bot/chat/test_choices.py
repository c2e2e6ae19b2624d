"""Crowd-steered dreams: beginnings in one picture, a vote by reactions, the winner dreamt on."""

import asyncio
import io
from dataclasses import replace

import pytest
from PIL import Image
from simcord.backend.errors import OptionError
from sqlalchemy import select, update

from bot.chat.erasing import erase
from bot.chat.messages.choice_message import NUMBERS
from bot.chat.messages.grid import CELL, GAP, grid
from bot.community.choices import ChoiceState, Decision
from bot.database.tables import outbox
from bot.dreams.dream import DreamState
from bot.queue.engine_worker import BEGINNING_STARTS
from bot.sentences import ENGLISH
from engine import FailureKind
from tests.bot.chat.conftest import World
from tests.bot.scripted import picture, until


async def choice_of(world: World, count: int = 3, **changes: object) -> int:
    """Alice asks for a choice; gives its id."""
    answer = await world.dream(world.alice, candidates=count, **changes)
    assert answer.response is not None and answer.response.content == ENGLISH.choice_queued(count)
    await until(lambda: len(world.messages()) == 1)
    return 1


async def dream_beginnings(world: World, scores: tuple[float, ...]) -> None:
    """The engine dreams them, one after the other."""
    for number, score in enumerate(scores, start=1):
        await world.engine.dreams(number)
        world.engine.finish(score=score, png=picture("PNG", shade=60 * number))


async def voting(world: World, scores: tuple[float, ...] = (20.0, 30.0, 25.0), **changes: object) -> int:
    """A choice in its vote, the numbers under its message."""
    choice_id = await choice_of(world, len(scores), **changes)
    await dream_beginnings(world, scores)
    await until(lambda: [str(r.emoji) for r in world.messages()[0].reactions] == list(NUMBERS[: len(scores)]))
    return choice_id


async def until_over(world: World, choice_id: int) -> ChoiceState:
    async def over() -> bool:
        choice = await world.parts.choices.get(choice_id)
        return choice is not None and choice.state.is_over and choice.delivered

    await until(over)
    choice = await world.parts.choices.get(choice_id)
    assert choice is not None
    return choice.state


async def press(world: World, member, label: str) -> str:
    answer = await member.click(world.messages()[0], label=label)
    assert answer.response is not None and answer.response.ephemeral
    return answer.response.content


async def test_the_channel_chooses_and_the_winner_alone_is_dreamt_on(world: World) -> None:
    choice_id = await choice_of(world, 3, steps=40, size=512)
    assert "Dreaming 3 beginnings, 0 done." in world.text(0)
    await dream_beginnings(world, (20.0, 30.0, 25.0))
    assert [request.steps for request in world.engine.requests] == [10, 10, 10]
    assert all(request.settings == {"candidates": BEGINNING_STARTS} for request in world.engine.requests)
    await until(lambda: "Which of these 3" in world.text(0) and "<t:" in world.text(0))
    (message,) = world.messages()
    (attachment,) = message.attachments
    assert attachment.filename == f"choice-{choice_id}.png"
    assert attachment.description == "3 numbered beginnings of a dream: a bowl of cherries"
    await until(lambda: len(world.messages()[0].reactions) == 3)
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    for member, emoji in (
        (world.alice, NUMBERS[0]),
        (world.bob, NUMBERS[0]),
        (world.moderator, NUMBERS[0]),
        (world.moderator, NUMBERS[2]),
        (robot, NUMBERS[2]),
        (world.bob, NUMBERS[2]),
        (world.bob, "🍕"),
    ):
        await member.react(message, emoji)
    await world.bob.unreact(message, NUMBERS[2])
    assert await press(world, world.alice, ENGLISH.DECIDE_NOW) == ENGLISH.DECIDING
    assert await until_over(world, choice_id) is ChoiceState.DECIDED
    decision = Decision(1, 3, {1: 3, 2: 0, 3: 1}, world.alice.id)
    assert ENGLISH.decided(decision) in world.text(0) and not world.messages()[0].components

    await until(lambda: len(world.engine.requests) == 4)
    request = world.engine.requests[-1]
    assert (request.begin, request.state, request.steps, request.size) == ("continue", b"end of 1", 30, 512)
    assert request.settings == {}
    world.engine.finish(score=40.0)
    dream = await world.until_delivered(4)
    assert dream.state is DreamState.DONE
    assert ENGLISH.steered(decision) in world.text(1)
    assert [a.filename for a in world.messages()[1].attachments] == ["dream-4.png"]


async def test_the_vote_ends_by_itself_and_without_votes_the_best_score_wins(world: World) -> None:
    choice_id = await voting(world, (20.0, 30.0))
    for clocked in (world.parts.choices, world.parts.outbox_store):
        clocked.clock = lambda real=clocked.clock: real() + 61.0
    world.parts.outbox.wake()
    assert await until_over(world, choice_id) is ChoiceState.DECIDED
    assert "Nobody voted; number 2 goes on" in world.text(0)
    await until(lambda: len(world.engine.requests) == 3)
    assert world.engine.requests[-1].state == b"end of 2"


async def test_others_dream_on_while_people_vote(world: World) -> None:
    await voting(world)
    await world.dream(world.bob, "a tree")
    await world.engine.dreams(4)
    world.engine.finish()
    assert (await world.until_delivered(4)).state is DreamState.DONE


async def test_a_choice_that_cannot_be_posted_is_taken_back_and_told(world: World) -> None:
    world.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=1)
    answer = await world.dream(world.alice, candidates=2)
    assert [followup.content for followup in answer.followups] == [ENGLISH.NO_CHANNEL]
    await world.until_state(2, DreamState.CANCELLED)
    assert await world.parts.choices.open() == [] and world.messages() == []


@pytest.mark.parametrize("count", [1, 5])
async def test_two_to_four_beginnings_are_discords_to_keep(world: World, count: int) -> None:
    with pytest.raises(OptionError):
        await world.dream(world.alice, candidates=count)


async def test_strangers_cannot_end_it_and_a_moderator_may(world: World) -> None:
    choice_id = await voting(world)
    for label in (ENGLISH.DECIDE_NOW, ENGLISH.CANCEL):
        assert await press(world, world.bob, label) == ENGLISH.NOT_YOUR_CHOICE
    assert await press(world, world.moderator, ENGLISH.CANCEL) == ENGLISH.WITHDRAWN
    (entry,) = await world.parts.moderation.audit(world.guild.id)
    assert (entry.by, entry.what, entry.target) == (world.moderator.id, "cancel", "dream:1")
    assert await until_over(world, choice_id) is ChoiceState.OVER
    assert "Cancelled" in world.text(0) and not world.messages()[0].components


async def test_two_clicks_at_once_decide_once(world: World) -> None:
    choice_id = await voting(world)
    choices = world.parts.choices
    ended = await asyncio.gather(*(choices.end_vote(choice_id, person) for person in (1, 2, 3)))
    assert sorted(ended) == [False, False, True]
    assert await until_over(world, choice_id) is ChoiceState.DECIDED
    await until(lambda: len(world.engine.requests) == 4)
    assert len(await world.parts.store.waiting()) <= 1


async def test_cancelling_while_it_is_dreamt_ends_the_beginnings(world: World) -> None:
    choice_id = await choice_of(world, 4)
    await world.engine.dreams(1)
    assert await press(world, world.alice, ENGLISH.CANCEL) == ENGLISH.WITHDRAWN
    assert await until_over(world, choice_id) is ChoiceState.OVER
    for number in (1, 2, 3, 4):
        await world.until_state(number, DreamState.CANCELLED)
    await world.dream(world.bob, "a tree")
    await world.engine.dreams(5)


async def test_a_vote_survives_a_restart_and_counts_what_was_cast_meanwhile(world: World) -> None:
    choice_id = await voting(world)
    await world.bob.react(world.messages()[0], NUMBERS[2])
    await world.parts.end()
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    await world.moderator.react(world.messages()[0], NUMBERS[2])
    await world.alice.react(world.messages()[0], NUMBERS[0])
    world.env.backend.subscribers[:] = subscribers
    await world.restart()
    assert await press(world, world.alice, ENGLISH.DECIDE_NOW) == ENGLISH.DECIDING
    assert await until_over(world, choice_id) is ChoiceState.DECIDED
    assert "Number 3 goes on, with 2 votes (" in world.text(0)


async def test_a_vote_that_ends_while_the_bot_is_away_is_counted_at_its_return(world: World) -> None:
    choice_id = await voting(world)
    await world.bob.react(world.messages()[0], NUMBERS[0])
    await world.parts.end()
    await world.parts.choices.end_vote(choice_id, world.alice.id)
    await world.restart()
    assert await until_over(world, choice_id) is ChoiceState.DECIDED
    assert "Number 1 goes on, with 1 vote (" in world.text(0)


async def test_a_restart_between_two_beginnings_loses_none(world: World) -> None:
    choice_id = await choice_of(world, 2)
    await world.engine.dreams(1)
    world.engine.finish(score=20.0)
    await world.engine.dreams(2)
    await world.restart()
    await world.engine.dreams(2)
    world.engine.finish(score=10.0)
    await until(lambda: len(world.messages()[0].reactions) == 2)
    await press(world, world.alice, ENGLISH.DECIDE_NOW)
    assert await until_over(world, choice_id) is ChoiceState.DECIDED
    assert "number 1 goes on" in world.text(0)


@pytest.mark.parametrize("code", [(404, 10008), (404, 10003)], ids=["message", "channel"])
async def test_what_is_deleted_during_the_vote_ends_the_choice(world: World, code: tuple[int, int]) -> None:
    choice_id = await voting(world)
    world.env.inject_error("GET", "/channels/*/messages/*", status=code[0], code=code[1], times=None)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=code[0], code=code[1], times=None)
    await world.parts.choices.end_vote(choice_id, world.alice.id)
    assert await until_over(world, choice_id) is ChoiceState.OVER
    assert await world.parts.choices.result(choice_id) is None


async def test_a_deleted_dream_takes_its_beginnings_along(world: World) -> None:
    choice_id = await voting(world)
    await press(world, world.alice, ENGLISH.DECIDE_NOW)
    await world.engine.dreams(4)
    world.engine.finish()
    await world.until_delivered(4)
    assert await erase(world.parts, await world.stored(4))
    await until(lambda: world.messages() == [])

    async def forgotten() -> bool:
        choice = await world.parts.choices.get(choice_id)
        beginnings = await world.parts.choices.candidates(choice_id)
        return choice is not None and choice.prompt == "" and all(dream.erased for dream in beginnings)

    await until(forgotten)


async def test_an_archived_thread_is_opened_by_a_new_message(world: World) -> None:
    choice_id = await choice_of(world, 2)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=50083, times=1)
    await dream_beginnings(world, (20.0, 30.0))
    await until(lambda: len(world.messages()) == 2)
    await until(lambda: len(world.messages()[1].reactions) == 2)
    choice = await world.parts.choices.get(choice_id)
    assert choice is not None and choice.message_id == world.messages()[1].id


async def test_a_choice_that_waits_for_long_is_not_told_of_again_and_again(world: World) -> None:
    await world.parts.moderation.change(world.guild.id, by=1, change=lambda old: replace(old, paused=True))
    await choice_of(world, 2)
    await until_looked_at(world)
    asked = len(world.env.http_requests)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=50083, times=None)
    async with world.parts.database.transaction() as connection:
        await connection.execute(update(outbox).values(due_at=0.0))
    world.parts.outbox.wake()
    await until_looked_at(world)
    assert len(world.messages()) == 1 and len(world.env.http_requests) == asked


async def until_looked_at(world: World) -> None:
    """Until nothing is due with the choice for an hour."""

    async def looked_at() -> bool:
        async with world.parts.database.transaction() as connection:
            (row,) = await connection.execute(select(outbox))
        return row.owner is None and row.due_at > world.parts.choices.clock() + 3000.0

    await until(looked_at)


async def test_a_message_that_takes_no_more_edits_gives_way_before_anybody_votes(world: World) -> None:
    choice_id = await choice_of(world, 2)
    first = world.messages()[0].id
    await world.engine.dreams(1)
    world.engine.finish()
    await until(lambda: "1 done" in world.text(0))
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=429, code=30046, times=None)
    await world.engine.dreams(2)
    world.engine.finish()
    await until(lambda: [len(message.reactions) for message in world.messages()] == [2])
    choice = await world.parts.choices.get(choice_id)
    assert choice is not None and choice.message_id == world.messages()[0].id != first


async def test_the_server_says_how_long_to_vote(world: World) -> None:
    await world.parts.moderation.change(world.guild.id, by=1, change=lambda old: replace(old, vote_s=900))
    choice = await world.parts.choices.get(await voting(world))
    assert choice is not None and choice.ends_at is not None
    assert 890 < choice.ends_at - world.parts.choices.clock() <= 900


@pytest.mark.parametrize("is_hiccup", [True, False])
async def test_a_hiccup_or_a_wrong_answer_while_counting_loses_no_vote(world: World, is_hiccup: bool) -> None:
    world.parts.outbox._retry_s = 0.01
    choice_id = await voting(world)
    await world.bob.react(world.messages()[0], NUMBERS[2])
    wrong = {"status": 500} if is_hiccup else {"status": 404, "code": 10008}
    world.env.inject_error("GET", "/channels/*/messages/*", times=4, **wrong)
    await world.parts.choices.end_vote(choice_id, world.alice.id)
    assert await until_over(world, choice_id) is ChoiceState.DECIDED
    assert "Number 3 goes on, with 1 vote (" in world.text(0)


async def test_beginnings_that_fail_are_left_out(world: World) -> None:
    choice_id = await choice_of(world, 2)
    for number in (1, 2):
        await world.engine.dreams(number)
        world.engine.fail(FailureKind.MEMORY, "There is not enough memory for this dream.")
    assert await until_over(world, choice_id) is ChoiceState.OVER
    assert ENGLISH.NO_BEGINNING in world.text(0)


async def test_a_spoiler_stays_hidden(world: World) -> None:
    await voting(world, spoiler=True)
    (message,) = world.messages()
    assert message.attachments[0].is_spoiler() and not message.embeds[0].image.url


async def test_a_click_on_a_choice_that_nobody_remembers_is_answered(world: World) -> None:
    await voting(world)
    stored = world.env.backend.get_message(world.channel.id, world.messages()[0].id)
    stored.components[0]["components"][0]["custom_id"] = "choice:999:decide"
    assert await press(world, world.alice, ENGLISH.DECIDE_NOW) == ENGLISH.UNKNOWN_DREAM


async def test_the_beginnings_are_not_among_the_dreams_that_are_shown_by_themselves(world: World) -> None:
    await voting(world)
    assert len(world.messages()) == 1
    await world.restart()
    assert len(world.messages()) == 1


def test_a_grid_has_a_cell_for_each_and_marks_the_winner() -> None:
    red, blue = (picture("PNG", shade=shade) for shade in (200, 10))
    drawn = Image.open(io.BytesIO(grid([red, None, blue])))
    assert drawn.size == (2 * CELL + GAP, 2 * CELL + GAP)
    middle = CELL // 2
    assert drawn.getpixel((middle, middle)) == (200, 20, 60)
    assert drawn.getpixel((middle, CELL + GAP + middle)) == (10, 20, 60)
    assert drawn.getpixel((CELL + GAP + middle, middle)) == (30, 31, 34), "not there yet"
    decided = Image.open(io.BytesIO(grid([red, blue], winner=2)))
    assert decided.size == (2 * CELL + GAP, CELL)
    assert decided.getpixel((middle, middle)) != (200, 20, 60), "faded"
    assert decided.getpixel((CELL + GAP + middle, middle)) == (10, 20, 60)
