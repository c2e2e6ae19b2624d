"""The worker: one dream at a time, leases, cancelling across processes, a database that has a moment."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing

import pytest

from bot.database import Database
from bot.dreams import Dream, DreamState, Wish
from bot.limits import Limits, LineFull, TooManyWaiting
from bot.moderation import Moderation
from bot.settings import Settings
from bot.store import Store
from bot.turns import Turns
from bot.worker import Cancelled, Worker
from engine import Event, FailureKind, Started
from tests.bot.scripted import ScriptedEngine, picture, until

A_WISH = Callable[..., Wish]


class Witness:
    """An audience that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[int, DreamState, Event | None]] = []
        self.moves = 0

    def heard(self, dream: Dream, event: Event | None) -> None:
        self.told.append((dream.id, dream.state, event))

    def line_moved(self) -> None:
        self.moves += 1

    def states(self, dream_id: int) -> list[DreamState]:
        """The states it went through."""
        states = [state for id, state, _ in self.told if id == dream_id]
        return [state for i, state in enumerate(states) if i == 0 or states[i - 1] is not state]


class Rig:
    """One process: its own store, engine and worker."""

    def __init__(
        self, url: str, owner: str, *, lease_s: float = 30.0, per_person: int = 100, in_all: int = 1000
    ) -> None:
        self.database = Database(url, busy_timeout_s=0.2)
        self.store = Store(self.database, owner=owner)
        self.moderation = Moderation(database=self.database)
        self.turns = Turns()
        self.engine = ScriptedEngine()
        self.witness = Witness()
        self.worker = Worker(
            store=self.store,
            turns=self.turns,
            engine=self.engine,
            audience=self.witness,
            limits=Limits(store=self.store, moderation=self.moderation, per_person=per_person, in_all=in_all),
            lease_s=lease_s,
            preview_every_s=4.0,
            poll_s=0.02,
            retry_s=0.02,
        )

    async def open(self) -> "Rig":
        await self.database.open()
        await self.moderation.start()
        await self.worker.start()
        return self

    async def close(self) -> None:
        await self.worker.close()
        await self.database.close()

    async def until(self, dream_id: int, state: DreamState) -> Dream:
        async def reached() -> bool:
            dream = await self.store.get(dream_id)
            return dream is not None and dream.state is state

        await until(reached)
        dream = await self.store.get(dream_id)
        assert dream is not None
        return dream


@pytest.fixture
async def rig(settings: Settings) -> AsyncIterator[Rig]:
    rig = await Rig(settings.database_url, "one").open()
    yield rig
    await rig.close()


@pytest.fixture
async def other(settings: Settings, rig: Rig) -> AsyncIterator[Rig]:
    """A second process, begun while the first still runs."""
    other = await Rig(settings.database_url, "two").open()
    yield other
    await other.close()


async def test_dreams_are_dreamt_one_at_a_time_and_people_alternate(rig: Rig, a_wish: A_WISH) -> None:
    for author in (1, 1, 1, 2):
        await rig.worker.submit(a_wish(author_id=author))
    for expected in (1, 4, 2, 3):
        await rig.engine.dreams(expected)
        rig.engine.finish()
        await rig.until(expected, DreamState.DONE)
    assert rig.witness.states(3) == [DreamState.QUEUED, DreamState.DREAMING, DreamState.DONE]


async def test_the_request_says_what_was_wished(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish(prompt="the moon", seed=3, steps=50, model="pocket"))
    await rig.engine.dreams(1)
    request = rig.engine.requests[0]
    assert (request.id, request.prompt, request.seed, request.steps) == ("1", "the moon", 3, 50)
    assert (request.model, request.preview_every_s) == ("pocket", 4.0)


async def test_the_audience_hears_every_event(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.start(notice="Cut.")
    rig.engine.step()
    rig.engine.finish()
    dream = await rig.until(1, DreamState.DONE)
    kinds = [type(event).__name__ for _, _, event in rig.witness.told if event]
    assert kinds == ["Started", "Progress", "Finished"]
    assert dream.notice == "Cut."


async def test_limits_hold_even_when_everybody_asks_at_once(settings: Settings, a_wish: A_WISH) -> None:
    rig = await Rig(settings.database_url, "one", per_person=2, in_all=5).open()
    await rig.worker.submit(a_wish(author_id=100))
    await rig.engine.dreams(1)
    wishes = [a_wish(author_id=author) for author in (1, 1, 1, 2, 2, 2, 3, 3, 3)]
    answers = await asyncio.gather(*map(rig.worker.submit, wishes), return_exceptions=True)
    await rig.close()
    assert [type(a) for a in answers].count(Dream) == 5
    assert [type(a) for a in answers].count(TooManyWaiting) == 2
    assert [type(a) for a in answers].count(LineFull) == 2


async def test_two_processes_share_a_line_and_no_dream_is_dreamt_twice(
    rig: Rig, other: Rig, a_wish: A_WISH
) -> None:
    for _ in range(6):
        await rig.worker.submit(a_wish())

    async def keep_dreaming(one: Rig) -> None:
        while True:
            await until(lambda: one.engine.current is not None)
            one.engine.finish()
            await until(lambda: one.engine.current is None)

    tasks = [asyncio.create_task(keep_dreaming(r)) for r in (rig, other)]
    for dream_id in range(1, 7):
        await rig.until(dream_id, DreamState.DONE)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    dreamt = [r.id for one in (rig, other) for r in one.engine.requests]
    assert sorted(dreamt) == list("123456")


async def test_a_cancel_from_another_process_reaches_the_one_that_dreams(
    settings: Settings, rig: Rig, a_wish: A_WISH
) -> None:
    owner = await Rig(settings.database_url, "short leases", lease_s=0.3).open()
    await rig.worker.close()
    await owner.worker.submit(a_wish())
    await owner.engine.dreams(1)
    owner.engine.step(preview=picture("JPEG"))
    assert await rig.worker.cancel(1) is Cancelled.STOPPING
    await rig.until(1, DreamState.CANCELLED)
    await owner.close()


async def test_a_process_that_lost_its_lease_gives_the_dream_up_in_silence(
    settings: Settings, a_wish: A_WISH
) -> None:
    slow = await Rig(settings.database_url, "slow", lease_s=0.3).open()
    await slow.worker.submit(a_wish())
    await slow.engine.dreams(1)
    slow.engine.step()
    with sqlite3.connect(settings.data_dir / "oneiro.db") as connection:
        connection.execute("UPDATE dreams SET owner = 'somebody else', lease_until = 9e9")
    connection.close()
    await until(lambda: slow.engine.current is None)
    dream = await slow.store.get(1)
    assert dream is not None and dream.state is DreamState.DREAMING
    assert slow.witness.states(1) == [DreamState.QUEUED, DreamState.DREAMING]
    await slow.close()


async def test_a_stop_that_the_engine_did_not_hear_is_said_again(
    rig: Rig, a_wish: A_WISH, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(id: str) -> None:
        """The dream is claimed, but the engine has yet to hear of it."""

    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    with monkeypatch.context() as patch:
        patch.setattr(rig.engine, "stop", deaf)
        assert await rig.worker.cancel(1) is Cancelled.STOPPING
    rig.engine.start()
    await rig.until(1, DreamState.CANCELLED)


async def test_closing_puts_the_dream_in_hand_back_in_line(settings: Settings, a_wish: A_WISH) -> None:
    rig = await Rig(settings.database_url, "one").open()
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.step()
    await rig.worker.close()
    dream = await rig.store.get(1)
    assert dream is not None
    assert (dream.state, dream.attempts) == (DreamState.QUEUED, 0)
    assert rig.engine.abandoned == ["1"]
    await rig.close()


async def test_a_dream_that_was_interrupted_too_often_is_given_up(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.close()
    await rig.store.add(a_wish())
    for _ in range(2):
        await rig.store.claim(1, lease_s=-1)  # by a process that was killed
    await rig.worker.start()
    dream = await rig.until(1, DreamState.FAILED)
    assert dream.failure is FailureKind.CRASH and rig.engine.requests == []


async def test_a_dream_asked_to_end_while_nobody_dreamt_it_is_cancelled(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.close()
    await rig.store.add(a_wish())
    await rig.store.claim(1, lease_s=-1)
    assert await rig.worker.cancel(1) is Cancelled.STOPPING
    await rig.worker.start()
    await rig.until(1, DreamState.CANCELLED)
    assert rig.engine.requests == []


async def test_an_engine_stopped_by_somebody_else_begins_again(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.step()
    rig.engine.finish(stopped=True)  # e.g. by a signal
    await until(lambda: len(rig.engine.requests) == 2)
    await rig.engine.dreams(1)
    rig.engine.finish()
    await rig.until(1, DreamState.DONE)


async def test_a_fault_of_ours_ends_one_dream_and_the_next_is_dreamt(
    rig: Rig, a_wish: A_WISH, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(dream: Dream, event: Event | None) -> None:
        if isinstance(event, Started):
            raise RuntimeError("a fault of the audience's")

    monkeypatch.setattr(rig.witness, "heard", broken)
    await rig.worker.submit(a_wish())
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.start()
    dream = await rig.until(1, DreamState.FAILED)
    assert dream.failure is FailureKind.INTERNAL
    assert "dream 1: a fault of ours" in caplog.text
    await rig.engine.dreams(2)
    rig.engine.finish()
    await rig.until(2, DreamState.DONE)


async def test_an_end_is_stored_as_soon_as_the_database_is_free_again(
    settings: Settings, rig: Rig, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    lock = sqlite3.connect(settings.data_dir / "oneiro.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    rig.engine.finish()
    await until(lambda: "its end cannot be stored yet" in caplog.text)
    lock.execute("ROLLBACK")
    lock.close()
    assert (await rig.until(1, DreamState.DONE)).score == 31.5


async def test_a_dream_that_cannot_be_claimed_just_now_stays_in_line(
    settings: Settings, rig: Rig, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.worker.close()
    await rig.store.add(a_wish())
    lock = sqlite3.connect(settings.data_dir / "oneiro.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    await rig.worker.start()
    await until(lambda: "dream 1: waits" in caplog.text)
    lock.execute("ROLLBACK")
    lock.close()
    await rig.engine.dreams(1)


async def test_a_crash_while_the_database_is_locked_costs_no_dream(
    settings: Settings, rig: Rig, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    lock = sqlite3.connect(settings.data_dir / "oneiro.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    rig.engine.fail(FailureKind.CRASH)
    await until(lambda: "dream 1: waits" in caplog.text)
    lock.execute("ROLLBACK")
    lock.close()
    await rig.engine.dreams(1)
    rig.engine.finish()
    await rig.until(1, DreamState.DONE)


async def test_a_paused_server_s_line_stands_still_and_the_others_go_on(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish(guild_id=3))
    await rig.engine.dreams(1)
    rig.worker.hold(1, True)
    await rig.worker.submit(a_wish(guild_id=1))
    await rig.worker.submit(a_wish(guild_id=2))
    assert rig.worker.places() == {3: 1}
    rig.engine.finish()
    await rig.engine.dreams(3)
    rig.engine.finish()
    await rig.until(3, DreamState.DONE)
    assert rig.engine.current is None
    rig.worker.hold(1, False)
    await rig.engine.dreams(2)


async def test_a_dream_moved_to_the_front_stays_there_over_a_restart(
    settings: Settings, a_wish: A_WISH
) -> None:
    first = await Rig(settings.database_url, "one").open()
    for author in (1, 1, 2, 3):
        await first.worker.submit(a_wish(author_id=author))
    await first.engine.dreams(1)
    assert await first.worker.move_to_front(4)
    assert not await first.worker.move_to_front(1), "it is being dreamt"
    assert first.worker.places() == {4: 1, 3: 2, 2: 3}
    await first.close()
    second = await Rig(settings.database_url, "two").open()
    await second.engine.dreams(4)
    assert second.worker.places() == {1: 1, 3: 2, 2: 3}
    await second.close()


async def test_a_restart_gives_nobody_a_second_turn_in_a_round(settings: Settings, a_wish: A_WISH) -> None:
    first = await Rig(settings.database_url, "one").open()
    for author in (1, 2, 3):
        await first.worker.submit(a_wish(author_id=author))
    await first.engine.dreams(1)
    first.engine.finish()
    await first.engine.dreams(2)
    await first.worker.submit(a_wish(author_id=1))
    await first.worker.submit(a_wish(author_id=4))
    assert first.worker.places() == {3: 1, 5: 2, 4: 3}
    await first.close()
    second = await Rig(settings.database_url, "two").open()
    await second.engine.dreams(2)
    assert second.worker.places() == {3: 1, 5: 2, 4: 3}
    await second.close()


async def test_every_option_reaches_the_engine(rig: Rig, a_wish: A_WISH) -> None:
    wish = a_wish(avoid="people", preset="quick", size=512, spoiler=True)
    await rig.worker.submit(wish, image=picture("PNG"))
    await rig.engine.dreams(1)
    request = rig.engine.requests[0]
    assert (request.avoid, request.preset, request.size) == ("people", "quick", 512)
    assert request.image == picture("PNG")
    assert (request.begin, request.state, request.other_state) == ("new", None, None)
    assert request.state_every_s > 0 and request.timelapse_bytes > 0


async def test_a_crash_costs_only_what_came_after_the_last_state(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.step(state=b"step 1")
    rig.engine.step(state=b"step 2")
    rig.engine.step()
    rig.engine.fail(FailureKind.CRASH)
    await until(lambda: len(rig.engine.requests) == 2)
    again = rig.engine.requests[1]
    assert (again.begin, again.state) == ("resume", b"step 2")
    await rig.engine.dreams(1)
    rig.engine.finish()
    await rig.until(1, DreamState.DONE)
    assert await rig.store.state(1) == b"end of 1"


async def test_a_restart_goes_on_from_the_last_state(settings: Settings, a_wish: A_WISH) -> None:
    before = await Rig(settings.database_url, "before").open()
    await before.worker.submit(a_wish())
    await before.engine.dreams(1)
    before.engine.step(state=b"step 1")
    await until(lambda: _has_state(before))
    await before.close()
    after = await Rig(settings.database_url, "after").open()
    await after.engine.dreams(1)
    assert (after.engine.requests[0].begin, after.engine.requests[0].state) == ("resume", b"step 1")
    await after.close()


async def _has_state(rig: Rig) -> bool:
    return await rig.store.state(1) is not None


async def test_who_lost_the_lease_overwrites_no_state(settings: Settings, a_wish: A_WISH) -> None:
    slow = await Rig(settings.database_url, "slow").open()
    await slow.worker.submit(a_wish())
    await slow.engine.dreams(1)
    slow.engine.step(state=b"step 1")
    await until(lambda: _has_state(slow))
    with closing(sqlite3.connect(settings.data_dir / "oneiro.db", isolation_level=None)) as connection:
        connection.execute("UPDATE dreams SET owner = 'somebody else', lease_until = 9e9")
    slow.engine.step(state=b"step 2")
    slow.engine.finish()
    await until(lambda: slow.engine.current is None)
    assert await slow.store.state(1) == b"step 1"
    await slow.close()


async def test_a_state_that_the_engine_cannot_use_costs_no_dream(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.step(state=b"of an older version")
    rig.engine.fail(FailureKind.CRASH)
    await until(lambda: len(rig.engine.requests) == 2)
    await rig.engine.dreams(1)
    rig.engine.fail(FailureKind.BAD_REQUEST, "This state does not fit.")
    await until(lambda: len(rig.engine.requests) == 3)
    await rig.engine.dreams(1)
    assert rig.engine.requests[2].begin == "new" and rig.engine.requests[2].state is None
    rig.engine.finish()
    await rig.until(1, DreamState.DONE)


async def dreamt(rig: Rig, *wishes: Wish) -> None:
    """These are the first dreams, and they are done."""
    for id, wish in enumerate(wishes, start=1):
        await rig.worker.submit(wish)
        await rig.engine.dreams(id)
        rig.engine.finish()
        await rig.until(id, DreamState.DONE)


async def test_a_dream_begins_at_another_ones_end(rig: Rig, a_wish: A_WISH) -> None:
    await dreamt(rig, a_wish(), a_wish())
    await rig.worker.submit(a_wish(begin="vary", parent_id=1, strength=0.25))
    await rig.engine.dreams(3)
    rig.engine.finish()
    await rig.worker.submit(a_wish(begin="blend", parent_id=1, other_id=2))
    await rig.engine.dreams(4)
    vary, blend = rig.engine.requests[2:]
    assert (vary.begin, vary.state, vary.other_state, vary.strength) == ("vary", b"end of 1", None, 0.25)
    assert (blend.begin, blend.state, blend.other_state) == ("blend", b"end of 1", b"end of 2")


async def test_a_dream_whose_beginning_is_gone_says_so(rig: Rig, a_wish: A_WISH) -> None:
    await dreamt(rig, a_wish())
    await rig.store.erase(1)
    await rig.worker.submit(a_wish(begin="continue", parent_id=1))
    failed = await rig.until(2, DreamState.FAILED)
    assert failed.failure_detail == "The dream that this one begins at is gone."
    assert len(rig.engine.requests) == 1


def chapters(a_wish: A_WISH, count: int, author: int = 11) -> list[Wish]:
    return [
        a_wish(prompt=f"chapter {i}", chapter=i, chapters=count, author_id=author)
        for i in range(1, count + 1)
    ]


async def test_a_story_is_dreamt_chapter_by_chapter_and_others_have_their_turns(
    rig: Rig, a_wish: A_WISH
) -> None:
    await rig.worker.submit_story(chapters(a_wish, 3))
    await rig.engine.dreams(1)
    await rig.worker.submit(a_wish(author_id=12, prompt="a tree"))
    assert rig.worker.places() == {4: 1}, "later chapters are not in line yet"
    for expected in (1, 4, 2, 3):
        await rig.engine.dreams(expected)
        rig.engine.finish()
        await rig.until(expected, DreamState.DONE)
    begun = [(r.prompt, r.begin, r.state) for r in rig.engine.requests]
    assert begun == [
        ("chapter 1", "new", None),
        ("a tree", "new", None),
        ("chapter 2", "continue", b"end of 1"),
        ("chapter 3", "continue", b"end of 2"),
    ]


async def test_a_story_goes_on_after_a_restart(settings: Settings, a_wish: A_WISH) -> None:
    before = await Rig(settings.database_url, "before").open()
    await before.worker.submit_story(chapters(a_wish, 2))
    await before.engine.dreams(1)
    before.engine.finish()
    await before.until(1, DreamState.DONE)
    await before.close()
    after = await Rig(settings.database_url, "after").open()
    await after.engine.dreams(2)
    await after.close()


async def test_stopping_while_a_dream_is_being_claimed_puts_it_back_at_once(
    rig: Rig, a_wish: A_WISH, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, written, go_on = rig.store.claim, asyncio.Event(), asyncio.Event()

    async def slow_claim(dream_id: int, *, lease_s: float) -> Dream | None:
        dream = await claim(dream_id, lease_s=lease_s)
        written.set()
        await go_on.wait()  # the database has it, the worker does not know yet
        return dream

    monkeypatch.setattr(rig.store, "claim", slow_claim)
    dream = await rig.worker.submit(a_wish())
    await written.wait()
    closing = asyncio.create_task(rig.worker.close())
    await asyncio.sleep(0)
    go_on.set()
    await closing
    stored = await rig.store.get(dream.id)
    assert stored is not None and stored.state is DreamState.QUEUED and stored.attempts == 0


@pytest.mark.parametrize("begun", [True, False])
async def test_a_cancelled_chapter_ends_the_story(rig: Rig, a_wish: A_WISH, begun: bool) -> None:
    if not begun:
        await rig.worker.submit(a_wish(author_id=99))
        await rig.engine.dreams(1)
    first = (await rig.worker.submit_story(chapters(a_wish, 3)))[0].id
    if begun:
        await rig.engine.dreams(first)
        rig.engine.step()
    await rig.worker.cancel(first)
    await rig.until(first, DreamState.CANCELLED)
    for id in (first + 1, first + 2):
        later = await rig.until(id, DreamState.CANCELLED)
        assert later.delivered and later.message_id is None
