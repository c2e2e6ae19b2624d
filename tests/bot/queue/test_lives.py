"""Whatever happens to processes and their database, in any order: every dream ends exactly once."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
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

from bot.database.connection import StoreError
from bot.dreams.dream import DreamState, Wish
from bot.queue.limits import Refused
from bot.queue.worker import Cancelled
from bot.servers.settings import Allowance
from engine import FailureKind
from tests.bot.lives import Life, Lives, Outage
from tests.bot.scripted import ScriptedEngine
from tests.bot.stateful import SETTINGS

SERVERS = (1 << 22, 2 << 22)
PEOPLE = (11, 12, 13)
PER_PERSON = 3
LEASE_S, POLL_S = 30.0, 10.0
LONG_S = 60.0  # beyond every lease and pause
OVER = {state for state in DreamState if state.is_over}

which = st.integers(0, 7)  # of the processes, or of the dreams: whatever there are


@dataclass
class Promise:
    """A dream of which somebody has read that it is queued."""

    person: int
    server: int
    cancelled: bool = False  # somebody asked for it


class LineMachine(RuleBasedStateMachine):
    """Two processes at most, as when a host begins the new one first."""

    newest_file: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.lives = Lives(Path(self.folder.name), self.newest_file)
        self.promised: dict[int, Promise] = {}
        self.withdrawn: set[int] = set()
        self.told: dict[int, int] = {}  # dream → how often a process told of its end
        self.origin = 0
        self.engines = 1  # of each process
        self.checked = 0  # of the leases' changes

    def teardown(self) -> None:
        try:
            self.everything_comes_to_its_end()
        finally:
            self.lives.close()
            self.folder.cleanup()

    @initialize(two=st.booleans(), engines=st.integers(1, 2), dreams=st.integers(1, 4))
    def begin(self, two: bool, engines: int, dreams: int) -> None:
        self.engines = engines
        for _ in range(1 + two):
            self.bear()
        for number in range(dreams):
            self.ask(number, PEOPLE[number % len(PEOPLE)], SERVERS[number % len(SERVERS)])

    # What people do.

    @rule(at=which, person=st.sampled_from(PEOPLE), server=st.sampled_from(SERVERS))
    def ask(self, at: int, person: int, server: int) -> None:
        life = self.one(at)
        if life is None:
            return
        self.origin += 1
        wish = Wish(
            prompt="a bowl of cherries",
            seed=7,
            model="auto",
            author_id=person,
            guild_id=server,
            channel_id=2,
            origin=self.origin,
        )
        with suppress(StoreError, Refused):
            self.promised[self.lives.run(life.worker.submit(wish)).id] = Promise(person, server)

    @rule(at=which, number=which)
    def cancel(self, at: int, number: int) -> None:
        life = self.one(at)
        if life is None or not self.promised:
            return
        dream_id = sorted(self.promised)[number % len(self.promised)]
        with suppress(StoreError):
            self.promised[dream_id].cancelled = True
            if self.lives.run(life.worker.cancel(dream_id)) is Cancelled.WITHDRAWN:
                self.withdrawn.add(dream_id)

    @rule(at=which, server=st.sampled_from(SERVERS), paused=st.booleans())
    def pause(self, at: int, server: int, paused: bool) -> None:
        life = self.one(at)
        if life is not None:
            with suppress(StoreError):
                change = life.moderation.change(server, by=1, change=lambda s: replace(s, paused=paused))
                self.lives.run(change)

    @rule(at=which, server=st.sampled_from(SERVERS), waiting=st.integers(0, PER_PERSON))
    def change_limit(self, at: int, server: int, waiting: int) -> None:
        life = self.one(at)
        if life is not None:
            everyone = Allowance(waiting=waiting)
            with suppress(StoreError):
                change = life.moderation.change(server, by=1, change=lambda s: replace(s, everyone=everyone))
                self.lives.run(change)

    @rule(at=which, number=which)
    def move_to_front(self, at: int, number: int) -> None:
        life = self.one(at)
        if life is not None and self.promised:
            with suppress(StoreError):
                dream_id = sorted(self.promised)[number % len(self.promised)]
                self.lives.run(life.worker.move_to_front(dream_id))

    # What the engine does.

    @precondition(lambda self: self.at_work())
    @rule(at=which)
    def step(self, at: int) -> None:
        _, engine = self.dreaming(at)
        engine.start()
        engine.step(state=b"from here on")
        self.lives.settle()

    @precondition(lambda self: self.at_work())
    @rule(at=which)
    def finish(self, at: int) -> None:
        _, engine = self.dreaming(at)
        engine.finish()
        self.lives.settle()

    @precondition(lambda self: self.at_work())
    @rule(at=which, kind=st.sampled_from((FailureKind.CRASH, FailureKind.MEMORY, FailureKind.STOPPED)))
    def fail(self, at: int, kind: FailureKind) -> None:
        _, engine = self.dreaming(at)
        engine.fail(kind)
        self.lives.settle()

    # What happens to processes.

    @precondition(lambda self: len(self.lives.alive) < 2)
    @rule()
    def bear(self) -> None:
        self.lives.bear(per_person=PER_PERSON, engines=self.engines)

    @rule(at=which, orderly=st.booleans())
    def end(self, at: int, orderly: bool) -> None:
        if self.lives.alive:
            life = self.lives.alive[at % len(self.lives.alive)]
            if orderly and life.is_well:
                self.lives.stop(life)
            else:
                self.lives.kill(life)
            self.remember(life)

    @rule(at=which)
    def freeze(self, at: int) -> None:
        life = self.one(at)
        if life is not None:
            life.database.freeze()

    @precondition(lambda self: self.at_work())
    @rule(at=which, ends=st.booleans())
    def freeze_for_longer_than_a_lease(self, at: int, ends: bool) -> None:
        """As a laptop's lid does; its engine comes to an end meanwhile, or goes on."""
        life, engine = self.dreaming(at)
        life.database.freeze()
        if ends:
            engine.finish()
        self.lives.move(LEASE_S + POLL_S + 5.0)
        self.thaw()

    @rule(at=which, number=which, does=st.sampled_from(("claim", "renew", "release", "finish", "keep_state")))
    def use_a_lease_that_is_another_s(self, at: int, number: int, does: str) -> None:
        """As whoever was frozen does, or has not heard what others did: it has no say in that dream."""
        life = self.one(at)
        if life is None or not life.is_well or not self.promised:
            return
        store, dream_id = life.store, sorted(self.promised)[number % len(self.promised)]
        query = f"SELECT state, owner, lease_until, attempts, rescues FROM dreams WHERE id = {dream_id}"
        kept = f"SELECT content FROM states WHERE dream_id = {dream_id}"
        ((state, owner, lease_until, *_),) = before = self.lives.rows(query)
        holds = state == DreamState.DREAMING and float(str(lease_until)) >= self.lives.loop.now
        if owner == store.owner or (does == "claim" and state not in OVER and not holds):
            return
        state_before = self.lives.rows(kept)
        doing = {
            "claim": lambda: store.claim(dream_id, lease_s=LEASE_S),
            "renew": lambda: store.renew(dream_id, lease_s=LEASE_S),
            "release": lambda: store.release(dream_id, refund=True),
            "finish": lambda: store.finish(dream_id, DreamState.DONE),
            "keep_state": lambda: store.keep_state(dream_id, b"of long ago"),
        }[does]
        assert self.lives.run(doing()) is None
        assert (self.lives.rows(query), self.lives.rows(kept)) == (before, state_before)

    @precondition(lambda self: self.at_work())
    @rule(at=which)
    def claim_once_more(self, at: int) -> None:
        """As whoever did not hear that it has it; that costs no attempt, and is no rescue."""
        life, engine = self.dreaming(at)
        assert engine.current is not None
        dream_id, store = int(engine.current.id), life.store
        before = self.lives.run(store.renew(dream_id, lease_s=LEASE_S)) if life.is_well else None
        if before is not None:
            claimed = self.lives.run(store.claim(dream_id, lease_s=LEASE_S))
            assert claimed is not None
            assert (claimed.attempts, claimed.rescues) == (before.attempts, before.rescues)

    @rule()
    def thaw(self) -> None:
        for life in self.lives.alive:
            life.database.thaw()
        self.lives.settle()

    @rule(at=which, outage=st.sampled_from(Outage))
    def break_database(self, at: int, outage: Outage) -> None:
        life = self.one(at)
        if life is not None:
            life.database.outage = outage

    @rule(seconds=st.sampled_from((2.0, POLL_S + 1, LEASE_S + 1)))
    def wait(self, seconds: float) -> None:
        self.lives.move(seconds)

    # What always holds.

    @invariant()
    def states_change_only_as_they_may(self) -> None:
        for steps in self.lives.steps().values():
            assert all(before.may_become(after) for before, after in steps), steps
            assert sum(after.is_over for _, after in steps) <= 1

    @invariant()
    def every_promise_is_kept_in_the_database(self) -> None:
        stored = {row[0]: DreamState(row[1]) for row in self.lives.rows("SELECT id, state FROM dreams")}
        assert self.promised.keys() <= stored.keys()
        assert all(stored[dream_id] is DreamState.CANCELLED for dream_id in self.withdrawn)

    @invariant()
    def whoever_dreams_holds_a_lease_and_nobody_else_does(self) -> None:
        query = "SELECT state = 'dreaming', owner IS NOT NULL, state, id FROM dreams"
        for dreaming, owned, state, dream_id in self.lives.rows(query):
            assert dreaming == owned, (dream_id, state)

    @invariant()
    def only_whoever_holds_a_dream_changes_it_and_takes_none_whose_lease_runs(self) -> None:
        for step in self.lives.changes(self.checked):
            self.checked += 1
            if step.before == DreamState.QUEUED:
                begins = step.after == DreamState.DREAMING
                assert step.new_owner == (step.who if begins else None), step
                assert (step.attempts, step.rescues) == (begins, 0), step
            elif step.after != DreamState.DREAMING:
                assert step.who == step.owner, step
                assert step.rescues == 0 and step.attempts in (0, -1), step
            elif step.new_owner == step.owner:
                assert step.who == step.owner and (step.attempts, step.rescues) == (0, 0), step
            else:
                assert step.who == step.new_owner and (step.attempts, step.rescues) == (1, 1), step
                assert step.lease_until is not None and step.at is not None, step
                assert step.lease_until < step.at, step

    @invariant()
    def only_whoever_holds_a_dream_keeps_its_state(self) -> None:
        strange = "SELECT * FROM kept WHERE state = 'dreaming' AND who IS NOT owner OR state = 'queued'"
        assert self.lives.rows(strange) == []

    @invariant()
    def nobody_holds_more_than_they_have_engines(self) -> None:
        now = self.lives.loop.now
        held = self.lives.rows(
            "SELECT owner, count(*) FROM dreams WHERE state = 'dreaming'"
            f" AND lease_until > {now} GROUP BY owner HAVING count(*) > {self.engines}"
        )
        assert held == []

    @invariant()
    def no_two_engines_of_a_process_dream_the_same(self) -> None:
        for life in self.lives.alive:
            dreamt = [engine.current.id for engine in life.engines if engine.current is not None]
            assert len(dreamt) == len(set(dreamt)), dreamt

    @rule()
    def compare_lines(self) -> None:
        """Whoever looks now sees the same line."""
        well = [life for life in self.lives.alive if life.is_well]
        for life in well:
            self.lives.run(life.moderation.refresh())
            self.lives.run(life.worker.refresh())
        orders = [[turn.dream_id for turn in life.worker.order()] for life in well]
        assert all(set(order) == set(orders[0]) for order in orders), orders

    # How it ends.

    def everything_comes_to_its_end(self) -> None:
        for life in self.lives.alive:
            life.database.outage = Outage.NONE
        self.thaw()
        if not self.lives.alive:
            self.bear()
        for server in SERVERS:
            self.pause(0, server, False)
        for _ in range(4 * len(self.promised) + 10):
            if not self.waiting():
                break
            at_work = self.at_work()
            for _, engine in at_work:
                engine.finish()
            self.lives.move(11.0 if at_work else LONG_S)
        assert self.waiting() == []
        ends = {
            dream_id: [after for _, after in steps if after.is_over]
            for dream_id, steps in self.lives.steps().items()
        }
        for dream_id, promise in self.promised.items():
            (end,) = ends[dream_id]
            assert end is not DreamState.CANCELLED or promise.cancelled
        for life in self.lives.alive:
            self.remember(life)
            assert life.worker.order() == [] and life.worker.is_running
        assert all(times == 1 for times in self.told.values()), self.told

    def waiting(self) -> list[int]:
        """The dreams that are not over."""
        return [
            int(str(row[0]))
            for row in self.lives.rows("SELECT id FROM dreams WHERE state IN ('queued', 'dreaming')")
        ]

    def remember(self, life: Life) -> None:
        """Which ends a process told."""
        for dream_id, state, _ in life.witness.told:
            if state in OVER:
                self.told[dream_id] = self.told.get(dream_id, 0) + 1

    def dreaming(self, at: int) -> tuple[Life, ScriptedEngine]:
        """A process that dreams, frozen or not, and the engine, which is a process of its own."""
        at_work = self.at_work()
        return at_work[at % len(at_work)]

    def at_work(self) -> list[tuple[Life, ScriptedEngine]]:
        everybody = [(life, engine) for life in self.lives.alive for engine in life.engines]
        return [(life, engine) for life, engine in everybody if engine.current is not None]

    def one(self, at: int) -> Life | None:
        """A process that runs."""
        awake = [life for life in self.lives.alive if not life.database.is_frozen]
        return awake[at % len(awake)] if awake else None


def test_every_dream_ends_exactly_once_whatever_dies(newest_file: Path) -> None:
    LineMachine.newest_file = newest_file
    run_state_machine_as_test(LineMachine, settings=SETTINGS)
