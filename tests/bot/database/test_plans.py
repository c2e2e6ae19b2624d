"""What a person waits for looks up what it needs: it never reads all dreams, or all votes."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text

from bot.community.choices import Choices
from bot.community.contests import Contest, Contests
from bot.community.hall_of_fame import HallOfFame
from bot.community.ranking import By, Period, Ranking, Scope
from bot.community.wall import Hanging, Wall
from bot.database.connection import Database
from bot.database.contents import Contents
from bot.database.tables import images, pictures
from bot.dreams.copies import Copies
from bot.dreams.dream import DreamState, Picture, Wish
from bot.dreams.store import Store
from bot.keeping.held import Holdings
from bot.keeping.objects import ObjectKeeper
from bot.queue.limits import NOBODY, Limits
from bot.servers.moderation import Moderation
from bot.servers.settings import Allowance
from tests.bot.community.test_wall import Town

A_WISH = Callable[..., Wish]
WORK = Callable[[Database, Store, Wish], Awaitable[object]]
LARGE = ("dreams", "votes", "pictures", "states", "timelapses", "images", "sendings", "audit")
LARGE += ("tallies", "standings", "entries", "fame", "reports")
OPEN = Town()  # where all channels are


async def _check_room(database: Database, store: Store, wish: Wish) -> None:
    moderation = Moderation(database=database)
    await moderation.start()
    limits = Limits(store=store, moderation=moderation, per_person=3, in_all=50)
    hourly = Allowance(waiting=5, per_hour=5, per_day=9)
    await moderation.change(1, by=9, change=lambda old: replace(old, together=hourly, everyone=hourly))
    await limits.check_room(wish, NOBODY)


def _ranked(by: By, period: Period) -> WORK:
    view = Scope(guild_id=1, channels=(2, 3))
    return lambda database, *_: Ranking(database=database).page(view, by, period, page=0, size=10)


async def _moderation(database: Database) -> Moderation:
    """Server 1 opted into the wall."""
    moderation = Moderation(database=database)
    await moderation.start()
    await moderation.change(1, by=9, change=lambda old: replace(old, wall=True))
    return moderation


def _on_wall(what: str, *given: Any, **named: Any) -> WORK:
    async def look(database: Database, *_: Any) -> None:
        wall = Wall(database=database, moderation=await _moderation(database), places=OPEN)
        await getattr(wall, what)(*given, **named)

    return look


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
    "a part of everybody's line": lambda _, store, wish: store.line(0, 1000),
    "what changed in everybody's line": lambda _, store, wish: store.line_sums(),
    "what was moved to a line's front": lambda _, store, wish: store.moves(),
    "whose turn came": lambda _, store, wish: store.begun([1, 2]),
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
    "the contest that runs": lambda database, *_: Contests(database=database).running(1),
    "a contest's entries": lambda database, *_: Contests(database=database).entries(1),
    "what may enter a contest": lambda database, *_: Contests(database=database).candidates(CONTEST, 11),
    "an entry": lambda database, store, wish: _enter(database, store),
    "contests told in a channel": lambda database, *_: Contests(database=database).told_in_channel(1),
    "what a dream won": lambda database, *_: Contests(database=database).won_by(1),
    "the end of a contest": lambda database, *_: Contests(database=database).finish(1, now=True),
    "a place in the hall of fame": lambda database, *_: HallOfFame(database=database).get(1),
    "a dream that gets such a place": lambda database, store, wish: _hang(database, store),
    "a dream that loses it": lambda database, *_: HallOfFame(database=database).take_down(1),
    "a picture": lambda _, store, wish: store.picture(1),
    "whether there is a state": lambda _, store, wish: store.has_state(1),
    "the end of a dream": lambda _, store, wish: _end(store, wish),
    "what the object store holds": lambda database, *_: Contents(database).size(),
    "whether anything lies there": lambda database, *_: Contents(database).start(),
    "what is moved there next": lambda database, *_: _keeper(database)._held(pictures, 3),
    "pictures that people gave, to move": lambda database, *_: _keeper(database)._held(images, 3),
    "what goes from there next": lambda database, *_: _keeper(database)._due(),
    "a tally": lambda _, store, wish: store.count_votes(1),
    "with which emoji people voted": lambda _, store, wish: store.vote_emoji(1),
    "votes that are read anew": lambda _, store, wish: store.replace_votes(1, [(5, "⭐")], hall_at=1),
    "where people dreamt": lambda database, *_: Ranking(database=database).channels(1),
    "where copies hang": lambda database, *_: Copies(database=database).of(1),
    "what is held of somebody": lambda database, *_: Holdings(database=database).of(11),
    "messages that are gone": lambda database, store, wish: Copies(database=database).messages_gone([5, 6]),
    **{f"the best {by.value} of {period.value}": _ranked(by, period) for by in By for period in Period},
    **{f"the wall's best of {period.value}": _on_wall("best", period) for period in Period},
    "the wall's newest": _on_wall("newest"),
    "the wall's newest with these words": _on_wall("newest", words="a bowl"),
    "the wall's newest of a person": _on_wall("newest", person="page"),
    "the wall's next page": _on_wall("newest", after="slug"),
    "anything on the wall": _on_wall("random"),
    "a dream on the wall": _on_wall("get", "slug"),
    "whether a dream hangs on the wall": _on_wall("hangs", 1),
    "a person's page on the wall": _on_wall("person", "page"),
    "the wall's contests": _on_wall("contests"),
    "a contest on the wall": _on_wall("contest", "slug"),
    "a family on the wall": lambda database, store, wish: _family(database, store),
}


CONTEST = Contest(
    id=1, guild_id=1, running_in=1, channel_id=2, theme="gardens", language="en", started_by=9,
    started_at=0.0, ends_at=1e12, winner_id=None, winner_votes=None, message_id=None, told=False,
)  # fmt: skip


def _keeper(database: Database) -> ObjectKeeper:
    return ObjectKeeper(database=database, owner="us", contents=Contents(database))


async def _end(store: Store, wish: Wish) -> None:
    dream = await store.add(wish)
    await store.claim(dream.id, lease_s=9)
    await store.finish(dream.id, DreamState.DONE, picture=Picture(b"x", "png"))


async def _enter(database: Database, store: Store) -> None:
    contests = Contests(database=database)
    contest = await contests.start(guild_id=1, channel_id=2, theme="x", language="en", by=9, span_s=9.0)
    dream = await store.get(1)
    assert dream is not None
    await contests.enter(contest, dream)


async def _hang(database: Database, store: Store) -> None:
    dream = await store.get(1)
    assert dream is not None
    await HallOfFame(database=database).hang(dream, 7, 5)


async def _family(database: Database, store: Store) -> None:
    dream = await store.get(1)
    assert dream is not None
    wall = Wall(database=database, moderation=await _moderation(database), places=OPEN)
    await wall.family(Hanging(dream, "slug", 0))
    await wall.contest_of(Hanging(dream, "slug", 0))


# From the newest one on, by their key, until a page is full: so far as what is looked for is rare.
WALKS = ("the wall's newest", "the wall's newest with these words", "anything on the wall")


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
            steps = await plan(database, statement, parameters)
            for line in steps:
                walks = (
                    what in WALKS and line == "SCAN dreams" and not any("B-TREE" in step for step in steps)
                )
                assert walks or not reads_all(line), f"{line}\n{statement}"


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
