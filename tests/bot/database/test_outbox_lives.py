"""Whatever happens to processes and their database, in any order: what is owed is shown, and shown anew."""

import tempfile
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar

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
from bot.database.outbox import HEAD_START_S, LEASE_S, Key, Kind, OutboxStore, Owed, owe
from tests.bot.lives import Life, Lives, Outage
from tests.bot.stateful import SETTINGS

T = TypeVar("T")

which = st.integers(0, 7)  # of the processes, or of what one has in hand: whatever there is
subjects = st.integers(1, 2)
USES = st.sampled_from(("settle", "renew", "put off"))


@dataclass(eq=False)
class Claim:
    """What a process has in hand, and which version of it it shows."""

    owed: Owed
    version: int


@dataclass
class Row:
    """What the outbox should hold."""

    version: int  # how often it was written
    due_at: float
    tries: int = 0
    begun: int = 0  # tries, those before it was written anew too
    owner: str | None = None
    claim: Claim | None = None  # by which it may be settled


@dataclass
class Process:
    """One that shows what is owed. While nothing is told of it, it may be frozen, or just busy."""

    life: Life
    owner: str
    store: OutboxStore
    in_hand: dict[Key, Claim] = field(default_factory=dict)


class OutboxMachine(RuleBasedStateMachine):
    """Two processes, and a second look at what each of their transactions should do."""

    newest_file: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.lives = Lives(Path(self.folder.name), self.newest_file)
        self.processes: list[Process] = []
        self.ghosts: list[Process] = []  # others took their place, but they are not dead
        self.numbers = count(1)
        self.rows: dict[int, Row] = {}  # by subject
        self.written: dict[int, int] = {}  # subject → its newest version
        self.shown: dict[int, int] = {}  # subject → the version that was shown last

    def teardown(self) -> None:
        try:
            self.everything_is_shown_in_the_end()
        finally:
            self.lives.close()
            self.folder.cleanup()

    @initialize(most=st.integers(0, 2))
    def begin(self, most: int) -> None:
        self.processes = [self.born(self.lives.bear(dreams=False)) for _ in range(2)]
        for subject in (1, 2):
            self.write(0, subject, False)
        self.claim(0, most)

    # What causes messages.

    @rule(at=which, subject=subjects, own=st.booleans())
    def write(self, at: int, subject: int, own: bool) -> None:
        """Write it, perhaps anew; `own`: whoever writes it shall be the first to try."""
        process = self.one(at)
        owner = process.owner if own else None

        async def write() -> None:
            async with process.life.database.transaction() as connection:
                await owe(connection, Kind.END, subject, now=self.now, owner=owner)

        if self.is_kept(process, write()):
            version = self.written[subject] = self.written.get(subject, 0) + 1
            due_at = self.now + (HEAD_START_S if own else 0.0)
            begun = self.rows[subject].begun if subject in self.rows else 0
            self.rows[subject] = Row(version, due_at, begun=begun, owner=owner)

    # What processes do.

    @rule(at=which, most=st.integers(1, 3))
    def claim(self, at: int, most: int) -> None:
        process = self.one(at)
        claiming = process.store.claim(list(Kind), but=process.in_hand.keys(), most=most)
        free = {
            subject
            for subject, row in self.rows.items()
            if (row.due_at <= self.now or row.owner == process.owner)
            and Key(Kind.END, subject) not in process.in_hand
        }
        first = set(sorted(free, key=lambda subject: (self.rows[subject].due_at, subject))[:most])
        claimed: list[Owed] = []
        with suppress(StoreError):  # if it fails, then with the look that comes before
            claimed = self.lives.run(claiming)[0]
            assert {owed.subject for owed in claimed} == first
        process.life.database.outage = Outage.NONE
        for owed in claimed:
            self.take(process, owed)

    @precondition(lambda self: all(one.life.is_well for one in self.processes))
    @rule(most=st.integers(1, 3))
    def both_claim_at_once(self, most: int) -> None:
        """Each of them looks before the other one takes."""
        claiming = [one.store.claim(list(Kind), but=one.in_hand.keys(), most=most) for one in self.processes]
        tasks = [self.lives.loop.create_task(one) for one in claiming]
        self.lives.settle()
        claimed = [task.result()[0] for task in tasks]
        taken = [owed.subject for theirs in claimed for owed in theirs]
        assert len(taken) == len(set(taken)), taken
        for process, theirs in zip(self.processes, claimed, strict=True):
            for owed in theirs:
                self.take(process, owed)

    @rule(at=which)
    def renew(self, at: int) -> None:
        process = self.one(at)
        claims = list(process.in_hand.values())
        if self.is_kept(process, process.store.renew([claim.owed for claim in claims])):
            for claim in claims:
                row = self.rows.get(claim.owed.subject)
                if row is not None and row.claim is claim:
                    row.due_at = self.now + LEASE_S

    @precondition(lambda self: self.hands())
    @rule(number=which)
    def show_and_settle(self, number: int) -> None:
        """It is shown, and tried to be settled until that is known to be kept."""
        process, claim = self.held(number)
        subject = claim.owed.subject
        self.shown[subject] = max(claim.version, self.shown.get(subject, 0))
        with self.noted(process, claim):
            if self.is_kept(process, process.store.settle(claim.owed)) and self.counts(claim):
                del self.rows[subject]

    @precondition(lambda self: self.hands())
    @rule(number=which, pause_s=st.sampled_from((0.0, 5.0, 2 * LEASE_S)), tried=st.booleans())
    def put_off(self, number: int, pause_s: float, tried: bool) -> None:
        """It could not be shown, or (not `tried`) is not due yet."""
        process, claim = self.held(number)
        until, tries = self.now + pause_s, claim.owed.tries if tried else 0
        putting = process.store.put_off(claim.owed, until=until, tries=tries)
        with self.noted(process, claim):
            if self.is_kept(process, putting) and self.counts(claim):
                begun = self.rows[claim.owed.subject].begun
                self.rows[claim.owed.subject] = Row(claim.version, until, tries=tries, begun=begun)

    @precondition(lambda self: self.hands())
    @rule(number=which, own=st.booleans(), does=USES)
    def write_anew_what_is_in_hand(self, number: int, own: bool, does: str) -> None:
        """Then it is its own to try first, or at once in another's hand: its claim counts no more."""
        process, claim = self.held(number)
        at = self.processes.index(process)
        self.write(at, claim.owed.subject, own)
        if not own:
            self.claim(at + 1, 9)
        if not self.counts(claim):
            self.use(process, claim, does)

    @precondition(lambda self: self.old_hands())
    @rule(number=which, does=USES)
    def use_a_claim_that_counts_no_more(self, number: int, does: str) -> None:
        """As whoever was frozen does: it has no say any more."""
        old = self.old_hands()
        self.use(*old[number % len(old)], does)

    @rule(at=which)
    def stop(self, at: int) -> None:
        """An orderly end: others have at once what it has."""
        process = self.one(at)
        if self.is_kept(process, process.store.release()):
            for row in self.rows.values():
                if row.owner == process.owner:
                    row.owner, row.due_at, row.claim = None, self.now, None
        self.kill(at)

    # What happens to processes.

    @rule(at=which)
    def kill(self, at: int) -> None:
        """The next one takes its place, and the connection to the database, which remembers nothing."""
        old = self.one(at)
        self.ghosts.append(old)
        self.processes[at % len(self.processes)] = self.born(old.life)

    @rule(at=which, outage=st.sampled_from((Outage.BEFORE, Outage.AFTER)))
    def break_database(self, at: int, outage: Outage) -> None:
        """Its next transaction fails."""
        self.one(at).life.database.outage = outage

    @rule(seconds=st.sampled_from((1.0, HEAD_START_S, LEASE_S / 2, LEASE_S, LEASE_S + 1)))
    def wait(self, seconds: float) -> None:
        """Whoever does nothing meanwhile was frozen."""
        self.lives.move(seconds, at_once=seconds)

    # What always holds.

    @invariant()
    def the_outbox_holds_what_it_should(self) -> None:
        found = self.lives.rows("SELECT subject, due_at, tries, owner FROM outbox ORDER BY subject")
        should = [(subject, row.due_at, row.tries, row.owner) for subject, row in sorted(self.rows.items())]
        assert found == should

    @invariant()
    def what_is_not_shown_as_it_is_now_is_owed(self) -> None:
        for subject, version in self.written.items():
            assert self.shown.get(subject) == version or self.rows[subject].version == version

    # How it ends.

    def everything_is_shown_in_the_end(self) -> None:
        for process in self.processes:
            process.life.database.outage = Outage.NONE
        for _ in range(3):  # what was in hand may have been written anew
            self.wait(2 * LEASE_S)
            for at in range(len(self.processes)):
                self.claim(at, 9)
                while self.hands():
                    self.show_and_settle(0)
        assert self.rows == {} and self.lives.rows("SELECT * FROM outbox") == []
        assert self.shown == self.written

    # Plumbing.

    @property
    def now(self) -> float:
        return self.lives.loop.now

    def born(self, life: Life) -> Process:
        owner = f"process {next(self.numbers)}"
        return Process(life, owner, OutboxStore(life.database, owner=owner, clock=self.lives.loop.time))

    def one(self, at: int) -> Process:
        return self.processes[at % len(self.processes)]

    def take(self, process: Process, owed: Owed) -> None:
        """It claimed this."""
        row = self.rows[owed.subject]
        claim = process.in_hand[owed.key] = Claim(owed, row.version)
        row.owner, row.due_at, row.tries = process.owner, self.now + LEASE_S, row.tries + 1
        row.begun += 1
        row.claim = claim
        assert (owed.tries, owed.again) == (row.tries, row.begun > 1)

    def use(self, process: Process, claim: Claim, does: str) -> None:
        """What a process does with what it has in hand."""
        store = process.store
        doing = {
            "renew": lambda: store.renew([claim.owed]),
            "settle": lambda: store.settle(claim.owed),
            "put off": lambda: store.put_off(claim.owed, until=self.now, tries=0),
        }[does]
        with suppress(StoreError):
            self.lives.run(doing())

    def hands(self) -> list[tuple[Process, Claim]]:
        """All that is in anybody's hand, whether or not it counts."""
        return [(one, claim) for one in self.processes for claim in one.in_hand.values()]

    def held(self, number: int) -> tuple[Process, Claim]:
        hands = self.hands()
        return hands[number % len(hands)]

    def old_hands(self) -> list[tuple[Process, Claim]]:
        """What is in anybody's hand, ghosts' too, and counts no more."""
        everybody = self.processes + self.ghosts
        return [(one, c) for one in everybody for c in one.in_hand.values() if not self.counts(c)]

    def counts(self, claim: Claim) -> bool:
        """Whether nobody wrote it anew, or took it over."""
        row = self.rows.get(claim.owed.subject)
        return row is not None and row.claim is claim

    @contextmanager
    def noted(self, process: Process, claim: Claim) -> Iterator[None]:
        """As `bot.chat.messages.outbox` lets it go once it knows that what it noted is kept."""
        is_heard = process.life.database.outage is Outage.NONE
        yield
        if is_heard:
            del process.in_hand[claim.owed.key]

    def is_kept(self, process: Process, doing: Awaitable[T]) -> bool:
        """Do it; whether the database keeps it, heard of or not."""
        outage = process.life.database.outage
        try:
            self.lives.run(doing)
        except StoreError:
            return outage is Outage.AFTER
        finally:
            process.life.database.outage = Outage.NONE
        return True


def test_what_is_owed_is_shown_and_shown_anew_whatever_dies(newest_file: Path) -> None:
    OutboxMachine.newest_file = newest_file
    run_state_machine_as_test(OutboxMachine, settings=SETTINGS)
