"""One aiohttp application of the areas that it serves: their routes, the guards before them, the headers."""

from collections.abc import Collection, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from aiohttp import web

from bot.web import assets, errors, visits
from bot.web.guards import addresses, forgery, headers, hosts, password, rates
from bot.web.parts import PARTS, Parts

MAX_BODY = 64 * 1024  # bytes; whoever takes pictures reads them with a bound of their own


def application(
    *areas: ModuleType,
    parts: Parts,
    names: Collection[str] = hosts.LOOPBACK,
    any_address: bool = False,
    gate: password.Gate | None = None,
    reads: rates.Rate = rates.READS,
    writes: rates.Rate = rates.WRITES,
) -> web.Application:
    """`areas`: packages such as `bot.web.channel`; `names`: the hosts that we answer to.

    `any_address`: also to any address in numbers; `gate`: asks those from elsewhere for a password; `reads`,
    `writes`: how often one address may ask.
    """
    made = web.Application(
        client_max_size=MAX_BODY,
        middlewares=[
            visits.welcome,  # first: an error speaks the visitor's language, too
            errors.guard,
            addresses.guard,
            hosts.guard(names, any_address=any_address),
            rates.guard(reads, writes),
            *((password.guard(gate),) if gate is not None else ()),
            forgery.guard,
        ],
    )
    made[PARTS] = parts
    if gate is not None:
        made[password.GATE] = gate
    made.on_response_prepare.append(headers.guard)
    made.add_routes(assets.routes)
    for area in areas:
        for routes in routes_of(area):
            made.add_routes(routes)
    return made


def routes_of(area: ModuleType) -> Iterator[web.RouteTableDef]:
    """The `routes` of each of an area's modules."""
    for found in iter_modules(area.__path__, f"{area.__name__}."):
        routes = getattr(import_module(found.name), "routes", None)
        if isinstance(routes, web.RouteTableDef):
            yield routes
