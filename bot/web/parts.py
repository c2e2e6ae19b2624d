"""What the page's handlers work with, as one value, and the one way from a request to it."""

from dataclasses import dataclass

from aiohttp import web

from bot.heart import Heart


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Live, for one application."""

    heart: Heart


PARTS = web.AppKey("PARTS", Parts)


def parts_of(request: web.Request) -> Parts:
    """Of the application that serves the request."""
    return request.config_dict[PARTS]
