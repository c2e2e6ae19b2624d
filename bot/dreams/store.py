"""Keeps dreams, pictures and votes in a database, so that a restart loses nothing. Knows no Discord.

A dream is claimed under a lease: its row names the process that dreams it and the time until which it holds.
Two processes that overlap (a host starts the new one before the old one is gone) never dream the same dream.
"""

import asyncio
import json
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import asdict, fields
from time import time
from typing import Any

from sqlalchemy import (
    Integer,
    Row,
    Table,
    Update,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database, put
from bot.database.contents import Contents
from bot.database.outbox import Kind, owe
from bot.database.shards import ALL_SHARDS, Shards
from bot.database.tables import (
    dreams,
    fame,
    images,
    pictures,
    states,
    thumbnails,
    timelapses,
    votes,
)
from bot.dreams.dream import (
    Dream,
    DreamState,
    Gone,
    Picture,
    Wish,
)
from bot.dreams.hanging import owe_taking_down
from bot.dreams.local import GUILD_ID, is_local
from bot.dreams.votes import VoteStore
from bot.queue.fair_queue import PART, Past, Sum
from bot.queue.lane import Turn, server_of
from engine import Failed, FailureKind, Finished
from engine.sentences import Saying

COSTLY = (FailureKind.CRASH, FailureKind.HANG, FailureKind.MEMORY)  # an engine's start, or minutes of it
FORGIVEN = 3  # of them within the asked time: a fault of the machine's is nobody's
BITE = 500  # rows that are read at once where there may be very many
OVER = tuple(state for state in DreamState if state.is_over)
_DREAM_FIELDS = frozenset(field.name for field in fields(Dream))
_NEW = {"state": DreamState.QUEUED, "attempts": 0}
_IN_LINE = {"state": DreamState.QUEUED, "owner": None, "lease_until": None, "started_at": None}
_WORDS = (
    "prompt",
    "avoid",
    "recipe",
    "notice",
    "failure_detail",
    "nearest",
)  # what is somebody's own in a dream's row

# A chapter waits until the one before is over.
_parents = dreams.alias("parents")
_MAY_BEGIN = or_(
    dreams.c.parent_id.is_(None),
    exists().where(_parents.c.id == dreams.c.parent_id, _parents.c.state.in_(OVER)),
)
# What a person finds again: no beginning that lost, or that goes on in another dream.
_BY_HAND = and_(dreams.c.erased.is_(False), dreams.c.candidate == 0)
_FOLLOWS = and_(dreams.c.state == DreamState.QUEUED, dreams.c.chapter > 1)


Admit = Callable[[AsyncConnection], Awaitable[None]]


class AlreadyStored(Exception):
    """This interaction's dream is stored already, by this process or by another one."""


class Store(VoteStore):
    """Every method is one transaction and raises `StoreError`."""

    def __init__(
        self,
        database: Database,
        *,
        owner: str,
        contents: Contents | None = None,
        shards: Shards = ALL_SHARDS,
        clock: Callable[[], float] = time,
    ) -> None:
        """`owner`: this process's own name in leases; `contents`: where bytes lie, None: in the database;
        `shards`: whose dreams it shows; `clock`: seconds since 1970.
        """
        super().__init__(database, clock=clock)
        self.owner = owner
        self.shards = shards
        self._contents = contents or Contents(database)
        self._forget = database.forget
        self.on_erase: list[Callable[[Dream], None]] = []  # told a dream without its words and pictures

    # ---------------------------------------------------------------- dreams

    async def add(self, wish: Wish, *, image: bytes | None = None) -> Dream:
        """Store a wish as a queued dream, with its image prompt. Raises `AlreadyStored`."""
        return (await self.add_story([wish], image=image))[0]

    async def add_story(
        self, wishes: Sequence[Wish], *, image: bytes | None = None, admit: Admit | None = None
    ) -> list[Dream]:
        """Store dreams of which each begins at the end of the one before, the first with an image prompt.

        `admit`: raises what keeps them out, in the same transaction. Raises `AlreadyStored` when the first
        one's origin was stored before.
        """
        stored: list[Dream] = []
        try:
            async with self._transaction() as connection:
                if admit is not None:
                    await admit(connection)
                for wish in wishes:
                    values = asdict(wish) | _NEW | {"created_at": self._clock()}
                    if stored:
                        values |= {"parent_id": stored[-1].id, "origin": -stored[-1].id, "begin": "continue"}
                    elif image is not None:
                        values["image_id"] = await add(connection, images, {"content": image})
                    stored.append(await self._get(connection, await add(connection, dreams, values)))
        except IntegrityError as error:
            raise AlreadyStored from error
        return stored

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for what asks several things; see `waits_as_many` and `asked_since`."""
        async with self._transaction() as connection:
            yield connection

    async def get(self, dream_id: int) -> Dream | None:
        async with self._transaction() as connection:
            return await self._find(connection, dreams.c.id == dream_id)

    async def standing(self, dream_id: int) -> tuple[Dream, bool] | None:
        """The dream as it is now, and whether it is ours to show: it waits, or we hold its lease."""
        query = select(dreams, or_(dreams.c.state == DreamState.QUEUED, self._ours()).label("is_ours"))
        async with self._transaction() as connection:
            row = (await connection.execute(query.where(dreams.c.id == dream_id))).first()
        return (dream_of(row), bool(row.is_ours)) if row else None

    async def shown_by(self, message_id: int) -> Dream | None:
        """The dream that this channel message shows."""
        async with self._transaction() as connection:
            return await self._find(connection, dreams.c.message_id == message_id)

    async def shown_at(self, message_id: int) -> tuple[Dream, int] | None:
        """The dream of this message, and 0 when it is its own; else the message: a copy of it."""
        own = select(dreams.c.id).where(dreams.c.message_id == message_id)
        gallery = select(dreams.c.id).where(dreams.c.gallery_message_id == message_id)
        hall = select(fame.c.dream_id).where(fame.c.message_id == message_id)
        async with self._transaction() as connection:
            dream = await self._find(connection, dreams.c.id.in_(union_all(own, gallery, hall)))
        if dream is None:
            return None
        return dream, 0 if dream.message_id == message_id else message_id

    async def found_at_beginning(self, dream: Dream) -> str:
        """What the safety check found in a picture at which this dream begins, or ''."""
        begun_at = [id for id in (dream.parent_id, dream.other_id) if id is not None]
        if dream.begin == "new" or not begun_at:
            return ""
        unsafe = select(dreams.c.flagged).where(dreams.c.id.in_(begun_at), dreams.c.flagged != "")
        async with self._transaction() as connection:
            return (await connection.scalar(unsafe.order_by(dreams.c.id))) or ""

    async def waiting(self) -> list[Dream]:
        """All queued dreams that may begin and those whose owner's lease ran out, oldest first."""
        return await self._list(self._waits())

    async def line(self, first: int, end: int) -> list[Turn]:
        """The places of those dreams that `waiting` would give, with numbers from `first` to below `end`."""
        query = select(dreams.c.id, dreams.c.author_id, dreams.c.guild_id)
        query = query.where(dreams.c.id >= first, dreams.c.id < end, self._waits()).order_by(dreams.c.id)
        async with self._transaction() as connection:
            rows = (await connection.execute(query)).all()
        return [Turn(id, author_id, server_of(guild_id, author_id)) for id, author_id, guild_id in rows]

    async def line_sums(self) -> dict[int, Sum]:
        """Of all dreams that `waiting` would give, as `bot.queue.fair_queue.Turns.sums` says it."""
        # One after the other: of both together SQLite would read all dreams.
        waits = union_all(*(select(dreams.c.id).where(each) for each in self._ways_to_wait())).subquery()
        part = waits.c.id // literal_column(str(PART), Integer())  # PostgreSQL groups by no parameter
        query = select(part, func.count(), func.sum(waits.c.id)).group_by(part)
        async with self._transaction() as connection:
            return {row[0]: Sum(row[1], int(row[2])) for row in await connection.execute(query)}

    async def moves(self) -> dict[int, float]:
        """When (seconds since 1970) which dreams that are not over were moved to the front.

        Few ever were: `coalesce` keeps SQLite from looking at all that wait.
        """
        going_on = func.coalesce(dreams.c.state, "").in_((DreamState.QUEUED, DreamState.DREAMING))
        query = select(dreams.c.id, dreams.c.moved_at).where(dreams.c.moved_at.is_not(None), going_on)
        async with self._transaction() as connection:
            return {row.id: row.moved_at for row in await connection.execute(query)}

    async def begun(self, dream_ids: Collection[int]) -> list[int]:
        """Those of these dreams whose turn came, in that order."""
        ids = sorted(dream_ids)
        found: list[tuple[float, int]] = []
        async with self._transaction() as connection:
            for start in range(0, len(ids), BITE):
                began = and_(dreams.c.id.in_(ids[start : start + BITE]), dreams.c.started_at.is_not(None))
                rows = await connection.execute(select(dreams.c.started_at, dreams.c.id).where(began))
                found += [(row.started_at, row.id) for row in rows]
        return [dream_id for _, dream_id in sorted(found)]

    def _waits(self) -> Any:
        return or_(*self._ways_to_wait())

    def _ways_to_wait(self) -> tuple[Any, Any]:
        """Queued, or left behind."""
        abandoned = and_(dreams.c.state == DreamState.DREAMING, dreams.c.lease_until < self._clock())
        return and_(dreams.c.state == DreamState.QUEUED, _MAY_BEGIN), abandoned

    async def history(self, *, since: float) -> list[Past]:
        """Whose turn came since then (seconds since 1970), and all who wait."""
        columns = (dreams.c.id, dreams.c.author_id, dreams.c.guild_id)
        times = (dreams.c.created_at, dreams.c.moved_at, dreams.c.started_at)
        queued = and_(dreams.c.state == DreamState.QUEUED, _MAY_BEGIN)
        unserved = or_(queued, dreams.c.lease_until < self._clock())
        going_on = dreams.c.state.in_((DreamState.QUEUED, DreamState.DREAMING))
        waits = and_(going_on, func.coalesce(unserved, False))
        query = select(*columns, *times, waits.label("waits"))
        found: list[Past] = []

        def take(rows: Sequence[Any]) -> None:
            for id, author_id, guild_id, asked_at, moved_at, started_at, is_waiting in rows:
                turn = Turn(id, author_id, server_of(guild_id, author_id))
                found.append(Past(turn, asked_at, moved_at, None if is_waiting else started_at))

        # One after the other: of both together SQLite would read all dreams.
        await self._in_bites(query.where(waits), take)
        await self._in_bites(query.where(dreams.c.started_at >= since, not_(waits)), take)
        return sorted(found, key=lambda past: past.turn.dream_id)

    async def in_server(self, guild_id: int, states: Sequence[DreamState]) -> list[Dream]:
        """A server's dreams in these states, oldest first."""
        return await self._list(and_(dreams.c.guild_id == guild_id, dreams.c.state.in_(states)))

    async def dreamt_elsewhere(self) -> list[Dream]:
        """Those that other processes hold."""
        held = and_(dreams.c.owner != self.owner, dreams.c.lease_until >= self._clock())
        return await self._list(and_(dreams.c.state == DreamState.DREAMING, held))

    async def queued(self, dream_ids: Collection[int]) -> list[Dream]:
        """Those of these dreams that wait, of our servers in Discord; oldest first."""
        ours = and_(in_local_channel(dreams, False), self.shards.having(dreams.c.guild_id))
        found: list[Dream] = []
        for start in range(0, len(ids := sorted(dream_ids)), BITE):
            waits = and_(dreams.c.id.in_(ids[start : start + BITE]), dreams.c.state == DreamState.QUEUED)
            found += await self._list(and_(waits, ours))
        return found

    async def move_to_front(self, dream_id: int) -> Dream | None:
        """Remember that a dream was moved to the front of its server's line; None when it does not wait."""
        waits = dreams.c.state == DreamState.QUEUED
        return await self._change(dream_id, {"moved_at": self._clock()}, only_if=waits)

    async def undelivered(self, *, local: bool = False) -> list[Dream]:
        """All dreams whose channel message does not yet show how they ended, oldest first.

        `local`: the local channel's, else those of our servers in Discord. Chapters whose turn has not come
        and beginnings have no message and are not among them.
        """
        shown = and_(dreams.c.delivered.is_(False), dreams.c.candidate == 0)
        ours = in_local_channel(dreams, local)
        if not local:
            ours = and_(ours, self.shards.having(dreams.c.guild_id))
        return await self._list(and_(shown, _MAY_BEGIN, ours))

    async def in_channel(self, guild_id: int, *, before: int | None = None, most: int) -> list[Dream]:
        """The newest dreams of a server that have a message, and the first beginning of each choice.

        Oldest first; `before`: only those with a lower id.
        """
        told = and_(dreams.c.candidate <= 1, dreams.c.erased.is_(False), or_(_MAY_BEGIN, _has_ended()))
        here = and_(dreams.c.guild_id == guild_id, told)
        if before is not None:
            here = and_(here, dreams.c.id < before)
        return await self._list(here, most=most)

    async def next_chapter(self, dream_id: int) -> Dream | None:
        """The chapter that waits for this one, if there is one."""
        async with self._transaction() as connection:
            return await self._find(connection, and_(_FOLLOWS, dreams.c.parent_id == dream_id))

    async def by(self, author_id: int, *, before: int | None = None, most: int) -> list[Dream]:
        """A person's newest dreams, the newest first; `before`: only those with a lower id."""
        theirs = and_(_BY_HAND, dreams.c.author_id == author_id)
        if before is not None:
            theirs = and_(theirs, dreams.c.id < before)
        return (await self._list(theirs, most=most))[::-1]

    async def count_by(self, author_id: int) -> int:
        """How many dreams `by` could give."""
        query = select(func.count()).where(_BY_HAND, dreams.c.author_id == author_id)
        async with self._transaction() as connection:
            return await connection.scalar(query) or 0

    async def recent(self, *, since: float, most: int) -> list[Dream]:
        """The newest delivered dreams of our servers in Discord, with a message, ended after `since`
        (seconds since 1970).
        """
        over = and_(dreams.c.state.in_(OVER), dreams.c.delivered.is_(True), dreams.c.ended_at >= since)
        there = and_(dreams.c.message_id.is_not(None), dreams.c.gone == Gone.NOT)
        there = and_(there, in_local_channel(dreams, False), self.shards.having(dreams.c.guild_id))
        return await self._list(and_(over, there), most=most)

    async def set_message(self, dream_id: int, message_id: int) -> None:
        """This message shows it from now on, whatever became of the one before."""
        await self._change(dream_id, {"message_id": message_id, "gone": Gone.NOT})

    async def set_gallery(self, dream_id: int, channel_id: int, message_id: int) -> None:
        """Where its picture hangs in a gallery."""
        place = {"gallery_channel_id": channel_id, "gallery_message_id": message_id}
        await self._change(dream_id, place)

    async def set_notice(self, dream_id: int, said: Saying) -> None:
        await self._change(dream_id, {"notice": said.to_json()})

    async def set_delivered(self, dream_id: int, *, owes: Collection[Kind] = ()) -> None:
        """The channel shows how it ended, or never will. `owes`: what else is owed now, the first time."""
        async with self._transaction() as connection:
            values, first = {"delivered": True}, dreams.c.delivered.is_(False)
            if await self._update(connection, dream_id, values, first) is None:
                return
            for kind in owes:
                await owe(connection, kind, dream_id, now=self._clock(), owner=self.owner)  # who showed it

    # ---------------------------------------------------------------- leases

    async def claim(self, dream_id: int, *, lease_s: float) -> Dream | None:
        """Make a waiting dream ours for `lease_s` seconds; None when another process has it or it is over."""
        now = self._clock()
        left_behind = and_(dreams.c.state == DreamState.DREAMING, dreams.c.owner != self.owner)
        free = or_(
            dreams.c.state == DreamState.QUEUED,
            dreams.c.lease_until < now,
            dreams.c.owner == self.owner,  # ours already, but the database failed us on the way
        )
        values = {
            "state": DreamState.DREAMING,
            "owner": self.owner,
            "lease_until": now + lease_s,
            "attempts": dreams.c.attempts + case((dreams.c.owner == self.owner, 0), else_=1),
            "rescues": dreams.c.rescues + case((left_behind, 1), else_=0),
            "started_at": now,
        }
        claimable = and_(free, dreams.c.state.not_in(OVER))
        return await self._change(dream_id, values, only_if=claimable)

    async def renew(self, dream_id: int, *, lease_s: float) -> Dream | None:
        """Hold our dream for `lease_s` more seconds; None when it is ours no more."""
        return await self._change(dream_id, {"lease_until": self._clock() + lease_s}, only_if=self._ours())

    async def release(self, dream_id: int, *, refund: bool, rescued: bool = False) -> Dream | None:
        """Put our dream back in line; `refund` when the attempt was not the dream's fault.

        `rescued`: it ended with its machine, as with a process that is killed.
        """
        values = _IN_LINE | {
            "attempts": dreams.c.attempts - (1 if refund else 0),
            "rescues": dreams.c.rescues + (1 if rescued else 0),
        }
        return await self._change(dream_id, values, only_if=self._ours())

    async def finish(
        self,
        dream_id: int,
        state: DreamState,
        *,
        finished: Finished | None = None,
        picture: Picture | None = None,
        failure: Failed | None = None,
        flagged: str = "",
    ) -> Dream | None:
        """End our dream as `state` with its picture; None when it is ours no more.

        `flagged`: what the safety check found in the picture, or ''.
        """
        assert DreamState.DREAMING.may_become(state) and state.is_over
        values: dict[str, Any] = {"state": state, "ended_at": self._clock(), "owner": None}
        values["flagged"] = flagged
        if failure is not None:
            values |= {"failure": failure.kind, "failure_detail": failure.message.to_json()}
        if finished is not None:
            values |= {
                "score": finished.score,
                "best_step": finished.best_step,
                "steps_done": finished.steps_done,
                "seconds": finished.seconds,
                "recipe": finished.recipe.to_json(),
                "nearest": json.dumps(finished.nearest, ensure_ascii=False) if finished.nearest else "",
            }
        left: dict[Table, bytes | None] = {pictures: picture.content if picture else None}
        if finished is not None:
            left |= {states: finished.state, timelapses: finished.timelapse}
        found = {table: content for table, content in left.items() if content is not None}
        kept = await asyncio.gather(*map(self._contents.put, found.values()))  # others wait for a transaction
        async with self._transaction() as connection:
            dream = await self._update(connection, dream_id, values, self._ours())
            if dream is None:
                return None
            for table, content in zip(found, kept, strict=True):
                row = {"dream_id": dream_id} | await self._contents.columns(connection, content)
                if table is pictures and picture is not None:
                    row |= {"kind": picture.kind}
                await put(connection, table, row)
            if state is not DreamState.DONE:
                await self._end_story(connection, dream_id)
            await self._owe_end(connection, dream)
            return dream

    async def cancel_queued(self, dream_id: int, *, by: int | None = None) -> Dream | None:
        """Cancel a dream that waits; None when it does not. `by`: who wants that, where it is a person."""
        values = {"state": DreamState.CANCELLED, "ended_at": self._clock(), "cancelled_by": by}
        async with self._transaction() as connection:
            dream = await self._update(connection, dream_id, values, dreams.c.state == DreamState.QUEUED)
            if dream is not None:
                await self._end_story(connection, dream_id)
                await self._owe_end(connection, dream)
            return dream

    async def ask_cancel(self, dream_id: int, *, by: int | None = None) -> Dream | None:
        """Ask whichever process dreams it to stop; None when none does. `by`: as of `cancel_queued`."""
        running = dreams.c.state == DreamState.DREAMING
        first = case((dreams.c.cancel_asked, dreams.c.cancelled_by), else_=by)
        return await self._change(dream_id, {"cancel_asked": True, "cancelled_by": first}, only_if=running)

    # ------------------------------------------------- what a dream leaves behind

    async def picture(self, dream_id: int) -> Picture | None:
        """The one way to a picture, for every front end; None when there is none (any more)."""
        row = await self._contents.row(pictures, pictures.c.dream_id == dream_id)
        return Picture(content=row["content"], kind=row["kind"]) if row else None

    async def has_picture(self, dream_id: int) -> bool:
        async with self._transaction() as connection:
            query = select(pictures.c.dream_id).where(pictures.c.dream_id == dream_id)
            return await connection.scalar(query) is not None

    async def with_pictures(self, dream_ids: Collection[int]) -> set[int]:
        """Which of these dreams have a picture."""
        if not dream_ids:
            return set()
        query = select(pictures.c.dream_id).where(pictures.c.dream_id.in_(dream_ids))
        async with self._transaction() as connection:
            return set(await connection.scalars(query))

    async def keep_state(self, dream_id: int, state: bytes) -> None:
        """From here our dream can be resumed; without effect when it is ours no more."""
        async with self._transaction() as connection:
            ours = select(dreams.c.id).where(dreams.c.id == dream_id, self._ours()).with_for_update()
            if await connection.scalar(ours) is not None:
                # In the row: another one takes its place soon.
                row = {"dream_id": dream_id, "content": state, "digest": None, "size": None}
                await put(connection, states, row)

    async def drop_state(self, dream_id: int) -> None:
        async with self._transaction() as connection:
            await connection.execute(delete(states).where(states.c.dream_id == dream_id))

    async def state(self, dream_id: int) -> bytes | None:
        """From where this dream can be resumed or, once it is over, continued."""
        return await self._content(states, states.c.dream_id == dream_id)

    async def has_state(self, dream_id: int) -> bool:
        async with self._transaction() as connection:
            query = select(states.c.dream_id).where(states.c.dream_id == dream_id)
            return await connection.scalar(query) is not None

    async def timelapse(self, dream_id: int) -> bytes | None:
        """An animated WebP."""
        return await self._content(timelapses, timelapses.c.dream_id == dream_id)

    async def has_timelapse(self, dream_id: int) -> bool:
        """Whether it is kept (still)."""
        async with self._transaction() as connection:
            query = select(timelapses.c.dream_id).where(timelapses.c.dream_id == dream_id)
            return await connection.scalar(query) is not None

    async def image(self, image_id: int) -> bytes | None:
        """An image prompt, as it was attached."""
        return await self._content(images, images.c.id == image_id)

    async def erase(self, dream_id: int) -> Dream | None:
        """Forget the words, pictures and votes of a dream that is over; None when there is none such.

        Nothing is owed of it any more, but that its copies are taken down.
        """
        values = dict.fromkeys(_WORDS, "") | {"erased": True, "image_id": None, "delivered": True}
        over = and_(dreams.c.state.in_(OVER), dreams.c.erased.is_(False))
        async with self._transaction() as connection:
            before = await self._find(connection, dreams.c.id == dream_id)
            dream = await self._update(connection, dream_id, values, over)
            if dream is None or before is None:
                return None
            for table in (pictures, thumbnails, states, timelapses, votes):
                await connection.execute(delete(table).where(table.c.dream_id == dream_id))
            if dream.choice_id is not None and not dream.candidate and not is_local(dream.guild_id):
                await owe(
                    connection,
                    Kind.CHOICE,
                    dream.choice_id,
                    now=self._clock(),
                    owner=self.first(dream.guild_id),
                )
            await owe_taking_down(connection, [dream_id], now=self._clock())
            used = select(dreams.c.id).where(dreams.c.image_id == before.image_id)
            if (await connection.execute(used)).first() is None:
                await connection.execute(delete(images).where(images.c.id == before.image_id))
        self._forget()
        for hear in self.on_erase:
            hear(dream)
        return dream

    def first(self, guild_id: int | None) -> str | None:
        """The `owner` of what is owed now to this server: us, who know most of it, if we may show it."""
        return self.owner if self.shards.have(guild_id) else None

    # -------------------------------------------------------------- plumbing

    def _ours(self) -> Any:
        return and_(dreams.c.state == DreamState.DREAMING, dreams.c.owner == self.owner)

    async def _owe_end(self, connection: AsyncConnection, dream: Dream) -> None:
        """Its message shall say so, or its choice's, if it is a beginning; the local channel needs none."""
        if is_local(dream.guild_id):
            return
        first = self.first(dream.guild_id)
        if dream.candidate and dream.choice_id is not None:
            await owe(connection, Kind.CHOICE, dream.choice_id, now=self._clock(), owner=first)
        elif not dream.delivered and not dream.candidate:
            await owe(connection, Kind.END, dream.id, now=self._clock(), owner=first)

    async def _end_story(self, connection: AsyncConnection, dream_id: int) -> None:
        """Cancel the chapters after one that did not come to its end; they never had a message."""
        values = {"state": DreamState.CANCELLED, "ended_at": self._clock(), "delivered": True}
        after: int | None = dream_id
        while after is not None:
            follows = and_(_FOLLOWS, dreams.c.parent_id == after)
            after = await connection.scalar(select(dreams.c.id).where(follows))
            if after is not None:
                await connection.execute(update(dreams).where(dreams.c.id == after).values(values))

    async def _in_bites(self, query: Any, take: Callable[[Sequence[Any]], None]) -> None:
        """All rows, so many at a time: what is long must not keep others from being answered."""
        async with self._transaction() as connection:
            async for rows in (await connection.stream(query)).partitions(BITE):
                take(rows)

    async def _content(self, table: Table, condition: Any) -> bytes | None:
        row = await self._contents.row(table, condition)
        return row["content"] if row else None

    async def _list(self, condition: Any, *, most: int | None = None) -> list[Dream]:
        """Oldest first; with `most`, the newest so many."""
        query = select(dreams).where(condition).order_by(dreams.c.id.desc()).limit(most)
        found: list[Dream] = []
        if most is None:
            await self._in_bites(query, lambda rows: found.extend(map(dream_of, rows)))
        else:
            async with self._transaction() as connection:
                found = [dream_of(row) for row in await connection.execute(query)]
        return found[::-1]

    async def _change(self, dream_id: int, values: Mapping[str, Any], *, only_if: Any = None) -> Dream | None:
        async with self._transaction() as connection:
            return await self._update(connection, dream_id, values, only_if)

    async def _update(
        self, connection: AsyncConnection, dream_id: int, values: Mapping[str, Any], only_if: Any
    ) -> Dream | None:
        change = update(dreams).where(dreams.c.id == dream_id).values(values)
        if only_if is not None:
            change = change.where(only_if)
        if (await connection.execute(change)).rowcount == 0:
            return None
        return await self._get(connection, dream_id)

    async def _get(self, connection: AsyncConnection, dream_id: int) -> Dream:
        dream = await self._find(connection, dreams.c.id == dream_id)
        assert dream is not None
        return dream

    async def _find(self, connection: AsyncConnection, condition: Any) -> Dream | None:
        row = (await connection.execute(select(dreams).where(condition))).first()
        return dream_of(row) if row else None


def left_behind() -> Iterator[Update]:
    """What lets everything that a process held be taken by others, where none of those processes is left."""
    running = dreams.c.state == DreamState.DREAMING
    yield update(dreams).where(running).values(_IN_LINE | {"attempts": dreams.c.attempts - 1})


def in_local_channel(table: Table, local: bool) -> Any:
    """Whether rows of a table with a `guild_id` belong to the local channel (or, False, to Discord)."""
    here = table.c.guild_id == GUILD_ID
    return here if local else or_(table.c.guild_id.is_(None), table.c.guild_id != GUILD_ID)


def _has_ended() -> Any:
    """Dreams that are over, but for chapters that never began."""
    return and_(dreams.c.state.in_(OVER), or_(dreams.c.started_at.is_not(None), dreams.c.chapter.is_(None)))


def dream_of(row: Row[Any]) -> Dream:
    """The value of a row of `dreams`."""
    values = {key: value for key, value in zip(row._fields, row, strict=True) if key in _DREAM_FIELDS}
    values["state"] = DreamState(values["state"])
    values["gone"] = Gone(values["gone"])
    values["failure"] = None if values["failure"] is None else FailureKind(values["failure"])
    return Dream(**values)


async def add(connection: AsyncConnection, table: Table, values: Mapping[str, Any]) -> int:
    """A new row; gives its id."""
    key = (await connection.execute(insert(table).values(values))).inserted_primary_key
    assert key is not None
    return int(key[0])


async def waits_as_many(
    connection: AsyncConnection, most: int, guild_id: int | None = None, author_id: int | None = None
) -> bool:
    """Whether so many dreams or more are in line: all, a server's, a person's in a server.

    A person's alone are those in direct messages.
    """
    query = select(dreams.c.id).where(dreams.c.state == DreamState.QUEUED, _MAY_BEGIN)
    if guild_id is not None or author_id is not None:
        query = query.where(dreams.c.guild_id == guild_id)
    if author_id is not None:
        query = query.where(dreams.c.author_id == author_id)
    if most <= 0:
        return True
    return await connection.scalar(query.limit(1).offset(most - 1)) is not None


async def asked_since(
    connection: AsyncConnection, since: float, *, guild_id: int | None, author_id: int | None
) -> list[float]:
    """When dreams were asked for here (by this person), oldest first, in seconds since 1970.

    Every chapter and every beginning counts, for each costs the engine. Those that were withdrawn before
    they began do not, nor those that failed; but whoever makes the engine fail again and again costs it
    more than others do, so that only the first `FORGIVEN` of `COSTLY` failures are not counted.
    """
    counted = or_(
        dreams.c.state.in_((DreamState.QUEUED, DreamState.DREAMING, DreamState.DONE)),
        and_(dreams.c.state == DreamState.CANCELLED, dreams.c.started_at.is_not(None)),
    )
    failed = and_(dreams.c.state == DreamState.FAILED, dreams.c.failure.in_(COSTLY))
    query = select(dreams.c.id, dreams.c.created_at, dreams.c.state).where(
        or_(counted, failed), dreams.c.created_at > since, dreams.c.guild_id == guild_id
    )
    if author_id is not None:
        query = query.where(dreams.c.author_id == author_id)
    rows = (await connection.execute(query.order_by(dreams.c.created_at))).all()
    forgiven = [row.id for row in rows if row.state == DreamState.FAILED][:FORGIVEN]
    return [row.created_at for row in rows if row.id not in forgiven]
