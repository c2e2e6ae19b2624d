"""The page with charts that a person can read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.heart import Heart
from bot.keeping.disk import MB
from bot.sentences import Sentences
from bot.web.pages import page
from bot.web.parts import parts_of
from bot.web.status.health import HEALTH
from bot.web.status.history import Day, History
from bot.web.visits import say_of

HEIGHT, WIDTH, GAP = 120.0, 24.0, 8.0  # of a chart and of its bars, in its own units

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bar: where it stands, and what it says."""

    x: float
    y: float
    height: float
    date: str
    value: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, a day each."""

    title: str
    bars: tuple[Bar, ...]

    @property
    def width(self) -> float:
        return len(self.bars) * (WIDTH + GAP)


@routes.get("/status")
async def status(request: web.Request) -> web.Response:
    """Now and the last days."""
    heart, say = parts_of(request).heart, say_of(request)
    history = History(database=heart.database)
    return page(
        request,
        "status.html",
        troubles=[
            *await request.config_dict[HEALTH].troubles(),
            *engine_troubles(heart),
            *keeping_troubles(heart),
        ],
        database_mb=round(await heart.database.size() / MB),
        kept_mb=heart.retention.limits.megabytes,
        free_mb=None if math.isinf(heart.disk.free) else round(heart.disk.free / MB),
        waiting=heart.worker.waiting(),
        dreaming=sum(engine.dream is not None for engine in heart.worker.occupancies()),
        engines=heart.worker.engines,
        wait_s=round(await history.oldest_wait_s()),
        counts=await history.counts(),
        charts=charts(await history.days(), say),
        height=HEIGHT,
        bar_width=WIDTH,
    )


def engine_troubles(heart: Heart) -> list[str]:
    """What whoever hosts should know of the engines; `/healthz` is silent on it, for the others dream."""
    if not heart.worker.engines and heart.shards.are_all:
        return ["There is no engine just now: no machine of the cluster has room for one; the log says why."]
    resting = heart.worker.engines - len(heart.worker.occupancies())
    return [f"{resting} of {heart.worker.engines} engines can't dream; the log says why."] if resting else []


def keeping_troubles(heart: Heart) -> list[str]:
    """What whoever hosts should know of the disk and the object store.

    A new start would not help: `/healthz` is silent on it.
    """
    found = [trouble for trouble in (heart.disk.trouble, heart.contents.trouble) if trouble]
    if heart.retention.over:
        found.append(
            f"What is needed takes {heart.retention.over / MB:.0f} MB more than KEEP_MB allows, and is kept."
        )
    return found


def charts(days: Sequence[Day], say: Sentences) -> list[Chart]:
    """What changes from day to day."""
    return [
        _chart(say.STATUS_DREAMS, days, [day.dreams for day in days], "{:.0f}"),
        _chart(say.STATUS_WAITS, days, [day.wait_s for day in days], "{:.0f}"),
        _chart(say.STATUS_PACE, days, [day.steps_per_s for day in days], "{:.1f}"),
    ]


def _chart(title: str, days: Sequence[Day], values: Sequence[float], form: str) -> Chart:
    most = max(*values, 0.0) or 1.0
    bars = []
    for number, (day, value) in enumerate(zip(days, values, strict=True)):
        height = round(HEIGHT * value / most, 1)
        bars.append(Bar(number * (WIDTH + GAP), HEIGHT - height, height, day.date, form.format(value)))
    return Chart(title, tuple(bars))
