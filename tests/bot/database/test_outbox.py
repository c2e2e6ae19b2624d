"""What is owed: written with its cause, claimed by one process at a time, settled by whoever has it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, String, Table, create_engine, select

from bot.chat.messages.outbox import Outbox
from bot.database import migrations
from bot.database.connection import Database
from bot.database.news import News
from bot.database.outbox import HEAD_START_S, LEASE_S, Key, Kind, OutboxStore, Owed, owe
from bot.database.tables import outbox
from bot.dreams.dream import DreamState, Wish
from bot.dreams.local import GUILD_ID
from bot.dreams.store import Store
from bot.settings import Settings
from tests.bot.scripted import until


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def one(database: Database, clock: Clock) -> OutboxStore:
    return OutboxStore(database, owner="one", clock=clock)


@pytest.fixture
def two(database: Database, clock: Clock) -> OutboxStore:
    return OutboxStore(database, owner="two", clock=clock)


async def claimed(store: OutboxStore, *, most: int = 10, but: set[Key] | None = None) -> list[Owed]:
    return (await store.claim(list(Kind), but=but or set(), most=most))[0]


async def rows(database: Database) -> list[tuple[str, int]]:
    async with database.transaction() as connection:
        return [(row.kind, row.subject) for row in await connection.execute(select(outbox))]


async def test_of_two_processes_one_gets_each(one: OutboxStore, two: OutboxStore) -> None:
    await one.owe(Kind.END, *range(1, 21))
    halves = await asyncio.gather(*(claimed(store, most=20) for store in (one, two)))
    assert sorted(owed.subject for half in halves for owed in half) == list(range(1, 21))


async def test_what_another_one_took_since_the_look_is_its_own(
    one: OutboxStore, two: OutboxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.owe(Kind.END, 1)
    look = two._next

    async def overtaken(*asked: Any) -> list[Any]:
        rows = await look(*asked)
        assert len(await claimed(one)) == 1
        return rows

    monkeypatch.setattr(two, "_next", overtaken)
    assert await claimed(two) == []


async def test_what_is_longest_due_comes_first_and_no_more_than_wanted(
    one: OutboxStore, clock: Clock
) -> None:
    for subject in (7, 3, 5):
        await one.owe(Kind.END, subject)
        clock.now += 1
    assert [owed.subject for owed in await claimed(one, most=2)] == [7, 3]
    owed, next_at = await one.claim(list(Kind), but={Key("end", 7), Key("end", 3)}, most=2)
    assert [one.subject for one in owed] == [5] and next_at is None


async def test_whoever_is_gone_loses_it_after_its_lease_and_the_next_one_knows_that_it_was_tried(
    one: OutboxStore, two: OutboxStore, clock: Clock
) -> None:
    await one.owe(Kind.END, 1)
    (first,) = await claimed(one)
    assert not first.again
    clock.now += LEASE_S - 1
    assert await claimed(two) == []
    await one.renew([first])
    clock.now += LEASE_S - 1
    assert await claimed(two) == [], "it was renewed"
    clock.now += 1
    (second,) = await claimed(two)
    assert second.again
    await one.settle(first)
    await one.put_off(first, until=0.0, tries=1)
    await one.renew([first])
    clock.now += LEASE_S - 1
    assert await claimed(one) == [], "whoever thaws has no say any more"


async def test_what_was_put_off_waits_for_its_time_and_is_anybody_s(
    one: OutboxStore, two: OutboxStore, clock: Clock
) -> None:
    await one.owe(Kind.END, 1)
    (owed,) = await claimed(one)
    await one.put_off(owed, until=clock.now + 5, tries=owed.tries)
    assert await two.claim(list(Kind), most=10) == ([], clock.now + 5)
    clock.now += 5
    assert [owed.tries for owed in await claimed(two)] == [2]


async def test_what_is_settled_or_written_anew(one: OutboxStore, database: Database, clock: Clock) -> None:
    await one.owe(Kind.END, 1, 2)
    first, second = await claimed(one)
    await one.settle(first)
    assert await rows(database) == [("end", 2)]
    async with database.transaction() as connection:
        await owe(connection, Kind.END, 2, now=clock.now)
    await one.settle(second)
    assert await rows(database) == [("end", 2)], "something new came while it was in hand"
    await one.adopt(Kind.END, 2, 3)
    assert {owed.subject: owed.again for owed in await claimed(one)} == {2: True, 3: True}


async def test_writing_anew_forgets_the_tries_but_not_that_somebody_may_have_posted_it(
    one: OutboxStore, two: OutboxStore, clock: Clock
) -> None:
    await one.owe(Kind.FAME, 1)
    await claimed(one)  # and killed after it posted it
    clock.now += LEASE_S
    await two.owe(Kind.FAME, 1)
    (owed,) = await claimed(two)
    assert (owed.tries, owed.again) == (1, True)
    await two.settle(owed)
    await two.owe(Kind.FAME, 1)
    (owed,) = await claimed(two)
    assert not owed.again, "what was settled is over"


async def unchanged_by(store: OutboxStore, owed: Owed, database: Database) -> bool:
    """Whether nothing that this claim is used for has an effect."""

    async def all_of_it() -> list[tuple[object, ...]]:
        async with database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(select(outbox))]

    before = await all_of_it()
    await store.renew([owed])
    await store.put_off(owed, until=1.0, tries=0)
    await store.settle(owed)
    return before == await all_of_it()


async def test_of_several_claims_only_the_newest_counts(
    one: OutboxStore, two: OutboxStore, database: Database, clock: Clock
) -> None:
    await one.owe(Kind.END, 1)
    (mine,) = await claimed(one)
    clock.now += 1
    async with database.transaction() as connection:
        await owe(connection, Kind.END, 1, now=clock.now, owner="one")
    assert await unchanged_by(one, mine, database), "written anew, for the same process"
    await one.owe(Kind.END, 1)
    (mine,) = await claimed(one)
    clock.now += 1
    await one.owe(Kind.END, 1)
    (theirs,) = await claimed(two)
    assert theirs.tries == mine.tries and await unchanged_by(one, mine, database), "another's first try"
    clock.now += LEASE_S
    earlier = mine
    (mine,) = await claimed(one)
    assert await unchanged_by(two, theirs, database), "taken over"
    assert await unchanged_by(one, earlier, database), "its own of long ago"
    await one.settle(mine)
    assert await rows(database) == []


async def test_at_an_orderly_end_others_have_it_at_once(one: OutboxStore, two: OutboxStore) -> None:
    await one.owe(Kind.END, 1)
    await claimed(one)
    await one.release()
    assert [owed.subject for owed in await claimed(two)] == [1]


async def test_kinds_that_a_process_does_not_know_are_left_to_others(one: OutboxStore) -> None:
    await one.owe(Kind.END, 1)
    assert await one.claim(["of next year"], most=10) == ([], None)


async def test_a_dream_s_end_is_owed_with_it_and_first_by_whoever_dreamt_it(
    database: Database, a_wish: Callable[..., Wish], clock: Clock
) -> None:
    store = Store(database, owner="one", clock=clock)
    for change in ({}, {}, {"guild_id": GUILD_ID}, {"candidate": 1, "choice_id": 9}):
        await store.add(a_wish(**change))
    await store.cancel_queued(2)
    for dream_id in (1, 3, 4):
        await store.claim(dream_id, lease_s=30)
        await store.finish(dream_id, DreamState.DONE)
    assert sorted(await rows(database)) == [("choice", 9), ("end", 1), ("end", 2)]
    mine, others = (OutboxStore(database, owner=owner, clock=clock) for owner in ("one", "two"))
    assert await others.claim(list(Kind), most=10) == ([], clock.now + HEAD_START_S)
    assert len(await claimed(mine)) == 3


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_tells_another_process_at_once_what_is_owed_and_what_is_let_go(
    database: Database, prepared: Settings
) -> None:
    other = Database(prepared.database_url)
    news, looks = News(database=other), Counter[str]()
    outbox = Outbox(store=OutboxStore(other, owner="two"))
    news.on_change += [outbox.heard, lambda table: looks.update([table])]
    taken = asyncio.Event()

    async def take(owed: Owed) -> None:
        taken.set()

    outbox.handlers[Kind.END] = take
    await other.open()
    await outbox.start()
    await news.start()
    await until(lambda: news.is_listening)
    await asyncio.sleep(0.1)  # it looked, and looks by itself again in ten seconds
    one = OutboxStore(database, owner="one")
    async with asyncio.timeout(5.0):
        await one.owe(Kind.END, 1)
        await taken.wait()
    await one.owe(Kind.NOTICE, 1)
    assert len((await one.claim([Kind.NOTICE], most=1))[0]) == 1
    outbox.handlers[Kind.NOTICE] = take
    taken.clear()
    async with asyncio.timeout(5.0):
        await one.release()
        await taken.wait()
    assert set(looks) == {"", "outbox"}
    await news.close()
    await outbox.close()
    await other.close()


def add_row(connection: Connection, name: str, **values: object) -> None:
    """A row of a table as it is in the database, with anything in what it must have."""
    table = Table(name, MetaData(), autoload_with=connection)
    needed = [c for c in table.c if not c.nullable and c.server_default is None and c.name not in values]
    anything = {c.name: "" if isinstance(c.type, String) else 0 for c in needed if not c.primary_key}
    connection.execute(table.insert().values(anything | values))


def test_what_an_older_program_left_owing_has_a_row_that_was_tried(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'oneiro.db'}")
    with engine.begin() as connection:
        migrations.upgrade(connection, "rescues")
        for id, values in enumerate(
            [
                {"state": "done"},
                {"state": "done", "delivered": True, "to_tell": True},
                {"state": "dreaming"},
                {"state": "failed", "guild_id": GUILD_ID},
                {"state": "cancelled", "candidate": 1},
            ],
            start=1,
        ):
            add_row(connection, "dreams", **{"id": id, "origin": id} | values)
        add_row(connection, "fame", dream_id=2)
        for id, done in ((1, False), (2, True)):
            add_row(connection, "choices", id=id, origin=id, state="voting", delivered=done)
            add_row(connection, "contests", id=id, told=done)
        migrations.upgrade(connection)
        found = connection.execute(select(outbox.c.kind, outbox.c.subject, outbox.c.tries)).all()
    engine.dispose()
    assert sorted(map(tuple, found)) == [
        ("choice", 1, 1), ("contest", 1, 1), ("end", 1, 1), ("fame", 2, 1), ("notice", 2, 1),
    ]  # fmt: skip
