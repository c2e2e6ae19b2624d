"""Contests as they are stored: one at a time, one entry a person, and the votes decide once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.community.contests import (
    DAY_S,
    AlreadyRunning,
    Contest,
    Contests,
)
from bot.database.connection import Database
from bot.dreams.dream import (
    Dream,
    DreamState,
    Picture,
    Wish,
)
from bot.dreams.store import Store
from engine import Finished, Recipe

DREAMT = Callable[..., Awaitable[Dream]]
NOW = 10_000_000.0


@pytest.fixture
def contests(database: Database) -> Contests:
    return Contests(database=database, clock=lambda: NOW)


@pytest.fixture
def dreamt(database: Database, a_wish: Callable[..., Wish]) -> DREAMT:
    """Makes dreams with a picture, a message and so many voters."""
    store = Store(database, owner="this process", clock=lambda: NOW)

    async def make(author_id: int, votes: int = 0) -> Dream:
        dream = await store.add(a_wish(author_id=author_id))
        await store.claim(dream.id, lease_s=30.0)
        recipe = Recipe(dream.prompt, 7, 5, "pocket", "gan", "clip", "0.1.0")
        finished = Finished(str(dream.id), recipe, 30.0, 5, 5, 1.0, False, b"png")
        await store.finish(dream.id, DreamState.DONE, finished=finished, picture=Picture(b"png", "png"))
        await store.set_message(dream.id, 1000 + dream.id)
        await store.replace_votes(dream.id, [(100 + person, "⭐") for person in range(votes)])
        kept = await store.get(dream.id)
        assert kept is not None
        return kept

    return make


async def begun(contests: Contests, guild_id: int = 1) -> Contest:
    return await contests.start(
        guild_id=guild_id, channel_id=2, theme="the sea", language="en", by=99, span_s=DAY_S
    )


async def test_one_runs_at_a_time_whoever_starts_it(contests: Contests) -> None:
    started = await asyncio.gather(*(begun(contests) for _ in range(3)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in started) == ["AlreadyRunning", "AlreadyRunning", "Contest"]
    with pytest.raises(AlreadyRunning):
        await begun(contests)
    other = await begun(contests, guild_id=2**62)
    assert await contests.running(2**62) == other
    assert len(await contests.open()) == 2


async def test_a_person_s_last_entry_counts_however_quickly_they_click(
    contests: Contests, dreamt: DREAMT
) -> None:
    contest, first, second = await begun(contests), await dreamt(11), await dreamt(11)
    assert [dream.id for dream in await contests.candidates(contest, 11)] == [second.id, first.id]
    assert all(await asyncio.gather(*(contests.enter(contest, first) for _ in range(4))))
    assert await contests.enter(contest, second)
    assert [entry.dream.id for entry in await contests.entries(contest.id)] == [second.id]


async def test_the_votes_decide_once_and_the_winner_is_told(contests: Contests, dreamt: DREAMT) -> None:
    contest = await begun(contests)
    for author, votes in ((11, 1), (12, 3), (13, 0)):
        assert await contests.enter(contest, await dreamt(author, votes))
    assert [(entry.dream.author_id, entry.votes) for entry in await contests.entries(contest.id)] == [
        (12, 3),
        (11, 1),
        (13, 0),
    ]
    assert not await contests.finish(contest.id), "its time is not over"
    ends = await asyncio.gather(*(contests.finish(contest.id, now=True) for _ in range(3)))
    assert sorted(ends) == [False, False, True]
    assert not await contests.enter(contest, await dreamt(14))
    over = await contests.last(1)
    assert over is not None and over.winner_votes == 3 and over.running_in is None
    assert await contests.open() == [over]
    await contests.told(contest.id, 500)
    assert await contests.open() == []
