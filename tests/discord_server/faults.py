"""What goes wrong on purpose: injected faults.

Knows no aiohttp: it says what to answer, `rest` answers it.
"""

import asyncio
import fnmatch
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.discord_server.limits import too_many


class Interference(Enum):
    """What a fault does to a request that it matches."""

    ANSWER = "answer"  # the fault's own status and body, nothing is carried out
    STALL = "stall"  # nothing happens until `Fault.release`, then the request goes on as usual
    CUT = "cut"  # the connection is cut, nothing is carried out
    LOSE = "lose"  # the request is carried out, then the connection is cut: the answer is lost
    BAN = "ban"  # the proxy before Discord refuses the address: a 429 that is no JSON and has no Via


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
