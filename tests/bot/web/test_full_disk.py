"""A disk that is full: what cannot be kept is refused in words, nothing is half done, and reading goes on."""

import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from PIL import Image

from bot.database.connection import StoreFull
from tests.bot.web.conftest import House
from tests.bot.web.disk import grow_no_more

FULL = "disk is full"


@pytest.fixture
def database_url(tmp_path: object) -> str:
    """SQLite, which can be told how large it may become."""
    return f"sqlite:///{tmp_path}/oneiro.db"


async def until_full(add: Callable[[int], Awaitable[Any]]) -> None:
    """Fill up what room there is for one kind of thing."""
    for number in range(1000):
        try:
            await add(number)
        except StoreFull:
            return
    raise AssertionError("there is room without an end")


async def test_whoever_asks_is_told_and_what_is_there_stays(house: House) -> None:
    ada = await house.visitor("Ada")
    await ada.say("a house")
    await house.finish(1)
    await grow_no_more(house.heart.database)
    accepted, status, said = 0, 200, ""
    while status == 200 and accepted < 30:
        async with await ada.post("/say", {"text": f"{accepted} {'tower ' * 160}"}) as answer:
            status, said = answer.status, (await answer.json())["sentence"]
            accepted += status == 200
    assert (status, FULL in said) == (503, True), said
    assert len(await house.dreams()) == 1 + accepted, "nothing is half stored"
    async with await ada.post("/say", {"text": "/queue"}) as answer:
        assert answer.status == 200, "reading goes on"
    assert "a house" in await ada.html()
    async with await ada.get("/dreams/1/picture") as answer:
        assert answer.status == 200


async def test_a_vote_that_cannot_be_kept_is_not_counted(house: House) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    await ada.say("a house")
    await house.finish(1)
    await grow_no_more(house.heart.database)
    store = house.heart.store
    await until_full(lambda number: store.add_vote(1, 1000 + number, "⭐"))
    before = await store.count_votes(1)
    async with await bo.post("/dreams/1/votes", {"emoji": "⭐", "on": "1"}) as answer:
        assert answer.status == 503 and FULL in (await answer.json())["sentence"]
    assert await store.count_votes(1) == before


async def test_a_picture_that_cannot_be_kept_leaves_no_dream(house: House) -> None:
    ada = await house.visitor("Ada")
    await grow_no_more(house.heart.database)
    file = io.BytesIO()
    Image.effect_noise((800, 800), 80).save(file, "PNG")
    assert FULL in await ada.say("a cat", file.getvalue())
    assert await house.dreams() == []


async def test_a_name_that_cannot_be_kept_may_be_sent_again(house: House) -> None:
    eve = await house.visitor()
    await eve.html()
    await grow_no_more(house.heart.database)
    people = house.room.people
    await until_full(
        lambda number: people.join(f"{number} {'x' * 26}", f"{number:064}", first_moderates=False)
    )
    async with await eve.post("/name", {"name": "Eve and her long, long name"}, Accept="text/html") as answer:
        page = await answer.text()
        assert answer.status in (422, 503) and FULL in page and 'value="Eve and her long' in page
