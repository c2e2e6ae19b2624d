"""The wall as an application of its own: another port than the local channel's, and no cookies."""

from types import ModuleType
from urllib.parse import urlsplit

from aiohttp import web

from bot.community.thumbnails import Thumbnails
from bot.heart import Heart
from bot.web import wall
from bot.web.app import application
from bot.web.errors import ERROR_PAGE
from bot.web.guards import hosts, proxies, rates
from bot.web.parts import Parts
from bot.web.wall.live import LIVE, Live
from bot.web.wall.parts import WALL, WallParts, show_error

READS = rates.Rate(400, 40)  # some pages with all their pictures at once, then one or two a second


def wall_application(
    heart: Heart, *others: ModuleType, url: str, reads: rates.Rate = READS
) -> web.Application:
    """`url`: the wall's address in the web; `others`: more areas to be served there."""
    live = Live(waiting=heart.worker.waiting, hangs=heart.wall.hangs)
    heart.audiences.watching.append(live)
    names = {urlsplit(url).hostname or "", *hosts.LOOPBACK}
    made = application(wall, *others, parts=Parts(heart=heart), names=names, reads=reads)
    made.middlewares.insert(0, proxies.guard)
    made.on_response_prepare.append(_without_cookies)
    made[LIVE] = live
    made[ERROR_PAGE] = show_error
    made[WALL] = WallParts(
        wall=heart.wall,
        thumbnails=Thumbnails(database=heart.database, store=heart.store),
        store=heart.store,
        live=live,
        url=url,
    )
    made.on_shutdown.append(_end)
    return made


async def _end(made: web.Application) -> None:
    """Before the server waits for its streams."""
    await made[LIVE].close()


async def _without_cookies(_request: web.Request, response: web.StreamResponse) -> None:
    """Nobody writes here, so nobody has to be known again."""
    response.headers.popall("Set-Cookie", None)
