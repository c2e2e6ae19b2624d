"""Small pictures of dreams for the web: made when somebody first looks, and kept by what they are made from.

They lie in the database, so that what is deleted is deleted with them. Knows no Discord.
"""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from time import time

from PIL import Image
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from bot.database.connection import Database, StoreError, put
from bot.database.tables import dreams, thumbnails
from bot.dreams.store import Store
from bot.unpacking import one_at_a_time

log = logging.getLogger(__name__)

SIDE = 384  # pixels: a card's 192 on a screen with two for each
QUALITY = 80  # of a WebP, 0..100
KEPT = 20_000  # thumbnails, some 200 MB; the oldest ones are made anew when somebody looks
TRIM_EVERY = 200  # new ones between two looks for old ones


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture."""

    content: bytes  # a WebP
    made_from: str  # the SHA-256 of the picture


class Thumbnails:
    """Every method raises `StoreError`; what cannot be kept is given all the same."""

    def __init__(
        self, *, database: Database, store: Store, kept: int = KEPT, clock: Callable[[], float] = time
    ) -> None:
        self._transaction = database.transaction
        self._store = store
        self._kept = kept
        self._clock = clock
        self._made = 0  # since old ones were last looked for

    async def of(self, dream_id: int) -> Thumbnail | None:
        """Of a dream that may be shown; None when it has no picture that can be read (any more)."""
        there = select(thumbnails.c.content, thumbnails.c.made_from).where(thumbnails.c.dream_id == dream_id)
        async with self._transaction() as connection:
            row = (await connection.execute(there)).first()
        return Thumbnail(*row) if row is not None else await self._make(dream_id)

    async def _make(self, dream_id: int) -> Thumbnail | None:
        picture = await self._store.picture(dream_id)
        if picture is None:
            return None
        try:
            made = Thumbnail(await one_at_a_time(small, picture.content), sha256(picture.content).hexdigest())
        except (OSError, ValueError):  # what Pillow raises for what it cannot read
            return None
        row = {"dream_id": dream_id, "made_from": made.made_from, "content": made.content}
        try:
            async with self._transaction() as connection:
                # Somebody may have deleted the dream meanwhile; then nothing of it is kept.
                alive = select(dreams.c.id).where(dreams.c.id == dream_id, dreams.c.erased.is_(False))
                if await connection.scalar(alive.with_for_update(key_share=True)) is None:
                    return None
                await put(connection, thumbnails, row | {"made_at": self._clock()})
        except IntegrityError:
            return None
        except StoreError as error:  # a full disk: it is shown, and made anew the next time
            log.debug("dream %d: its thumbnail is not kept, %s", dream_id, error)
            return made
        await self._trim()
        return made

    async def _trim(self) -> None:
        """Now and then throw away the oldest of too many."""
        self._made += 1
        if self._made % TRIM_EVERY:
            return
        newest = (
            select(thumbnails.c.made_at).order_by(thumbnails.c.made_at.desc()).offset(self._kept).limit(1)
        )
        async with self._transaction() as connection:
            if (await connection.scalar(select(func.count()).select_from(thumbnails)) or 0) > self._kept:
                limit = await connection.scalar(newest)
                await connection.execute(delete(thumbnails).where(thumbnails.c.made_at <= limit))


def small(content: bytes) -> bytes:
    """A picture file as a small WebP without any of its metadata. Raises what Pillow raises."""
    with Image.open(io.BytesIO(content)) as picture:
        image = picture.convert("RGB")
    image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()
