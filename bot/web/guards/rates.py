"""How often one address may ask: a bucket of requests for each, which fills again with time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.web.guards.forgery import READING

ADDRESSES = 10_000  # that are remembered; whoever asked longest ago is forgotten first


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, and then so many a second."""

    burst: float
    each_s: float


READS = Rate(400, 60)  # a long channel's pictures come all at once
WRITES = Rate(40, 4)


class Buckets:
    """How much each address may still ask for."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address → requests, and when

    def take(self, address: str) -> float:
        """One request. Gives 0, or the seconds until there may be one."""
        now = self._clock()
        left, at = self._left.pop(address, (self._rate.burst, now))
        left = min(self._rate.burst, left + max(0.0, now - at) * self._rate.each_s)
        wait_s = 0.0 if left >= 1 else (1 - left) / self._rate.each_s
        self._left[address] = (left if wait_s else left - 1, now)
        if len(self._left) > ADDRESSES:
            self._left.popitem(last=False)
        return wait_s


def guard(reads: Rate = READS, writes: Rate = WRITES) -> Middleware:
    """Refuse what comes too fast, with the seconds to wait."""
    reading, writing = Buckets(reads), Buckets(writes)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        buckets = reading if request.method in READING else writing
        if wait_s := buckets.take(request.remote or ""):
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(ceil(wait_s))})
        return await handler(request)

    return check
