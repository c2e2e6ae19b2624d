"""Which messages that show dreams are not there any more, and what still hangs. Knows no Discord.

A dream whose message is gone keeps its row and its picture, which are its author's; it is shown nowhere else.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import time
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.community.contests import winners
from bot.database.connection import Database
from bot.database.shards import ALL_SHARDS, Shards
from bot.database.tables import dreams, fame, votes
from bot.dreams.dream import Dream, Gone
from bot.dreams.hanging import owe_taking_down
from bot.dreams.store import dream_of, in_local_channel

_THERE = and_(dreams.c.message_id.is_not(None), dreams.c.erased.is_(False), dreams.c.gone == Gone.NOT)
_IN_GALLERY = dreams.c.gallery_message_id.is_not(None)
_MANY = 500  # ids in one statement; SQLite takes some thousand parameters


@dataclass(frozen=True, slots=True)
class Home:
    """A channel or thread with dreams in it."""

    guild_id: int
    channel_id: int


class Copies:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(
        self, *, database: Database, shards: Shards = ALL_SHARDS, clock: Callable[[], float] = time
    ) -> None:
        """`shards`: whose servers are looked after; `clock`: seconds since 1970."""
        self._transaction = database.transaction
        self._shards = shards
        self._clock = clock

    async def messages_gone(self, message_ids: Collection[int]) -> list[int]:
        """These messages are deleted: dreams' own, or copies. Gives the dreams to which that matters.

        Of dreams whose own message it is what hangs elsewhere is owed to be taken down.
        """
        touched: list[int] = []
        ids = sorted(message_ids)
        async with self._transaction() as connection:
            for start in range(0, len(ids), _MANY):
                part = ids[start : start + _MANY]
                touched += await self._own_gone(connection, dreams.c.message_id.in_(part))
                touched += await _gallery_gone(connection, dreams.c.gallery_message_id.in_(part))
                touched += await _hall_gone(connection, fame.c.message_id.in_(part))
        return touched

    async def channel_gone(self, guild_id: int, channel_id: int) -> list[int]:
        """As `messages_gone`, of all messages of a channel or thread."""
        async with self._transaction() as connection:
            here = and_(dreams.c.guild_id == guild_id, dreams.c.channel_id == channel_id)
            gallery = and_(dreams.c.guild_id == guild_id, dreams.c.gallery_channel_id == channel_id)
            return [
                *await self._own_gone(connection, and_(here, dreams.c.message_id.is_not(None))),
                *await _gallery_gone(connection, and_(gallery, _IN_GALLERY)),
                *await _hall_gone(connection, fame.c.channel_id == channel_id),
            ]

    async def server_left(self, guild_id: int) -> None:
        """None of its dreams can be seen any more, until `server_back`."""
        await self._mark(guild_id, Gone.NOT, Gone.LEFT)

    async def server_back(self, guild_id: int) -> None:
        """We are in this server again, and its messages may still be there."""
        await self._mark(guild_id, Gone.LEFT, Gone.NOT)

    async def servers(self) -> set[int]:
        """Discord's that are ours, with dreams that are there, or were when we left them."""
        ours = and_(in_local_channel(dreams, False), self._shards.having(dreams.c.guild_id))
        there = and_(dreams.c.gone != Gone.DELETED, ours)
        query = select(dreams.c.guild_id).where(there).distinct()
        async with self._transaction() as connection:
            return {one for one in (await connection.execute(query)).scalars() if one is not None}

    async def places(self, guild_id: int | None = None) -> list[Home]:
        """Channels with dreams that are there (in this server), those with the newest dreams first."""
        query = (
            select(dreams.c.guild_id, dreams.c.channel_id)
            .where(_THERE, dreams.c.guild_id.is_not(None))
            .group_by(dreams.c.guild_id, dreams.c.channel_id)
            .order_by(func.max(dreams.c.id).desc())
        )
        if guild_id is not None:
            query = query.where(dreams.c.guild_id == guild_id)
        async with self._transaction() as connection:
            return [Home(*row) for row in await connection.execute(query)]

    async def in_public(self, *, guild_id: int | None = None, most: int | None = None) -> list[Dream]:
        """Dreams in a hall, a gallery or told to have won a contest, the newest first.

        In this server, else in all of ours.
        """
        hung = select(fame.c.dream_id).where(fame.c.message_id.is_not(None), fame.c.removed.is_(False))
        query = select(dreams).where(
            _THERE, or_(_IN_GALLERY, dreams.c.id.in_(hung), dreams.c.id.in_(winners()))
        )
        here = self._shards.having(dreams.c.guild_id) if guild_id is None else dreams.c.guild_id == guild_id
        return await self._list(query.where(here).order_by(dreams.c.id.desc()).limit(most))

    async def of(self, dream_id: int) -> list[tuple[int, int]]:
        """Channel and message of each copy of a dream."""
        gallery = select(dreams.c.gallery_channel_id, dreams.c.gallery_message_id)
        hall = select(fame.c.channel_id, fame.c.message_id).where(fame.c.removed.is_(False))
        async with self._transaction() as connection:
            rows = [
                *await connection.execute(gallery.where(dreams.c.id == dream_id)),
                *await connection.execute(hall.where(fame.c.dream_id == dream_id)),
            ]
        return [(channel_id, message_id) for channel_id, message_id in rows if message_id is not None]

    async def leftovers(self) -> list[Dream]:
        """Dreams of our servers that are shown no more, and still hang in a gallery."""
        over = or_(dreams.c.erased.is_(True), dreams.c.gone == Gone.DELETED)
        over = and_(over, self._shards.having(dreams.c.guild_id))
        return await self._list(select(dreams).where(over, _IN_GALLERY).order_by(dreams.c.id))

    async def out_of_gallery(self, dream_id: int) -> None:
        """Its copy in the gallery is taken down."""
        async with self._transaction() as connection:
            await _gallery_gone(connection, and_(dreams.c.id == dream_id, _IN_GALLERY))

    async def _mark(self, guild_id: int, before: Gone, after: Gone) -> None:
        there = and_(dreams.c.guild_id == guild_id, dreams.c.gone == before)
        async with self._transaction() as connection:
            await connection.execute(update(dreams).where(there).values(gone=after))

    async def _own_gone(self, connection: AsyncConnection, which: Any) -> list[int]:
        found = select(dreams.c.id).where(which, dreams.c.gone != Gone.DELETED)
        ids = list((await connection.execute(found)).scalars())
        if ids:
            await connection.execute(update(dreams).where(which).values(gone=Gone.DELETED))
        for start in range(0, len(ids), _MANY):
            await owe_taking_down(connection, ids[start : start + _MANY], now=self._clock())
        return ids

    async def _list(self, query: Select[Any]) -> list[Dream]:
        async with self._transaction() as connection:
            return [dream_of(row) for row in await connection.execute(query)]


async def _gallery_gone(connection: AsyncConnection, which: Any) -> list[int]:
    found = select(dreams.c.id, dreams.c.gallery_message_id).where(which)
    rows = (await connection.execute(found)).all()
    for row in rows:
        await _forget_votes(connection, row.id, row.gallery_message_id)
    if rows:
        nowhere = {"gallery_channel_id": None, "gallery_message_id": None}
        await connection.execute(update(dreams).where(which).values(nowhere))
    return [row.id for row in rows]


async def _hall_gone(connection: AsyncConnection, which: Any) -> list[int]:
    found = select(fame.c.dream_id, fame.c.message_id).where(which, fame.c.removed.is_(False))
    rows = (await connection.execute(found)).all()
    for row in rows:
        await _forget_votes(connection, row.dream_id, row.message_id)
    if rows:
        await connection.execute(update(fame).where(which).values(removed=True))
    return [row.dream_id for row in rows]


async def _forget_votes(connection: AsyncConnection, dream_id: int, copy_id: int | None) -> None:
    """A reaction goes with its message."""
    if copy_id is not None:
        under = and_(votes.c.dream_id == dream_id, votes.c.copy_id == copy_id)
        await connection.execute(delete(votes).where(under))
