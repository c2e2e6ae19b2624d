"""Has the copies of dreams taken down that are shown no more: all of them are owed, with what causes it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.outbox import Kind, owe_in_turn
from bot.database.tables import contests, dreams, fame
from bot.dreams.local import GUILD_ID


async def owe_taking_down(connection: AsyncConnection, dream_ids: Collection[int], *, now: float) -> None:
    """Of these dreams no copy shall be left in a gallery or a hall, nor what tells of a winner in Discord."""
    hang: dict[Kind, Any] = {
        Kind.GALLERY: select(dreams.c.id).where(
            dreams.c.id.in_(dream_ids), dreams.c.gallery_message_id.is_not(None)
        ),
        Kind.FAME: select(fame.c.dream_id).where(fame.c.dream_id.in_(dream_ids)),
        Kind.WINNER: select(contests.c.winner_id).where(
            and_(contests.c.winner_id.in_(dream_ids), contests.c.guild_id != GUILD_ID)
        ),
    }
    for kind, found in hang.items():
        ids = (await connection.scalars(found.distinct())).all()
        await owe_in_turn(connection, kind, ids, now=now)
