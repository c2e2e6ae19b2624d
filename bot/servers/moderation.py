"""What moderators set and do, stored, effective at once, each change in an audit log. Knows no Discord.

Everything is read once and then kept in memory: settings are asked for with each wish. Another process's
changes (two overlap while a host restarts us) are found by the audit log, which only grows.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields
from time import time
from typing import Any, Protocol

from sqlalchemy import (
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import (
    MODERATING,
    Database,
    alone,
    put,
)
from bot.database.outbox import Kind, owe
from bot.database.tables import audit, bans, guilds, reports
from bot.dreams.dream import tidy
from bot.dreams.local import is_local
from bot.servers.settings import ServerSettings, plain

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ban:
    """A person who may not dream in a server."""

    guild_id: int
    person: int
    until: float | None  # seconds since 1970; None: until somebody lifts it
    reason: str  # the moderator's words, or ''
    by: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log."""

    id: int
    guild_id: int
    at: float  # seconds since 1970
    by: int  # who did it
    what: str  # a field of `ServerSettings`, or what was done: "ban", "unban", "clear", "cancel", "front" …
    target: str  # whom or what it concerns: "person:12", "role:5", "dream:7", or ''
    old: str  # as JSON holds it, or ''
    new: str


class Theirs(Protocol):
    """What belongs to a person, in a server: a dream, a choice between beginnings."""

    @property
    def id(self) -> int: ...

    @property
    def author_id(self) -> int: ...

    @property
    def guild_id(self) -> int | None: ...


class Moderation:
    """Live: `start` first. Changes raise `StoreError` and then change nothing, in memory neither."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        self._transaction = database.transaction
        self._clock = clock
        self._settings: dict[int, ServerSettings] = {}
        self._bans: dict[tuple[int, int], Ban] = {}
        self._last_entry = 0  # the newest one that memory knows of
        self._changing = asyncio.Lock()
        self.on_change: list[Callable[[int], None]] = []  # told which server's settings are new
        self.on_entry: list[Callable[[AuditEntry], None]] = []  # told what was done in this process

    async def start(self) -> None:
        """Read everything. Raises `StoreError`."""
        async with self._changing, self._transaction() as connection:
            await self._read(connection)
        for guild_id in self._settings:
            self._tell(guild_id)

    async def refresh(self) -> None:
        """Read what other processes changed. Raises `StoreError`."""
        async with self._changing, self._transaction() as connection:
            news = select(audit.c.guild_id).distinct().where(audit.c.id > self._last_entry)
            changed = set((await connection.execute(news)).scalars())
            if changed:
                await self._read(connection, changed)
        for guild_id in changed:
            self._tell(guild_id)

    def settings(self, guild_id: int | None) -> ServerSettings:
        """This server's settings as they are now; the defaults where nothing was set, or in no server."""
        return self._settings.get(guild_id or 0) or ServerSettings()

    def servers_where(self, test: Callable[[ServerSettings], bool]) -> set[int]:
        """The servers whose settings pass, of those where anything was set."""
        return {guild_id for guild_id, settings in self._settings.items() if test(settings)}

    def ban(self, guild_id: int | None, person: int) -> Ban | None:
        """The ban that holds for this person now."""
        ban = self._bans.get((guild_id or 0, person))
        return None if ban is None or (ban.until is not None and ban.until <= self._clock()) else ban

    def bans(self, guild_id: int) -> list[Ban]:
        """All bans that hold in a server now."""
        here = [person for guild, person in self._bans if guild == guild_id]
        return [ban for person in here if (ban := self.ban(guild_id, person))]

    def forget(self, guild_id: int) -> None:
        """Know nothing of a server any more; its rows are gone, or go."""
        self._settings.pop(guild_id, None)
        self._bans = {key: ban for key, ban in self._bans.items() if key[0] != guild_id}
        self._tell(guild_id)

    # --------------------------------------------------------------- changes

    async def change(
        self,
        guild_id: int,
        *,
        by: int,
        change: Callable[[ServerSettings], ServerSettings],
    ) -> list[AuditEntry]:
        """Change a server's settings. Gives the audit's entries, one a field; none when all is as it was."""
        async with self._changing:
            async with self._alone() as connection:
                row = await connection.scalar(select(guilds.c.settings).where(guilds.c.guild_id == guild_id))
                old = ServerSettings() if row is None else ServerSettings.from_json(row)
                new = change(old)
                entries = [
                    await self._enter(connection, guild_id, by, *difference)
                    for difference in _differences(old, new)
                ]
                if entries:
                    await self._keep(connection, guild_id, {"settings": new.to_json()})
            if entries:
                self._settings[guild_id] = new
        self._told(entries)
        return entries

    async def add_ban(
        self, guild_id: int, person: int, *, by: int, until: float | None = None, reason: str = ""
    ) -> Ban:
        """Let a person dream no more, here and from now on; a second ban replaces the first."""
        ban = Ban(guild_id, person, until, tidy(reason), by)
        async with self._changing:
            async with self._alone() as connection:
                await put(connection, bans, asdict(ban))
                new = json.dumps({"until": until, "reason": ban.reason}, ensure_ascii=False)
                entry = await self._enter(connection, guild_id, by, "ban", f"person:{person}", "", new)
            self._bans[guild_id, person] = ban
        self._told([entry])
        return ban

    async def lift_ban(self, guild_id: int, person: int, *, by: int) -> bool:
        """Let a person dream again. True if they were banned."""
        if self.ban(guild_id, person) is None:
            return False
        async with self._changing:
            async with self._alone() as connection:
                await connection.execute(delete(bans).where(_ban_of(guild_id, person)))
                entry = await self._enter(connection, guild_id, by, "unban", f"person:{person}", "", "")
            self._bans.pop((guild_id, person), None)
        self._told([entry])
        return True

    async def note(
        self, guild_id: int, *, by: int, what: str, target: str = "", old: str = "", new: str = ""
    ) -> AuditEntry:
        """Enter something in the audit log that is done elsewhere, e.g. that a dream was cancelled."""
        async with self._changing, self._alone() as connection:
            entry = await self._enter(connection, guild_id, by, what, target, old, new)
        self._told([entry])
        return entry

    async def note_about(self, dream: Theirs, *, by: int, what: str, number: int | None = None) -> None:
        """Enter what somebody does with another person's dream or choice; of their own there is no entry.

        `number`: of the dream that is meant, if it is another one.
        """
        if dream.guild_id is not None and by != dream.author_id:
            await self.note(dream.guild_id, by=by, what=what, target=f"dream:{number or dream.id}")

    # ------------------------------------------------------------- questions

    async def audit(self, guild_id: int, *, before: int | None = None, most: int = 10) -> list[AuditEntry]:
        """The newest entries of a server, newest first; `before`: older than the entry with this id."""
        query = select(audit).where(audit.c.guild_id == guild_id).order_by(audit.c.id.desc()).limit(most)
        if before is not None:
            query = query.where(audit.c.id < before)
        async with self._transaction() as connection:
            return [AuditEntry(**row._mapping) for row in await connection.execute(query)]

    async def entry(self, entry_id: int) -> AuditEntry | None:
        async with self._transaction() as connection:
            row = (await connection.execute(select(audit).where(audit.c.id == entry_id))).first()
        return None if row is None else AuditEntry(**row._mapping)

    async def report(self, dream_id: int, person: int) -> bool:
        """Remember that a person reported a dream. False when they did so before, or it is gone."""
        try:
            async with self._transaction() as connection:
                await connection.execute(
                    insert(reports).values(dream_id=dream_id, person=person, at=self._clock())
                )
        except IntegrityError:
            return False
        return True

    async def withdraw_report(self, dream_id: int, person: int) -> None:
        """Forget a report that reached nobody."""
        mine = and_(reports.c.dream_id == dream_id, reports.c.person == person)
        async with self._transaction() as connection:
            await connection.execute(delete(reports).where(mine))

    async def welcome(self, guild_id: int) -> bool:
        """True the first time that this is asked for a server, in whichever process."""
        async with self._changing:
            try:
                async with self._alone() as connection:
                    seen = select(guilds.c.welcomed_at).where(guilds.c.guild_id == guild_id)
                    if await connection.scalar(seen) is not None:
                        return False
                    await self._keep(connection, guild_id, {"welcomed_at": self._clock()})
            except IntegrityError:
                return False  # another process was quicker
        return True

    # -------------------------------------------------------------- plumbing

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in which no other process changes anything, so that the log grows in order."""
        async with self._transaction() as connection:
            await alone(connection, MODERATING)
            yield connection

    async def _read(self, connection: AsyncConnection, only: Collection[int] | None = None) -> None:
        """Settings and bans of these servers, or of all."""
        settings, banned = select(guilds.c.guild_id, guilds.c.settings), select(bans)
        if only is not None:
            settings = settings.where(guilds.c.guild_id.in_(only))
            banned = banned.where(bans.c.guild_id.in_(only))
        set_now = (await connection.execute(settings)).all()
        banned_now = (await connection.execute(banned)).all()
        newest = await connection.scalar(select(func.max(audit.c.id)))
        # Memory changes at once when all is read: until then, and if the database fails, the old holds.
        kept = {} if only is None else {key: ban for key, ban in self._bans.items() if key[0] not in only}
        self._bans = kept | {(row.guild_id, row.person): Ban(**row._mapping) for row in banned_now}
        for row in set_now:
            self._settings[row.guild_id] = ServerSettings.from_json(row.settings)
        self._last_entry = newest or 0

    async def _keep(self, connection: AsyncConnection, guild_id: int, values: dict[str, Any]) -> None:
        changed = await connection.execute(update(guilds).where(guilds.c.guild_id == guild_id).values(values))
        if changed.rowcount == 0:
            await connection.execute(insert(guilds).values({"guild_id": guild_id, "settings": "{}"} | values))

    async def _enter(
        self, connection: AsyncConnection, guild_id: int, by: int, what: str, target: str, old: str, new: str
    ) -> AuditEntry:
        values: dict[str, Any] = dict(
            guild_id=guild_id, at=self._clock(), by=by, what=what, target=target, old=old, new=new
        )
        result = await connection.execute(insert(audit).values(values))
        assert result.inserted_primary_key is not None
        entry = AuditEntry(id=result.inserted_primary_key[0], **values)
        if not is_local(guild_id):
            await owe(connection, Kind.LOG, entry.id, now=entry.at)
        return entry

    def _told(self, entries: list[AuditEntry]) -> None:
        for entry in entries:
            log.info("server %d: %s %s %s → %s by %d", *_words(entry))
            for hear in self.on_entry:
                hear(entry)
        for guild_id in {entry.guild_id for entry in entries}:
            self._tell(guild_id)

    def _tell(self, guild_id: int) -> None:
        for hear in self.on_change:
            hear(guild_id)


def _words(entry: AuditEntry) -> tuple[int, str, str, str, str, int]:
    return entry.guild_id, entry.what, entry.target, entry.old[:200], entry.new[:200], entry.by


def _ban_of(guild_id: int, person: int) -> Any:
    return and_(bans.c.guild_id == guild_id, bans.c.person == person)


def _differences(old: ServerSettings, new: ServerSettings) -> list[tuple[str, str, str, str]]:
    """What the audit log says of a change: (field, target, old, new); roles and people one by one."""
    found: list[tuple[str, str, str, str]] = []
    for name in (field.name for field in fields(ServerSettings)):
        before, after = plain(getattr(old, name)), plain(getattr(new, name))
        if before == after:
            continue
        if name in ("roles", "people"):
            one = name.removesuffix("s") if name == "roles" else "person"
            for key in sorted(before.keys() | after.keys()):
                if before.get(key) != after.get(key):
                    found.append(
                        (name, f"{one}:{key}", _text(before.get(key, {})), _text(after.get(key, {})))
                    )
        else:
            found.append((name, "", _text(before), _text(after)))
    return found


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
