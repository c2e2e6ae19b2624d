"""Whose server it is, said once in Python and once in SQL; and whose is what is owed there."""

import random
from collections.abc import Callable

import pytest
from sqlalchemy import insert, select

from bot.database.connection import Database
from bot.database.outbox import Key, Kind, OutboxStore, owe
from bot.database.shards import ALL_SHARDS, Shards
from bot.database.tables import audit, choices, contests, guilds, outbox
from bot.dreams.copies import Copies
from bot.dreams.dream import DreamState, Wish
from bot.dreams.store import Store
from bot.keeping.traces import Traces

A_WISH = Callable[..., Wish]
EVEN, ODD = Shards(2, frozenset({0})), Shards(2, frozenset({1}))
IN_EVEN, IN_ODD = 6 << 22 | 17, 7 << 22 | 17  # servers


def test_a_server_s_shard_is_as_discord_says() -> None:
    """`(guild_id >> 22) % num_shards`, and direct messages are the first one's."""
    assert [Shards(5, frozenset({n})).have(197038439483310086) for n in range(5)].index(True) == (
        (197038439483310086 >> 22) % 5
    )
    assert EVEN.have(None) and not ODD.have(None) and EVEN.have_first and not ODD.have_first
    assert ALL_SHARDS.are_all and ALL_SHARDS.have(IN_ODD) and not ODD.are_all


async def test_the_database_counts_as_we_do(database: Database) -> None:
    draw = random.Random(1)
    ids = [draw.getrandbits(62) for _ in range(200)]
    async with database.transaction() as connection:
        await connection.execute(insert(guilds), [{"guild_id": id, "settings": "{}"} for id in ids])
        for shards in (EVEN, ODD, ALL_SHARDS, Shards(16, frozenset({0, 3, 4, 15}))):
            found = await connection.scalars(
                select(guilds.c.guild_id).where(shards.having(guilds.c.guild_id))
            )
            assert set(found) == {id for id in ids if shards.have(id)}


async def filled(database: Database, a_wish: A_WISH) -> set[Key]:
    """Something of every kind is owed in both servers; gives all of it."""
    store = Store(database, owner="somebody")
    of_dreams = frozenset(Kind) - {Kind.CHOICE, Kind.CONTEST, Kind.LOG}
    for number, guild_id in enumerate((IN_EVEN, IN_ODD), start=1):
        dream = await store.add(a_wish(guild_id=guild_id))
        here = {"guild_id": guild_id, "channel_id": 2, "language": "en"}
        choice = here | {
            "id": number,
            "origin": number,
            "prompt": "a fox",
            "author_id": 11,
            "spoiler": False,
            "preset": "",
            "state": "voting",
            "created_at": 1.0,
            "decision": "",
        }
        contest = here | {"id": number, "theme": "foxes", "started_by": 11, "started_at": 1.0, "ends_at": 2.0}
        entry = {"id": number, "guild_id": guild_id, "at": 1.0, "by": 11, "what": "front", "target": ""}
        async with database.transaction() as connection:
            await connection.execute(insert(choices).values(choice))
            await connection.execute(insert(contests).values(contest))
            await connection.execute(insert(audit).values(entry | {"old": "", "new": ""}))
            for kind in Kind:
                subject = dream.id if kind in of_dreams else number
                await owe(connection, kind, subject, now=1.0)
    async with database.transaction() as connection:
        await owe(connection, Kind.END, 99, now=1.0)  # of a dream that is not there any more
        rows = await connection.execute(select(outbox))
        return {Key(row.kind, row.subject, row.person) for row in rows}


async def test_each_process_claims_what_is_owed_to_its_own_servers(
    database: Database, a_wish: A_WISH
) -> None:
    everything = await filled(database, a_wish)
    assert len(everything) == 2 * len(Kind) + 1
    claimed = {}
    for shards in (ODD, EVEN):
        store = OutboxStore(database, owner=str(shards), shards=shards, clock=lambda: 10.0)
        claimed[shards] = {owed.key for owed in (await store.claim(list(Kind), most=100))[0]}
    assert {key.subject for key in claimed[ODD]} == {2} and len(claimed[ODD]) == len(Kind)
    assert claimed[EVEN] == everything - claimed[ODD], "with what nobody else would take"


async def test_what_another_process_owes_does_not_crowd_out_our_own(
    database: Database, a_wish: A_WISH
) -> None:
    store = Store(database, owner="somebody")
    dreams = [await store.add(a_wish(guild_id=guild_id)) for guild_id in [IN_EVEN] * 12 + [IN_ODD]]
    ours = OutboxStore(database, owner="odd", shards=ODD, clock=lambda: 100.0)
    for number, dream in enumerate(dreams):
        async with database.transaction() as connection:
            await owe(connection, Kind.END, dream.id, now=float(number))
    claimed, next_at = await ours.claim(list(Kind), most=5)
    assert [owed.subject for owed in claimed] == [dreams[-1].id] and next_at is None


async def test_whoever_dreamt_it_has_no_head_start_where_another_one_shows_it(
    database: Database, a_wish: A_WISH
) -> None:
    even = Store(database, owner="even", shards=EVEN, clock=lambda: 10.0)
    for guild_id in (IN_EVEN, IN_ODD):
        dream = await even.add(a_wish(guild_id=guild_id))
        await even.claim(dream.id, lease_s=30)
        await even.finish(dream.id, DreamState.DONE)
    odd = OutboxStore(database, owner="odd", shards=ODD, clock=lambda: 10.0)
    assert [owed.subject for owed in (await odd.claim([Kind.END], most=9))[0]] == [2]


@pytest.mark.parametrize("shards", [EVEN, ODD])
async def test_what_a_process_looks_after_is_its_own_servers_alone(
    database: Database, a_wish: A_WISH, shards: Shards
) -> None:
    store = Store(database, owner="one", shards=shards, clock=lambda: 10.0)
    mine = IN_EVEN if shards is EVEN else IN_ODD
    for number, guild_id in enumerate((IN_EVEN, IN_ODD)):
        shown = await store.add(a_wish(guild_id=guild_id))
        await store.set_message(shown.id, 100 + number)
        await store.claim(shown.id, lease_s=30)
        await store.finish(shown.id, DreamState.DONE)
        await store.set_delivered(shown.id)
        await store.add(a_wish(guild_id=guild_id))
    assert {dream.guild_id for dream in await store.undelivered()} == {mine}
    assert {dream.guild_id for dream in await store.recent(since=0.0, most=9)} == {mine}
    assert {dream.guild_id for dream in await store.queued(range(9))} == {mine}
    assert await Copies(database=database, shards=shards).servers() == {mine}
    assert await Traces(database=database, shards=shards).servers() == {mine}
    assert len(await store.waiting()) == 2, "but dreams are dreamt for all"
