"""Where a person or a server stands in the database, and how they vanish from there, bite by bite.

A person's id stands in the columns of `PERSONAL`, a server's in those of `OF_SERVER`; a test walks all tables
and finds a column that is in neither list. What others built on a forgotten dream stays: the row of the dream
is left as a husk without words, pictures and names, so that its children have a parent and no number is
given twice. Knows no Discord.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, and_, delete, exists, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.community.choices import ChoiceState
from bot.database.connection import Database
from bot.database.outbox import owed_of
from bot.database.shards import ALL_SHARDS, Shards
from bot.database.tables import (
    audit,
    bans,
    choices,
    contests,
    dreams,
    entries,
    fame,
    guilds,
    images,
    outbox,
    people,
    pictures,
    preferences,
    privacy,
    reports,
    sendings,
    states,
    thumbnails,
    timelapses,
    votes,
)
from bot.dreams.dream import Dream, Gone
from bot.dreams.local import GUILD_ID, MAX_PERSON
from bot.dreams.store import OVER, dream_of

NOBODY = 0  # whose id stands where somebody's stood who is forgotten
BITE = 100  # rows of one transaction
DREAMS = 20  # as `BITE`, of dreams with all that they left behind
# What moderators keep for themselves: the lines of the audit log that tell of a ban or a limit.
MODERATORS_OWN = ("ban", "unban", "people")
_OPEN = (ChoiceState.DREAMING, ChoiceState.VOTING)
_LEFT_BEHIND = (pictures, thumbnails, states, timelapses, votes, sendings, reports, entries, fame)
_WORDLESS = {"prompt": "", "avoid": "", "recipe": "", "notice": "", "failure_detail": "", "nearest": ""}
_HUSK: dict[str, Any] = {"author_id": NOBODY, "to_tell": False, "decision": "", "cancelled_by": None}


@dataclass(frozen=True, slots=True)
class Trace:
    """A column in which somebody's id stands."""

    key: Column[Any]  # by which the rows are taken, a bite at a time
    who: Column[Any]
    becomes: Mapping[str, Any] | None = None  # what is written instead; None: the row goes
    only: Any = None  # which of these rows


PERSONAL: tuple[Trace, ...] = (
    Trace(votes.c.dream_id, votes.c.person),
    Trace(entries.c.contest_id, entries.c.person),
    Trace(sendings.c.dream_id, sendings.c.person),
    Trace(reports.c.dream_id, reports.c.person),
    Trace(outbox.c.subject, outbox.c.person),
    Trace(preferences.c.person, preferences.c.person),
    Trace(privacy.c.person, privacy.c.person),
    Trace(dreams.c.id, dreams.c.author_id, _HUSK, only=dreams.c.erased),
    Trace(dreams.c.id, dreams.c.cancelled_by, {"cancelled_by": None}),
    Trace(
        choices.c.id,
        choices.c.author_id,
        {"author_id": NOBODY, "prompt": ""},
        only=choices.c.state.not_in(_OPEN),
    ),
    Trace(choices.c.id, choices.c.ended_by, {"ended_by": None}),
    Trace(contests.c.id, contests.c.started_by, {"started_by": NOBODY}),
    Trace(audit.c.id, audit.c.by, {"by": NOBODY}),
)
# Of people of the page, who are known again by their cookie alone, and after this by nothing.
_PAGE_ONLY = (
    Trace(bans.c.person, bans.c.person, only=bans.c.guild_id == GUILD_ID),
    Trace(people.c.id, people.c.id),
)
OF_SERVER: tuple[Trace, ...] = (
    Trace(choices.c.id, choices.c.guild_id),
    Trace(fame.c.dream_id, fame.c.guild_id),
    Trace(contests.c.id, contests.c.guild_id),
    Trace(contests.c.id, contests.c.running_in),
    Trace(guilds.c.guild_id, guilds.c.guild_id),
    Trace(bans.c.person, bans.c.guild_id),
    Trace(audit.c.id, audit.c.guild_id),
)


class Traces:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database, shards: Shards = ALL_SHARDS) -> None:
        """`shards`: whose servers `servers` gives."""
        self._shards = shards
        self._transaction = database.transaction

    # ------------------------------------------------------------ of a person

    async def unfinished(self, person: int, *, until: float) -> tuple[list[int], list[int]]:
        """Their dreams that wait or are being dreamt, and their choices that are open. `until`: asked for."""
        dream = and_(dreams.c.author_id == person, dreams.c.state.not_in(OVER), dreams.c.created_at <= until)
        choice = and_(
            choices.c.author_id == person, choices.c.state.in_(_OPEN), choices.c.created_at <= until
        )
        async with self._transaction() as connection:
            return (
                list(await connection.scalars(select(dreams.c.id).where(dream).order_by(dreams.c.id))),
                list(await connection.scalars(select(choices.c.id).where(choice))),
            )

    async def dreams_of(self, person: int, *, until: float, after: int) -> list[Dream]:
        """Some of their dreams that are over and not erased, oldest first, with a number above `after`."""
        theirs = and_(
            dreams.c.author_id == person,
            dreams.c.state.in_(OVER),
            dreams.c.erased.is_(False),
            dreams.c.created_at <= until,
            dreams.c.id > after,
        )
        query = select(dreams).where(theirs).order_by(dreams.c.id).limit(DREAMS)
        async with self._transaction() as connection:
            return [dream_of(row) for row in await connection.execute(query)]

    async def choices_of(self, person: int, *, until: float) -> list[int]:
        """Some of their choices that are over and still have words."""
        theirs = and_(
            choices.c.author_id == person, choices.c.state.not_in(_OPEN), choices.c.created_at <= until
        )
        query = select(choices.c.id).where(theirs, choices.c.prompt != "").limit(BITE)
        async with self._transaction() as connection:
            return list(await connection.scalars(query))

    async def drop_images(self, person: int) -> bool:
        """Take some pictures that they gave away from every dream. True while there are more.

        A picture is whose dream had it first; another one's that they took over stays.
        """
        earlier = dreams.alias("earlier")
        others = exists().where(
            earlier.c.image_id == dreams.c.image_id,
            earlier.c.author_id != person,
            earlier.c.id < dreams.c.id,
        )
        given = select(dreams.c.image_id).where(
            dreams.c.author_id == person, dreams.c.image_id.is_not(None), ~others
        )
        async with self._transaction() as connection:
            ids = set(await connection.scalars(given.limit(DREAMS)))
            if ids:
                users = update(dreams).where(dreams.c.image_id.in_(ids))
                await connection.execute(users.values(image_id=None))
                await connection.execute(delete(images).where(images.c.id.in_(ids)))
        return bool(ids)

    async def scrub(self, person: int, *, until: float) -> tuple[bool, list[int]]:
        """One bite of everything else. True while there is more; also dreams of which votes are gone."""
        async with self._transaction() as connection:
            await _scrub_decisions(connection, person)
            for trace in PERSONAL:
                keys = await _bite(connection, trace, person, until=until)
                if keys:
                    return True, keys if trace.who is votes.c.person else []
            if await _scrub_targets(connection, person):
                return True, []
            for trace in _PAGE_ONLY if person <= MAX_PERSON else ():
                if await _bite(connection, trace, person, until=until):
                    return True, []
        return False, []

    # ------------------------------------------------------------ of a server

    async def servers(self) -> set[int]:
        """All of our servers in Discord of which anything is stored."""
        columns = (dreams.c.guild_id, guilds.c.guild_id, bans.c.guild_id, contests.c.guild_id)
        async with self._transaction() as connection:
            found = [await connection.scalars(select(column).distinct()) for column in columns]
        stored = {guild_id for ids in found for guild_id in ids if guild_id not in (None, GUILD_ID)}
        return {guild_id for guild_id in stored if self._shards.have(guild_id)}

    async def unfinished_in(self, guild_id: int) -> list[int]:
        """A server's dreams that wait or are being dreamt."""
        here = and_(dreams.c.guild_id == guild_id, dreams.c.state.not_in(OVER))
        async with self._transaction() as connection:
            return list(await connection.scalars(select(dreams.c.id).where(here)))

    async def scrub_server(self, guild_id: int) -> bool:
        """One bite of what is stored of a server whose dreams are over. True while there is more."""
        here = select(dreams.c.id).where(dreams.c.guild_id == guild_id).limit(DREAMS)
        async with self._transaction() as connection:
            ids = list(await connection.scalars(here))
            if ids:
                await _empty(connection, ids)
                return True
            for trace in OF_SERVER:
                if trace.who is audit.c.guild_id:
                    await _spare_newest_entry(connection, guild_id)
                if await _bite(connection, trace, guild_id):
                    return True
        return False


async def _bite(
    connection: AsyncConnection, trace: Trace, subject: int, *, until: float | None = None
) -> list[int]:
    """Do it with some rows; gives their keys."""
    table = trace.who.table
    here = and_(trace.who == subject, true() if trace.only is None else trace.only)
    if until is not None and "created_at" in table.c and trace.who.name == "author_id":
        here = and_(here, table.c.created_at <= until)  # what they asked for since is none of it
    keys = list(await connection.scalars(select(trace.key).where(here).limit(BITE)))
    if not keys:
        return []
    rows = and_(here, trace.key.in_(keys))
    if trace.who is dreams.c.author_id:
        for left in (sendings, reports, entries):
            await connection.execute(delete(left).where(left.c.dream_id.in_(keys)))
    if table is contests and trace.becomes is None:
        await connection.execute(delete(entries).where(entries.c.contest_id.in_(keys)))
    if trace.becomes is None:
        await connection.execute(delete(table).where(rows))
    else:
        await connection.execute(update(table).where(rows).values(dict(trace.becomes)))
    return keys


async def _scrub_decisions(connection: AsyncConnection, person: int) -> None:
    """Who ended a vote before its time stands in the decision, too, at the choice and at its dream."""
    ended = list(await connection.scalars(select(choices.c.id).where(choices.c.ended_by == person)))
    for table, key in ((choices, choices.c.id), (dreams, dreams.c.choice_id)):
        here = and_(key.in_(ended), table.c.decision != "")
        for row in (await connection.execute(select(table.c.id, table.c.decision).where(here))).all():
            told = json.dumps(json.loads(row.decision) | {"ended_by": None})
            await connection.execute(update(table).where(table.c.id == row.id).values(decision=told))


async def _scrub_targets(connection: AsyncConnection, person: int) -> bool:
    """Lines of the audit log that tell of them, but for what moderators keep of people in Discord."""
    about = audit.c.target == f"person:{person}"
    if person > MAX_PERSON:
        about = and_(about, audit.c.what.not_in(MODERATORS_OWN))
    nobody = {"target": f"person:{NOBODY}", "old": "", "new": ""}
    ids = list(await connection.scalars(select(audit.c.id).where(about).limit(BITE)))
    await connection.execute(update(audit).where(audit.c.id.in_(ids)).values(nobody))
    return bool(ids)


async def _spare_newest_entry(connection: AsyncConnection, guild_id: int) -> None:
    """The audit log only grows, that its numbers tell what is new: its last line is emptied, and stays."""
    newest = select(func.max(audit.c.id)).scalar_subquery()
    empty = {"guild_id": NOBODY, "by": NOBODY, "target": "", "old": "", "new": ""}
    change = update(audit).where(audit.c.id == newest, audit.c.guild_id == guild_id)
    await connection.execute(change.values(empty))


async def _empty(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Leave husks of these dreams of a server: nothing but their numbers."""
    given = set(await connection.scalars(select(dreams.c.image_id).where(dreams.c.id.in_(ids))))
    for left in _LEFT_BEHIND:
        await connection.execute(delete(left).where(left.c.dream_id.in_(ids)))
    await connection.execute(delete(outbox).where(owed_of(ids)))
    nowhere = {
        "guild_id": None,
        "channel_id": NOBODY,
        "message_id": None,
        "gallery_channel_id": None,
        "gallery_message_id": None,
        "choice_id": None,
        "image_id": None,
        "gone": Gone.DELETED,
        "erased": True,
        "delivered": True,
    }
    change = update(dreams).where(dreams.c.id.in_(ids))
    await connection.execute(change.values(_WORDLESS | _HUSK | nowhere))
    used = select(dreams.c.image_id).where(dreams.c.image_id.in_(given))
    await connection.execute(delete(images).where(images.c.id.in_(given), images.c.id.not_in(used)))
    won = update(contests).where(contests.c.winner_id.in_(ids))
    await connection.execute(won.values(winner_id=None))
