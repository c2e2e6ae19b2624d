"""The page reads from the object store where one is set; while it is away it says so, and dreams go on."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.community.thumbnails import Thumbnails
from bot.database.tables import CONTENTS, pictures
from bot.objects.address import ObjectsAddress
from bot.settings import Settings
from bot.web.status.page import keeping_troubles
from tests.bot.web.conftest import House

AWAY = "get at my pictures"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/oneiro.db"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, objects=ObjectsAddress(folder=tmp_path / "objects"))


async def test_pictures_films_and_files_come_out_of_the_store(house: House) -> None:
    ada = await house.visitor("Ada")
    await ada.say("a house")
    await house.finish(1)
    async with house.heart.database.transaction() as connection:
        assert [await connection.scalar(select(table.c.content)) for table in CONTENTS[:3]] == [b"", b"", b""]
    async with await ada.get("/dreams/1/picture") as answer:
        content = await answer.read()
        assert (answer.status, answer.content_type) == (200, "image/png") and content.startswith(b"\x89PNG")
    async with await ada.get("/dreams/1/timelapse") as answer:
        assert (answer.status, await answer.read()) == (200, b"film")
    async with await ada.get("/privacy/export") as answer:
        assert answer.status == 200
        files = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert files.read("pictures/dream-1.png") == content
    small = await Thumbnails(database=house.heart.database, store=house.heart.store).of(1)
    assert small is not None and small.content.startswith(b"RIFF")


async def test_while_the_store_is_away_the_page_says_so_and_dreams_end(house: House, tmp_path: Path) -> None:
    ada = await house.visitor("Ada")
    await ada.say("a house")
    await house.finish(1)
    (tmp_path / "objects").rename(tmp_path / "away")
    (tmp_path / "objects").write_text("")
    async with await ada.get("/dreams/1/picture") as answer:
        assert answer.status == 503 and AWAY in await answer.text()
    assert any("object store" in trouble for trouble in keeping_troubles(house.heart))
    await ada.say("a tower")
    await house.finish(2)
    async with await ada.get("/dreams/2/picture") as answer:
        assert answer.status == 200
    assert "a tower" in await ada.html()
    (tmp_path / "objects").unlink()
    (tmp_path / "away").rename(tmp_path / "objects")
    async with await ada.get("/dreams/1/picture") as answer:
        assert answer.status == 200
    assert keeping_troubles(house.heart) == []
    async with house.heart.database.transaction() as connection:
        digests = list(await connection.scalars(select(pictures.c.digest).order_by(pictures.c.dream_id)))
    assert [digest is None for digest in digests] == [False, True]
