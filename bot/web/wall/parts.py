"""What the wall's handlers work with, and what all of its pages share."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.community.thumbnails import Thumbnails
from bot.community.wall import Hanging, Wall
from bot.dreams.store import Store
from bot.web.pages import page
from bot.web.visits import say_of
from bot.web.wall.live import Live

# Whoever looks asks anew each time, for what hangs may be taken down at any moment; an ETag makes that cheap.
ASKED_ANEW = {"Cache-Control": "no-cache"}


@dataclass(frozen=True, kw_only=True)
class WallParts:
    """Live, for one application."""

    wall: Wall
    thumbnails: Thumbnails
    store: Store
    live: Live
    url: str  # the wall's address, without a / at its end


WALL = web.AppKey("WALL", WallParts)


def wall_of(request: web.Request) -> WallParts:
    """Of the application that serves the request."""
    return request.config_dict[WALL]


def show(request: web.Request, template: str, *, status: int = 200, **facts: Any) -> web.Response:
    """A page of the wall."""
    parts, say = wall_of(request), say_of(request)
    response = page(
        request,
        f"wall/{template}",
        status=status,
        url=parts.url,
        now=parts.live.sentence(say),
        day=day,
        **facts,
    )
    response.headers.update(ASKED_ANEW, Vary="Accept-Language")
    return response


def show_error(request: web.Request, status: int, sentence: str) -> web.Response:
    """For `bot.web.errors`: in the looks of the wall."""
    return show(request, "error.html", status=status, sentence=sentence, shown_status=status)


async def hanging(request: web.Request) -> Hanging:
    """The dream that an address names. Raises `HTTPNotFound`, the same for withdrawn ones and for none."""
    found = await wall_of(request).wall.get(request.match_info["slug"])
    if found is None:
        raise web.HTTPNotFound
    return found


def day(at: float | None) -> str:
    """A date in the form that everybody reads, UTC; '' for none. `at`: seconds since 1970."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
