"""The local channel's page about privacy: what is kept is told, downloaded and forgotten."""

import io
import json
import zipfile
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.database.tables import pictures
from bot.sentences import ENGLISH, ITALIAN
from tests.bot.scripted import until
from tests.bot.web.conftest import House


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """With SQLite alone: what a database does is tried elsewhere."""
    return f"sqlite:///{tmp_path}/oneiro.db"


async def test_what_is_kept_is_told_to_whoever_it_is_of(house: House) -> None:
    ada, stranger = await house.visitor("Ada", language="it"), await house.visitor()
    await ada.say("a house")
    await house.finish(1)
    page = await ada.html("/privacy")
    assert "· 1 sogno<br>· 1 immagine" in page and ITALIAN.PRIVACY_HEADINGS["servers"] in page
    assert 'href="/privacy"' in await ada.html("/preferences")
    page = await stranger.html("/privacy")
    assert ENGLISH.PRIVACY_HEADINGS["kept"] in page and ENGLISH.FORGET_BUTTON not in page
    assert (await stranger.get("/privacy/export")).status == 401


async def test_everything_of_a_person_can_be_downloaded(house: House) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    await ada.say("a house")
    await bo.say("a boat")
    await house.finish(1)
    async with await ada.get("/privacy/export") as answer:
        assert answer.status == 200 and answer.content_type == "application/zip"
        content = await answer.read()
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert sorted(opened.namelist()) == ["dreams-0001.json", "person.json", "pictures/dream-1.png"]
        dreams = json.loads(opened.read("dreams-0001.json"))
        person = json.loads(opened.read("person.json"))
    assert [dream["prompt"] for dream in dreams] == ["a house"]
    assert person["page"]["name"] == "Ada" and "digest" not in person["page"]


async def test_a_dream_whose_picture_was_let_go_can_be_dreamt_again(house: House) -> None:
    ada = await house.visitor("Ada")
    await ada.say("/dream a house seed:5")
    await house.finish(1)
    async with house.heart.database.transaction() as connection:
        await connection.execute(delete(pictures))
    page = unescape(await ada.html())
    assert ENGLISH.PICTURE_LET_GO in page and 'data-action="repeat"' in page
    async with await ada.post("/dreams/1/repeat") as answer:
        assert answer.status == 200
    again = await house.dream(2)
    assert (again.prompt, again.seed, again.steps) == ("a house", 5, 10)


async def test_whoever_is_forgotten_is_a_stranger_at_once(house: House) -> None:
    house.heart.forgetter._linger_s = 0.0
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    await ada.say("a house")
    await house.finish(1)
    await bo.html()
    async with await bo.post("/dreams/1/continue") as answer:
        assert answer.status == 200
    await ada.html("/privacy")
    async with await ada.post("/privacy/forget") as answer:
        assert "This deletes everything I keep about you" in await answer.text()
    assert (await house.dream(1)).prompt == "a house", "nothing is done yet"
    async with await ada.post("/privacy/forget", {"sure": "1"}, Accept="text/html") as answer:
        assert ENGLISH.FORGOTTEN in await answer.text()
    assert ENGLISH.NAME_TITLE in await ada.html()

    async def done() -> bool:
        return not await house.heart.forgetter._records()

    await until(done)
    dream, child = await house.dream(1), await house.dream(2)
    assert dream.erased and dream.author_id == 0 and (child.parent_id, child.prompt) == (1, "a house")
    await ada.come_in("Ada")
    assert "a house" not in (await ada.say("/dreams mine"))
