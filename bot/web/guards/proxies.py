"""Whose request it is, where a proxy of the host's own stands before us and tells in `X-Forwarded-For`."""

from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What a neighbour tells is believed, what a stranger writes is not: they could be anybody."""
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if told and is_neighbour(request.remote) and _is_address(told):
        request = request.clone(remote=told)
    return await handler(request)


def is_neighbour(address: str | None) -> bool:
    """Whether an address is on this machine or in its own network, as a proxy's is."""
    return address is not None and _is_address(address) and ip_address(address).is_private


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
