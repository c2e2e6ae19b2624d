"""Choices between beginnings: stored once, decided once, whatever happens in between."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from bot.community.choices import Choices, ChoiceState, Decision
from bot.database.connection import Database
from bot.dreams.dream import (
    Dream,
    DreamState,
    Picture,
    What,
    Wish,
)
from bot.dreams.store import AlreadyStored, Store, asked_since
from bot.queue.fair_queue import Turns
from bot.queue.limits import (
    NOBODY,
    Limits,
    TooManyWaiting,
    TooMuch,
)
from bot.queue.worker import Worker
from bot.servers.moderation import Moderation
from bot.servers.settings import Allowance
from engine import Failed, FailureKind, Finished, Recipe
from tests.bot.scripted import ScriptedEngine

A_WISH = Callable[..., Wish]


async def asked(store: Store) -> int:
    async with store.reading() as connection:
        return len(await asked_since(connection, 0.0, guild_id=1, author_id=11))


class Silence:
    """`bot.queue.engine_worker.Audience`."""

    def heard(self, dream: Dream, event: object) -> None: ...

    def line_moved(self) -> None: ...


class Rig:
    """A line that nobody dreams, and choices on it."""

    def __init__(self, database: Database, store: Store) -> None:
        self.store = store
        self.moderation = Moderation(database=database)
        self.turns = Turns()
        self.worker = Worker(
            store=store,
            turns=self.turns,
            engines=[ScriptedEngine()],
            audience=Silence(),
            limits=Limits(store=store, moderation=self.moderation, per_person=3, in_all=100),
            lease_s=30.0,
            preview_every_s=1.0,
        )
        self.choices = Choices(database=database, store=store, worker=self.worker, moderation=self.moderation)

    async def dreamt(self, dream: Dream, score: float | None, *, state: bytes | None = b"state") -> None:
        """The dream's end: a picture with this score, or None for a failure."""
        assert self.turns.remove(dream.id) and await self.store.claim(dream.id, lease_s=30.0)
        if score is None:
            failed = Failed(str(dream.id), FailureKind.MEMORY)
            assert await self.store.finish(dream.id, DreamState.FAILED, failure=failed)
            return
        recipe = Recipe(dream.prompt, dream.seed, 5, "pocket", "gan", "clip", "0.1.0")
        finished = Finished(str(dream.id), recipe, score, 5, 5, 1.0, False, b"png", state)
        assert await self.store.finish(
            dream.id, DreamState.DONE, finished=finished, picture=Picture(b"png", "png")
        )


@pytest.fixture
async def rig(database: Database, store: Store) -> AsyncIterator[Rig]:
    rig = Rig(database, store)
    await rig.moderation.start()
    yield rig


async def chosen(rig: Rig, wish: Wish, scores: list[float | None]) -> int:
    """A choice whose beginnings are over, with these scores."""
    choice = await rig.choices.submit(wish, len(scores), NOBODY)
    beginnings = await rig.choices.candidates(choice.id)
    for dream, score in zip(beginnings, scores, strict=True):
        await rig.dreamt(dream, score)
    await rig.choices.settle(choice.id)
    return choice.id


async def test_beginnings_share_the_words_and_differ_in_their_seeds(rig: Rig, a_wish: A_WISH) -> None:
    choice = await rig.choices.submit(a_wish(seed=2**32 - 1, steps=40, size=512), 4, NOBODY)
    beginnings = await rig.choices.candidates(choice.id)
    assert [dream.seed for dream in beginnings] == [2**32 - 1, 0, 1, 2]
    assert [dream.candidate for dream in beginnings] == [1, 2, 3, 4]
    assert {(dream.steps, dream.size, dream.choice_id) for dream in beginnings} == {(10, None, choice.id)}
    assert (choice.steps, choice.size, choice.state) == (30, 512, ChoiceState.DREAMING)
    assert rig.turns.dreams() == {dream.id for dream in beginnings}
    assert await rig.store.undelivered() == [] and await rig.store.by(11, most=9) == []


async def test_a_dream_that_names_no_steps_begins_quickly_and_goes_on_as_it_was_wished(
    rig: Rig, a_wish: A_WISH
) -> None:
    choice_id = await chosen(rig, a_wish(preset="thorough"), [1.0, 2.0])
    beginnings = await rig.choices.candidates(choice_id)
    assert {(dream.steps, dream.preset) for dream in beginnings} == {(None, "quick")}
    dream = await rig.choices.decide(choice_id, {1: 1})
    assert dream is not None and (dream.steps, dream.preset, dream.candidate) == (None, "thorough", 0)


async def test_the_same_interaction_makes_one_choice(rig: Rig, a_wish: A_WISH) -> None:
    wish = a_wish(origin=7)
    await rig.choices.submit(wish, 2, NOBODY)
    with pytest.raises(AlreadyStored):
        await rig.choices.submit(wish, 2, NOBODY)
    assert len(rig.turns.dreams()) == 2


async def test_a_choice_is_taken_as_one_and_counts_as_many_as_it_costs(rig: Rig, a_wish: A_WISH) -> None:
    await rig.choices.submit(a_wish(), 4, NOBODY)
    assert await asked(rig.store) == 4
    with pytest.raises(TooManyWaiting):
        await rig.worker.submit(a_wish())


async def test_a_server_may_allow_fewer(rig: Rig, a_wish: A_WISH) -> None:
    await rig.moderation.change(
        1, by=5, change=lambda settings: replace(settings, everyone=Allowance(candidates=2))
    )
    with pytest.raises(TooMuch):
        await rig.choices.submit(a_wish(), 3, NOBODY)
    assert (await rig.choices.submit(a_wish(), 2, NOBODY)).state is ChoiceState.DREAMING


async def test_most_votes_win(rig: Rig, a_wish: A_WISH) -> None:
    choice_id = await chosen(rig, a_wish(), [9.0, 1.0, 5.0])
    choice = await rig.choices.get(choice_id)
    assert choice is not None and choice.state is ChoiceState.VOTING and choice.ends_at is not None
    dream = await rig.choices.decide(choice_id, {2: 2, 1: 1})
    winner = (await rig.choices.candidates(choice_id))[1]
    assert dream is not None
    assert (dream.begin, dream.parent_id, dream.seed) == ("continue", winner.id, winner.seed)
    assert Decision.from_json(dream.decision) == Decision(2, 3, {1: 1, 2: 2, 3: 0})
    assert rig.turns.dreams() == {dream.id} and await rig.store.undelivered() == [dream]


@pytest.mark.parametrize(("votes", "winner"), [({1: 2, 2: 2}, 1), ({3: 1, 2: 1}, 3), ({}, 1)])
async def test_a_tie_goes_to_the_higher_score_and_without_votes_the_best_wins(
    rig: Rig, a_wish: A_WISH, votes: dict[int, int], winner: int
) -> None:
    choice_id = await chosen(rig, a_wish(), [9.0, 1.0, 5.0])
    assert await rig.choices.decide(choice_id, votes) is not None
    choice = await rig.choices.get(choice_id)
    assert choice is not None and Decision.from_json(choice.decision).winner == winner


async def test_it_is_decided_once(rig: Rig, a_wish: A_WISH, database: Database, store: Store) -> None:
    choice_id = await chosen(rig, a_wish(), [9.0, 1.0])
    other = Rig(database, store)  # an overlapping process
    assert await rig.choices.decide(choice_id, {1: 1}) is not None
    assert await other.choices.decide(choice_id, {2: 1}) is None
    assert not await rig.choices.cancel(choice_id) and not await rig.choices.end_vote(choice_id, 11)
    assert len(await rig.store.waiting()) == 1


async def test_what_failed_is_out_and_the_only_one_left_goes_on_at_once(rig: Rig, a_wish: A_WISH) -> None:
    choice_id = await chosen(rig, a_wish(), [None, 4.0])
    choice = await rig.choices.get(choice_id)
    assert choice is not None and choice.state is ChoiceState.DECIDED
    assert Decision.from_json(choice.decision) == Decision(2, 2, {2: 0})


async def test_without_any_beginning_nothing_goes_on(rig: Rig, a_wish: A_WISH) -> None:
    choice_id = await chosen(rig, a_wish(), [None, None])
    choice = await rig.choices.get(choice_id)
    assert choice is not None and choice.state is ChoiceState.OVER
    assert await rig.choices.result(choice_id) is None


async def test_a_winner_whose_state_is_lost_is_dreamt_afresh_with_its_seed(rig: Rig, a_wish: A_WISH) -> None:
    choice = await rig.choices.submit(a_wish(), 2, NOBODY)
    beginnings = await rig.choices.candidates(choice.id)
    for dream in beginnings:
        await rig.dreamt(dream, 1.0 + dream.candidate, state=None)
    await rig.choices.settle(choice.id)
    dream = await rig.choices.decide(choice.id, {})
    assert dream is not None and (dream.begin, dream.parent_id) == ("new", None)
    assert dream.seed == beginnings[1].seed


async def test_cancelling_takes_its_beginnings_out_of_the_line(rig: Rig, a_wish: A_WISH) -> None:
    choice = await rig.choices.submit(a_wish(), 3, NOBODY)
    beginnings = await rig.choices.candidates(choice.id)
    await rig.dreamt(beginnings[0], 1.0)
    assert await rig.choices.cancel(choice.id)
    assert not await rig.choices.cancel(choice.id)
    assert rig.turns.dreams() == set()
    await rig.choices.settle(choice.id)
    assert await rig.choices.result(choice.id) is None


async def test_the_vote_ends_early_once(rig: Rig, a_wish: A_WISH) -> None:
    choice_id = await chosen(rig, a_wish(), [9.0, 1.0])
    assert await rig.choices.end_vote(choice_id, 11)
    assert not await rig.choices.end_vote(choice_id, 12)
    choice = await rig.choices.get(choice_id)
    assert choice is not None and choice.ends_at is not None
    assert choice.ends_at <= rig.choices.clock() and choice.ended_by == 11


async def test_beginnings_and_what_goes_on_keep_all_of_what_is_dreamt(
    rig: Rig, a_wish: A_WISH, odd: What
) -> None:
    odd = replace(odd, steps=50)
    choice_id = await chosen(rig, replace(a_wish(), **vars(odd)), [20.0, 30.0])
    assert await rig.choices.decide(choice_id, {1: 1})
    first, second = await rig.choices.candidates(choice_id)
    going_on = await rig.choices.result(choice_id)
    assert going_on is not None
    share = replace(odd, steps=12, preset="", size=None)
    assert (first.what, second.what) == (share, replace(share, seed=odd.seed + 1))
    assert going_on.what == replace(odd, steps=38, begin="continue", parent_id=first.id)
