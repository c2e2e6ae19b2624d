"""Who asks: a visitor's session in a cookie, the token that its writes need, and the language it speaks.

The cookie is a secret that only this browser has; the database keeps a digest of it (`bot.web.people`).
"""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sentences import Sentences, spoken

COOKIE = "oneiro"  # with the port behind it: cookies know no ports, and two of us may run on one machine
YEAR_S = 365 * 24 * 3600
_SECRET_LENGTH = 43  # of `secrets.token_urlsafe(32)`


@dataclass(frozen=True, slots=True)
class Visit:
    """One browser's session. Anonymous until a name is chosen."""

    secret: str
    is_new: bool = False  # the browser has not got the cookie yet

    @property
    def token(self) -> str:
        """Goes into our pages and comes back with each write; nobody can tell the secret from it."""
        return hmac.new(self.secret.encode(), b"writes", sha256).hexdigest()

    @property
    def digest(self) -> str:
        """What the database keeps of the secret."""
        return sha256(self.secret.encode()).hexdigest()


VISIT = web.RequestKey("VISIT", Visit)


def visit_of(request: web.Request) -> Visit:
    """The visit that a request belongs to."""
    return request[VISIT]


def say_of(request: web.Request) -> Sentences:
    """The sentences in the language that the browser likes best of those we speak."""
    return spoken(*accepted(request.headers.get("Accept-Language", "")))


def accepted(header: str) -> list[str]:
    """The languages of an `Accept-Language`, the best liked first: 'it;q=0.8, en' → ['en', 'it']."""
    liked: list[tuple[float, str]] = []
    for part in header[:1000].split(","):
        code, _, rest = part.partition(";")
        quality = rest.strip().removeprefix("q=")
        try:
            liked.append((-float(quality) if quality else -1.0, code.strip().lower()))
        except ValueError:
            continue
    return [code for weight, code in sorted(liked, key=lambda one: one[0]) if code and weight < 0]


def matches(visit: Visit, token: str) -> bool:
    """Whether a write's token is this visit's; compared in constant time."""
    return hmac.compare_digest(visit.token.encode(), token.encode(errors="replace"))


def new_visit() -> Visit:
    """Of a browser that has none, or that changes who it is."""
    return Visit(secrets.token_urlsafe(32), is_new=True)


def adopt(request: web.Request, visit: Visit) -> None:
    """Let this browser have another secret, with the answer to this request."""
    request[VISIT] = visit


@web.middleware
async def welcome(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Know whose request it is. A new visit's cookie goes to the browser with a page, or after a form."""
    secret = request.cookies.get(cookie_name(request), "")
    plausible = len(secret) == _SECRET_LENGTH and secret.isascii() and secret.isprintable()
    request[VISIT] = Visit(secret) if plausible else new_visit()
    try:
        response = await handler(request)
    except web.HTTPRedirection as redirection:
        _remember(request, redirection)
        raise
    if response.content_type == "text/html":
        _remember(request, response)
    return response


def _remember(request: web.Request, response: web.StreamResponse) -> None:
    """Give the browser the cookie of a new visit."""
    visit = visit_of(request)
    if visit.is_new and not response.prepared:
        response.set_cookie(
            cookie_name(request),
            visit.secret,
            max_age=YEAR_S,
            httponly=True,
            samesite="Lax",
            secure=is_secure(request),
            path="/",
        )


def is_secure(request: web.Request) -> bool:
    """Whether it came by TLS, to us or to a proxy before us; who says so wrongly only loses the cookie."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def cookie_name(request: web.Request, name: str = COOKIE) -> str:
    """What a cookie of ours is called at this port."""
    port = request.headers.get("Host", "").rpartition(":")[2]  # what else stands there is refused later
    return f"{name}_{port}" if port.isdecimal() and port.isascii() else name
