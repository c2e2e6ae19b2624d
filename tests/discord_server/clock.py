"""The server's clock: wall time, which tests can move forward."""

import time
from datetime import UTC, datetime, timedelta

from simcord._clock import Clock


class MovableClock(Clock):
    """For simcord, whose own clock stands still: its 15 min rule holds by itself."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        """Seconds that never go back; moved along."""
        return time.monotonic() + self.elapsed
