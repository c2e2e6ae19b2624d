"""Several engines at one line: who dreams what, and what becomes of the others when one of them fails."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import text

from bot.dreams.dream import Dream, DreamState, Wish
from bot.queue import engine_worker
from bot.queue.durations import Occupancy
from bot.queue.engine_worker import MAX_ATTEMPTS
from bot.queue.worker import Cancelled
from bot.settings import Settings
from engine import FailureKind
from tests.bot.rig import Rig
from tests.bot.scripted import ScriptedEngine, picture, places, until

A_WISH = Callable[..., Wish]


@pytest.fixture
async def two(prepared: Settings) -> AsyncIterator[Rig]:
    """A process with two engines."""
    rig = await Rig(prepared.database_url, "one", engines=2).open()
    yield rig
    await rig.close()


def dreamt(rig: Rig) -> list[int | None]:
    """What each engine dreams now."""
    return [engine.current and int(engine.current.id) for engine in rig.engines]


async def dreaming(rig: Rig, *dream_ids: int) -> list[ScriptedEngine]:
    """The engines of these dreams, once just these are being dreamt."""
    await until(lambda: sorted(id for id in dreamt(rig) if id is not None) == sorted(dream_ids))
    return [rig.engines[dreamt(rig).index(dream_id)] for dream_id in dream_ids]


@pytest.mark.parametrize("engines", [1, 2, 4])
async def test_as_many_dreams_as_engines_are_dreamt_at_once_and_the_order_is_fair(
    prepared: Settings, a_wish: A_WISH, engines: int
) -> None:
    rig = await Rig(prepared.database_url, "one", engines=engines).open()
    for author in (1, 1, 1, 1, 2, 3):
        await rig.worker.submit(a_wish(author_id=author))
    began = [1, 2, 3, 4][:engines]  # whoever was there first; the others had not asked yet
    order = [id for id in (1, 5, 6, 2, 3, 4) if id not in began] if engines == 1 else None
    await dreaming(rig, *began)
    assert places(rig.worker).keys() == set(range(1, 7)) - set(began)
    assert [each.dream is not None for each in rig.worker.occupancies()] == [True] * engines
    if order:
        assert list(places(rig.worker)) == order
    expected = list(places(rig.worker))
    for dream_id in expected:
        done = next(engine for engine in rig.engines if engine.current is not None)
        done.finish()
        await until(lambda dream_id=dream_id: dream_id in dreamt(rig))  # type: ignore[misc]
    for engine in rig.engines:
        if engine.current is not None:
            engine.finish()
    for dream_id in range(1, 7):
        await rig.until(dream_id, DreamState.DONE)
    requests = [request.id for engine in rig.engines for request in engine.requests]
    assert sorted(requests) == list("123456"), "each once"
    await rig.close()


async def test_who_floods_has_no_more_turns_although_several_are_dreamt(two: Rig, a_wish: A_WISH) -> None:
    for _ in range(5):
        await two.worker.submit(a_wish(author_id=1))
    first, _ = await dreaming(two, 1, 2)
    late = await two.worker.submit(a_wish(author_id=2))
    first.finish()
    await dreaming(two, 2, late.id)


async def test_a_cancel_reaches_the_engine_that_has_the_dream_and_no_other(two: Rig, a_wish: A_WISH) -> None:
    for author in (1, 2):
        await two.worker.submit(a_wish(author_id=author))
    one, other = await dreaming(two, 1, 2)
    for engine in (one, other):
        engine.step(preview=picture("JPEG"))
    assert await two.worker.cancel(2) is Cancelled.STOPPING
    await two.until(2, DreamState.CANCELLED)
    await dreaming(two, 1)
    one.finish()
    await two.until(1, DreamState.DONE)


async def test_a_cancel_from_another_process_reaches_it_too(
    settings: Settings, two: Rig, a_wish: A_WISH
) -> None:
    other = await Rig(settings.database_url, "two").open()
    await other.worker.close()
    for author in (1, 2):
        await two.worker.submit(a_wish(author_id=author))
    await dreaming(two, 1, 2)
    assert await other.worker.cancel(2) is Cancelled.STOPPING
    await two.until(2, DreamState.CANCELLED)
    await dreaming(two, 1)
    await other.close()


async def test_stopping_gives_every_dream_back_at_the_state_that_was_kept(
    settings: Settings, two: Rig, a_wish: A_WISH
) -> None:
    for author in (1, 2):
        await two.worker.submit(a_wish(author_id=author))
    for engine, state in zip(await dreaming(two, 1, 2), (b"one", b"two"), strict=True):
        engine.step(state=state)

    async def kept() -> bool:
        return await two.store.has_state(1) and await two.store.has_state(2)

    await until(kept)
    await two.worker.close()
    assert not two.worker.is_running
    later = await Rig(settings.database_url, "two", engines=2).open()
    engines = await dreaming(later, 1, 2)
    assert [engine.requests[0].state for engine in engines] == [b"one", b"two"]
    for dream_id, engine in enumerate(engines, start=1):
        engine.finish()
        assert (await later.until(dream_id, DreamState.DONE)).attempts == 1
    await later.close()


async def test_both_leases_are_renewed(settings: Settings, a_wish: A_WISH) -> None:
    rig = await Rig(settings.database_url, "one", engines=2, lease_s=0.3).open()
    for author in (1, 2):
        await rig.worker.submit(a_wish(author_id=author))
    await dreaming(rig, 1, 2)

    async def leases() -> list[float]:
        async with rig.database.transaction() as connection:
            return list(await connection.scalars(text("SELECT lease_until FROM dreams ORDER BY id")))

    first = await leases()

    async def later() -> bool:
        return all(now > before for now, before in zip(await leases(), first, strict=True))

    await until(later)
    await rig.close()


async def test_a_crash_of_one_engine_costs_the_other_one_s_dream_nothing(two: Rig, a_wish: A_WISH) -> None:
    for author in (1, 2, 3):
        await two.worker.submit(a_wish(author_id=author))
    broken, well = await dreaming(two, 1, 2)
    broken.step(state=b"so far")
    well.step()
    broken.fail(FailureKind.CRASH)
    await until(lambda: len(broken.requests) == 2)
    assert (broken.requests[1].id, broken.requests[1].state) == ("1", b"so far"), (
        "it had begun well: once more"
    )
    await dreaming(two, 1, 2)
    well.finish()
    broken.finish()
    for dream_id in (1, 2):
        await two.until(dream_id, DreamState.DONE)
    await dreaming(two, 3)
    assert [request.id for request in well.requests] == ["2", "3"] or broken.requests[-1].id == "3"


@pytest.mark.parametrize("kind", [FailureKind.CRASH, FailureKind.HANG, FailureKind.MEMORY])
async def test_what_an_engine_cannot_even_begin_another_one_dreams_and_it_rests(
    two: Rig, a_wish: A_WISH, kind: FailureKind
) -> None:
    for author in (1, 2, 3):
        await two.worker.submit(a_wish(author_id=author))
    broken, well = await dreaming(two, 1, 2)
    well.start()
    broken.fail(kind)
    await until(lambda: len(two.worker.occupancies()) == 1)
    assert two.worker.order()[0].dream_id == 1, "the next one of its server"
    for dream_id in (2, 1, 3):
        await dreaming(two, dream_id)
        well.finish()
        await two.until(dream_id, DreamState.DONE)
    assert [request.id for request in well.requests] == ["2", "1", "3"]
    assert len(broken.requests) == 1


async def test_a_broken_engine_fails_nobody_s_dream_however_often_it_tries(
    two: Rig, a_wish: A_WISH, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_worker, "REST_S", 0.001)
    await two.worker.submit(a_wish(author_id=1))
    (well,) = await dreaming(two, 1)
    (broken,) = (engine for engine in two.engines if engine is not well)
    well.step()
    await two.worker.submit(a_wish(author_id=2))
    for tries in range(1, MAX_ATTEMPTS + 3):
        await until(lambda tries=tries: len(broken.requests) == tries and broken.current is not None)  # type: ignore[misc]
        broken.fail(FailureKind.CRASH)
    well.finish()
    await until(lambda: broken.current is not None or well.current is not None)
    (engine,) = await dreaming(two, 2)
    engine.finish()
    assert (await two.until(2, DreamState.DONE)).attempts <= MAX_ATTEMPTS


async def test_a_dream_that_ends_every_engine_fails_as_with_one(two: Rig, a_wish: A_WISH) -> None:
    await two.worker.submit(a_wish())
    for tries in range(MAX_ATTEMPTS):
        await until(lambda: any(engine.current for engine in two.engines))
        (engine,) = await dreaming(two, 1)
        engine.fail(FailureKind.CRASH)
        await until(lambda engine=engine: engine.current is None or len(engine.requests) > 1)  # type: ignore[misc]
        assert sum(len(each.requests) for each in two.engines) >= tries + 1
    dream = await two.until(1, DreamState.FAILED)
    assert (dream.failure, dream.attempts) == (FailureKind.CRASH, MAX_ATTEMPTS)
    assert [len(engine.requests) for engine in two.engines] == [1, 1], "each had a try"


async def test_a_dream_that_was_seen_twice_is_in_one_hand(two: Rig, a_wish: A_WISH) -> None:
    """The look into the database may find it before whoever stored it has put it in line."""
    dream = await two.worker.submit(a_wish())
    await dreaming(two, 1)
    two.worker.join(dream)
    await until(lambda: dream.id not in two.turns)
    await asyncio.sleep(0.05)
    (engine,) = await dreaming(two, 1)
    engine.finish()
    await two.until(1, DreamState.DONE)
    assert sum(len(each.requests) for each in two.engines) == 1


async def test_a_dream_rather_goes_where_its_models_are_loaded(two: Rig, a_wish: A_WISH) -> None:
    async def one(model: str) -> ScriptedEngine:
        dream: Dream = await two.worker.submit(a_wish(model=model))
        (engine,) = await dreaming(two, dream.id)
        engine.start(model=model if model != "auto" else "pocket")
        engine.finish(model=model)
        await two.until(dream.id, DreamState.DONE)
        await until(lambda: all(each.dream is None for each in two.worker.occupancies()))
        return engine

    small = await one("auto")
    large = await one("biggan-deep-512")
    assert large is not small, "rather one with no models to put away"
    wishes = ("biggan-deep-512", "auto", "pocket", "biggan-deep-512", "biggan-deep-512", "auto")
    for model in wishes:
        assert await one(model) is (large if model == "biggan-deep-512" else small)
    assert not two.worker.checks_pictures, "pocket's are not looked at"
    await one("biggan-deep-512")


async def test_nobody_waits_for_an_engine_with_the_right_models(two: Rig, a_wish: A_WISH) -> None:
    first = await two.worker.submit(a_wish(model="pocket", author_id=1))
    (small,) = await dreaming(two, first.id)
    small.start(model="pocket")
    second = await two.worker.submit(a_wish(model="pocket", author_id=2))
    await dreaming(two, first.id, second.id)


async def test_what_each_engine_does_is_known(two: Rig, a_wish: A_WISH) -> None:
    assert two.worker.occupancies() == [Occupancy(), Occupancy()]
    dream = await two.worker.submit(a_wish())
    (engine,) = await dreaming(two, dream.id)
    engine.start()
    engine.step()
    await until(lambda: any(each.progress for each in two.worker.occupancies()))
    (busy,) = (each for each in two.worker.occupancies() if each.dream is not None)
    assert busy.is_loaded and busy.dream is not None and busy.dream.id == dream.id
    engine.fail(FailureKind.CRASH)
    await until(lambda: len(engine.requests) == 2)
    assert not any(each.is_loaded for each in two.worker.occupancies())
