"""A dream's state inside its picture's PNG, in a private chunk that every other program passes over.

Pillow writes such a chunk, but it checks no checksum of what follows the pixels and takes no chunk out again
without packing the pixels anew, so the chunks are read here. Knows not what a state means. Imports no torch.
"""

import io
from collections.abc import Iterator
from zlib import crc32

from PIL.PngImagePlugin import putchunk

# Ancillary, private, and not to be copied by a program that changes the picture (ISO/IEC 15948, 5.4).
CHUNK = b"drEM"
MAX_STATE = 4 * 1024 * 1024  # bytes; a state of biggan-deep-512 has 0.4 MB
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = 12  # bytes of the last chunk, which is empty

DAMAGED = "This file is not a PNG picture, or it is damaged."


def with_state(png: bytes, state: bytes) -> bytes:
    """The PNG with this state in it, in the place of any other. Raises `ValueError` as `parted` does."""
    plain, _ = parted(png)
    file = io.BytesIO()
    file.write(plain[:-_END])
    putchunk(file, CHUNK, state)
    file.write(plain[-_END:])
    return file.getvalue()


def parted(png: bytes) -> tuple[bytes, bytes | None]:
    """The PNG without the state, and the state or None. Raises `ValueError` with a sentence."""
    parts, state = [_SIGNATURE], None
    for kind, data in _chunks(png):
        if kind != CHUNK:
            parts.append(data)
            continue
        state = data[8:-4]
        if len(state) > MAX_STATE or crc32(data[4:-4]) != int.from_bytes(data[-4:]):
            raise ValueError("The dream's state in this picture is damaged.")
    return b"".join(parts), state


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's type and all its bytes, IEND included. Raises `ValueError` with a sentence."""
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        kind, end = png[at + 4 : at + 8], at + 12 + int.from_bytes(png[at : at + 4])
        if end > len(png) or not png.startswith(_SIGNATURE):
            raise ValueError(DAMAGED)
        yield kind, png[at:end]
        at = end
