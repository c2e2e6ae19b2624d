"""How long dreams take on this machine: measured, kept, and the only ground on which a time is promised."""

import platform
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from statistics import median
from time import monotonic, time

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    delete,
    insert,
    select,
)

from bot.database import Database
from bot.dreams import Dream
from bot.schema import DreamId, metadata
from engine import Progress

KEPT = 10  # dreams of each kind that are remembered; the newest say best how it is now
_NAME = 64  # characters of a machine's name

paces = Table(
    "paces",
    metadata,
    Column("id", DreamId, primary_key=True, autoincrement=True),
    Column("machine", String(_NAME), nullable=False),
    Column("model", String(64), nullable=False),
    Column("preset", String(16), nullable=False),
    Column("steps", Integer, nullable=False),
    Column("usual", Boolean, nullable=False),
    Column("lead_s", Float(53), nullable=False),
    Column("step_s", Float(53), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("paces_by_machine", "machine", "id"),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """What one dream took."""

    model: str  # as it was wished for
    preset: str
    steps: int
    usual: bool  # the wish named no steps
    lead_s: float  # seconds until its first step
    step_s: float  # seconds a step


class Stopwatch:
    """Takes the time of one dream: make it at the request, show it every `Progress`."""

    def __init__(self) -> None:
        self._begun = monotonic()
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None

    def see(self, progress: Progress) -> None:
        self._last = monotonic(), progress.step
        self._first = self._first or self._last

    def pace(self, dream: Dream, steps: int) -> Pace | None:
        """What it took; None when too few steps were seen."""
        if self._first is None or self._last is None or self._last[1] <= self._first[1]:
            return None
        step_s = (self._last[0] - self._first[0]) / (self._last[1] - self._first[1])
        lead_s = self._first[0] - self._begun
        return Pace(dream.model, dream.preset, steps, dream.steps is None, lead_s, step_s)


class Paces:
    """The newest paces of this machine, by model and preset. `start` first."""

    def __init__(self, *, database: Database, machine: str | None = None) -> None:
        """`machine`: its name; another machine's paces say nothing about this one."""
        self._database = database
        self._machine = (machine or platform.node())[:_NAME]
        self._known: dict[tuple[str, str], deque[Pace]] = defaultdict(lambda: deque(maxlen=KEPT))

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
        row = asdict(pace) | {"machine": self._machine, "at": int(time())}
        same = (paces.c.machine == self._machine, paces.c.model == pace.model, paces.c.preset == pace.preset)
        newest = select(paces.c.id).where(*same).order_by(paces.c.id.desc()).limit(KEPT)
        async with self._database.transaction() as connection:
            await connection.execute(insert(paces).values(row))
            kept = list((await connection.execute(newest)).scalars())
            await connection.execute(delete(paces).where(*same, paces.c.id < min(kept)))

    def seconds(self, dream: Dream) -> float | None:
        """How long this dream will take, by the median of those like it; None when there were none."""
        like = self._known.get((dream.model, dream.preset), ())
        steps = dream.steps if dream.steps is not None else _usual_steps(like)
        if not like or steps is None:
            return None
        return median(pace.lead_s for pace in like) + steps * median(pace.step_s for pace in like)

    def _remember(self, pace: Pace) -> None:
        self._known[pace.model, pace.preset].append(pace)


def _usual_steps(like: Iterable[Pace]) -> int | None:
    """The steps that a dream gets which names none."""
    return next((pace.steps for pace in reversed(list(like)) if pace.usual), None)
