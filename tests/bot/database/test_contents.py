"""Where bytes lie is one part's business: whatever the object store does, a dream's end is kept and found."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, select

from bot.database.connection import Database
from bot.database.contents import FRESH_S, NOT_HERE, OTHERS, UNSET, Contents
from bot.database.tables import CONTENTS, metadata, pictures, states, thumbnails, timelapses, unreferenced
from bot.dreams.dream import Dream, DreamState, Picture, Wish
from bot.dreams.store import Store
from bot.objects.address import ObjectsAddress, opened
from bot.objects.folder import Folder
from bot.objects.store import ObjectsAway, WrongObjects
from engine import Finished, Recipe
from tests.bot.s3 import S3Server

A_WISH = Callable[..., Wish]
PICTURE, STATE, FILM, GIVEN = b"a picture" * 99, b"a state" * 99, b"a film" * 999, b"a photo" * 9
END = Finished(
    "1", Recipe("x", 7, 100, "pocket", "gan", "clip", "0.1.0"), 31.5, 90, 100, 42.0, False, PICTURE,
    state=STATE, timelapse=FILM,
)  # fmt: skip


@pytest.fixture
async def contents(database: Database, tmp_path: Path) -> Contents:
    found = Contents(database, Folder(tmp_path / "objects"))
    await found.start()
    assert found.is_ours
    return found


@pytest.fixture
def store(database: Database, contents: Contents) -> Store:
    return Store(database, owner="us", contents=contents)


async def dreamt(store: Store, wish: Wish, end: Finished = END) -> Dream:
    dream = await store.add(wish, image=GIVEN)
    assert await store.claim(dream.id, lease_s=30)
    picture = Picture(end.picture, "png")
    done = await store.finish(dream.id, DreamState.DONE, finished=end, picture=picture)
    assert done is not None
    return done


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.transaction() as connection:
        return list(await connection.execute(select(table)))


async def assert_whole(store: Store, dream: Dream) -> None:
    """All bytes of it are found, wherever they lie."""
    assert await store.picture(dream.id) == Picture(PICTURE, "png")
    assert (await store.state(dream.id), await store.timelapse(dream.id)) == (STATE, FILM)
    assert dream.image_id is not None and await store.image(dream.image_id) == GIVEN


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_dream_s_end_lies_in_the_object_store(
    database: Database, objects_address: ObjectsAddress, a_wish: A_WISH
) -> None:
    contents = Contents(database, opened(objects_address))
    await contents.start()
    store = Store(database, owner="us", contents=contents)
    dream = await dreamt(store, a_wish())
    await assert_whole(store, dream)
    for table, content in ((pictures, PICTURE), (states, STATE), (timelapses, FILM)):
        (row,) = await rows(database, table)
        assert (row.content, row.size, len(row.digest)) == (b"", len(content), 64)
    assert await contents.size() == len(PICTURE + STATE + FILM)


async def test_without_one_everything_lies_in_the_database(database: Database, a_wish: A_WISH) -> None:
    contents = Contents(database)
    await contents.start()
    store = Store(database, owner="us", contents=contents)
    await assert_whole(store, await dreamt(store, a_wish()))
    assert [row.digest for table in CONTENTS for row in await rows(database, table)] == [None] * 4
    assert await contents.size() == 0


async def test_a_state_on_the_way_stays_in_the_database(
    database: Database, store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    await store.claim(dream.id, lease_s=30)
    await store.keep_state(dream.id, b"on the way")
    (row,) = await rows(database, states)
    assert (row.content, row.digest) == (b"on the way", None)
    await store.finish(dream.id, DreamState.DONE, finished=END, picture=Picture(PICTURE, "png"))
    (row,) = await rows(database, states)
    assert row.content == b"" and await store.state(dream.id) == STATE


async def test_an_object_store_that_is_away_keeps_no_dream_from_its_end(
    database: Database, contents: Contents, tmp_path: Path, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    contents = Contents(database, contents.objects, clock=lambda: now)
    await contents.start()
    store = Store(database, owner="us", contents=contents)
    before = await dreamt(store, a_wish())
    (tmp_path / "objects").rename(tmp_path / "away")
    (tmp_path / "objects").write_text("")  # as a disk that is not there: nothing can be made below it
    during = await dreamt(store, a_wish(), replace(END, picture=b"another"))
    assert await store.picture(during.id) == Picture(b"another", "png")
    assert "cannot be used" in contents.trouble
    with pytest.raises(ObjectsAway):
        await store.picture(before.id)
    assert caplog.text.count("stay in the database") <= 3, "it is left alone for a while"
    (tmp_path / "objects").unlink()
    (tmp_path / "away").rename(tmp_path / "objects")
    await assert_whole(store, before)
    now += 60
    await dreamt(store, a_wish(), replace(END, picture=b"a third"))
    assert [row.digest is None for row in await rows(database, pictures)] == [False, True, False]
    assert contents.trouble == ""


async def test_what_is_lost_or_damaged_there_is_as_if_it_were_let_go_and_the_row_stays(
    database: Database, store: Store, tmp_path: Path, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    dream = await dreamt(store, a_wish())
    (row,) = await rows(database, pictures)
    file = tmp_path / "objects" / row.digest[:2] / row.digest
    file.write_bytes(PICTURE[:-1])
    assert await store.picture(dream.id) is None and "damaged" in caplog.text
    file.unlink()
    assert await store.picture(dream.id) is None and "not there" in caplog.text
    assert await store.state(dream.id) == STATE
    file.write_bytes(PICTURE)  # out of a back-up
    assert await store.picture(dream.id) == Picture(PICTURE, "png")


async def test_a_blank_setting_is_told_while_pictures_lie_elsewhere(
    database: Database, store: Store, a_wish: A_WISH
) -> None:
    dream = await dreamt(store, a_wish())
    blank = Contents(database)
    with pytest.raises(WrongObjects, match="OBJECTS_URL is blank") as caught:
        await blank.start()
    assert str(caught.value) == UNSET
    with pytest.raises(ObjectsAway):
        await Store(database, owner="us", contents=blank).picture(dream.id)


async def test_another_store_than_this_database_s_is_not_used(
    database: Database, store: Store, contents: Contents, tmp_path: Path, a_wish: A_WISH
) -> None:
    dream = await dreamt(store, a_wish())
    empty = Contents(database, Folder(tmp_path / "not mounted"))
    with pytest.raises(WrongObjects) as caught:
        await empty.start()
    assert str(caught.value) == NOT_HERE and not (tmp_path / "not mounted").exists()
    theirs = Folder(tmp_path / "theirs")
    await theirs.set_label("oneiro-of-somebody-else")
    other = Contents(database, theirs)
    with pytest.raises(WrongObjects) as caught:
        await other.start()
    assert str(caught.value) == OTHERS and (await other.put(b"x")).digest is None
    moved = tmp_path / "moved"
    (tmp_path / "objects").rename(moved)
    there = Contents(database, Folder(moved))
    await there.start()
    await assert_whole(Store(database, owner="us", contents=there), dream)


async def test_a_store_that_is_away_at_the_start_is_recognised_later(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "objects").write_text("")
    contents = Contents(database, Folder(tmp_path / "objects"))
    await contents.start()
    assert not contents.is_ours and (await contents.put(b"x")).digest is None
    (tmp_path / "objects").unlink()
    await contents.recognise()
    assert contents.is_ours and (await contents.put(b"x")).digest is not None


async def test_a_row_refers_to_nothing_that_may_be_deleted_just_now(
    database: Database, contents: Contents
) -> None:
    now = 0.0
    contents._clock = lambda: now
    put = await contents.put(PICTURE)
    assert put.digest is not None
    async with database.transaction() as connection:
        assert (await contents.columns(connection, put))["digest"] == put.digest
        await connection.execute(unreferenced.insert().values(digest=put.digest))
    inside = {"content": PICTURE, "digest": None, "size": None}
    async with database.transaction() as connection:
        assert await contents.columns(connection, put) == inside
        await connection.execute(unreferenced.delete())
    now += FRESH_S + 1
    async with database.transaction() as connection:
        assert await contents.columns(connection, put) == inside, "it was put long ago"


async def test_what_rows_referred_to_is_noted_however_they_go(
    database: Database, store: Store, a_wish: A_WISH
) -> None:
    dream = await dreamt(store, a_wish())
    digests = {row.digest for table in (pictures, states, timelapses) for row in await rows(database, table)}
    async with database.transaction() as connection:  # another row takes its place, as of an older program
        await connection.execute(states.update().values(content=b"x", digest=None, size=None))
    assert len(await rows(database, unreferenced)) == 1
    await store.erase(dream.id)
    assert {row.digest for row in await rows(database, unreferenced)} == digests
    assert all(row.since is None for row in await rows(database, unreferenced))
    assert await rows(database, pictures) == []


@pytest.fixture
async def down(s3: S3Server) -> AsyncIterator[S3Server]:
    """One that is started again."""
    yield s3
    if not s3.is_running:
        s3.start()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_bucket_whose_server_ends_loses_nothing(
    database: Database, down: S3Server, a_wish: A_WISH
) -> None:
    contents = Contents(database, opened(down.address()))
    await contents.start()
    store = Store(database, owner="us", contents=contents)
    before = await dreamt(store, a_wish())
    down.stop()
    during = await dreamt(store, a_wish())
    await assert_whole(store, during)
    with pytest.raises(ObjectsAway, match="AWS_ENDPOINT_URL"):
        await store.picture(before.id)
    down.start()
    await assert_whole(store, before)


def test_all_bytes_may_lie_elsewhere_but_those_that_can_be_made_anew() -> None:
    """A new column of bytes belongs into `CONTENTS`."""
    tables = [table for table in metadata.sorted_tables for column in table.c if is_bytes(column)]
    assert set(tables) == {*CONTENTS, thumbnails}


def is_bytes(column: Any) -> bool:
    return isinstance(column.type, LargeBinary)
