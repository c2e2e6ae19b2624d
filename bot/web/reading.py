"""Reads what a request brings: bounded, in time, as text that can be stored; what is none is a bad request.

Everything that strangers write is read here, so that nothing of it is a fault of ours: bodies in no charset,
broken forms, numbers of a thousand digits, headers that are no text.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

BODY_S = 60.0  # seconds for a body to come: eight megabytes over a slow line
MAX_NUMBER = 2**63 - 1  # that the database holds
MAX_PARTS = 8  # of a form with files
FORM, FORM_WITH_FILES = "application/x-www-form-urlencoded", "multipart/form-data"
_ILLEGIBLE = (ValueError, LookupError, AssertionError, HttpProcessingError, web.RequestPayloadError)


async def fields(request: web.Request) -> Mapping[str, str]:
    """What a form says. Raises `web.HTTPBadRequest`, `HTTPRequestTimeout`, `HTTPRequestEntityTooLarge`.

    Only forms without files: nothing that is sent reaches the disk.
    """
    if request.content_type == FORM_WITH_FILES:
        raise web.HTTPBadRequest
    async with _legible():
        form = await request.post()
    return {name: storable(str(value)) for name, value in form.items()}


async def parts(request: web.Request, bounds: Mapping[str, int]) -> dict[str, bytes]:
    """The parts of a form with files. `bounds`: for each that there may be, its bytes at most.

    No more than all of them together is read. Raises as `fields` does.
    """
    most = sum(bounds.values())
    if (request.content_length or 0) > most + 64 * 1024:  # what stands between the parts
        raise web.HTTPRequestEntityTooLarge(most, request.content_length or 0)
    found: dict[str, bytes] = {}
    async with _legible():
        async for part in await request.multipart():
            name = getattr(part, "name", None)
            if not isinstance(name, str) or name not in bounds or name in found or len(found) == MAX_PARTS:
                raise web.HTTPBadRequest
            found[name] = await _bounded(part, bounds[name])
    return found


def storable(text: str) -> str:
    """A text as every database takes it: PostgreSQL keeps no null character, nothing keeps half a pair."""
    return text.replace("\0", "").encode(errors="replace").decode()


def number_of(text: str, most: int = MAX_NUMBER) -> int | None:
    """A whole number from 0 to `most` as addresses and forms have it; None: it is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)):
        return None
    number = int(text)
    return number if number <= most else None


@asynccontextmanager
async def _legible() -> AsyncIterator[None]:
    """Where something is read that somebody sent."""
    try:
        async with asyncio.timeout(BODY_S):
            yield
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    except _ILLEGIBLE as error:
        raise web.HTTPBadRequest from error


async def _bounded(part: Any, most: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > most:
            raise web.HTTPRequestEntityTooLarge(most, len(content))
    return bytes(content)
