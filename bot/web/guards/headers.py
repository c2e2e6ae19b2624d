"""What a browser may do with our answers: load from us alone, run nothing inline, show us in no frame."""

from aiohttp import web

from bot.web.guards.hosts import LOOPBACK, name_of
from bot.web.visits import is_secure

# img: frames and previews of files that a person is about to send (blob:).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # not no-referrer, with which browsers send the Origin "null"
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


async def guard(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: whatever is answered, errors and streams too, has the headers."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    # Over plain http from another machine browsers heed it not, and complain.
    if is_secure(request) or name_of(request.headers.get("Host", "")) in LOOPBACK:
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    # Pages are somebody's own; what may be kept says so itself.
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.pop("Server", None)
