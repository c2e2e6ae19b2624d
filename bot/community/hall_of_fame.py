"""Which dreams hang in their server's hall of fame, each once. Knows no Discord."""

from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Any

from sqlalchemy import (
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.database.connection import Database
from bot.database.outbox import Kind, owe
from bot.database.tables import dreams, fame, votes
from bot.dreams.dream import Dream, Gone


@dataclass(frozen=True, slots=True)
class Hung:
    """A dream in the hall of fame."""

    dream_id: int
    guild_id: int
    channel_id: int  # the hall
    message_id: int | None  # in the hall; None: it is being posted
    votes: int
    created_at: float
    removed: bool = False  # somebody deleted its message: it is not posted again

    @property
    def id(self) -> int:
        """For the log."""
        return self.dream_id

    @property
    def origin(self) -> int:
        """For the nonce."""
        return self.dream_id


class HallOfFame:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        self._transaction = database.transaction
        self._clock = clock

    async def hang(self, dream: Dream, channel_id: int, votes: int) -> Hung | None:
        """Claim a place for a dream; None when it has one."""
        hung = Hung(dream.id, dream.guild_id or 0, channel_id, None, votes, self._clock())
        values = {name: getattr(hung, name) for name in Hung.__dataclass_fields__}
        try:
            async with self._transaction() as connection:
                await connection.execute(insert(fame).values(values))
                await owe(connection, Kind.FAME, dream.id, now=self._clock())
        except IntegrityError:
            return None
        return hung

    async def get(self, dream_id: int) -> Hung | None:
        return next(iter(await self._list(fame.c.dream_id == dream_id)), None)

    async def unfinished(self) -> list[Hung]:
        """Those that are not posted yet, and those whose dream is shown no more."""
        over = select(dreams.c.id).where(or_(dreams.c.erased.is_(True), dreams.c.gone == Gone.DELETED))
        return await self._list(or_(fame.c.message_id.is_(None), fame.c.dream_id.in_(over)))

    async def set_message(self, dream_id: int, message_id: int) -> None:
        await self._change(dream_id, message_id=message_id)

    async def set_votes(self, dream_id: int, votes: int) -> None:
        await self._change(dream_id, votes=votes)

    async def take_down(self, dream_id: int) -> None:
        """Its place is free again, and the reactions under its message are gone with it."""
        place = select(fame.c.message_id).where(fame.c.dream_id == dream_id)
        async with self._transaction() as connection:
            message_id = await connection.scalar(place)
            if message_id is not None:
                under = and_(votes.c.dream_id == dream_id, votes.c.copy_id == message_id)
                await connection.execute(delete(votes).where(under))
            await connection.execute(delete(fame).where(fame.c.dream_id == dream_id))

    async def _change(self, dream_id: int, **values: int) -> None:
        async with self._transaction() as connection:
            await connection.execute(update(fame).where(fame.c.dream_id == dream_id).values(values))

    async def _list(self, condition: Any) -> list[Hung]:
        async with self._transaction() as connection:
            rows = await connection.execute(select(fame).where(condition).order_by(fame.c.dream_id))
            return [Hung(**row._mapping) for row in rows]
