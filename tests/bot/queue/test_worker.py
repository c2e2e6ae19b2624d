"""The worker: one dream at a time, leases, cancelling across processes, a database that has a moment."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import fields

import pytest
from sqlalchemy import text

from bot.dreams.dream import Dream, DreamState, What, Wish
from bot.dreams.store import Store
from bot.queue.engine_worker import MAX_RESCUES
from bot.queue.limits import LineFull, TooManyWaiting
from bot.queue.worker import Cancelled
from bot.settings import Settings
from engine import DreamRequest, Event, FailureKind, Started
from engine.sentences import Key, Saying
from tests.bot.rig import Rig
from tests.bot.scripted import picture, places, until

A_WISH = Callable[..., Wish]
LOCK = Callable[[], AbstractAsyncContextManager[None]]


async def test_dreams_are_dreamt_one_at_a_time_and_people_alternate(rig: Rig, a_wish: A_WISH) -> None:
    for author in (1, 1, 1, 2):
        await rig.worker.submit(a_wish(author_id=author))
    for expected in (1, 4, 2, 3):
        await rig.engine.dreams(expected)
        rig.engine.finish()
        await rig.until(expected, DreamState.DONE)
    assert rig.witness.states(3) == [DreamState.QUEUED, DreamState.DREAMING, DreamState.DONE]


async def test_the_request_says_what_was_wished(rig: Rig, a_wish: A_WISH) -> None:
    wanted = {"prompt": "the moon", "avoid": "people", "seed": 3, "steps": 50, "size": 256, "strength": 0.25}
    wanted |= {"model": "pocket", "preset": "thorough"}
    await rig.worker.submit(a_wish(**wanted))
    await rig.engine.dreams(1)
    request = rig.engine.requests[0]
    assert {name: getattr(request, name) for name in wanted} == wanted
    assert (request.id, request.begin, request.preview_every_s) == ("1", "new", 4.0)


def test_all_of_what_is_dreamt_reaches_the_engine() -> None:
    asked, heard = ({field.name for field in fields(kind)} for kind in (What, DreamRequest))
    shown_only, as_bytes = {"spoiler"}, {"image_id", "parent_id", "other_id"}
    assert asked - heard == shown_only | as_bytes, "by another name, or not at all"


async def test_the_audience_hears_every_event(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.start(notice=Saying.of(Key.PROMPT_IN_PARTS, parts=2))
    rig.engine.step()
    rig.engine.finish()
    dream = await rig.until(1, DreamState.DONE)
    kinds = [type(event).__name__ for _, _, event in rig.witness.told if event]
    assert kinds == ["Started", "Progress", "Finished"]
    assert Saying.from_json(dream.notice) == Saying.of(Key.PROMPT_IN_PARTS, parts=2)


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
    async with slow.database.transaction() as connection:
        await connection.execute(text("UPDATE dreams SET owner = 'somebody else', lease_until = 9e9"))
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


async def left_behind(rig: Rig, times: int) -> None:
    """So many processes began dream 1 and were killed."""
    for number in range(times):
        await Store(rig.database, owner=f"killed {number}").claim(1, lease_s=-1)


async def test_a_dream_whose_processes_were_killed_goes_on_and_the_engine_is_not_blamed(
    rig: Rig, a_wish: A_WISH
) -> None:
    await rig.worker.close()
    await rig.store.add(a_wish())
    await left_behind(rig, MAX_RESCUES)
    await rig.worker.start()
    await rig.engine.dreams(1)
    rig.engine.fail(FailureKind.CRASH)  # the first time: it is tried again
    await until(lambda: len(rig.engine.requests) == 2)
    rig.engine.finish()
    dream = await rig.until(1, DreamState.DONE)
    assert (dream.attempts, dream.rescues) == (MAX_RESCUES + 2, MAX_RESCUES)


async def test_a_dream_over_which_the_bot_ends_again_and_again_is_given_up_and_says_so(
    rig: Rig, a_wish: A_WISH
) -> None:
    await rig.worker.close()
    await rig.store.add(a_wish())
    await left_behind(rig, MAX_RESCUES + 1)
    await rig.worker.start()
    dream = await rig.until(1, DreamState.FAILED)
    assert dream.failure is FailureKind.STOPPED and rig.engine.requests == []
    assert str(MAX_RESCUES + 1) in str(Saying.from_json(dream.failure_detail))


async def test_the_end_waits_for_no_database_that_is_locked(rig: Rig, a_wish: A_WISH, lock: LOCK) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    async with lock():
        async with asyncio.timeout(10):
            await rig.worker.close()
    dream = await rig.store.get(1)
    assert dream is not None and dream.state is DreamState.DREAMING, "another takes it when its lease ends"


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
    lock: LOCK, rig: Rig, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    async with lock():
        rig.engine.finish()
        await until(lambda: "its end cannot be stored yet" in caplog.text)
    assert (await rig.until(1, DreamState.DONE)).score == 31.5


async def test_a_dream_that_cannot_be_claimed_just_now_stays_in_line(
    lock: LOCK, rig: Rig, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.worker.close()
    await rig.store.add(a_wish())
    async with lock():
        await rig.worker.start()
        await until(lambda: "dream 1: waits" in caplog.text)
    await rig.engine.dreams(1)


async def test_a_crash_while_the_database_is_locked_costs_no_dream(
    lock: LOCK, rig: Rig, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    async with lock():
        rig.engine.fail(FailureKind.CRASH)
        await until(lambda: "dream 1: waits" in caplog.text)
    await rig.engine.dreams(1)
    rig.engine.finish()
    await rig.until(1, DreamState.DONE)


async def test_a_paused_server_s_line_stands_still_and_the_others_go_on(rig: Rig, a_wish: A_WISH) -> None:
    await rig.worker.submit(a_wish(guild_id=3))
    await rig.engine.dreams(1)
    rig.worker.hold(1, True)
    await rig.worker.submit(a_wish(guild_id=1))
    await rig.worker.submit(a_wish(guild_id=2))
    assert rig.turns.places() == {3: 1}
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
    assert places(first.worker) == {4: 1, 3: 2, 2: 3}
    await first.close()
    second = await Rig(settings.database_url, "two").open()
    await second.engine.dreams(4)
    assert places(second.worker) == {1: 1, 3: 2, 2: 3}
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
    assert places(first.worker) == {3: 1, 5: 2, 4: 3}
    await first.close()
    second = await Rig(settings.database_url, "two").open()
    await second.engine.dreams(2)
    assert places(second.worker) == {3: 1, 5: 2, 4: 3}
    await second.close()


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


@pytest.mark.parametrize(
    ("on_the_way", "at_the_end", "kept"),
    [("nudity", "", False), ("", "", True), ("nudity", "nudity", True), ("", "nudity", True)],
)
async def test_a_time_lapse_shows_nothing_that_the_end_may_not(
    rig: Rig, a_wish: A_WISH, on_the_way: str, at_the_end: str, kept: bool
) -> None:
    """The policy for unsafe pictures looks at the end alone; the frames before it are in the film."""
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.step(preview=picture("JPEG"), flagged=on_the_way)
    rig.engine.step(preview=picture("JPEG"))
    rig.engine.finish(timelapse=b"film", flagged=at_the_end)
    await rig.until(1, DreamState.DONE)
    assert (await rig.store.timelapse(1) is not None) is kept


@pytest.mark.parametrize("begin", ["continue", "vary"])
async def test_nor_does_one_that_begins_at_an_unsafe_picture(rig: Rig, a_wish: A_WISH, begin: str) -> None:
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.finish(timelapse=b"film", flagged="nudity")
    await rig.until(1, DreamState.DONE)
    await rig.worker.submit(a_wish(begin=begin, parent_id=1))
    await rig.engine.dreams(2)
    rig.engine.finish(timelapse=b"film")
    await rig.until(2, DreamState.DONE)
    assert await rig.store.timelapse(2) is None and await rig.store.picture(2) is not None
