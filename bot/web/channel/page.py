"""The channel's page."""

from aiohttp import web

from bot.web.pages import page

routes = web.RouteTableDef()


@routes.get("/")
async def show(request: web.Request) -> web.Response:
    """The whole channel."""
    return page(request, "channel.html")
