"""What the database tells of dreams in the past: by state, and by day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from time import time

from sqlalchemy import func, select

from bot.database.connection import Database
from bot.database.tables import dreams
from bot.dreams.dream import DreamState

DAY_S = 24 * 3600.0
DAYS = 14
MOST = 50_000  # dreams that are looked at


@dataclass(frozen=True, slots=True)
class Day:
    """One day, UTC."""

    date: str  # 2026-11-30
    dreams: int = 0  # that were finished
    wait_s: float = 0.0  # the median of their waits
    steps_per_s: float = 0.0  # the median


class History:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        self._transaction = database.transaction
        self._clock = clock

    async def counts(self) -> dict[str, int]:
        """How many dreams there are, by state."""
        query = select(dreams.c.state, func.count()).group_by(dreams.c.state)
        async with self._transaction() as connection:
            found = {row[0]: row[1] for row in await connection.execute(query)}
        return {state.value: found.get(state.value, 0) for state in DreamState}

    async def oldest_wait_s(self) -> float:
        """Seconds for which the one has waited that waits longest; 0: nobody does."""
        query = select(func.min(dreams.c.created_at)).where(dreams.c.state == DreamState.QUEUED)
        async with self._transaction() as connection:
            since = await connection.scalar(query)
        return 0.0 if since is None else max(0.0, self._clock() - since)

    async def days(self) -> list[Day]:
        """The last `DAYS`, today last."""
        now = self._clock()
        first = now // DAY_S - DAYS + 1
        columns = (dreams.c.ended_at, dreams.c.created_at, dreams.c.started_at)
        query = (
            select(*columns, dreams.c.steps_done, dreams.c.seconds)
            .where(dreams.c.state == DreamState.DONE, dreams.c.ended_at >= first * DAY_S)
            .order_by(dreams.c.id.desc())
            .limit(MOST)
        )
        async with self._transaction() as connection:
            rows = (await connection.execute(query)).all()
        found = []
        for number in range(int(first), int(first) + DAYS):
            of_day = [row for row in rows if row.ended_at // DAY_S == number]
            waits = [
                max(0.0, row.started_at - row.created_at) for row in of_day if row.started_at is not None
            ]
            paces = [row.steps_done / row.seconds for row in of_day if row.seconds and row.steps_done]
            date = datetime.fromtimestamp(number * DAY_S, UTC).strftime("%Y-%m-%d")
            found.append(
                Day(date, len(of_day), median(waits) if waits else 0.0, median(paces) if paces else 0.0)
            )
        return found
