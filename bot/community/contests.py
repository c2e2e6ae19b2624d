"""Contests: a theme, a span, one entry a person, votes decide, one winner told once. Knows no Discord."""

from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Any

from sqlalchemy import (
    and_,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.database.connection import Database, put
from bot.database.outbox import Kind, owe
from bot.database.tables import contests, dreams, entries, pictures, tallies
from bot.dreams.dream import Dream, DreamState, Gone
from bot.dreams.local import is_local
from bot.dreams.store import add, dream_of, in_local_channel

MAX_THEME = 200  # characters
MIN_DAYS, MAX_DAYS = 1, 60
DAY_S = 24 * 3600.0


class AlreadyRunning(Exception):
    """This server has a contest; only one runs at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A stored contest. Times are seconds since 1970, UTC."""

    id: int
    guild_id: int
    running_in: int | None
    channel_id: int  # where the winner is told
    theme: str
    language: str
    started_by: int
    started_at: float
    ends_at: float
    winner_id: int | None
    winner_votes: int | None
    message_id: int | None
    told: bool
    slug: str | None = None  # its name in the web

    @property
    def origin(self) -> int:
        """For the nonce."""
        return self.id


@dataclass(frozen=True, slots=True)
class ContestEntry:
    """A dream in a contest."""

    dream: Dream
    votes: int


class Contests:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        self._transaction = database.transaction
        self.clock = clock

    async def start(
        self, *, guild_id: int, channel_id: int, theme: str, language: str, by: int, span_s: float
    ) -> Contest:
        """Begin one. Raises `AlreadyRunning`."""
        now = self.clock()
        values = {
            "guild_id": guild_id,
            "running_in": guild_id,
            "channel_id": channel_id,
            "theme": theme,
            "language": language,
            "started_by": by,
            "started_at": now,
            "ends_at": now + span_s,
            "told": False,
        }
        try:
            async with self._transaction() as connection:
                contest_id = await add(connection, contests, values)
                if not is_local(guild_id):  # the local channel's tells by itself
                    await owe(connection, Kind.CONTEST, contest_id, now=now, due_at=now + span_s)
        except IntegrityError as error:
            raise AlreadyRunning from error
        (contest,) = await self._list(contests.c.id == contest_id)
        return contest

    async def running(self, guild_id: int) -> Contest | None:
        """The server's contest."""
        return next(iter(await self._list(contests.c.running_in == guild_id)), None)

    async def last(self, guild_id: int) -> Contest | None:
        """The newest one, running or over."""
        return next(reversed(await self._list(contests.c.guild_id == guild_id)), None)

    async def open(self, *, local: bool = False) -> list[Contest]:
        """All that run, and those whose winner is not told yet: the local channel's, or Discord's."""
        waits = or_(contests.c.running_in.is_not(None), contests.c.told.is_(False))
        return await self._list(and_(waits, in_local_channel(contests, local)))

    async def get(self, contest_id: int) -> Contest | None:
        return next(iter(await self._list(contests.c.id == contest_id)), None)

    async def told_in_channel(
        self, guild_id: int, *, since: int = 0, before: int | None = None
    ) -> list[tuple[Contest, int]]:
        """Those of a server whose winner was told, each with the newest dream's number of that time.

        Oldest first; `since`, `before`: only those with such a number, or at least and below it.
        """
        newest = select(func.max(dreams.c.id)).where(
            dreams.c.guild_id == guild_id, dreams.c.created_at <= contests.c.ends_at
        )
        number = func.coalesce(newest.scalar_subquery(), 0)
        told = and_(contests.c.guild_id == guild_id, contests.c.message_id.is_not(None), number >= since)
        query = select(contests, number.label("number")).where(told).order_by(contests.c.id)
        if before is not None:
            query = query.where(number < before)
        async with self._transaction() as connection:
            return [_numbered(dict(row._mapping)) for row in await connection.execute(query)]

    async def enter(self, contest: Contest, dream: Dream) -> bool:
        """Let this be its author's entry, instead of an earlier one. False when the contest is over."""
        now = self.clock()
        runs = select(contests.c.id).where(contests.c.id == contest.id, contests.c.running_in.is_not(None))
        async with self._transaction() as connection:
            if contest.ends_at <= now or (await connection.execute(runs)).first() is None:
                return False
            values = {"contest_id": contest.id, "person": dream.author_id, "dream_id": dream.id}
            await put(connection, entries, values | {"entered_at": now})
        return True

    async def candidates(self, contest: Contest, person: int, *, most: int = 25) -> list[Dream]:
        """A person's finished dreams that may enter, the newest first."""
        theirs = and_(
            dreams.c.author_id == person,
            dreams.c.guild_id == contest.guild_id,
            dreams.c.created_at >= contest.started_at,
            _may_enter(),
        )
        query = select(dreams).where(theirs).order_by(dreams.c.id.desc()).limit(most)
        async with self._transaction() as connection:
            return [dream_of(row) for row in await connection.execute(query)]

    async def entries(self, contest_id: int) -> list[ContestEntry]:
        """Most votes first; of as many votes who entered first. Erased dreams are out."""
        tally = func.coalesce(tallies.c.people, 0)
        query = (
            select(dreams, tally.label("tally"))
            .join(entries, entries.c.dream_id == dreams.c.id)
            .outerjoin(tallies, tallies.c.dream_id == dreams.c.id)
            .where(entries.c.contest_id == contest_id, _is_shown())
            .order_by(tally.desc(), entries.c.entered_at)
        )
        async with self._transaction() as connection:
            return [ContestEntry(dream_of(row), row.tally) for row in await connection.execute(query)]

    async def finish(self, contest_id: int, *, now: bool = False) -> bool:
        """End one whose time is over (or `now`) and keep its winner. True if it was running."""
        found = await self.entries(contest_id)
        winner = found[0] if found and found[0].votes else None
        values: dict[str, Any] = {"running_in": None}
        if winner is not None:
            values |= {"winner_id": winner.dream.id, "winner_votes": winner.votes}
        if now:
            values["ends_at"] = self.clock()
        due = and_(contests.c.id == contest_id, contests.c.running_in.is_not(None))
        if not now:
            due = and_(due, contests.c.ends_at <= self.clock())
        change = update(contests).where(due).values(values).returning(contests.c.guild_id)
        async with self._transaction() as connection:
            guild_id = await connection.scalar(change)
            if now and guild_id is not None and not is_local(guild_id):
                await owe(connection, Kind.CONTEST, contest_id, now=self.clock())
        return guild_id is not None

    async def told(self, contest_id: int, message_id: int | None) -> None:
        """The winner is told in this message, or (None) nobody can be told."""
        change = update(contests).where(contests.c.id == contest_id)
        async with self._transaction() as connection:
            await connection.execute(change.values(told=True, message_id=message_id))

    async def won_by(self, dream_id: int, *, local: bool = False) -> list[Contest]:
        """Those whose message tells that this dream won: the local channel's, or Discord's."""
        told = and_(_TELLS, in_local_channel(contests, local))
        return await self._list(and_(told, contests.c.winner_id == dream_id))

    async def lost_winners(self) -> list[int]:
        """Dreams that a message in Discord still tells to have won, and that are shown no more."""
        over = or_(dreams.c.erased.is_(True), dreams.c.gone == Gone.DELETED)
        query = select(dreams.c.id).where(over, dreams.c.id.in_(winners())).order_by(dreams.c.id)
        async with self._transaction() as connection:
            return list((await connection.execute(query)).scalars())

    async def withdraw(self, contest_id: int) -> None:
        """Its message does not show the winner any more."""
        change = update(contests).where(contests.c.id == contest_id)
        async with self._transaction() as connection:
            await connection.execute(change.values(winner_id=None))

    async def _list(self, condition: Any) -> list[Contest]:
        async with self._transaction() as connection:
            rows = await connection.execute(select(contests).where(condition).order_by(contests.c.id))
            return [Contest(**row._mapping) for row in rows]


_TELLS = and_(contests.c.message_id.is_not(None), contests.c.winner_id.is_not(None))


def winners() -> Any:
    """The dreams that a message in Discord tells to have won, as a query."""
    return select(contests.c.winner_id).where(_TELLS, in_local_channel(contests, False))


def _numbered(row: dict[str, Any]) -> tuple[Contest, int]:
    number = int(row.pop("number"))
    return Contest(**row), number


def _may_enter() -> Any:
    """Dreams with a picture that a message shows."""
    return and_(_is_shown(), dreams.c.id.in_(select(pictures.c.dream_id)))


def _is_shown() -> Any:
    """As `_may_enter`; the picture may have been let go since (`bot.keeping.retention`)."""
    return and_(
        dreams.c.state.in_((DreamState.DONE, DreamState.CANCELLED)),
        dreams.c.erased.is_(False),
        dreams.c.gone == Gone.NOT,
        dreams.c.candidate == 0,
        dreams.c.message_id.is_not(None),
        or_(dreams.c.recipe != "", dreams.c.id.in_(select(pictures.c.dream_id))),
    )
