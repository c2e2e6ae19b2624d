"""What goes wrong on purpose: injected faults, and the rate limits that Discord keeps.

Knows no aiohttp: it says what to answer, `rest` answers it.
"""

import asyncio
import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Interference(Enum):
    """What a fault does to a request that it matches."""

    ANSWER = "answer"  # the fault's own status and body, nothing is carried out
    STALL = "stall"  # nothing happens until `Fault.release`, then the request goes on as usual
    CUT = "cut"  # the connection is cut, nothing is carried out
    LOSE = "lose"  # the request is carried out, then the connection is cut: the answer is lost


@dataclass(eq=False)
class Fault:
    """Interferes with requests whose method and path match (shell wildcards, path without `/api/v10`)."""

    method: str  # "*" for any
    path: str
    does: Interference = Interference.ANSWER
    status: int = 500
    code: int = 0  # Discord's JSON error code
    message: str = "Injected fault"
    retry_after_s: float = 0.0  # of a 429
    everywhere: bool = False  # a 429 that counts for all routes
    times: int | None = 1  # requests to hit; None: until `stop`
    hits: int = 0  # requests hit so far
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def matches(self, method: str, path: str) -> bool:
        """Does it concern this request? A fault that has hit `times` requests concerns none."""
        if self.times is not None and self.hits >= self.times:
            return False
        return self.method in (method, "*") and fnmatch.fnmatchcase(path, self.path)

    def stop(self) -> None:
        """Hit no further request, and let go those that are held."""
        self.times = self.hits
        self.release()

    def release(self) -> None:
        """Let go the requests that are held by a stall."""
        self._released.set()

    async def released(self) -> None:
        """Until `release`."""
        await self._released.wait()

    def answer(self) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, JSON body and headers, as Discord forms them."""
        if self.status == 429:
            return too_many(self.retry_after_s, code=self.code, everywhere=self.everywhere)
        return self.status, {"message": self.message, "code": self.code}, {}


def too_many(
    retry_after_s: float, *, code: int = 0, everywhere: bool = False, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """A 429. Clients take one without a `Via` header for a ban by the proxy, else wait `retry_after` s."""
    body: dict[str, Any] = {
        "message": "You are being rate limited.",
        "retry_after": round(retry_after_s, 3),
        "global": everywhere,
    }
    if code:
        body["code"] = code
    scope = {"X-RateLimit-Global": "true"} if everywhere else {"X-RateLimit-Scope": "user"}
    return (
        429,
        body,
        {"Via": "1.1 loopback", "Retry-After": str(round(retry_after_s, 3)), **scope, **(headers or {})},
    )


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds; what the pattern's group captures has a bucket of its own."""

    name: str
    method: str
    pattern: re.Pattern[str]
    requests: int
    window_s: float


# As bots observe them in 2026; Discord publishes no figures and asks to obey the headers.
LIMITS = (
    Limit("send", "POST", re.compile(r"/channels/(\d+)/messages"), 5, 5.0),
    Limit("edit", "PATCH", re.compile(r"/channels/(\d+)/messages/\d+"), 5, 5.0),
    Limit("delete", "DELETE", re.compile(r"/channels/(\d+)/messages/\d+"), 5, 1.0),
    Limit("react", "PUT", re.compile(r"/channels/(\d+)/messages/\d+/reactions/.+"), 1, 0.25),
)


class RateLimits:
    """Fixed windows, one for each limit and channel."""

    def __init__(self, limits: tuple[Limit, ...] = LIMITS) -> None:
        self._limits = limits
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}  # (limit, channel) -> (start, used)

    def take(self, method: str, path: str, now: float) -> tuple[dict[str, str], float | None]:
        """Count a request at `now` (monotonic seconds).

        Returns the headers of its answer, and the seconds to wait when it is one too many, else None.
        """
        for limit in self._limits:
            found = limit.pattern.fullmatch(path)
            if limit.method != method or found is None:
                continue
            key = (limit.name, found.group(1))
            start, used = self._windows.get(key, (now, 0))
            if now - start >= limit.window_s:
                start, used = now, 0
            reset_after_s = start + limit.window_s - now
            refused = used >= limit.requests
            used += not refused
            self._windows[key] = (start, used)
            headers = {
                "X-RateLimit-Limit": str(limit.requests),
                "X-RateLimit-Remaining": str(limit.requests - used),
                "X-RateLimit-Reset-After": f"{reset_after_s:.3f}",
                "X-RateLimit-Bucket": f"loopback-{limit.name}",
            }
            return headers, reset_after_s if refused else None
        return {}, None
