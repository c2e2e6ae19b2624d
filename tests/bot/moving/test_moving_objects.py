"""An export has all bytes itself, whichever store they lie in, and needs none where it arrives."""

import json
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.database.connection import Database
from bot.database.contents import UNSET, Contents
from bot.database.tables import CONTENTS, pictures, timelapses
from bot.dreams.dream import DreamState, Picture, Wish
from bot.dreams.store import Store
from bot.keeping.objects import ObjectKeeper
from bot.moving import exporting
from bot.moving.export_file import BadExport
from bot.moving.exporting import export
from bot.moving.importing import import_
from bot.objects.address import ObjectsAddress, opened
from bot.objects.folder import Folder
from bot.objects.store import Objects, ObjectsAway
from tests.bot.database.test_contents import END, FILM, STATE

A_WISH = Callable[..., Wish]
DREAMS = 5


@pytest.fixture
def objects(objects_address: ObjectsAddress) -> Objects:
    found = opened(objects_address)
    assert found is not None
    return found


@pytest.fixture
async def filled(database: Database, objects: Objects, a_wish: A_WISH) -> Database:
    """Some dreams' ends lie in the object store; the pictures that people gave, in the database."""
    contents = Contents(database, objects)
    await contents.start()
    store = Store(database, owner="us", contents=contents)
    for number in range(DREAMS):
        dream = await store.add(a_wish(), image=b"a photo %d" % number)
        await store.claim(dream.id, lease_s=30)
        picture = Picture(b"a picture %d" % number, "png")
        await store.finish(dream.id, DreamState.DONE, finished=END, picture=picture)
    return database


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'target.db'}")
    yield database
    await database.close()


async def assert_all_there(store: Store) -> None:
    for number in range(DREAMS):
        dream_id = number + 1
        assert await store.picture(dream_id) == Picture(b"a picture %d" % number, "png")
        assert (await store.state(dream_id), await store.timelapse(dream_id)) == (STATE, FILM)
        dream = await store.get(dream_id)
        assert dream and dream.image_id and await store.image(dream.image_id) == b"a photo %d" % number


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
async def test_bytes_go_out_of_one_store_and_into_another(
    filled: Database, objects: Objects, target: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    file, again = tmp_path / "out.zip", tmp_path / "again.zip"
    exported = await export(filled, file, objects=objects)
    assert await import_(target, file) == exported
    await target.open()
    await assert_all_there(Store(target, owner="x"))
    inside = Contents(target)
    await inside.start()
    assert await inside.size() == 0
    contents = Contents(target, Folder(tmp_path / "its own"))
    await contents.start()
    keeper = ObjectKeeper(database=target, owner="x", contents=contents, pace_s=0.0)
    await keeper.enforce()
    await assert_all_there(Store(target, owner="x", contents=contents))
    async with target.transaction() as connection:
        for table in CONTENTS:
            assert None not in list(await connection.scalars(select(table.c.digest)))
    await export(target, again, objects=contents.objects)
    with zipfile.ZipFile(file) as one, zipfile.ZipFile(again) as two:
        for table in CONTENTS:
            name = f"tables/{table.name}.jsonl"
            assert one.read(name) == two.read(name)


@pytest.mark.parametrize("objects_address", ["folder"], indirect=True)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_without_its_object_store_nothing_is_exported_and_that_is_said(
    filled: Database, objects: Objects, tmp_path: Path
) -> None:
    file = tmp_path / "out.zip"
    with pytest.raises(ObjectsAway) as caught:
        await export(filled, file)
    assert str(caught.value) == UNSET
    (tmp_path / "objects").rename(tmp_path / "away")
    (tmp_path / "objects").write_text("")
    with pytest.raises(ObjectsAway, match="cannot be used"):
        await export(filled, file, objects=objects)
    assert not file.exists()


@pytest.mark.parametrize("objects_address", ["folder"], indirect=True)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_row_whose_bytes_are_lost_keeps_nothing_else_from_being_exported(
    filled: Database, objects: Objects, target: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with filled.transaction() as connection:
        digest = await connection.scalar(select(pictures.c.digest).where(pictures.c.dream_id == 2))
    (tmp_path / "objects" / digest[:2] / digest).unlink()
    exported = await export(filled, tmp_path / "out.zip", objects=objects)
    assert exported.tables["pictures"].rows == DREAMS - 1 and digest in caplog.text
    await import_(target, tmp_path / "out.zip")
    await target.open()
    store = Store(target, owner="x")
    assert [await store.has_picture(number) for number in (1, 2, 3)] == [True, False, True]


@pytest.mark.parametrize("objects_address", ["folder"], indirect=True)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_file_that_names_objects_instead_of_holding_them_is_none_of_ours(
    filled: Database, objects: Objects, target: Database, tmp_path: Path
) -> None:
    """It would have us read, and delete, what is somebody else's."""
    file, forged = tmp_path / "out.zip", tmp_path / "forged.zip"
    await export(filled, file, objects=objects)
    with zipfile.ZipFile(file) as one, zipfile.ZipFile(forged, "w", zipfile.ZIP_DEFLATED) as two:
        for name in one.namelist():
            content = one.read(name)
            if name == f"tables/{timelapses.name}.jsonl":
                lines = [json.loads(line) for line in content.splitlines()]
                lines[0][2:] = ["../" * 20 + "etc/shadow", 9]
                content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
            two.writestr(name, content)
    with pytest.raises(BadExport, match="none of Oneiro's"):
        await import_(target, forged)
