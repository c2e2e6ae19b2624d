"""Several processes on one database: what is let in, heard of and handed over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from sqlalchemy import insert, text

from bot.database.shards import Shards
from bot.database.tables import dreams
from bot.dreams.dream import Dream, DreamState, Wish, shared
from bot.queue.fair_queue import PART
from bot.queue.lane import Turn
from bot.queue.limits import NOBODY, LineFull, ServerFull, TooManyWaiting, TooOften
from bot.queue.worker import POLL_S, Cancelled
from bot.servers.settings import Allowance
from bot.settings import Settings
from tests.bot.rig import Rig
from tests.bot.scripted import picture, until

A_WISH = Callable[..., Wish]
NEVER_S = 1e6
HAND_OVER_S = 10.0
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
async def both(prepared: Settings) -> AsyncIterator[list[Rig]]:
    """Two processes that never look at the line again by themselves, and dream nothing."""
    rigs = []
    for owner in ("one", "two"):
        waits = {"per_person": 2, "in_all": 5, "poll_s": NEVER_S, "busy_timeout_s": 10.0}
        rigs.append(await Rig(prepared.database_url, owner, **waits).open())
    await rigs[0].moderation.change(1, by=9, change=lambda old: replace(old, paused=True))
    await rigs[1].moderation.refresh()
    yield rigs
    for rig in rigs:
        await rig.close()


def counted(answers: list[Dream | BaseException]) -> dict[type, int]:
    kinds = [type(answer) for answer in answers]
    return {kind: kinds.count(kind) for kind in kinds}


async def ask(both: list[Rig], wishes: list[Wish]) -> list[Dream | BaseException]:
    """All at once, of one process and the other in turn."""
    asked = (both[n % 2].worker.submit(wish) for n, wish in enumerate(wishes))
    return await asyncio.gather(*asked, return_exceptions=True)


async def test_two_processes_let_in_no_more_than_one_would(both: list[Rig], a_wish: A_WISH) -> None:
    answers = await ask(both, [a_wish(author_id=author) for author in (1, 1, 1, 2, 2, 2, 3, 3, 3)])
    assert counted(answers) == {Dream: 5, TooManyWaiting: 2, LineFull: 2}
    assert len(await both[0].store.waiting()) == 5


async def test_a_server_s_limits_hold_for_all_processes_together(both: list[Rig], a_wish: A_WISH) -> None:
    await both[0].moderation.change(
        1, by=9, change=lambda old: replace(old, together=Allowance(waiting=3, per_hour=4))
    )
    await both[1].moderation.refresh()
    answers = await ask(both, [a_wish(author_id=author) for author in range(1, 7)])
    assert counted(answers) == {Dream: 3, ServerFull: 3}
    for dream in await both[0].store.waiting():
        await both[0].store.claim(dream.id, lease_s=NEVER_S)
    answers = await ask(both, [a_wish(author_id=author) for author in range(1, 7)])
    assert counted(answers) == {Dream: 1, TooOften: 5}


async def test_direct_messages_are_each_person_s_own(both: list[Rig], a_wish: A_WISH) -> None:
    for rig in both:
        rig.turns.hold(-1), rig.turns.hold(-2)
    wishes = [a_wish(author_id=author, guild_id=None) for author in (1, 1, 2, 2)]
    assert counted(await ask(both, wishes)) == {Dream: 4}
    assert counted(await ask(both, [a_wish(author_id=1, guild_id=None)])) == {TooManyWaiting: 1}


async def test_who_was_let_in_keeps_nobody_out_once_it_is_their_turn(both: list[Rig], a_wish: A_WISH) -> None:
    first = await both[0].worker.submit(a_wish(author_id=1))
    await both[0].worker.submit(a_wish(author_id=1))
    with pytest.raises(TooManyWaiting):
        await both[1].worker.check([a_wish(author_id=1)], NOBODY)
    assert await both[1].worker.cancel(first.id) is Cancelled.WITHDRAWN
    await both[0].worker.check([a_wish(author_id=1)], NOBODY)


async def test_whoever_is_asked_to_stop_hands_its_dream_over_at_its_saved_state(
    prepared: Settings, a_wish: A_WISH
) -> None:
    old = await Rig(prepared.database_url, "old").open()
    dream = await old.worker.submit(a_wish())
    await old.engine.dreams(dream.id)
    old.engine.step(preview=picture("JPEG"), state=b"half of it")
    await until(lambda: _has_state(old, dream.id))
    poll_s = NEVER_S if old.database.tells_news else POLL_S
    new = await Rig(prepared.database_url, "new", poll_s=poll_s).open()
    assert new.engine.current is None
    loop = asyncio.get_running_loop()
    began = loop.time()
    await old.close()
    await new.engine.dreams(dream.id)
    assert loop.time() - began < HAND_OVER_S
    (request,) = new.engine.requests
    assert (request.begin, request.state) == ("resume", b"half of it")
    new.engine.finish()
    ended = await new.until(dream.id, DreamState.DONE)
    assert (ended.attempts, ended.rescues) == (1, 0), "a stop is nobody's fault"
    await new.close()


async def _has_state(rig: Rig, dream_id: int) -> bool:
    return await rig.store.state(dream_id) is not None


@POSTGRESQL
async def test_postgresql_tells_other_processes_at_once(both: list[Rig], a_wish: A_WISH) -> None:
    one, two = both
    await until(lambda: one.news.is_listening and two.news.is_listening)
    dream = await one.worker.submit(a_wish())
    await until(lambda: dream.id in two.turns)
    await one.worker.cancel(dream.id)
    await until(lambda: dream.id not in two.turns)
    again = await one.worker.submit(a_wish())
    await until(lambda: again.id in two.turns)
    one.worker.hold(1, False)  # before it says so to the other
    await one.engine.dreams(again.id)
    await one.moderation.change(1, by=9, change=lambda old: replace(old, paused=False))
    await until(lambda: not two.moderation.settings(1).paused)
    one.engine.step(preview=picture("JPEG"))
    assert await two.worker.cancel(again.id) is Cancelled.STOPPING
    await one.until(again.id, DreamState.CANCELLED)


@POSTGRESQL
async def test_a_cut_connection_is_made_anew_and_nothing_is_missed(both: list[Rig], a_wish: A_WISH) -> None:
    one, two = both
    await until(lambda: one.news.is_listening and two.news.is_listening)
    async with one.database.transaction() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database()"
            )
        )
    dream = await one.worker.submit(a_wish())
    await until(lambda: dream.id in two.turns)


async def test_a_move_to_the_front_is_followed_by_every_process(both: list[Rig], a_wish: A_WISH) -> None:
    one, two = both
    dreams = [await one.worker.submit(a_wish(author_id=author)) for author in (1, 2, 3, 4)]
    await two.worker.refresh()
    first, second, third, fourth = (dream.id for dream in dreams)
    assert await one.worker.move_to_front(third)
    assert await two.worker.move_to_front(fourth)
    for rig in both:
        await rig.worker.refresh()
        assert rig.worker.order_of(1) == [fourth, third, first, second]
    moves = one.witness.moves
    await one.worker.refresh()
    assert one.witness.moves == moves, "nothing is new"


async def test_a_turn_that_came_elsewhere_is_a_turn(both: list[Rig], a_wish: A_WISH) -> None:
    one, two = both
    mine = [await one.worker.submit(a_wish(author_id=1)) for _ in range(2)]
    other = await one.worker.submit(a_wish(author_id=2))
    await two.worker.refresh()
    await one.store.claim(mine[0].id, lease_s=NEVER_S)
    await two.worker.refresh()
    late = await two.worker.submit(a_wish(author_id=2))
    assert two.worker.order_of(1) == [other.id, mine[1].id, late.id]
    await two.worker.cancel(other.id)
    await one.worker.refresh()
    assert one.worker.order_of(1) == two.worker.order_of(1) == [late.id, mine[1].id]


async def test_where_shards_are_spread_each_shows_its_own_places_and_counts_all_engines(
    prepared: Settings, a_wish: A_WISH
) -> None:
    """`busy` has the shard of even servers, and an engine; `front` that of odd ones, and none."""
    waits = {"poll_s": NEVER_S, "busy_timeout_s": 10.0}
    busy = await Rig(prepared.database_url, "busy", shards=Shards(2, frozenset({0})), **waits).open()
    front = await Rig(prepared.database_url, "front", shards=Shards(2, frozenset({1})), **waits).open()
    try:
        front.worker.dismiss(front.engine)
        first = await busy.worker.submit(a_wish(guild_id=2 << 22))
        await busy.until(first.id, DreamState.DREAMING)
        await front.worker.refresh()
        (there,) = front.worker.occupancies_everywhere()
        assert there.dream is not None and there.dream.id == first.id and front.worker.occupancies() == []
        assert len(busy.worker.occupancies_everywhere()) == 1

        # Whoever takes it in or gives it back: its place is told by the process that hears of its server.
        theirs = await busy.store.add(a_wish(guild_id=1 << 22))
        await busy.worker.refresh()
        await front.worker.refresh()
        assert theirs.id in {id for id, state, _ in front.witness.told if state is DreamState.QUEUED}
        assert theirs.id not in {id for id, _, _ in busy.witness.told}
        assert busy.worker.place(theirs.id) == front.worker.place(theirs.id) == 1
    finally:
        await front.close()
        await busy.close()


async def test_of_a_long_line_only_what_changed_is_read_again(both: list[Rig], a_wish: A_WISH) -> None:
    one, two = both
    async with one.database.transaction() as connection:
        wishes = [shared(a_wish(author_id=author), Wish) for author in range(1, 2 * PART)]
        usual = {"state": "queued", "attempts": 0, "created_at": 1.0}
        await connection.execute(insert(dreams), [wish | usual for wish in wishes])
    await two.worker.refresh()
    assert two.worker.waiting() == 2 * PART - 1
    read: list[tuple[int, int]] = []
    line = two.store.line

    async def hear(first: int, end: int) -> list[Turn]:
        read.append((first, end))
        return await line(first, end)

    two.store.line = hear  # type: ignore[method-assign]
    await two.worker.refresh()
    assert read == []
    assert await one.store.cancel_queued(PART + 7)
    await two.worker.refresh()
    assert set(read) == {(PART, 2 * PART)}, "once more where the database calls"
    assert two.worker.waiting() == 2 * PART - 2 and PART + 7 not in two.turns


async def test_whose_turn_came_may_be_asked_of_very_many(both: list[Rig], a_wish: A_WISH) -> None:
    mine = [await both[0].worker.submit(a_wish(author_id=1)) for _ in range(2)]
    for dream in reversed(mine):
        assert await both[0].store.claim(dream.id, lease_s=NEVER_S)
    assert await both[1].store.begun(range(40_000)) == [mine[1].id, mine[0].id]
