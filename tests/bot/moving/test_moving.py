"""Back-up and move: everything arrives in the other database, whole or not at all, whatever the file is."""

import asyncio
import json
import os
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from bot.community.ranking import age
from bot.database.connection import Database, StoreError, StoreInUse, StoreMissing
from bot.database.migrations import upgrade
from bot.database.tables import metadata
from bot.dreams.dream import DreamState, Wish
from bot.dreams.store import Store
from bot.moving import exporting
from bot.moving.export_file import CONTENTS, BadExport
from bot.moving.exporting import COUNTED, NOT_MOVED, export
from bot.moving.importing import NotEmpty, import_
from bot.settings import Settings
from tests.bot.moving.filled import contents, fill
from tests.bot.postgres import Cluster

A_WISH = Callable[..., Wish]
OPENED = Callable[[str], Database]
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OPENED]:
    """Makes databases of a kind that have no tables yet."""
    made: list[Database] = []
    drops: list[Callable[[], None]] = []

    def make(kind: str) -> Database:
        url = f"sqlite:///{tmp_path / f'target{len(made)}.db'}"
        if kind == "postgresql":
            cluster: Cluster = request.getfixturevalue("cluster")
            name = cluster.create()
            drops.append(lambda: cluster.drop(name))
            url = cluster.url(name)
        made.append(Database(Settings.read({"DATABASE_URL": url}).database_url, busy_timeout_s=0.2))
        return made[-1]

    yield make
    for database in made:
        await database.close()
    for drop in drops:
        drop()


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, place: OPENED) -> Database:
    """Into which is imported; not open."""
    return place(request.param)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "export.zip"


def bytes_of(file: Path) -> bytes:
    return file.read_bytes()


async def make_tables_of(database: Database) -> None:
    """As a bot does that is started and stopped."""
    another = await opened(Database(database.url))
    await another.close()


async def opened(database: Database) -> Database:
    await database.open()
    return database


async def test_a_move_there_and_back_leaves_every_row_of_every_table_as_it_was(
    database: Database, place: OPENED, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 2)
    await fill(database)
    async with database.transaction() as connection:  # an import counts anew, by today
        await age(connection, time())
    before = await contents(database)
    not_filled = (NOT_MOVED - COUNTED) & metadata.tables.keys()
    assert {name for name, rows in before.items() if len(rows) < 5} == not_filled
    source = database
    seen: list[tuple[int, int]] = []
    for number, kind in enumerate(("sqlite", "postgresql", "postgresql", "sqlite", "sqlite")):
        file = tmp_path / f"{number}.zip"
        exported = await export(source, file, progress=lambda done, of: seen.append((done, of)))
        assert exported.rows == sum(len(rows) for name, rows in before.items() if name not in NOT_MOVED)
        assert seen[-1] == (exported.rows, exported.rows)
        source = place(kind)
        assert await import_(source, file) == exported
        await source.open()
        assert await contents(source) == before


def test_every_table_is_moved() -> None:
    moved = {table.name for table in exporting.moved_tables("head")}
    assert moved == metadata.tables.keys() - NOT_MOVED
    assert all(table.primary_key.columns for table in metadata.sorted_tables), "rows are read in its order"


async def test_an_export_is_of_one_moment_while_the_bot_goes_on(
    database: Database, store: Store, a_wish: A_WISH, settings: Settings, file: Path, target: Database
) -> None:
    asked = [await store.add(a_wish()) for _ in range(3)]

    def meanwhile(_done: int, _of: int) -> None:
        """After the first page of rows, which is read before the votes are."""

        async def work() -> None:
            another = Database(settings.database_url)
            process = Store(another, owner="the bot")
            await process.add(replace(a_wish(), origin=1000 + _done))
            await process.add_vote(asked[0].id, 77, "⭐")
            await process.cancel_queued(asked[1].id)
            await another.close()

        with ThreadPoolExecutor(1) as another_loop:
            another_loop.submit(asyncio.run, work()).result()

    await export(database, file, progress=meanwhile)
    assert len(await store.waiting()) >= 3 and await store.count_votes(asked[0].id) == 1
    await import_(target, file)
    there = Store(await opened(target), owner="x")
    assert await there.waiting() == asked and await there.count_votes(asked[0].id) == 0


@SQLITE
async def test_deleted_bytes_wait_for_an_export_s_end_without_holding_up_who_writes(
    prepared: Settings, a_wish: A_WISH
) -> None:
    database = Database(prepared.database_url, busy_timeout_s=60.0)
    await database.open()
    store = Store(database, owner="the bot")
    dream = await store.add(a_wish())
    async with database.snapshot() as connection:
        await connection.execute(text("SELECT count(*) FROM dreams"))
        await store.add_vote(dream.id, 5, "⭐")
        async with asyncio.timeout(30):
            assert not await database._emptied_log()
    assert await database._emptied_log()
    await database.close()


async def test_what_was_being_dreamt_waits_again_and_new_dreams_get_new_numbers(
    database: Database, store: Store, a_wish: A_WISH, file: Path, target: Database
) -> None:
    first, second = await store.add(a_wish()), await store.add(a_wish())
    claimed = await store.claim(first.id, lease_s=1e6)
    assert claimed is not None
    await store.keep_state(first.id, b"half of it")
    await export(database, file)
    await import_(target, file)
    there = Store(await opened(target), owner="the new one")
    assert await there.waiting() == [first, second]
    assert await there.state(first.id) == b"half of it"
    again = await there.claim(first.id, lease_s=30)
    assert again is not None and (again.attempts, again.rescues) == (1, 0)
    assert (await there.add(a_wish())).id == second.id + 1
    assert (await store.get(first.id)) == claimed, "the source is as it was"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nothing_is_imported_into_what_is_not_empty(
    database: Database, store: Store, a_wish: A_WISH, file: Path, target: Database
) -> None:
    await store.add(a_wish())
    await export(database, file)
    await import_(target, file)
    with pytest.raises(NotEmpty, match="not empty"):
        await import_(target, file)
    there = Store(await opened(target), owner="x")
    assert len(await there.waiting()) == 1


@SQLITE
async def test_while_a_bot_is_at_work_on_the_database_nothing_is_imported(
    database: Database, store: Store, a_wish: A_WISH, file: Path, target: Database, place: OPENED
) -> None:
    await store.add(a_wish())
    await export(database, file)
    await fill(await opened(target), rows=0)
    second = Database(target.url, busy_timeout_s=0.2)
    with pytest.raises(StoreInUse, match="please stop it"):
        await import_(second, file)
    await target.close()
    assert (await import_(second, file)).tables["dreams"].rows == 1
    await second.close()


@SQLITE
async def test_whoever_begins_during_an_import_is_told_to_wait(
    database: Database, file: Path, target: Database
) -> None:
    await fill(database, rows=1)
    await export(database, file)
    await make_tables_of(target)
    told: list[StoreError] = []

    def begin(_done: int, _of: int) -> None:
        async def work() -> None:
            another = Database(target.url, busy_timeout_s=0.1, starting_s=0.1)
            try:
                await another.open()
            except StoreError as error:
                told.append(error)
            await another.close()

        if not told:
            with ThreadPoolExecutor(1) as another_loop:
                another_loop.submit(asyncio.run, work()).result()

    await import_(target, file, progress=begin)
    assert "locked" in str(told[0])
    assert (await contents(await opened(target)))["dreams"]


@SQLITE
@pytest.mark.parametrize("opened_before", [False, True])
async def test_an_export_that_breaks_in_the_last_table_leaves_nothing(
    database: Database, file: Path, target: Database, opened_before: bool
) -> None:
    await fill(database)
    await export(database, file)
    last = exporting.moved_tables("head")[-1].name
    changed(file, f"tables/{last}.jsonl", lambda old: old.replace(b"\n", b"\n[]\n", 1)[: -len(old) // 3])
    if opened_before:
        await make_tables_of(target)
    with pytest.raises(BadExport):
        await import_(target, file)
    await target.open()
    assert not any(rows for name, rows in (await contents(target)).items() if name not in NOT_MOVED)


@SQLITE
async def test_an_older_version_s_database_is_exported_as_it_is_and_imported_in_the_newest_form(
    tmp_path: Path, settings: Settings, file: Path, target: Database
) -> None:
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection, "people")  # before dreams had names in the web, and rescues
        connection.execute(
            text(
                "INSERT INTO dreams (id, origin, prompt, seed, model, author_id, channel_id, state, "
                "attempts, created_at, cancel_asked, delivered, failure_detail, notice, recipe) VALUES "
                "(7, 70, 'a house', 1, 'auto', 11, 2, 'dreaming', 1, 5.0, 0, 0, '', '', '')"
            )
        )
    engine.dispose()
    old = Database(f"sqlite+aiosqlite:///{path}")
    assert (await export(old, file)).step == "people"
    await old.close()
    with closing(sqlite3.connect(path)) as connection_:
        assert connection_.execute("SELECT version_num FROM alembic_version").fetchall() == [("people",)]
    await make_tables_of(target)  # as after a start
    await import_(target, file)
    (dream,) = await Store(await opened(target), owner="x").waiting()
    assert (dream.id, dream.prompt, dream.state, dream.rescues) == (7, "a house", DreamState.QUEUED, 0)
    async with target.transaction() as connection__:
        assert await connection__.scalar(text("SELECT slug FROM dreams"))


async def test_newer_tables_are_not_exported_and_newer_exports_not_imported(
    database: Database, file: Path, target: Database
) -> None:
    await export(database, file)
    changed(file, CONTENTS, lambda old: old.replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(BadExport, match="newer version"):
        await import_(target, file)
    await export(database, file, replace=True)
    changed(file, CONTENTS, lambda old: old.replace(b'"step": "', b'"step": "of next year'))
    with pytest.raises(BadExport, match="newer version"):
        await import_(target, file)
    async with database.transaction() as connection:
        was = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        await connection.execute(text("UPDATE alembic_version SET version_num = 'of next year'"))
    with pytest.raises(StoreError, match="newer version"):
        await export(database, file, replace=True)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :was"), {"was": was})


async def test_tables_of_somebody_else_are_left_alone(
    file: Path, database: Database, target: Database
) -> None:
    await export(database, file)
    async with target.sole() as connection:
        await connection.execute(text("CREATE TABLE dreams (words INTEGER)"))
    with pytest.raises(NotEmpty):
        await import_(target, file)


def changed(file: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """One of the files in an export is another one."""
    with zipfile.ZipFile(file) as archive:
        held = {each: archive.read(each) for each in archive.namelist()}
    held[name] = change(held[name])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in held.items():
            archive.writestr(each, content)


def _row(file: Path, table: str, **values: Any) -> None:
    """The first row of a table has these values, as they stand in JSON."""
    with zipfile.ZipFile(file) as archive:
        columns = json.loads(archive.read(CONTENTS))["tables"][table]["columns"]

    def change(old: bytes) -> bytes:
        first, rest = old.split(b"\n", 1)
        row = json.loads(first)
        for name, value in values.items():
            row[columns.index(name)] = value
        return json.dumps(row).encode() + b"\n" + rest

    changed(file, f"tables/{table}.jsonl", change)


def _rename_column(file: Path) -> None:
    changed(file, CONTENTS, lambda old: old.replace(b'"author_id"', b'"password"'))


def _unknown_table(file: Path) -> None:
    changed(file, CONTENTS, lambda old: old.replace(b'"votes": {', b'"sqlite_master": {'))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("tables/sqlite_master.jsonl", "")


def _path_in_a_name(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("../../escaped", "words")


def _bomb(file: Path) -> None:
    changed(file, "tables/images.jsonl", lambda old: b'[1,"' + b"A" * (2**23) + b'"]\n')


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-500])


def _flip(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        at = archive.getinfo("tables/dreams.jsonl").header_offset + 120
    content = bytearray(file.read_bytes())
    content[at] ^= 0x55
    file.write_bytes(content)


HOSTILE: dict[str, Callable[[Path], object]] = {
    "no zip": lambda file: file.write_text("what a lovely day"),
    "empty": lambda file: file.write_bytes(b""),
    "another zip": lambda file: zipfile.ZipFile(file, "w").close(),
    "cut off": _cut,
    "a bit that flipped": _flip,
    "fewer rows": lambda file: changed(file, "tables/votes.jsonl", lambda old: old.split(b"\n", 1)[1]),
    "more rows": lambda file: changed(file, "tables/votes.jsonl", lambda old: old * 2),
    "contents that are no JSON": lambda file: changed(file, CONTENTS, lambda old: b"{"),
    "contents that are a list": lambda file: changed(file, CONTENTS, lambda old: b"[]"),
    "contents without tables": lambda file: changed(file, CONTENTS, lambda old: b'{"format": 1}'),
    "contents that are endless": lambda file: changed(file, CONTENTS, lambda old: b" " * 2**24 + old),
    "contents that are deep": lambda file: changed(file, CONTENTS, lambda old: b"[" * 10**5),
    "a column by another name": _rename_column,
    "an unknown table": _unknown_table,
    "a path in a name": _path_in_a_name,
    "a bomb": _bomb,
    "a word for a number": lambda file: _row(file, "dreams", seed="seven"),
    "a flag for a number": lambda file: _row(file, "dreams", seed=True),
    "a number beyond all": lambda file: _row(file, "dreams", seed=2**63),
    "a number for a word": lambda file: _row(file, "dreams", prompt=7),
    "nothing for a word": lambda file: _row(file, "dreams", prompt=None),
    "half a character": lambda file: _row(file, "dreams", prompt="\ud800"),
    "no base64": lambda file: _row(file, "pictures", content="a picture!"),
    "a list for a row": lambda file: _row(file, "dreams", prompt=[[[[]]]]),
    "a row that is no list": lambda file: changed(
        file, "tables/votes.jsonl", lambda old: b"{}\n" + old.split(b"\n", 1)[1]
    ),
    "a row that is deep": lambda file: changed(
        file, "tables/votes.jsonl", lambda old: b"[" * 10**5 + b"\n" + old.split(b"\n", 1)[1]
    ),
    "the same row twice": lambda file: _row(file, "dreams", id=2),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_of_a_damaged_or_hostile_file_one_sentence_is_said_and_nothing_is_imported(
    kind: str, an_export: bytes, newest_file: Path, file: Path, tmp_path: Path
) -> None:
    await asyncio.to_thread(file.write_bytes, an_export)
    HOSTILE[kind](file)
    shutil.copyfile(newest_file, tmp_path / "oneiro.db")
    target = Database(f"sqlite+aiosqlite:///{tmp_path}/oneiro.db")
    with pytest.raises(BadExport) as caught:
        await import_(target, file)
    said = str(caught.value)
    assert said.endswith((".", "?")) and "\n" not in said and len(said) < 200
    assert not any(rows for name, rows in (await contents(target)).items() if name not in NOT_MOVED)
    await target.close()


@SQLITE
async def test_what_postgresql_does_not_take_is_named(database: Database, file: Path, place: OPENED) -> None:
    await fill(database)
    await export(database, file)
    _row(file, "dreams", state="far longer than any state is")
    with pytest.raises(BadExport, match="dreams cannot be stored"):
        await import_(place("postgresql"), file)


@SQLITE
async def test_an_export_is_its_owner_s_alone_and_replaces_nothing_unasked(
    database: Database, file: Path
) -> None:
    old = os.umask(0)
    try:
        await export(database, file)
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600  # noqa: ASYNC240 - small files, here and below
    before = bytes_of(file)
    with pytest.raises(FileExistsError):
        await export(database, file)
    assert bytes_of(file) == before
    await fill(database)
    await export(database, file, replace=True)
    assert len(bytes_of(file)) > len(before)
    assert [path.name for path in file.parent.iterdir() if "export" in path.name] == ["export.zip"]


@SQLITE
async def test_an_export_that_breaks_off_leaves_no_file_and_the_old_one_as_it_was(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await export(database, file)
    await fill(database)
    before = bytes_of(file)

    def fail(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    for path in (file, file.with_name("new.zip")):
        with pytest.raises(KeyboardInterrupt):
            await export(database, path, replace=True, progress=fail)
    assert bytes_of(file) == before
    assert not [path for path in file.parent.iterdir() if path.name == "new.zip"]
    assert not [path for path in file.parent.iterdir() if path.name.startswith(".")]


async def test_without_a_database_none_is_made(tmp_path: Path, file: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(StoreMissing, match=r"none\.db"):
        await export(database, file)
    await database.close()
    assert not os.listdir(tmp_path)  # noqa: PTH208


@SQLITE
async def test_no_memory_is_needed_for_all_of_it(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page has fewer bytes than is allowed, or one row."""
    monkeypatch.setattr(exporting, "PAGE_BYTES", 600)
    await fill(database, rows=9)  # of 256 to 2,304 bytes
    (described,) = [table for table in exporting.moved_tables("head") if table.name == "pictures"]
    rows = exporting.Rows(described)
    async with database.snapshot() as connection:
        sizes = [len(page) async for page in exporting.pages(connection, rows)]
    assert sum(sizes) == 9 and sizes[0] == 1 and max(sizes) == 1
    monkeypatch.setattr(exporting, "PAGE_BYTES", 10_000)
    async with database.snapshot() as connection:
        sizes = [len(page) async for page in exporting.pages(connection, rows)]
    assert sum(sizes) == 9 and len(sizes) == 2
