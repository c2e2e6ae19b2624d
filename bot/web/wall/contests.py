"""The contests of the servers on the wall: all of them, and a page for each."""

from aiohttp import web

from bot.web.wall.parts import show, wall_of

routes = web.RouteTableDef()


@routes.get("/contests")
async def contests(request: web.Request) -> web.Response:
    """The newest first."""
    return show(request, "contests.html", contests=await wall_of(request).wall.contests(), here="contests")


@routes.get("/contest/{slug}")
async def contest(request: web.Request) -> web.Response:
    """Its theme, its entries, and who won."""
    found = await wall_of(request).wall.contest(request.match_info["slug"])
    if found is None:
        raise web.HTTPNotFound
    return show(request, "contest.html", one=found, here="contests")
