"""Lets only our own pages change anything: a write has our `Origin`, and the token of the visitor's visit."""

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web.reading import FORM, fields
from bot.web.visits import matches, visit_of

READING = frozenset({"GET", "HEAD"})
TOKEN_HEADER, TOKEN_FIELD = "X-Token", "token"


class Forged(web.HTTPForbidden):
    """A write that does not come from our own page, or from one that is too old."""


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse writes that another site makes a browser send. Reads change nothing, and pass."""
    if request.method not in READING:
        if not is_ours(request.headers.get("Origin", ""), request.host):
            raise Forged
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise Forged
        if not matches(visit_of(request), await _token(request)):
            raise Forged
    return await handler(request)


def is_ours(origin: str, host: str) -> bool:
    """Whether an `Origin` is the one of the page at this `Host`, which was checked before."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


async def _token(request: web.Request) -> str:
    """As the header has it, or a form of the kind that browsers send by themselves."""
    token = request.headers.get(TOKEN_HEADER)
    if token is None and request.content_type == FORM:
        token = (await fields(request)).get(TOKEN_FIELD)
    return token or ""
