"""A contest in the local channel, over HTTP: begun by a moderator, entered, voted on, ended, won."""

import pytest

from bot.community.contests import DAY_S
from bot.dreams.local import GUILD_ID
from tests.bot.web.conftest import House, Visitor


async def dreamt(house: House, visitor: Visitor, *prompts: str) -> list[int]:
    found = []
    for prompt in prompts:
        assert await visitor.say(prompt)
        found.append(max(dream.id for dream in await house.dreams()))
        await house.finish(found[-1])
    return found


async def moderated(visitor: Visitor, deed: str, **fields: str) -> str:
    """Gives the page that says what is so from now on."""
    async with await visitor.post(f"/moderate/{deed}", fields, Accept="text/html") as answer:
        return await answer.text()


async def test_a_contest_is_won_by_the_most_votes(house: House) -> None:
    ada, bo, eve = [await house.visitor(name) for name in ("Ada", "Bo", "Eve")]
    (early,) = await dreamt(house, bo, "too early")
    assert "no contest" in (await bo.say("/contest enter")).lower()
    page = await moderated(ada, "contest", theme="autumn <b>", days="3")
    assert "autumn &lt;b&gt;" in page and "<b>" not in page
    running = await house.heart.contests.running(GUILD_ID)
    assert running is not None and running.ends_at - running.started_at == 3 * DAY_S
    assert "since the contest began" in await bo.say(f"/contest enter dream:{early}")
    (leaf,) = await dreamt(house, ada, "a red leaf")
    hedgehog, rain = await dreamt(house, bo, "a hedgehog", "rain")
    assert await bo.say(f"/contest enter dream:{hedgehog}")
    await ada.say("/contest enter")
    assert [entry.dream.id for entry in await house.heart.contests.entries(running.id)] == [hedgehog, leaf]
    for visitor in (ada, eve):
        async with await visitor.post(f"/dreams/{hedgehog}/votes", {"emoji": "⭐", "on": "1"}) as answer:
            assert answer.status == 200
    shown = await (await bo.post("/say", {"text": "/contest show"})).json()
    assert shown["html"].index("a hedgehog") < shown["html"].index("a red leaf")
    await bo.say(f"/contest enter dream:{rain}")  # one entry a person: another one takes its place
    assert {e.dream.id for e in await house.heart.contests.entries(running.id)} == {rain, leaf}
    await bo.say(f"/contest enter dream:{hedgehog}")
    await moderated(ada, "uncontest")
    over = await house.heart.contests.last(GUILD_ID)
    assert (
        over is not None and over.running_in is None and (over.winner_id, over.winner_votes) == (hedgehog, 2)
    )
    told = await (await eve.post("/say", {"text": "/contest show"})).json()
    assert "a hedgehog" in told["html"] and "Bo" in told["html"]
    assert [entry.what for entry in await house.heart.moderation.audit(GUILD_ID, most=9)] == [
        "contest_end",
        "contest",
    ]


async def test_only_one_contest_runs_and_only_moderators_begin_one(house: House) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    async with await bo.post("/moderate/contest", {"theme": "mine"}) as answer:
        assert answer.status == 403
    assert await house.heart.contests.running(GUILD_ID) is None
    await moderated(ada, "contest", theme="autumn")
    await moderated(ada, "contest", theme="winter")
    running = await house.heart.contests.running(GUILD_ID)
    assert running is not None and running.theme == "autumn"


@pytest.mark.parametrize("days", ["0", "61", "-1", "1e3", "9" * 5000, "١"])
async def test_a_contest_has_a_theme_and_a_span(house: House, days: str) -> None:
    ada = await house.visitor("Ada")
    async with await ada.post("/moderate/contest", {"theme": "autumn", "days": days}) as answer:
        assert answer.status == 422
    await moderated(ada, "contest", theme=" \u2003 ", days="1")
    assert await house.heart.contests.running(GUILD_ID) is None


async def test_another_s_dream_cannot_be_entered_nor_one_that_is_deleted_win(house: House) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    await moderated(ada, "contest", theme="autumn")
    (leaf,) = await dreamt(house, ada, "a red leaf")
    await bo.say(f"/contest enter dream:{leaf}")
    running = await house.heart.contests.running(GUILD_ID)
    assert running is not None and await house.heart.contests.entries(running.id) == []
    await ada.say("/contest enter")
    assert len(await house.heart.contests.entries(running.id)) == 1
    assert await ada.said(f"/dreams/{leaf}/delete")
    await moderated(ada, "uncontest")
    told = await (await bo.post("/say", {"text": "/contest show"})).json()
    assert "a red leaf" not in told["html"]
