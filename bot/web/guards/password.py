"""Who comes from elsewhere gives the host's password first, and is a guest; the machine itself needs none.

What a browser gets for the password is a pass: a cookie that only this password makes valid.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from hashlib import scrypt, sha256
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic, time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.sentences import Sentences
from bot.web.errors import Explained, Worded, wants_json
from bot.web.guards.forgery import READING
from bot.web.guards.hosts import LOOPBACK, is_address, name_of
from bot.web.pages import page
from bot.web.visits import cookie_name, is_secure

PATH = "/password"
COOKIE = "oneiro_pass"
PASS_S = 30 * 24 * 3600  # seconds for which a pass is good
FREE_TRIES = 3  # wrong ones before the first pause
PAUSE_S = 10.0  # the first one
LONGEST_PAUSE_S = 15 * 60.0
FORGET_S = 3600.0  # seconds after which an address's wrong tries are forgotten
ADDRESSES = 10_000  # that are remembered; whoever tried longest ago is forgotten first
_OPEN_TO_ALL = "/static/"  # what the form itself is made of
# What a proxy adds: whoever asks through one may be anywhere, although the proxy is on this machine.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


class PasswordNeeded(Worded):
    """Whoever asks is elsewhere and has no pass."""

    status = 401

    def sentence(self, say: Sentences) -> str:
        return say.PASSWORD_NEEDED


class Tries:
    """How long each address has to wait after wrong passwords: each pause is twice the one before."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # address → how many, and when last

    def wait_s(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        count, at = self._wrong.get(_neighbours(address), (0, 0.0))
        if count < FREE_TRIES:
            return 0.0
        pause_s = min(PAUSE_S * 2.0 ** (count - FREE_TRIES), LONGEST_PAUSE_S)
        return max(0.0, at + pause_s - self._clock())

    def wrong(self, address: str) -> None:
        """It tried another password than ours."""
        now, key = self._clock(), _neighbours(address)
        count, at = self._wrong.pop(key, (0, now))
        self._wrong[key] = (1 if now - at > FORGET_S else count + 1, now)
        if len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """It knows the password."""
        self._wrong.pop(_neighbours(address), None)


class Gate:
    """Live, for one application."""

    def __init__(self, password: str, *, clock: Callable[[], float] = time) -> None:
        self._digest = sha256(password.encode()).digest()
        # Slow to make, so that nobody finds the password by making passes until one is like theirs.
        self._key = scrypt(password.encode(), salt=b"oneiro's page", n=2**14, r=8, p=1, dklen=32)
        self._clock = clock
        self.tries = Tries()

    def is_right(self, password: str) -> bool:
        """Whether this is the password; compared in constant time."""
        return hmac.compare_digest(sha256(password.encode(errors="replace")).digest(), self._digest)

    def new_pass(self) -> str:
        """For the cookie of a browser that gave the password."""
        said = f"{int(self._clock())}.{secrets.token_urlsafe(16)}"
        return f"{said}.{self._signed(said)}"

    def admits(self, given: str) -> bool:
        """Whether a cookie holds a pass of this password that is not too old; compared in constant time."""
        said, _, mac = given.rpartition(".")
        if not hmac.compare_digest(self._signed(said).encode(), mac.encode(errors="replace")):
            return False
        return self._clock() - int(said.partition(".")[0]) < PASS_S

    def _signed(self, said: str) -> str:
        return hmac.new(self._key, said.encode(errors="replace"), sha256).hexdigest()


GATE = web.AppKey("GATE", Gate)


def is_here(request: web.Request) -> bool:
    """Whether a browser on this very machine asks, by a name for nothing else, and through no proxy."""
    remote = request.remote or ""
    is_near = is_address(remote) and ip_address(remote).is_loopback
    is_ours = name_of(request.headers.get("Host", "")) in LOOPBACK
    return is_near and is_ours and not any(name in request.headers for name in _FORWARDED)


def is_guest(request: web.Request) -> bool:
    """Whether somebody from elsewhere asks; only where others are let in at all."""
    return GATE in request.config_dict and not is_here(request)


def guard(gate: Gate) -> Middleware:
    """Let nobody from elsewhere further than to the form, before they gave the password."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_here(request) or request.path == PATH or request.path.startswith(_OPEN_TO_ALL):
            return await handler(request)
        if gate.admits(request.cookies.get(cookie_name(request, COOKIE), "")):
            return await handler(request)
        if wants_json(request) or request.method not in READING:
            raise PasswordNeeded
        raise Explained(form(request, status=PasswordNeeded.status, to=request.path))

    return check


def form(request: web.Request, *, status: int, to: str, sentence: str = "") -> web.Response:
    """Asks for the password. `to`: where whoever gives it wants to go; `sentence`: why it is asked again."""
    return page(request, "password.html", status=status, to=to, sentence=sentence)


def remember(request: web.Request, response: web.StreamResponse, gate: Gate) -> None:
    """Give the browser a pass."""
    response.set_cookie(
        cookie_name(request, COOKIE),
        gate.new_pass(),
        max_age=PASS_S,
        httponly=True,
        samesite="Strict",
        secure=is_secure(request),
        path="/",
    )


def _neighbours(address: str) -> str:
    """Of an IPv6 address the network that one household has, or its host could try without end."""
    found = ip_address(address) if is_address(address) else None
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address
