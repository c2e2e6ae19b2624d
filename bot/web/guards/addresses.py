"""Knows addresses that cannot be ours: no database keeps a null character, so nothing is called so."""

from aiohttp import web
from aiohttp.typedefs import Handler


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """There is nothing at such an address."""
    if "\0" in request.path or "\0" in request.query_string:
        raise web.HTTPNotFound
    return await handler(request)
