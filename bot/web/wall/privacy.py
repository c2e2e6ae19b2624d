"""What is kept of people, in words, for everybody."""

from aiohttp import web

from bot.keeping.document import parts
from bot.web.parts import parts_of
from bot.web.visits import say_of
from bot.web.wall.parts import show

routes = web.RouteTableDef()


@routes.get("/privacy")
async def privacy(request: web.Request) -> web.Response:
    """The same words as in `bot/PRIVACY.md`, with this host's limits."""
    told = parts(say_of(request), parts_of(request).heart.retention.limits)
    return show(request, "privacy.html", parts=told, here="privacy")
