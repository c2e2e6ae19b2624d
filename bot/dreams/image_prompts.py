"""Pictures that people give for a dream to resemble: bounded, then made plain. Knows no Discord."""

import io

from bot.unpacking import one_at_a_time
from engine.pictures.decoding import decode

MAX_BYTES = 8 * 1024 * 1024  # of a file
QUALITY = 95  # of the JPEG that is kept: no perceptor sees the difference


async def plain_picture(content: bytes) -> bytes:
    """A JPEG of at most 1024 pixels a side, upright, without whatever else the file held.

    Raises `engine.BadRequest` when it is no picture after all.
    """
    return await one_at_a_time(_plain, content)


def _plain(content: bytes) -> bytes:
    buffer = io.BytesIO()
    decode(content).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
