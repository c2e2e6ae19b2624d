"""What is measured while dreams are dreamt, for Prometheus: `/metrics`, in its text format."""

import math
from collections.abc import Callable
from functools import partial
from time import time

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.dreams.dream import Dream
from bot.heart import Heart
from bot.web.status.history import History
from engine import Event, Failed, FailureKind, Finished, Started

_SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
ENGINE_STATES = ("dreaming", "free", "resting")  # resting: it fails, and the others dream without it
_PACES = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


class Measurements:
    """An `Audience` of all dreams, and a listener to votes."""

    def __init__(self, heart: Heart, *, clock: Callable[[], float] = time) -> None:
        self._heart = heart
        self._history = History(database=heart.database, clock=clock)
        self.heartbeat_s: Callable[[], float] = lambda: math.nan  # of Discord's gateway; set by its front end
        self.registry = registry = CollectorRegistry()
        self._ended = Counter("oneiro_dreams", "Dreams that ended.", ["state"], registry=registry)
        self._seconds = Histogram(
            "oneiro_dream_seconds",
            "What a dream's time went to.",
            ["phase"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._pace = Histogram(
            "oneiro_steps_per_second", "Of finished dreams.", registry=registry, buckets=_PACES
        )
        self._restarts = Counter(
            "oneiro_engine_restarts",
            "Engines that crashed or hung, and were started anew.",
            registry=registry,
        )
        self._votes = Counter("oneiro_vote_changes", "Changes of a dream's votes.", registry=registry)
        line = Gauge("oneiro_line_length", "Dreams that wait.", registry=registry)
        line.set_function(heart.worker.waiting)
        engines = Gauge("oneiro_engines", "Engines, by what they do.", ["state"], registry=registry)
        for state in ENGINE_STATES:
            engines.labels(state).set_function(partial(_engines, heart, state))
        heartbeat = Gauge("oneiro_heartbeat_seconds", "Delay of Discord's heartbeat.", registry=registry)
        heartbeat.set_function(lambda: self.heartbeat_s())
        self._stored = Gauge("oneiro_stored_dreams", "Dreams by state.", ["state"], registry=registry)
        self._wait = Gauge("oneiro_line_wait_seconds", "Since when the oldest one waits.", registry=registry)
        errors = Gauge("oneiro_database_errors", "Transactions that failed.", registry=registry)
        errors.set_function(lambda: heart.database.errors)
        self._size = Gauge("oneiro_database_bytes", "What the database takes on its disk.", registry=registry)
        free = Gauge("oneiro_disk_free_bytes", "Free on the disk where data lies.", registry=registry)
        free.set_function(lambda: heart.disk.free)
        over = Gauge("oneiro_kept_over_bytes", "Needed beyond what KEEP_MB allows.", registry=registry)
        over.set_function(lambda: heart.retention.over)
        self._loading: dict[int, float] = {}  # when a dream's models began to load
        self._clock = clock
        heart.audiences.watching.append(self)
        heart.votes.on_change.append(lambda dream, tally: self._votes.inc())

    def heard(self, dream: Dream, event: Event | None) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        if isinstance(event, Failed) and event.kind in (FailureKind.CRASH, FailureKind.HANG):
            self._restarts.inc()
        if isinstance(event, Started) and dream.started_at is not None:
            self._seconds.labels("loading").observe(max(0.0, self._clock() - dream.started_at))
        if not dream.state.is_over:
            return
        self._ended.labels(dream.state.value).inc()
        if isinstance(event, Finished) and event.seconds > 0:
            self._seconds.labels("searching").observe(event.seconds)
            self._pace.observe(event.steps_done / event.seconds)
        if dream.started_at is not None:
            self._seconds.labels("waiting").observe(max(0.0, dream.started_at - dream.created_at))

    def line_moved(self) -> None:
        """See `bot.queue.engine_worker.Audience`."""

    async def text(self) -> bytes:
        """In Prometheus's format. Raises `StoreError`."""
        counts = await self._history.counts()
        for state, count in counts.items():
            self._stored.labels(state).set(count)
        self._size.set(await self._heart.database.size())
        self._wait.set(await self._history.oldest_wait_s())
        return generate_latest(self.registry)


def _engines(heart: Heart, state: str) -> int:
    found = heart.worker.occupancies()
    dreaming = sum(engine.dream is not None for engine in found)
    counts = {"dreaming": dreaming, "free": len(found) - dreaming}
    return counts.get(state, heart.worker.engines - len(found))


MEASUREMENTS = web.AppKey("MEASUREMENTS", Measurements)
routes = web.RouteTableDef()


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """For Prometheus."""
    text = await request.config_dict[MEASUREMENTS].text()
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})
