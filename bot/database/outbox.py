"""What the bot owes people in Discord: one row a message, until it is shown, overtaken or hopeless.

A row is written in the transaction of what causes it (a dream's end, a choice's decision, a line of the audit
log), so that nothing is lost between the two. Several processes share the rows: whoever claims one has it for
`LEASE_S`, renews that, and settles it. Whoever is told of something new about it meanwhile writes it anew,
and what the first one settles then has no effect. Where processes share out Discord's shards, a row is for
those that hear of its server (`bot.database.shards`): who may see what they alone know. While none of them
lives, it waits.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from time import time
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, put
from bot.database.shards import ALL_SHARDS, Shards
from bot.database.tables import outbox

OWED = outbox.name  # as `bot.database.news` names it
LEASE_S = 60.0  # seconds for which a claimed row is its process's alone
PACE_S = 0.5  # seconds between what is owed in turn
HEAD_START_S = 2.0  # seconds in which only the process that caused a row may claim it: it knows most about it


_KEY = tuple(outbox.primary_key)


class Kind(StrEnum):
    """What is owed; the value is what the database holds. `Owed.subject` is the id of what it tells of."""

    END = "end"  # a dream's message shows how it ended
    NOTICE = "notice"  # its author is told so, in answer to that message
    REACTIONS = "reactions"  # under that message are the bot's own, to vote with
    GALLERY = "gallery"  # its picture hangs in its server's gallery too, or is taken down there
    CHOICE = "choice"  # a choice's message shows how it stands; its vote is counted when it ends
    SENDING = "sending"  # its picture goes to a person who asked for it
    FAME = "fame"  # it hangs in the hall of fame, or is taken down there
    WINNER = "winner"  # what tells that it won a contest tells so no more
    HIDDEN = "hidden"  # its channel is closed: it hangs nowhere, and nothing tells of it
    CONTEST = "contest"  # its channel is told who won, when it ends
    LOG = "log"  # an entry of the audit log stands in its server's log channel


# Of which a subject is a dream.
OF_DREAMS = frozenset(Kind) - {Kind.CHOICE, Kind.CONTEST, Kind.LOG}


def owed_of(dream_ids: Any) -> Any:
    """Whether a row is about one of these dreams: their numbers, or a column of them."""
    about = (
        outbox.c.subject.in_(dream_ids)
        if isinstance(dream_ids, Collection)
        else outbox.c.subject == dream_ids
    )
    return and_(outbox.c.kind.in_(OF_DREAMS), about)


class Key(NamedTuple):
    """What there is one row of."""

    kind: str
    subject: int
    person: int = 0  # whom it is for, where the subject alone does not say so


@dataclass(frozen=True, slots=True)
class Owed:
    """A claimed row."""

    key: Key
    tries: int  # 1 for the first one since it was written
    since: float  # when it was due first, in seconds since 1970
    begun: int  # how often somebody began it since it was settled last, this time included

    @property
    def subject(self) -> int:
        return self.key.subject

    @property
    def again(self) -> bool:
        """Whether somebody began it before, who may have posted it and could not remember that."""
        return self.begun > 1


async def owe(
    connection: AsyncConnection, kind: Kind, *subjects: int, now: float, due_at: float | None = None,
    owner: str | None = None, person: int = 0,
) -> None:  # fmt: skip
    """Write what is owed, or write it anew: but for who began it, which stays known.

    `due_at`: seconds since 1970; None: now.

    `owner`: this process, where it knows most about it and shall be the first to try.
    """
    if due_at is None:
        due_at = now if owner is None else now + HEAD_START_S
    values = {"since": due_at, "due_at": due_at, "tries": 0, "owner": owner}
    rows = [{"kind": kind, "subject": subject, "person": person} | values for subject in subjects]
    await put(connection, outbox, *rows)


async def owe_in_turn(
    connection: AsyncConnection, kind: Kind, subjects: Iterable[int], *, now: float
) -> None:
    """As `owe`, one after the other: a thousand that are caused at once must hold up nothing else."""
    same = {"kind": kind, "person": 0, "tries": 0, "owner": None}
    times = ((subject, now + place * PACE_S) for place, subject in enumerate(subjects))
    await put(connection, outbox, *(same | {"subject": id, "since": at, "due_at": at} for id, at in times))


class OutboxStore:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(
        self,
        database: Database,
        *,
        owner: str,
        shards: Shards = ALL_SHARDS,
        clock: Callable[[], float] = time,
    ) -> None:
        """`owner`: this process's own name, as in leases of dreams; `shards`: whose rows it claims;
        `clock`: seconds since 1970.
        """
        self._transaction = database.transaction
        self._owner = owner
        self._shards = shards
        self.clock = clock

    async def owe(self, kind: Kind, *subjects: int) -> None:
        """Write what is owed by itself, as `owe` does within a transaction."""
        async with self._transaction() as connection:
            await owe(connection, kind, *subjects, now=self.clock())

    async def owe_in_turn(self, kind: Kind, subjects: Iterable[int]) -> None:
        """Write what is owed by itself, as `owe_in_turn` does within a transaction."""
        async with self._transaction() as connection:
            await owe_in_turn(connection, kind, subjects, now=self.clock())

    async def adopt(self, kind: Kind, *subjects: int) -> None:
        """Write what is owed and has no row: an older program caused it, and may have posted it."""
        there = select(outbox.c.subject).where(outbox.c.kind == kind, outbox.c.subject.in_(subjects))
        now = self.clock()
        row = {"kind": kind, "person": 0, "since": now, "due_at": now, "tries": 1, "begun": 1, "owner": None}
        async with self._transaction() as connection:
            known = set((await connection.execute(there)).scalars())
            new = [subject for subject in subjects if subject not in known]
            await put(connection, outbox, *(row | {"subject": subject} for subject in new))

    async def claim(
        self, kinds: Collection[str], *, but: Collection[Key] = (), most: int
    ) -> tuple[list[Owed], float | None]:
        """Make what is due ours, the longest due first, and say when the next row will be, if any.

        `but`: rows that are ours and in hand.
        """
        now = self.clock()
        rows = await self._next(kinds, most + len(but))
        waiting = [row for row in rows if _key(row) not in but]
        due = [row for row in waiting if row.due_at <= now or row.owner == self._owner][:most]
        left = [row.due_at for row in waiting if row not in due]
        next_at = min(left, default=None)
        if not due:
            return [], next_at
        values = {"owner": self._owner, "due_at": now + LEASE_S}
        values |= {"tries": outbox.c.tries + 1, "begun": outbox.c.begun + 1}
        free = or_(outbox.c.due_at <= now, outbox.c.owner == self._owner)
        found = select(*_KEY).where(tuple_(*_KEY).in_(map(_key, due)), free).order_by(*_KEY)
        # In one order, and without waiting for one another: in PostgreSQL two would block each other.
        locked = found.with_for_update(skip_locked=True)
        change = update(outbox).where(tuple_(*_KEY).in_(locked)).values(values)
        async with self._transaction() as connection:
            told = change.returning(*_KEY, outbox.c.tries, outbox.c.since, outbox.c.begun)
            changed = await connection.execute(told)
            claimed = {_key(row): Owed(_key(row), row.tries, row.since, row.begun) for row in changed}
        return [claimed[key] for key in map(_key, due) if key in claimed], next_at

    async def renew(self, owed: Collection[Owed]) -> None:
        """Hold these for another `LEASE_S`."""
        async with self._transaction() as connection:
            for one in sorted(owed, key=lambda one: one.key):
                await connection.execute(
                    update(outbox).where(self._ours(one)).values(due_at=self.clock() + LEASE_S)
                )

    async def settle(self, owed: Owed) -> None:
        """Nothing is owed any more."""
        async with self._transaction() as connection:
            await connection.execute(delete(outbox).where(self._ours(owed)))

    async def put_off(self, owed: Owed, *, until: float, tries: int) -> None:
        """Let any process try again then (seconds since 1970), who knows of so many tries."""
        values = {"owner": None, "due_at": until, "tries": tries} | ({} if tries else {"since": until})
        change = update(outbox).where(self._ours(owed)).values(values)
        async with self._transaction() as connection:
            await connection.execute(change)

    async def release(self) -> None:
        """Let other processes have what is ours at once."""
        change = update(outbox).where(outbox.c.owner == self._owner)
        async with self._transaction() as connection:
            await connection.execute(change.values(owner=None, due_at=self.clock()))

    async def _next(self, kinds: Collection[str], most: int) -> list[Any]:
        query = (
            select(outbox)
            .where(outbox.c.kind.in_(kinds), self._shards.having_owed())
            .order_by(outbox.c.due_at, outbox.c.subject)
            .limit(most)
        )
        async with self._transaction() as connection:
            return list(await connection.execute(query))

    def _ours(self, owed: Owed) -> Any:
        """Whoever wrote the row anew, or claimed it after us, changed one of both."""
        return and_(_row(owed.key), outbox.c.owner == self._owner, outbox.c.tries == owed.tries)


def _key(row: Any) -> Key:
    return Key(row.kind, row.subject, row.person)


def _row(key: Key) -> Any:
    return tuple_(*_KEY) == tuple_(*key)
