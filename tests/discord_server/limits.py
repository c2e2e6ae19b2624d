"""How often Discord lets a bot ask: buckets, the global limit, and the ban of who is refused all the time.

Knows no aiohttp: it says what to answer, `rest` answers it.
"""

import math
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVERYWHERE = 50  # requests a second in all, but for answers to interactions (rate limit reference, 2026-08)
INVALID_REQUESTS, INVALID_WINDOW_S = 10_000, 600.0  # 401, 403 and 429 after which an address is banned (same)
HOUR_S = 3600.0  # after which the edits of a message are counted more strictly
OLD_EDITS = 30046  # the code of that refusal
SAID = {OLD_EDITS: "Maximum number of edits to messages older than 1 hour reached. Try again later"}

Refusal = tuple[int, dict[str, Any], dict[str, str]]  # status, JSON body and headers


def too_many(
    retry_after_s: float, *, code: int = 0, everywhere: bool = False, headers: Mapping[str, str] | None = None
) -> Refusal:
    """A 429. Clients take one without a `Via` header for a ban by the proxy, else wait `retry_after` s."""
    body: dict[str, Any] = {
        "message": SAID.get(code, "You are being rate limited."),
        "retry_after": round(retry_after_s, 3),
        "global": everywhere,
    }
    if code:
        body["code"] = code
    scope = {"X-RateLimit-Scope": "global" if everywhere else "user"}
    if everywhere:
        scope["X-RateLimit-Global"] = "true"
    wait = {"Via": "1.1 loopback", "Retry-After": str(math.ceil(retry_after_s))}
    return 429, body, {**wait, **scope, **(headers or {})}


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds; what the pattern's group captures has a bucket of its own."""

    name: str
    method: str  # "PUT", or "PUT|DELETE" where they share a bucket
    pattern: re.Pattern[str]
    requests: int
    window_s: float
    of_old: bool = False  # only what is done to messages older than an hour
    code: int = 0  # of the refusal


_MESSAGE = r"/channels/(\d+)/messages/\d+"

# As bots observe them in 2026; Discord publishes no figures and asks to obey the headers.
LIMITS = (
    Limit("send", "POST", re.compile(r"/channels/(\d+)/messages"), 5, 5.0),
    # Three in twenty seconds, says github.com/circuitsacul/starboard-4 issue 118.
    Limit("edit-old", "PATCH", re.compile(_MESSAGE), 3, 20.0, of_old=True, code=OLD_EDITS),
    Limit("edit", "PATCH", re.compile(_MESSAGE), 5, 5.0),
    Limit("delete", "DELETE", re.compile(_MESSAGE), 5, 1.0),
    Limit("react", "PUT|DELETE", re.compile(_MESSAGE + r"/reactions/.+"), 1, 0.25),
    Limit("webhook", "GET|POST|PATCH|DELETE", re.compile(r"/webhooks/(\d+/[^/]+)(?:/.*)?"), 5, 2.0),
)
_OF_NO_BOT = ("/interactions/", "/webhooks/")  # their token is in the path: the global limit is not theirs


class RateLimits:
    """Fixed windows, one for each limit and channel, and one for everything."""

    def __init__(self, limits: tuple[Limit, ...] = LIMITS, *, everywhere: int = EVERYWHERE) -> None:
        self._limits = limits
        self._everywhere = Limit("everywhere", "", re.compile(""), everywhere, 1.0)
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}  # (limit, channel) -> (start, used)

    def take(
        self, method: str, path: str, now: float, *, is_old: bool = False
    ) -> tuple[dict[str, str], Refusal | None]:
        """Count a request at `now` (monotonic seconds); `is_old`: its message is older than an hour.

        Returns the headers of its answer, and the answer itself when it is one too many.
        """
        if not path.startswith(_OF_NO_BOT):
            _, wait_s, refused = self._count(self._everywhere, "", now)
            if refused:
                return {}, too_many(wait_s, everywhere=True)
        for limit in self._limits:
            found = limit.pattern.fullmatch(path)
            if method not in limit.method.split("|") or found is None or (limit.of_old and not is_old):
                continue
            left, reset_after_s, refused = self._count(limit, found.group(1), now)
            headers = {
                "X-RateLimit-Limit": str(limit.requests),
                "X-RateLimit-Remaining": str(left),
                "X-RateLimit-Reset": f"{time.time() + reset_after_s:.3f}",
                "X-RateLimit-Reset-After": f"{reset_after_s:.3f}",
                "X-RateLimit-Bucket": f"loopback-{limit.name}",
            }
            return headers, too_many(reset_after_s, code=limit.code, headers=headers) if refused else None
        return {}, None

    def _count(self, limit: Limit, key: str, now: float) -> tuple[int, float, bool]:
        """Requests left, seconds until the window ends, and whether this one is refused."""
        start, used = self._windows.get((limit.name, key), (now, 0))
        if now - start >= limit.window_s:
            start, used = now, 0
        refused = used >= limit.requests
        used += not refused
        self._windows[limit.name, key] = (start, used)
        return limit.requests - used, start + limit.window_s - now, refused


class InvalidRequests:
    """Answers that tell a bot to stop; whoever goes on is banned, whatever they ask."""

    def __init__(self, most: int = INVALID_REQUESTS) -> None:
        self.most = most
        self._at: deque[float] = deque()

    def note(self, status: int, now: float) -> bool:
        """Count an answer at `now` (monotonic seconds). True when it is the one that leads to the ban."""
        if status in (401, 403, 429):
            self._at.append(now)
        return len(self._at) == self.most and status in (401, 403, 429)

    def is_banned(self, now: float) -> bool:
        while self._at and now - self._at[0] >= INVALID_WINDOW_S:
            self._at.popleft()
        return len(self._at) >= self.most
