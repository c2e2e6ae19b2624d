"""A crew that grows and shrinks: engines join while dreams wait, leave at rest, or are lost in mid-dream."""

from collections.abc import AsyncIterator, Callable

import pytest

from bot.dreams.dream import DreamState, Wish
from bot.queue.engine_worker import MAX_ATTEMPTS, MAX_RESCUES
from bot.settings import Settings
from engine import FailureKind
from engine.sentences import Key, Saying
from tests.bot.rig import Rig
from tests.bot.scripted import ScriptedEngine, places, until

A_WISH = Callable[..., Wish]


@pytest.fixture
async def one(prepared: Settings) -> AsyncIterator[Rig]:
    """A process with one engine."""
    rig = await Rig(prepared.database_url, "one").open()
    yield rig
    await rig.close()


def join(rig: Rig) -> ScriptedEngine:
    """Another engine."""
    engine = ScriptedEngine()
    rig.engines.append(engine)
    rig.worker.hire(engine)
    return engine


def lose(rig: Rig, engine: ScriptedEngine) -> None:
    """Its machine is gone: its dream hears it, and the worker."""
    if engine.current is not None:
        engine.fail(FailureKind.LOST)
    rig.worker.dismiss(engine)


async def test_who_joins_dreams_what_waits(one: Rig, a_wish: A_WISH) -> None:
    for author in (1, 2):
        await one.worker.submit(a_wish(author_id=author))
    await one.engine.dreams(1)
    moves = one.witness.moves
    second = join(one)
    assert one.worker.engines == 2 and one.witness.moves > moves, "times promised are other ones now"
    await second.dreams(2)
    for engine in one.engines:
        engine.finish()
    for dream_id in (1, 2):
        await one.until(dream_id, DreamState.DONE)


async def test_without_an_engine_dreams_wait_and_the_next_one_that_joins_dreams_them(
    one: Rig, a_wish: A_WISH
) -> None:
    one.worker.dismiss(one.engine)
    one.worker.dismiss(one.engine)  # once more is harmless
    assert one.worker.engines == 0 and one.worker.occupancies() == []
    await one.worker.submit(a_wish())
    assert places(one.worker) == {1: 1} and one.worker.is_running
    engine = join(one)
    await engine.dreams(1)
    engine.finish()
    await one.until(1, DreamState.DONE)
    assert one.engine.requests == []


async def test_a_dream_whose_machine_is_lost_goes_on_elsewhere_and_is_not_to_blame(
    one: Rig, a_wish: A_WISH
) -> None:
    await one.worker.submit(a_wish())
    engine = one.engine
    losses = 2 * max(MAX_ATTEMPTS, MAX_RESCUES)
    for number in range(losses):
        await engine.dreams(1)
        engine.start()
        engine.step(state=b"state %d" % number)
        await until(lambda engine=engine: engine._events.empty())  # type: ignore[misc]
        after = join(one)
        lose(one, engine)
        await after.dreams(1)
        request = after.requests[0]
        assert (request.begin, request.state) == ("resume", b"state %d" % number)
        engine = after
    assert one.worker.engines == 1
    engine.finish()
    dream = await one.until(1, DreamState.DONE)
    assert (dream.attempts, dream.rescues) == (1, 0)


async def test_a_dream_that_loses_one_machine_after_the_other_before_it_got_anywhere_is_given_up(
    one: Rig, a_wish: A_WISH
) -> None:
    await one.worker.submit(a_wish())
    engine = one.engine
    for _ in range(MAX_RESCUES + 1):
        await engine.dreams(1)
        after = join(one)
        lose(one, engine)
        engine = after
    dream = await one.until(1, DreamState.FAILED)
    assert Saying.from_json(dream.failure_detail) == Saying.of(Key.RESCUES, times=MAX_RESCUES + 1)
    assert engine.requests == []


async def test_somebody_who_cancels_while_the_machine_is_lost_gets_the_best_picture(
    one: Rig, a_wish: A_WISH
) -> None:
    await one.worker.submit(a_wish())
    await one.engine.dreams(1)
    one.engine.start()
    one.engine.step(preview=b"a preview")
    await until(lambda: one.engine._events.empty())
    one.engine.stop = _nothing  # type: ignore[method-assign]
    await one.worker.cancel(1)
    lose(one, one.engine)
    await one.until(1, DreamState.CANCELLED)
    kept = await one.store.picture(1)
    assert kept is not None and kept.content == b"a preview"


async def test_an_engine_that_leaves_with_a_dream_in_hand_may_still_end_it(one: Rig, a_wish: A_WISH) -> None:
    await one.worker.submit(a_wish())
    await one.engine.dreams(1)
    one.worker.dismiss(one.engine)
    assert one.worker.engines == 1, "until it has"
    one.engine.finish()
    await one.until(1, DreamState.DONE)
    await until(lambda: one.worker.engines == 0)
    await one.worker.submit(a_wish())
    second = join(one)
    await second.dreams(2)


async def _nothing(id: str) -> None:
    """The stop is lost on its way."""
