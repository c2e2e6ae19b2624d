"""The end of a contest is told in the local channel by a card, whenever it comes about, and once."""

from dataclasses import replace
from pathlib import Path
from time import time

import pytest

from bot.community.contests import DAY_S
from bot.dreams.local import GUILD_ID
from bot.settings import Settings
from tests.bot.scripted import until
from tests.bot.web.conftest import House, Visitor

OVER = "The dream contest is over"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """With SQLite alone: what a database does is tried elsewhere."""
    return f"sqlite:///{tmp_path}/oneiro.db"


async def begin(house: House, moderator: Visitor) -> None:
    async with await moderator.post("/moderate/contest", {"theme": "au<b>tumn", "days": "1"}) as answer:
        assert answer.status == 200


async def enter(house: House, person: Visitor, words: str, *voters: Visitor) -> int:
    """Dream this, enter it, and let these vote for it."""
    await person.say(words)
    number = (await house.dreams())[-1].id
    await house.finish(number)

    async def delivered() -> bool:
        return (await house.dream(number)).delivered

    await until(delivered)
    assert "Entered" in await person.say("/contest enter")
    for voter in voters:
        await voter.said(f"/dreams/{number}/votes", {"emoji": "⭐", "on": "1"})
    return number


async def told(visitor: Visitor) -> None:
    async def there() -> bool:
        return OVER in await visitor.html()

    await until(there)


def hurry(house: House) -> None:
    """Its time is over, by a clock that is put forward."""
    house.heart.contests.clock = lambda: time() + 2 * DAY_S
    house.room.contest_ends.wake()


async def test_the_winner_is_told_when_its_time_is_over_to_whoever_watches(house: House) -> None:
    mo, ada, bo = [await house.visitor(name) for name in ("Mo", "Ada", "Bo")]
    await begin(house, mo)
    first = await enter(house, ada, "a red leaf", bo)
    await enter(house, bo, "a brown leaf")
    async with await bo.get("/events") as stream:
        hurry(house)
        seen = b""
        while b"contest-1" not in seen:
            seen += await stream.content.readany()
    await told(bo)
    page = await bo.html()
    card = page.partition('id="contest-1"')[2].partition("</li>")[0]
    assert "Ada" in card and "1 vote" in card and "a red leaf" in card and "au&lt;b&gt;tumn" in card
    assert f'href="#dream-{first}"' in card and f'src="/dreams/{first}/picture"' in card
    assert page.index('id="dream-2"') < page.index('id="contest-1"'), "below what was newest then"
    hurry(house)
    assert (await bo.html()).count('id="contest-1"') == 1
    answer = await bo.say("/contest show")
    assert (
        answer == ""
        and "a red leaf" in (await (await bo.post("/say", {"text": "/contest show"})).json())["html"]
    )


async def test_a_moderator_ends_it_and_nobody_s_votes_make_no_winner(house: House) -> None:
    mo, ada = await house.visitor("Mo"), await house.visitor("Ada")
    await begin(house, mo)
    await enter(house, ada, "a red leaf")
    await mo.post("/moderate/uncontest")
    await told(ada)
    assert "Nobody voted, so there is no winner this time." in await ada.html()
    assert await house.heart.contests.open(local=True) == []


async def test_a_deleted_winner_leaves_its_words_and_picture_out(house: House) -> None:
    mo, ada = await house.visitor("Mo"), await house.visitor("Ada")
    await begin(house, mo)
    number = await enter(house, ada, "a red leaf", mo)
    hurry(house)
    await told(mo)
    async with await mo.get("/events") as stream:
        await ada.said(f"/dreams/{number}/delete")
        seen = b""
        while b"contest-1" not in seen:
            seen += await stream.content.readany()
    assert b"red leaf" not in seen
    card = (await mo.html()).partition('id="contest-1"')[2].partition("</li>")[0]
    assert "Ada" in card and "red leaf" not in card and "/picture" not in card


async def test_one_that_ended_while_nobody_was_here_is_told_at_the_next_start(prepared: Settings) -> None:
    house = await House(prepared).open()
    await begin(house, await house.visitor("Mo"))
    await house.close()
    again = House(replace(prepared))
    again.heart.contests.clock = lambda: time() + 2 * DAY_S
    await again.open()
    try:
        await told(await again.visitor("Ada"))
        (last,) = await again.heart.contests.told_in_channel(GUILD_ID)
        assert last[0].told and last[1] == 0
    finally:
        await again.close()


async def test_older_contests_come_with_the_older_dreams(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.channel.page.MOST", 2)
    mo = await house.visitor("Mo")
    for number in range(1, 5):
        await mo.say(f"a house {number}")
        await house.finish(number)
        if number in (1, 3):
            await begin(house, mo)
            await mo.post("/moderate/uncontest")
    await told(mo)

    async def keys(query: str = "") -> list[str]:
        async with await mo.get(f"/cards{query}") as answer:
            return [card["key"] for card in (await answer.json())["cards"]]

    async def all_told() -> bool:
        return len(await house.heart.contests.told_in_channel(GUILD_ID)) == 2

    await until(all_told)
    assert await keys() == ["dream-3", "contest-2", "dream-4"]
    assert await keys("?before=3") == ["dream-1", "contest-1", "dream-2"]
