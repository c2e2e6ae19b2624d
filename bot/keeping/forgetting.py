"""Forgets people who ask for it, and servers that we left: recorded first, then done bite by bite.

Whatever dies in the middle, the record is found again and what is left is done: each bite is a transaction of
its own, and none minds being done twice. Of several processes one does it at a time (`bot.keeping.chores`);
every one hears of it, for each keeps something in memory. What shows a dream is taken down by the front end
whose it is; a process without that front end leaves it to one that has it.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from time import time
from typing import Any, Protocol

from sqlalchemy import and_, delete, select, update

from bot.background import BackgroundLoop
from bot.community.choices import Choice, Choices
from bot.community.votes import Votes
from bot.database.connection import Database, StoreError, put
from bot.database.tables import forgettings
from bot.dreams.dream import Dream
from bot.dreams.local import MAX_PERSON
from bot.dreams.store import Store
from bot.keeping.chores import Chores
from bot.keeping.traces import Traces
from bot.queue.worker import Worker

log = logging.getLogger(__name__)

GRACE_S = 7 * 24 * 3600.0  # seconds for which a server that we left is kept, in case that we are back
POLL_S = 10.0  # seconds between looks for what other processes were asked
LINGER_S = 3 * POLL_S  # a record stands for so long once it is done, that all processes hear of it
RETRY_S = 2.0  # seconds before something is tried again that could not be done: a dream is ending
PACE_S = 0.05  # seconds between two bites
LEASE_S = 30.0  # seconds after which another process goes on where one vanished


_CHORES = {True: "forget-local", False: "forget-discord"}  # by whether it is the local channel's


class Kind(StrEnum):
    """What is forgotten; the value is what the database holds."""

    PERSON = "person"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A record. Times are seconds since 1970, UTC."""

    kind: Kind
    subject: int  # the person's or the server's id
    asked_at: float
    due_at: float
    done_at: float | None = None


class FrontEnd(Protocol):
    """What takes down what people see."""

    async def take_down(self, dream: Dream) -> bool:
        """Erase a dream wherever it is shown; False when that has to be tried again. Raises `StoreError`."""
        ...

    async def take_down_choice(self, choice: Choice) -> bool:
        """As `take_down`, of a choice that is over."""
        ...

    async def has_left(self, guild_id: int) -> bool | None:
        """Whether we are not in this server any more; None: nobody can say just now."""
        ...


def _is_local(record: Forgetting) -> bool:
    return record.kind is Kind.PERSON and record.subject <= MAX_PERSON


class _Bite(Enum):
    """What came of one."""

    MORE = auto()  # there is more to do
    LATER = auto()  # something has to be tried again
    DONE = auto()


class Forgetter(BackgroundLoop):
    """Live. `person`, `server_left` and `server_back` raise `StoreError`."""

    def __init__(
        self,
        *,
        database: Database,
        store: Store,
        worker: Worker,
        choices: Choices,
        votes: Votes,
        clock: Callable[[], float] = time,
        retry_s: float = RETRY_S,
        linger_s: float = LINGER_S,
    ) -> None:
        super().__init__(retry_s=retry_s)
        self._database = database
        self._store = store
        self._worker = worker
        self._choices = choices
        self._votes = votes
        self._clock = clock
        self._linger_s = linger_s
        self._chores = Chores(database=database, owner=store.owner, clock=clock)
        self.traces = Traces(database=database, shards=store.shards)
        self.discord: FrontEnd | None = None
        self.local: FrontEnd | None = None
        # Told, in each process, whom or what it should know nothing of any more.
        self.on_forgotten: dict[Kind, list[Callable[[int], None]]] = {kind: [] for kind in Kind}
        self._told: set[tuple[Kind, int, float]] = set()
        self._after: dict[int, int] = {}  # person → the dream that was last tried to be taken down
        self._failed: set[int] = set()  # people of whose dreams one could not be taken down this time

    async def close(self) -> None:
        """Stop; another process, or the next one, goes on at once."""
        await super().close()
        with suppress(StoreError):
            for chore in _CHORES.values():
                await self._chores.leave(chore)

    async def person(self, person: int) -> None:
        """Forget everything of somebody, from now on."""
        now = self._clock()
        await self._record(Forgetting(Kind.PERSON, person, now, now))
        log.info("Somebody is to be forgotten")  # their id would stay in the log
        self.wake()

    async def is_forgetting(self, person: int) -> bool:
        """Whether that is not done yet."""
        return any(one.kind is Kind.PERSON and one.subject == person for one in await self._records())

    async def server_left(self, guild_id: int) -> None:
        """We are not in this server any more; a record that stands is kept."""
        now = self._clock()
        if not any(one.kind is Kind.SERVER and one.subject == guild_id for one in await self._records()):
            await self._record(Forgetting(Kind.SERVER, guild_id, now, now + GRACE_S))
            log.info("server %d: we left it; in a week it is forgotten", guild_id)
            self.wake()

    async def server_back(self, guild_id: int) -> None:
        """We are in this server again."""
        await self._remove(Kind.SERVER, guild_id)

    # ------------------------------------------------------------------ the loop

    async def _look(self) -> float | None:
        rest_s = POLL_S
        for record in await self._records():
            if record.due_at > self._clock():
                rest_s = min(rest_s, record.due_at - self._clock())
                continue
            self._tell(record)
            front = self._front(record)
            if front is None:
                continue  # another process has it
            if record.done_at is not None:
                rest_s = min(rest_s, await self._let_go(record, record.done_at))
            elif await self._chores.take(_CHORES[_is_local(record)], for_s=LEASE_S):
                rest_s = min(rest_s, await self._go_on(record, front))
        return rest_s

    async def _go_on(self, record: Forgetting, front: FrontEnd) -> float:
        """One bite of it. Gives the seconds until the next look."""
        bite = await (self._person if record.kind is Kind.PERSON else self._server)(record, front)
        if bite is _Bite.MORE:
            return PACE_S
        if bite is _Bite.LATER:
            return self._retry_s
        await self._change(record, {"done_at": self._clock()})
        self._database.forget()
        log.info("A %s is forgotten", record.kind.value)
        return self._linger_s

    async def _let_go(self, record: Forgetting, done_at: float) -> float:
        left_s = done_at + self._linger_s - self._clock()
        if left_s <= 0:
            await self._remove(record.kind, record.subject, asked_at=record.asked_at)
            self._told.discard((record.kind, record.subject, record.due_at))
            return POLL_S
        return left_s

    def _tell(self, record: Forgetting) -> None:
        """This process's memory, once."""
        key = (record.kind, record.subject, record.due_at)
        if key not in self._told:
            self._told.add(key)
            for hear in self.on_forgotten[record.kind]:
                hear(record.subject)

    def _front(self, record: Forgetting) -> FrontEnd | None:
        return self.local if _is_local(record) else self.discord

    # -------------------------------------------------------------------- people

    async def _person(self, record: Forgetting, front: FrontEnd) -> _Bite:
        person, until = record.subject, record.asked_at
        running, open_choices = await self.traces.unfinished(person, until=until)
        for choice_id in open_choices:
            await self._choices.cancel(choice_id)
        for dream_id in running:
            await self._worker.cancel(dream_id, by=person)
        if await self.traces.drop_images(person):
            return _Bite.MORE
        if await self._dreams(person, front, until):
            return _Bite.MORE
        has_failed = person in self._failed
        self._failed.discard(person)
        for choice_id in await self.traces.choices_of(person, until=until):
            choice = await self._choices.get(choice_id)
            has_failed = has_failed or (choice is not None and not await front.take_down_choice(choice))
        if running or open_choices or has_failed:
            return _Bite.LATER
        more, unvoted = await self.traces.scrub(person, until=until)
        for dream_id in unvoted:
            if dream := await self._store.get(dream_id):
                await self._votes.tell(dream)
        return _Bite.MORE if more else _Bite.DONE

    async def _dreams(self, person: int, front: FrontEnd, until: float) -> bool:
        """Take down some of their dreams. True while there are more that were not tried this time."""
        after = self._after.pop(person, 0)
        found = await self.traces.dreams_of(person, until=until, after=after)
        for dream in found:
            try:
                done = await front.take_down(dream)
            except StoreError:
                raise
            except Exception:
                # A fault with one dream must not keep the others.
                log.exception("dream %d: a fault of ours while it was forgotten", dream.id)
                done = False
            if not done:
                self._failed.add(person)
        if found:
            self._after[person] = found[-1].id
        return bool(found)

    # ------------------------------------------------------------------- servers

    async def _server(self, record: Forgetting, front: FrontEnd) -> _Bite:
        guild_id = record.subject
        left = await front.has_left(guild_id)
        if not left:
            if left is not None:
                log.info("server %d: we are in it, so it is kept", guild_id)
                await self.server_back(guild_id)
            return _Bite.LATER
        running = await self.traces.unfinished_in(guild_id)
        for dream_id in running:
            await self._worker.cancel(dream_id)
        if running:
            return _Bite.LATER
        while await self.traces.scrub_server(guild_id):  # it was asked just now whether we are there
            if not await self._chores.take(_CHORES[False], for_s=LEASE_S):
                return _Bite.LATER
        return _Bite.DONE

    # ------------------------------------------------------------------- records

    async def _records(self) -> list[Forgetting]:
        async with self._database.transaction() as connection:
            rows = await connection.execute(select(forgettings).order_by(forgettings.c.due_at))
            return [Forgetting(**dict(row._mapping) | {"kind": Kind(row.kind)}) for row in rows]

    async def _record(self, record: Forgetting) -> None:
        row = {
            "kind": record.kind.value,
            "subject": record.subject,
            "asked_at": record.asked_at,
            "due_at": record.due_at,
            "done_at": None,
        }
        async with self._database.transaction() as connection:
            await put(connection, forgettings, row)

    async def _change(self, record: Forgetting, values: dict[str, Any]) -> None:
        """Unless it was asked for anew meanwhile."""
        here = and_(
            forgettings.c.kind == record.kind.value,
            forgettings.c.subject == record.subject,
            forgettings.c.asked_at == record.asked_at,
        )
        async with self._database.transaction() as connection:
            await connection.execute(update(forgettings).where(here).values(values))

    async def _remove(self, kind: Kind, subject: int, *, asked_at: float | None = None) -> None:
        here = and_(forgettings.c.kind == kind.value, forgettings.c.subject == subject)
        if asked_at is not None:
            here = and_(here, forgettings.c.asked_at == asked_at)
        async with self._database.transaction() as connection:
            await connection.execute(delete(forgettings).where(here))
