"""Whatever happens between a reaction and its count, in any order: in the end the tally is Discord's."""

import asyncio
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bot.chat.inbox import Inbox
from bot.community.votes import Votes
from bot.dreams.dream import Dream, Wish
from bot.servers.settings import ServerSettings
from tests.bot.lives import Life, Lives, Outage
from tests.bot.stateful import SETTINGS

AUTHOR, PEOPLE = 1, (1, 2, 3)
OWN, COPY = 500, 600  # messages: the dream's own and its copy's
EMOJI = ("⭐", "❤️", "🍕")  # the last one is no vote

which = st.integers(0, 7)
messages, people, emoji = st.sampled_from((OWN, COPY)), st.sampled_from(PEOPLE), st.sampled_from(EMOJI)
Given = tuple[int, str, bool]  # person, emoji, super reaction


class Counter:
    """A process that counts votes: what it hears waits in its inbox."""

    def __init__(self, life: Life, *, missed: bool) -> None:
        self.life = life
        self.inbox = Inbox()
        self.votes = Votes(store=life.store, settings=lambda guild_id: ServerSettings())
        self.told: list[int] = []
        self.votes.on_change.append(lambda dream, tally: self.told.append(tally))
        self.is_connected = True
        self.missed = missed  # something happened, or may have, that it did not hear of
        self.reads: asyncio.Event | None = None  # while it reads reactions: set, it comes to an end
        self.reading: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it has heard of everything, and counted it."""
        heard = not self.missed and self.is_connected and self.reads is None
        return heard and self.life.is_well and not self.inbox._waiting

    async def recount(self, dream: Dream, message: int, snapshot: Callable[[], set[Given]]) -> None:
        """As `bot.chat.listeners.votes` does, with Discord's answer between the two halves."""
        copy_id = 0 if message == OWN else message
        counts = await self.votes.counting(dream)
        while True:
            async with self.votes.reading(message) as reading:
                found = [one for one in snapshot() if counts(one[1])]
                if self.reads is not None:
                    await self.reads.wait()
                await self.votes.replace(dream, found, copy_id=copy_id, reading=reading)
            if not reading.cleared:
                return


class VoteMachine(RuleBasedStateMachine):
    """One dream, its copy, and one or two processes that count."""

    newest_file: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.lives = Lives(Path(self.folder.name), self.newest_file)
        self.counters: list[Counter] = []
        self.standing: dict[int, set[Given]] = {OWN: set(), COPY: set()}
        self.dream: Dream

    def teardown(self) -> None:
        try:
            self.everybody_has_counted()
        finally:
            for counter in self.counters:
                self.lives.run(counter.inbox.close())
            self.lives.close()
            self.folder.cleanup()

    @initialize(two=st.booleans())
    def begin(self, two: bool) -> None:
        self.counters = [Counter(self.lives.bear(dreams=False), missed=False) for _ in range(1 + two)]
        wish = Wish(
            prompt="a house", seed=1, model="auto", author_id=AUTHOR, guild_id=9, channel_id=2, origin=1
        )
        store = self.counters[0].life.store
        self.dream = self.lives.run(store.add(wish))
        self.lives.run(store.set_message(self.dream.id, OWN))
        self.lives.run(store.set_gallery(self.dream.id, 9, COPY))

    # What people do.

    @rule(message=messages, person=people, emoji=emoji, burst=st.booleans())
    def give(self, message: int, person: int, emoji: str, burst: bool) -> None:
        if (person, emoji, burst) not in self.standing[message]:
            self.standing[message].add((person, emoji, burst))
            told = {"guild_id": 9, "person": person, "is_bot": False, "emoji": emoji, "burst": burst}
            self.tell(lambda votes: partial(votes.add, message_id=message, **told))

    @rule(message=messages, number=which)
    def take_back(self, message: int, number: int) -> None:
        if self.standing[message]:
            gone = sorted(self.standing[message])[number % len(self.standing[message])]
            self.standing[message].remove(gone)
            person, emoji, burst = gone
            told: dict[str, Any] = {"person": person, "emoji": emoji, "burst": burst}
            self.tell(lambda votes: partial(votes.remove, message_id=message, **told))

    @rule(message=messages, emoji=st.sampled_from((*EMOJI, None)))
    def clear(self, message: int, emoji: str | None) -> None:
        self.standing[message] = {one for one in self.standing[message] if emoji not in (None, one[1])}
        self.tell(lambda votes: partial(votes.remove, message_id=message, emoji=emoji))

    # What happens to processes.

    @rule(at=which, connected=st.booleans())
    def connect(self, at: int, connected: bool) -> None:
        """Away, without a session to resume: what happens meanwhile is not told."""
        counter = self.one(at)
        counter.is_connected = connected
        self.catch_up(counter)

    @rule(at=which, outage=st.sampled_from(Outage))
    def break_database(self, at: int, outage: Outage) -> None:
        self.one(at).life.database.outage = outage

    @rule(at=which)
    def freeze(self, at: int) -> None:
        self.one(at).life.database.freeze()

    @rule(at=which)
    def thaw(self, at: int) -> None:
        self.one(at).life.database.thaw()
        self.lives.settle()

    @rule(at=which)
    def kill(self, at: int) -> None:
        old = self.one(at)
        if old.reading is not None:
            old.reading.cancel()
        self.lives.run(old.inbox.close())
        self.lives.kill(old.life)
        new = Counter(self.lives.bear(dreams=False), missed=True)
        self.counters[self.counters.index(old)] = new
        self.catch_up(new)

    @rule(seconds=st.sampled_from((0.5, 5.0, 31.0)))
    def wait(self, seconds: float) -> None:
        self.lives.move(seconds, at_once=31.0)

    @rule(at=which, message=messages)
    def begin_to_read(self, at: int, message: int) -> None:
        """Read a message's reactions again; Discord's answer is on its way."""
        counter = self.one(at)
        if counter.life.is_well and counter.reads is None and counter.is_connected:
            counter.reads = asyncio.Event()
            reads = counter.recount(self.dream, message, lambda: set(self.standing[message]))
            counter.reading = self.lives.loop.create_task(reads)
            self.lives.settle()

    @rule(at=which)
    def end_to_read(self, at: int) -> None:
        counter = self.one(at)
        if counter.reads is not None:
            counter.reads.set()
            counter.reads = None
            self.lives.settle()

    @rule(at=which, message=messages, number=which, person=people, emoji=emoji)
    def read_while_it_changes(self, at: int, message: int, number: int, person: int, emoji: str) -> None:
        """One reaction goes and one comes between the reading and its end."""
        self.begin_to_read(at, message)
        self.take_back(message, number)
        self.give(message, person, emoji, False)
        self.end_to_read(at)

    # What holds.

    @invariant()
    def no_author_and_no_other_emoji_counts(self) -> None:
        for person, emoji in self.lives.rows("SELECT person, emoji FROM votes"):
            assert person != AUTHOR and emoji in ("⭐", "❤")

    def everybody_has_counted(self) -> None:
        for counter in self.counters:
            counter.is_connected = True
            counter.life.database.outage = Outage.NONE
            counter.life.database.thaw()
            if counter.reads is not None:
                counter.reads.set()
                counter.reads = None
        self.lives.settle()
        self.lives.move(120.0, at_once=31.0)
        for counter in self.counters:
            if counter.reading is not None:
                assert counter.reading.done()
                # Its database may have failed meanwhile; then it is read again.
                counter.missed = counter.missed or counter.reading.exception() is not None
            self.catch_up(counter)
        assert all(counter.is_idle for counter in self.counters)
        self.the_tally_is_discords_when_all_is_heard()
        tally = self.lives.run(self.counters[0].votes.tally(self.dream.id))
        assert tally == len(self.people_who_vote())

    @invariant()
    def the_tally_is_discords_when_all_is_heard(self) -> None:
        if all(counter.is_idle for counter in self.counters):
            counted = {int(str(row[0])) for row in self.lives.rows("SELECT DISTINCT person FROM votes")}
            assert counted == self.people_who_vote()

    def people_who_vote(self) -> set[int]:
        return {
            person
            for given in self.standing.values()
            for person, emoji, _ in given
            if person != AUTHOR and emoji != "🍕"
        }

    def catch_up(self, counter: Counter) -> None:
        """Read everything again, as at the start and after a connection that could not be resumed."""
        if counter.missed and counter.is_connected and counter.life.is_well and counter.reads is None:
            for message in (OWN, COPY):
                snapshot = partial(set, self.standing[message])
                self.lives.run(counter.recount(self.dream, message, snapshot))
            counter.missed = False

    def tell(self, event: Callable[[Votes], Callable[[], Any]]) -> None:
        """Let Discord tell of what happened, each process that is there."""
        for counter in self.counters:
            if counter.is_connected:
                self.lives.run(_put(counter.inbox, event(counter.votes)))
            else:
                counter.missed = True

    def one(self, at: int) -> Counter:
        return self.counters[at % len(self.counters)]


async def _put(inbox: Inbox, do: Callable[[], Any]) -> None:
    inbox.put("A vote", do)


def test_the_tally_is_what_stands_under_the_messages_in_the_end(newest_file: Path) -> None:
    VoteMachine.newest_file = newest_file
    run_state_machine_as_test(VoteMachine, settings=SETTINGS)
