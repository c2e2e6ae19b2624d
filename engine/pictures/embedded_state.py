"""A dream's state inside its picture's PNG, in a private chunk that every other program passes over.

Knows the layout of a PNG (ISO/IEC 15948), not what a state means. Imports no torch.
"""

import struct
import zlib
from collections.abc import Iterator

# Ancillary, private, and not to be copied by a program that changes the picture (ISO/IEC 15948, 5.4).
CHUNK = b"drEM"
MAX_STATE = 4 * 1024 * 1024  # bytes; a state of biggan-deep-512 has 0.4 MB
_SIGNATURE = b"\x89PNG\r\n\x1a\n"

DAMAGED = "This file is not a PNG picture, or it is damaged."


def with_state(png: bytes, state: bytes) -> bytes:
    """The PNG with this state in it, in the place of any other. Raises `ValueError` for what is no PNG."""
    parts = [data for kind, data in _chunks(png) if kind != CHUNK]
    check = zlib.crc32(CHUNK + state)
    chunk = struct.pack(">I", len(state)) + CHUNK + state + struct.pack(">I", check)
    return b"".join([_SIGNATURE, *parts[:-1], chunk, parts[-1]])


def parted(png: bytes) -> tuple[bytes, bytes | None]:
    """The PNG without the state, and the state or None. Raises `ValueError` with a sentence."""
    parts, state = [_SIGNATURE], None
    for kind, data in _chunks(png):
        if kind != CHUNK:
            parts.append(data)
            continue
        state, check = data[8:-4], int.from_bytes(data[-4:])
        if len(state) > MAX_STATE or zlib.crc32(data[4:-4]) != check:
            raise ValueError("The dream's state in this picture is damaged.")
    return b"".join(parts), state


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's type and all its bytes, IEND included. Raises `ValueError` with a sentence."""
    if not png.startswith(_SIGNATURE):
        raise ValueError(DAMAGED)
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        length = int.from_bytes(png[at : at + 4])
        kind, end = png[at + 4 : at + 8], at + 12 + length
        if end > len(png):
            raise ValueError(DAMAGED)
        yield kind, png[at:end]
        at = end
