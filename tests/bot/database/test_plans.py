"""What a person waits for looks up what it needs: it never reads all dreams, or all votes."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from bot.community.choices import Choices
from bot.community.contests import Contests
from bot.community.ranking import By, Period, Ranking, Scope
from bot.database.connection import Database
from bot.dreams.copies import Copies
from bot.dreams.dream import DreamState, Wish
from bot.dreams.store import Store
from bot.queue.limits import NOBODY, Limits
from bot.servers.moderation import Moderation
from bot.servers.settings import Allowance

A_WISH = Callable[..., Wish]
WORK = Callable[[Database, Store, Wish], Awaitable[object]]
LARGE = ("dreams", "votes", "pictures", "states", "timelapses", "images", "sendings", "audit")


async def _check_room(database: Database, store: Store, wish: Wish) -> None:
    moderation = Moderation(database=database)
    await moderation.start()
    limits = Limits(store=store, moderation=moderation, per_person=3, in_all=50)
    hourly = Allowance(waiting=5, per_hour=5, per_day=9)
    await moderation.change(1, by=9, change=lambda old: _with(old, hourly))
    await limits.check_room(wish, NOBODY)


def _with(old: Any, allowance: Allowance) -> Any:
    from dataclasses import replace

    return replace(old, together=allowance, everyone=allowance)


def _ranked(by: By, period: Period) -> WORK:
    view = Scope(guild_id=1, channels=(2, 3))
    return lambda database, *_: Ranking(database=database).page(view, by, period, page=0, size=10)


DONE: dict[str, WORK] = {
    "whether there is room": _check_room,
    "a new dream": lambda _, store, wish: store.add(wish),
    "a dream": lambda _, store, wish: store.get(1),
    "a dream by its message": lambda _, store, wish: store.shown_by(5),
    "a dream by a copy's message": lambda _, store, wish: store.shown_at(5),
    "one's own dreams": lambda _, store, wish: store.by(11, before=9, most=10),
    "how many these are": lambda _, store, wish: store.count_by(11),
    "a server's line": lambda _, store, wish: store.in_server(1, (DreamState.QUEUED, DreamState.DREAMING)),
    "a channel's dreams": lambda _, store, wish: store.in_channel(1, before=9, most=10),
    "everybody's line": lambda _, store, wish: store.line(),
    "what is not shown yet": lambda _, store, wish: store.undelivered(),
    "the turns of a while ago, at the start": lambda _, store, wish: store.history(since=5.0),
    "what reactions may have been missed of": lambda _, store, wish: store.recent(since=5.0, most=9),
    "a wish to cancel what waits": lambda _, store, wish: store.cancel_queued(1),
    "a wish to cancel what is dreamt": lambda _, store, wish: store.ask_cancel(1),
    "a claim": lambda _, store, wish: store.claim(1, lease_s=9),
    "the chapter that follows": lambda _, store, wish: store.next_chapter(1),
    "a vote": lambda _, store, wish: store.add_vote(1, 5, "⭐"),
    "a vote that is taken back": lambda _, store, wish: store.remove_votes(1, person=5, emoji="⭐"),
    "the votes of dreams": lambda _, store, wish: store.votes_for([1, 2]),
    "a dream that is deleted": lambda _, store, wish: store.erase(1),
    "the beginnings of a choice": lambda database, store, wish: _choices(database, store).candidates(1),
    "the contest that runs": lambda database, store, wish: Contests(database=database).running(1),
    "messages that are gone": lambda database, store, wish: Copies(database=database).messages_gone([5, 6]),
    **{f"the best {by.value} of {period.value}": _ranked(by, period) for by in By for period in Period},
}


def _choices(database: Database, store: Store) -> Choices:
    return Choices(database=database, store=store, worker=None, moderation=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", DONE)
async def test_nothing_that_a_person_waits_for_reads_all_there_is(
    what: str, database: Database, store: Store, a_wish: A_WISH
) -> None:
    await store.add(a_wish())
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.split(maxsplit=1)[0] in ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH"):
            asked.append((statement, parameters))

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", hear)
    await DONE[what](database, store, a_wish())
    event.remove(engine, "before_cursor_execute", hear)
    assert asked
    for statement, parameters in asked:
        if not isinstance(parameters, list):
            for line in await plan(database, statement, parameters):
                assert not reads_all(line), f"{line}\n{statement}"


async def plan(database: Database, statement: str, parameters: Any) -> list[str]:
    """How the database would answer; PostgreSQL as if no table were small."""
    async with database.transaction() as connection:
        is_server = connection.dialect.name == "postgresql"
        if is_server:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN " if is_server else "EXPLAIN QUERY PLAN "
        rows = await connection.exec_driver_sql(explain + statement, parameters)
        return [str(row[-1]) for row in rows]


def reads_all(line: str) -> bool:
    """Of SQLite's and PostgreSQL's plans: whether this step reads all rows of a table that becomes large."""
    words = line.replace("->", "").split()
    if words[:2] == ["Seq", "Scan"]:
        return words[3] in LARGE
    return words[0] == "SCAN" and words[1] in LARGE and "INDEX" not in words
