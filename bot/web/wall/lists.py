"""Pages with many pictures: the newest, the best, what a search finds, one person's; and a random one."""

from aiohttp import web

from bot.community.ranking import Period
from bot.web.reading import number_of
from bot.web.visits import say_of
from bot.web.wall.parts import show, wall_of

MAX_WORDS = 200  # characters of a search
MAX_PAGE = 1000

routes = web.RouteTableDef()


@routes.get("/")
async def newest(request: web.Request) -> web.Response:
    """All, or those with some words; `after` the dream that is named."""
    say, words = say_of(request), " ".join(request.query.get("words", "")[:MAX_WORDS].split())
    found = await wall_of(request).wall.newest(words=words, after=request.query.get("after", ""))
    if found is None:
        raise web.HTTPNotFound
    return show(
        request,
        "list.html",
        title=say.wall_found(words) if words else "",
        shown=found,
        words=words,
        following={"words": words, "after": found.after} if words else {"after": found.after},
        nothing=say.wall_nothing_with(words) if words else say.WALL_EMPTY,
        here="newest" if not words else "",
    )


@routes.get("/best/{period:day|week|month|ever}")
async def best(request: web.Request) -> web.Response:
    """By votes."""
    say, period = say_of(request), Period(request.match_info["period"])
    number = number_of(request.query.get("page", "1"), MAX_PAGE)
    if not number:
        raise web.HTTPNotFound
    found = await wall_of(request).wall.best(period, number=number)
    return show(
        request,
        "list.html",
        title=say.wall_best(period),
        shown=found,
        words="",
        following={"page": str(found.number + 1)},
        nothing=say.WALL_NO_VOTES,
        here=period.value,
    )


@routes.get("/by/{slug}")
async def person(request: web.Request) -> web.Response:
    """Of whoever chose a name."""
    wall, slug = wall_of(request).wall, request.match_info["slug"]
    name = await wall.person(slug)
    found = None if name is None else await wall.newest(person=slug, after=request.query.get("after", ""))
    if name is None or found is None:
        raise web.HTTPNotFound
    say = say_of(request)
    return show(
        request,
        "list.html",
        title=say.wall_dreams_by(name),
        shown=found,
        words="",
        following={"after": found.after},
        nothing=say.WALL_EMPTY,
        here="",
    )


@routes.get("/random")
async def random(request: web.Request) -> web.Response:
    """To any of them."""
    slug = await wall_of(request).wall.random()
    return web.Response(status=302, headers={"Location": f"/d/{slug}" if slug else "/"})
