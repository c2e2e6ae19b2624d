"""Answers only to our own names: a page elsewhere cannot point a name of its own at us (DNS rebinding)."""

from collections.abc import Collection
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def name_of(host: str) -> str:
    """The name in a Host header, without the port: in lower case, '' for what is none."""
    host = host.strip().lower()
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name if bracket and (not rest or rest[0] == ":") else ""
    name, _, port = host.partition(":")
    return name.rstrip(".") if port.isdigit() or not port else ""


def is_address(name: str) -> bool:
    """Whether a name is an address in numbers, which nobody can point elsewhere."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def guard(names: Collection[str], *, any_address: bool) -> Middleware:
    """Refuse requests for other names than these. `any_address`: addresses in numbers are ours as well."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = name_of(request.headers.get("Host", ""))
        if name in names or (any_address and is_address(name)):
            return await handler(request)
        raise web.HTTPMisdirectedRequest(text="This address is not mine.")

    return check
