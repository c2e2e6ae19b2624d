"""How long dreams take on this machine: measured, kept, and the only ground on which a time is promised."""

import os
import platform
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from statistics import median
from time import monotonic, time

from sqlalchemy import (
    delete,
    insert,
    select,
)

from bot.database.connection import Database
from bot.database.tables import paces
from bot.dreams.dream import Dream
from engine import Prior, Progress, panels, usual_steps

KEPT = 10  # dreams of each kind that are remembered; the newest say best how it is now
_NAME = 64  # characters of a machine's name, as many as its column takes


@dataclass(frozen=True, slots=True)
class Pace:
    """What one dream took."""

    model: str  # as it was wished for
    preset: str
    steps: int
    usual: bool  # the wish named no steps
    lead_s: float  # seconds until its first step, and after its last one
    step_s: float  # seconds a step
    panels: int = 1  # that its words read like
    load_s: float = 0.0  # seconds of `lead_s` that the models took to load; next to none when they were


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What one engine is occupied with just now."""

    dream: Dream | None = None  # in hand; None: it is free
    progress: Progress | None = None  # the dream's newest
    is_loaded: bool = False  # it has models; a new engine's first dream waits for them


class Stopwatch:
    """Takes the time of one dream: make it at the request, then show it what the engine says."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock`: seconds, from any beginning."""
        self._clock = clock
        self._begun = clock()
        self._load_s = 0.0
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None

    def fetching(self) -> None:
        """A model's file is on its way, which says nothing of other dreams: its time is not counted."""
        self._begun = self._clock()

    def loaded(self) -> None:
        """The models are loaded, the search begins."""
        self._load_s = self._clock() - self._begun

    def see(self, progress: Progress) -> None:
        """A step is done."""
        self._last = self._clock(), progress.step
        self._first = self._first or self._last

    def pace(self, dream: Dream, steps: int) -> Pace | None:
        """What it takes, as far as was seen; None when too few steps were."""
        if self._first is None or self._last is None or self._last[1] <= self._first[1]:
            return None
        step_s = (self._last[0] - self._first[0]) / (self._last[1] - self._first[1])
        lead_s = self._first[0] - self._begun
        if self._last[1] == steps:
            lead_s += self._clock() - self._last[0]
        usual = dream.steps is None and steps != dream.most_steps  # moderators may have cut it short
        shown = panels(dream.prompt)
        return Pace(dream.model, dream.preset, steps, usual, lead_s, step_s, shown, self._load_s)


_Key = tuple[str, str, int]  # model, preset, panels


class Paces:
    """The newest paces of this machine, by model, preset and panels. `start` first."""

    def __init__(
        self,
        *,
        database: Database,
        machine: str | None = None,
        engines: int = 1,
        prior: Prior | None = None,
        busy: Callable[[], float] | None = None,
    ) -> None:
        """`machine`: its name; another machine's paces say nothing about this one. `engines`: that share it,
        for what they take side by side says nothing of what one takes alone.

        `prior`: what is expected of kinds of dreams that were not measured yet, scaled by those that were;
        without it nothing is promised of them. `busy`: how many times slower the machine is just now than
        an idle one, which counts until anything was measured; None: by its load.
        """
        self._busy = busy or crowd
        self._database = database
        name, together = machine or platform.node(), f" x {engines}" if engines > 1 else ""
        self._machine = name[: _NAME - len(together)] + together
        self._prior = prior
        self._known: dict[_Key, deque[Pace]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._live: Pace | None = None  # of a dream in hand, as far as it was seen

    def expect(self, prior: Prior) -> None:
        """From now on promise this of what was not measured yet."""
        self._prior = prior

    async def start(self) -> None:
        """Read what is kept. Raises `StoreError`."""
        query = select(paces).where(paces.c.machine == self._machine).order_by(paces.c.id)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).all()
        for row in rows:
            self._remember(Pace(**{field.name: getattr(row, field.name) for field in fields(Pace)}))

    async def keep(self, pace: Pace) -> None:
        """Remember what a dream took. Raises `StoreError`, but remembers it until the end all the same."""
        self._remember(pace)
        self._live = None
        row = asdict(pace) | {"machine": self._machine, "at": int(time())}
        same = (
            paces.c.machine == self._machine,
            paces.c.model == pace.model,
            paces.c.preset == pace.preset,
            paces.c.panels == pace.panels,
        )
        newest = select(paces.c.id).where(*same).order_by(paces.c.id.desc()).limit(KEPT)
        async with self._database.transaction() as connection:
            await connection.execute(insert(paces).values(row))
            kept = list((await connection.execute(newest)).scalars())
            await connection.execute(delete(paces).where(*same, paces.c.id < min(kept)))

    def glimpse(self, pace: Pace | None) -> None:
        """What a dream in hand takes so far, which tells of kinds that were not measured yet."""
        self._live = pace or self._live

    def loading_s(self) -> float:
        """Seconds that the first dream of an engine waits for its models."""
        # A dream that found them loaded says nothing of that.
        known = [pace.load_s for some in self._known.values() for pace in some if pace.load_s >= 1]
        if known:
            return median(known)
        return self._prior.load_s * self._busy() if self._prior else 0.0

    def seconds(self, dream: Dream) -> float | None:
        """How long this dream will take once the models are loaded, by the median of those like it, else by
        other kinds; None where nothing tells."""
        like = self._known.get((dream.model, dream.preset, panels(dream.prompt)), ())
        steps = _steps(dream, _usual_steps(like))
        if not like or steps is None:
            return self._expected(dream)
        lead_s = median(pace.lead_s - pace.load_s for pace in like)
        return lead_s + steps * median(pace.step_s for pace in like)

    def free_at(self, engine: Occupancy, *, now: float) -> float | None:
        """When an engine can begin another dream; None: nothing tells. Seconds since 1970, as `now`."""
        loading_s = 0.0 if engine.is_loaded else self.loading_s()
        if engine.dream is None:
            return now + loading_s
        left_s = self._left(engine.dream, engine.progress, loading_s=loading_s, now=now)
        return None if left_s is None else now + left_s

    def _left(self, dream: Dream, progress: Progress | None, *, loading_s: float, now: float) -> float | None:
        """How many seconds the dream in hand still takes."""
        if progress is not None and (progress.seconds_left >= 1 or progress.step == progress.steps):
            return progress.seconds_left
        takes = self.seconds(dream)  # the first step says nothing of the others
        if takes is None:
            return None
        waits = loading_s if progress is None else 0.0
        gone = 0.0 if dream.started_at is None else max(now - dream.started_at, 0.0)  # the clock was put back
        return max(takes + waits - gone, 0.0)

    def _expected(self, dream: Dream) -> float | None:
        """By the prior, as much slower or faster as this machine was with other kinds of dreams."""
        prior = self._prior
        measured = [p for key, some in self._known.items() if key[0] == dream.model for p in some]
        measured += [self._live] if self._live is not None and self._live.model == dream.model else []
        if prior is None or any(p.usual and p.steps != usual_steps(prior.pair, p.preset) for p in measured):
            return None  # another pair than was expected
        by = median([p.step_s / (prior.step_s * _times(prior, p.panels)) for p in measured] or [self._busy()])
        steps = _steps(dream, usual_steps(prior.pair, dream.preset)) or 0
        return by * _times(prior, panels(dream.prompt)) * (prior.start_s + steps * prior.step_s)

    def _remember(self, pace: Pace) -> None:
        self._known[pace.model, pace.preset, pace.panels].append(pace)


def crowd() -> float:
    """How many programs want each of this machine's cores, ours included; 1 where that is not known."""
    try:
        return max(1.0, (os.getloadavg()[0] + 1) / (os.cpu_count() or 1))
    except (AttributeError, OSError):  # Windows has no such number
        return 1.0


def _times(prior: Prior, panels: int) -> float:
    return prior.two if panels == 2 else 1.0


def _steps(dream: Dream, usual: int | None) -> int | None:
    """A dream's own steps, else the usual ones as far as moderators allow them."""
    if dream.steps is not None or usual is None:
        return dream.steps
    return min(usual, dream.most_steps or usual)


def _usual_steps(like: Iterable[Pace]) -> int | None:
    """The steps that a dream gets which names none."""
    return next((pace.steps for pace in reversed(list(like)) if pace.usual), None)
