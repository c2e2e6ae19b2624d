"""The newest dreams as an Atom feed (RFC 4287)."""

from datetime import UTC, datetime

from aiohttp import web

from bot.web.pages import piece
from bot.web.visits import say_of
from bot.web.wall.parts import ASKED_ANEW, wall_of

routes = web.RouteTableDef()


@routes.get("/feed.atom")
async def feed(request: web.Request) -> web.Response:
    """What a reader asks for now and then."""
    parts, say = wall_of(request), say_of(request)
    found = await parts.wall.newest()
    dreams = found.dreams if found is not None else ()
    updated = moment(max((one.dream.ended_at or 0.0 for one in dreams), default=0.0))
    text = piece("wall/feed.xml", say, url=parts.url, dreams=dreams, updated=updated, moment=moment)
    headers = ASKED_ANEW | {"Vary": "Accept-Language"}
    return web.Response(text=text, content_type="application/atom+xml", headers=headers)


def moment(at: float | None) -> str:
    """As RFC 3339 writes it. `at`: seconds since 1970."""
    return datetime.fromtimestamp(at or 0.0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
