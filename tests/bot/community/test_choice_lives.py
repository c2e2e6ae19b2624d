"""Whatever happens to a choice between beginnings, in any order: it is decided once, for the right one."""

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.community.choices import Choices, ChoiceState, Decision
from bot.database.connection import StoreError
from bot.dreams.dream import DreamState, Picture, Wish
from bot.queue.limits import NOBODY
from engine import Failed, FailureKind, Finished, Recipe
from tests.bot.lives import Life, Lives, Outage
from tests.bot.stateful import SETTINGS

VOTE_S = 60.0  # as a server has it that sets nothing

which = st.integers(0, 7)  # of the processes, or of the beginnings


class ChoiceMachine(RuleBasedStateMachine):
    """One choice, one or two processes that look after it, and people who vote."""

    newest_file: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.lives = Lives(Path(self.folder.name), self.newest_file)
        self.choices: dict[Life, Choices] = {}
        self.choice_id = 0
        self.votes: dict[int, int] = {}  # person → number
        self.counted: list[dict[int, int]] = []  # what a process counted when it decided
        self.over: tuple[object, ...] | None = None  # the choice's row once it was over

    def teardown(self) -> None:
        try:
            if self.choice_id:
                self.it_comes_to_its_end()
        finally:
            self.lives.close()
            self.folder.cleanup()

    @initialize(count=st.integers(2, 4), two=st.booleans())
    def begin(self, count: int, two: bool) -> None:
        for _ in range(1 + two):
            self.bear()
        wish = Wish(
            prompt="a house", seed=1, model="auto", author_id=11, guild_id=9, channel_id=2, origin=1, steps=40
        )
        self.choice_id = self.lives.run(self.one(0).submit(wish, count, NOBODY)).id

    # What the engine does.

    @rule(at=which, number=which, score=st.sampled_from((None, 20.0, 30.0)))
    def end_beginning(self, at: int, number: int, score: float | None) -> None:
        """A beginning comes out with this score, or fails."""
        life = self.life(at)
        with suppress(StoreError):
            beginnings = self.lives.run(self.choices[life].candidates(self.choice_id))
            dream = beginnings[number % len(beginnings)]
            if dream.state.is_over or self.lives.run(life.store.claim(dream.id, lease_s=30.0)) is None:
                return
            if score is None:
                failed = Failed(str(dream.id), FailureKind.MEMORY)
                self.lives.run(life.store.finish(dream.id, DreamState.FAILED, failure=failed))
                return
            recipe = Recipe(dream.prompt, dream.seed, 5, "pocket", "gan", "clip", "0.1.0")
            finished = Finished(str(dream.id), recipe, score, 5, 5, 1.0, False, b"png", b"state")
            end = life.store.finish(
                dream.id, DreamState.DONE, finished=finished, picture=Picture(b"png", "png")
            )
            self.lives.run(end)

    # What people do.

    @rule(person=st.integers(1, 3), number=st.integers(1, 4))
    def vote(self, person: int, number: int) -> None:
        self.votes[person] = number

    @rule(at=which, person=st.integers(1, 3))
    def end_vote(self, at: int, person: int) -> None:
        with suppress(StoreError):
            self.lives.run(self.one(at).end_vote(self.choice_id, person))

    @rule(at=which)
    def cancel(self, at: int) -> None:
        with suppress(StoreError):
            self.lives.run(self.one(at).cancel(self.choice_id))

    # What processes do.

    @rule(at=which)
    def settle(self, at: int) -> None:
        with suppress(StoreError):
            self.lives.run(self.one(at).settle(self.choice_id))

    @rule(at=which)
    def count_and_decide(self, at: int) -> None:
        """As `bot.chat.messages.choices` does once the vote's time is over."""
        with suppress(StoreError):
            choice = self.lives.run(self.one(at).get(self.choice_id))
            assert choice is not None
            if choice.state is ChoiceState.VOTING and (choice.ends_at or 0.0) <= self.lives.loop.now:
                self.counted.append(self.tally())
                self.lives.run(self.one(at).decide(self.choice_id, self.tally()))

    @precondition(lambda self: len(self.choices) > 1)
    @rule()
    def both_decide_at_once(self) -> None:
        """Two processes counted at different moments."""
        one, other = list(self.choices.values())
        with suppress(StoreError):
            choice = self.lives.run(one.get(self.choice_id))
            if choice is not None and choice.state is ChoiceState.VOTING:
                early = self.tally()
                self.votes[9] = 1
                self.counted += [early, self.tally()]
                loop = self.lives.loop
                tasks = [loop.create_task(one.decide(self.choice_id, early))]
                tasks += [loop.create_task(other.decide(self.choice_id, self.tally()))]
                self.lives.settle()
                dreams = [task.result() for task in tasks if task.exception() is None]
                assert sum(dream is not None for dream in dreams) <= 1

    @rule(at=which, outage=st.sampled_from(Outage))
    def break_database(self, at: int, outage: Outage) -> None:
        self.life(at).database.outage = outage

    @rule(at=which)
    def kill(self, at: int) -> None:
        life = self.life(at)
        del self.choices[life]
        self.lives.kill(life)
        self.bear()

    @rule(seconds=st.sampled_from((10.0, VOTE_S)))
    def wait(self, seconds: float) -> None:
        self.lives.move(seconds, at_once=seconds)

    # What always holds.

    @invariant()
    def what_is_over_stays_as_it_is(self) -> None:
        assert self.over in (None, self.end())
        self.over = self.end()

    @invariant()
    def one_goes_on_where_it_is_decided_and_none_elsewhere(self) -> None:
        going_on = self.lives.rows("SELECT id FROM dreams WHERE candidate = 0")
        assert len(going_on) == self.is_decided()

    @invariant()
    def the_winner_has_most_votes_and_of_these_the_highest_score(self) -> None:
        if not self.is_decided():
            return
        scores = dict(
            self.lives.rows("SELECT candidate, score FROM dreams WHERE candidate > 0 AND state = 'done'")
        )
        (choice,) = [self.lives.rows("SELECT decision FROM choices")[0][0]]
        decision = Decision.from_json(str(choice))
        assert decision.votes.keys() == scores.keys()
        counts = [{number: votes.get(number, 0) for number in decision.votes} for votes in self.counted]
        assert decision.votes in counts or set(decision.votes.values()) == {0}
        best = max((votes, scores[number]) for number, votes in decision.votes.items())
        assert (decision.votes[decision.winner], scores[decision.winner]) == best
        (goes_on,) = self.lives.rows("SELECT parent_id FROM dreams WHERE candidate = 0")
        won = self.lives.rows(f"SELECT id FROM dreams WHERE candidate = {decision.winner}")
        assert goes_on == won[0]

    # How it ends.

    def it_comes_to_its_end(self) -> None:
        for life in self.choices:
            life.database.outage = Outage.NONE
        for number in range(4):
            self.end_beginning(0, number, 20.0 + number)
        self.settle(0)
        self.wait(VOTE_S)
        self.count_and_decide(0)
        self.what_is_over_stays_as_it_is()
        self.one_goes_on_where_it_is_decided_and_none_elsewhere()
        self.the_winner_has_most_votes_and_of_these_the_highest_score()
        assert self.over is not None

    def end(self) -> tuple[object, ...] | None:
        """The choice's row, once it is over."""
        query = "SELECT state, decision FROM choices WHERE state IN ('decided', 'over')"
        return next(iter(self.lives.rows(query)), None)

    def is_decided(self) -> bool:
        end = self.end()
        return end is not None and end[0] == ChoiceState.DECIDED

    def tally(self) -> dict[int, int]:
        numbers = list(self.votes.values())
        return {number: numbers.count(number) for number in set(numbers)}

    def bear(self) -> None:
        life = self.lives.bear(dreams=False)
        self.choices[life] = Choices(
            database=life.database,
            store=life.store,
            worker=life.worker,
            moderation=life.moderation,
            clock=self.lives.loop.time,
        )

    def life(self, at: int) -> Life:
        return list(self.choices)[at % len(self.choices)]

    def one(self, at: int) -> Choices:
        return self.choices[self.life(at)]


def test_a_choice_is_decided_once_and_for_the_right_one(newest_file: Path) -> None:
    ChoiceMachine.newest_file = newest_file
    run_state_machine_as_test(ChoiceMachine, settings=SETTINGS)
