"""What dreams shall reach, and whether what was measured does: `python -m engine.bench --goals`.

Times are of two free cores, or of a large GPU. Whether a picture is as faithful as another program's is
nothing that random weights can tell; `python -m engine.evaluate` compares recipes by a judge.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.benchmark.measuring import Measured
from engine.models.registry import EMBEDDED

GB = 1000**3


@dataclass(frozen=True)
class Goal:
    """One figure of a pair, and how far it may go; `found` is None where it was not measured."""

    pair: str
    what: str
    wanted: str
    found: str | None
    reached: bool


@dataclass(frozen=True)
class _Wish:
    what: str
    limit: float
    unit: str
    of: Callable[[Measured], float | None]
    least: bool = False  # whether it shall be so much at least, instead of at most

    def judged(self, row: Measured) -> Goal:
        value = self.of(row)
        wanted = f"{'≥' if self.least else '≤'} {self.limit:g} {self.unit}".rstrip()
        if value is None:
            return Goal(row.pair, self.what, wanted, None, False)
        reached = value >= self.limit if self.least else value <= self.limit
        return Goal(row.pair, self.what, wanted, f"{value:.2f} {self.unit}".rstrip(), reached)


def _times_peer(row: Measured) -> float | None:
    return row.peer_step_s / row.step_s if row.peer_step_s else None


def _first(row: Measured) -> float:
    return row.first_s


def _whole(row: Measured) -> float:
    return row.dream_s


def _memory(row: Measured) -> float | None:
    return row.peak_bytes / GB if row.peak_bytes else None


_OF_EMBEDDED = (
    _Wish("from the process's start to the first picture", 1.2, "s", lambda row: row.cold_first_s),
    _Wish("first picture of a warm engine", 0.3, "s", _first),
)
_WHOLE = {"quick": 2.0, "": 3.5, "normal": 3.5}  # seconds a dream of the embedded models, by preset
_ON_CPU = (
    _Wish("as fast as the peer, times", 4, "", _times_peer, least=True),
    _Wish("a step's time over the machine's ceiling", 1.5, "", lambda row: row.step_s / row.ceiling_s),
    _Wish("memory", 2.0, "GB", _memory),
)
_ON_GPU = (
    _Wish("as fast as the peer, times", 10, "", _times_peer, least=True),
    _Wish("a step's time over that of its FLOP alone", 2.0, "", lambda row: row.step_s / row.floor_s),
    _Wish("first picture", 0.5, "s", _first),
    _Wish("whole dream", 5.0, "s", _whole),
    _Wish("memory", 4.0, "GB", _memory),
)


def judged(rows: list[Measured]) -> list[Goal]:
    """Each pair's goals, those first whose pair was measured first."""
    return [wish.judged(row) for row in rows for wish in _wishes(row)]


def _wishes(row: Measured) -> Iterator[_Wish]:
    if row.pair != EMBEDDED.name:
        yield from _ON_GPU if row.device == "cuda" else _ON_CPU
        return
    yield from _OF_EMBEDDED
    if row.preset in _WHOLE:
        yield _Wish(f"whole {row.preset or 'normal'} dream", _WHOLE[row.preset], "s", _whole)


def table(goals: list[Goal]) -> str:
    """The goals as lines of Markdown."""
    lines = ["| pair | goal | wanted | found | |", "|---|---|---|---|---|"]
    for goal in goals:
        word = "reached" if goal.reached else "missed" if goal.found else "not measured"
        lines.append(f"| {goal.pair} | {goal.what} | {goal.wanted} | {goal.found or ''} | {word} |")
    return "\n".join(lines) + "\n"
