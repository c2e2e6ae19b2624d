"""Notices from the scores of its looks alone when a search breaks down, and how much it then slows down."""

import math
from dataclasses import asdict, dataclass

FALL = 0.1  # of the best score: this far below it a look counts as low …
FALL_LEAST = 1.0  # … and at least this many points
LOOKS = 2  # low looks in a row make a collapse; a single one does not
STILL = 1e-3  # points; a low score that moves less is frozen: the picture gives no gradient any more
SLOWER = 0.5  # what each return makes of the rate
MAX_RETURNS = 4  # then the search ends with what it has


@dataclass
class Guard:
    """All numbers, so that a state can keep them."""

    rate: float = 1.0  # of the learning rate
    returns: float = 0.0
    low: float = 0.0  # low looks in a row
    previous: float = math.nan  # the last look's score

    def broken(self, score: float, best: float) -> bool:
        """Take in a look's score beside the best so far; True when the search has collapsed or is frozen."""
        low = not score > best - max(FALL_LEAST, FALL * abs(best))  # also when it is no number
        frozen = low and abs(score - self.previous) < STILL
        self.low = self.low + 1 if low else 0.0
        self.previous = score
        return self.low >= LOOKS or frozen or not math.isfinite(score)

    def slow_down(self) -> bool:
        """After a breakdown: False when there were too many."""
        self.rate *= SLOWER
        self.returns += 1
        self.low, self.previous = 0.0, math.nan
        return self.returns <= MAX_RETURNS

    def numbers(self) -> dict[str, float]:
        """For `Guard(**numbers)`; `previous`, if there is none, is left out: a state holds numbers only."""
        return {name: value for name, value in asdict(self).items() if math.isfinite(value)}
