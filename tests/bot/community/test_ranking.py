"""The best dreams: what is counted, and who comes before whom."""

from collections.abc import Callable

import pytest

from bot.community.ranking import (
    DAY_S,
    By,
    Period,
    Ranking,
    Scope,
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

NOW = 10_000_000.0
ALL = Scope(guild_id=1, channels={2, 3}, flagged=True)


class Rig:
    """Dreams that end when the test says so."""

    def __init__(self, database: Database, a_wish: Callable[..., Wish]) -> None:
        self.now = NOW
        self.store = Store(database, owner="this process", clock=lambda: self.now)
        self.ranking = Ranking(database=database, clock=lambda: NOW)
        self._wish = a_wish

    async def dreamt(self, votes: int, *, ago: float = 0.0, **changes: object) -> Dream:
        """A delivered dream with so many voters, that ended `ago` seconds ago."""
        self.now = NOW - ago
        dream = await self.store.add(self._wish(**changes))
        assert await self.store.claim(dream.id, lease_s=30.0)
        recipe = Recipe(dream.prompt, 7, 5, "pocket", "gan", "clip", "0.1.0")
        finished = Finished(str(dream.id), recipe, 30.0, 5, 5, 1.0, False, b"png")
        await self.store.finish(dream.id, DreamState.DONE, finished=finished, picture=Picture(b"png", "png"))
        await self.store.set_message(dream.id, 1000 + dream.id)
        reactions = [(100 + person, emoji) for person in range(votes) for emoji in ("⭐", "❤")]
        await self.store.replace_votes(dream.id, reactions)
        return dream

    async def best(self, by: By = By.PICTURE, period: Period = Period.EVER, view: Scope = ALL) -> list[int]:
        places, total = await self.ranking.page(view, by, period, page=0, size=10)
        assert total == len(places) and [place.number for place in places] == list(range(1, total + 1))
        return [place.best.id for place in places]


@pytest.fixture
def rig(database: Database, a_wish: Callable[..., Wish]) -> Rig:
    return Rig(database, a_wish)


async def test_most_people_come_first_and_of_equals_the_newer(rig: Rig) -> None:
    older = await rig.dreamt(2, ago=50)
    newer = await rig.dreamt(2, ago=10)
    first = await rig.dreamt(3, ago=99)
    await rig.dreamt(0)
    assert await rig.best() == [first.id, newer.id, older.id]
    places, _ = await rig.ranking.page(ALL, By.PICTURE, Period.EVER, page=0, size=1)
    assert (places[0].votes, places[0].dreams) == (3, 1), "people, not reactions"


async def test_a_period_ends(rig: Rig) -> None:
    ids = [(await rig.dreamt(1, ago=days * DAY_S + 1)).id for days in (0, 1, 7, 30)]
    assert [len(await rig.best(period=period)) for period in Period] == [1, 2, 3, 4]
    assert await rig.best(period=Period.WEEK) == ids[:2]


async def test_dreamers_and_prompts_are_ranked_by_all_their_votes(rig: Rig) -> None:
    one = await rig.dreamt(2, author_id=11, prompt="A Tree")
    await rig.dreamt(1, author_id=11, prompt="a tree ")
    two = await rig.dreamt(3, author_id=12, prompt="a house")
    assert await rig.best(By.DREAMER) == [two.id, one.id], "of equals the one with fewer dreams"
    assert await rig.best(By.PROMPT) == [two.id, one.id]
    places, _ = await rig.ranking.page(ALL, By.PROMPT, Period.EVER, page=0, size=10)
    assert [(place.votes, place.dreams) for place in places] == [(3, 1), (3, 2)]


async def test_what_one_may_not_see_and_what_is_gone_is_not_counted(rig: Rig) -> None:
    seen = await rig.dreamt(1, channel_id=3)
    await rig.dreamt(9, channel_id=4)
    await rig.dreamt(9, guild_id=2)
    gone = await rig.dreamt(9)
    assert await rig.store.erase(gone.id)
    for by in By:
        assert await rig.best(by) == [seen.id]
    assert await rig.ranking.channels(1) == {2, 3, 4}


async def test_pages_follow_each_other(rig: Rig) -> None:
    ids = [(await rig.dreamt(votes)).id for votes in (5, 4, 3, 2, 1)]
    pages = [await rig.ranking.page(ALL, By.PICTURE, Period.EVER, page=page, size=2) for page in range(4)]
    assert [[place.best.id for place in places] for places, _ in pages] == [ids[:2], ids[2:4], ids[4:], []]
    assert {total for _, total in pages} == {5}
