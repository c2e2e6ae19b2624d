"""What comes of a simulation: waits, fairness, how busy engines are, what is refused, what a dream costs."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from bot.queue.lane import Turn
from bot.queue.limits import Refused
from tests.bot.simulation.crowd import DAY_S, HOUR_S, Crowd
from tests.bot.simulation.line import Arrival, Queue, Wait

SPAN_S = 900.0  # for which somebody must wait without a break to be compared …
ROUNDS = 3  # … or longer, until each of them could have had so many turns


def jain(shares: Sequence[float]) -> float:
    """How evenly something is shared: 1 when all have the same, 1/n when one of n has everything.

    Jain, Chiu and Hawe, 1984.
    """
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else nan


class Shares:
    """How evenly turns go to those who wait all the time: only of them a fair line owes each the same."""

    def __init__(self, waiting: Callable[[], Iterable[int]]) -> None:
        """`waiting`: who has a dream in line just now."""
        self._waiting = waiting
        self._since = 0.0
        self._turns: dict[int, int] = {}  # of those who have waited ever since
        self._in_all = 0
        self.weight = 0  # ones who were compared, each once for each span
        self._sum = 0.0

    def served(self, one: int, *, at: float, still_waits: bool) -> None:
        """It was somebody's turn, at this time in seconds."""
        if one in self._turns:
            if still_waits:
                self._turns[one] += 1
                self._in_all += 1
            else:
                self._in_all -= self._turns.pop(one)
        if at - self._since >= SPAN_S and self._in_all >= ROUNDS * len(self._turns):
            self._end(at)

    @property
    def sum(self) -> float:
        """Of Jain's index, with `weight`."""
        return self._sum

    def _end(self, at: float) -> None:
        if len(self._turns) > 1:
            self.weight += len(self._turns)
            self._sum += jain(list(self._turns.values())) * len(self._turns)
        self._since, self._in_all = at, 0
        self._turns = dict.fromkeys(self._waiting(), 0)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of waits, in seconds; nan: there were none."""

    median: float
    late: float  # the 99th percentile
    most: float

    @classmethod
    def of(cls, waits: Sequence[float]) -> "Quantiles":
        if not len(waits):
            return cls(nan, nan, nan)
        median, late, most = np.percentile(waits, (50, 99, 100))
        return cls(float(median), float(late), float(most))


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one simulation."""

    line: str  # "fair", or what it is compared with
    engines: int
    people: int
    servers: int
    days: float
    dreams: int
    each: Quantiles  # of the mean wait of each person but the raiders
    beside_raids: Quantiles  # of single dreams that were asked for during a raid, in other servers
    raiders: Quantiles  # of single dreams
    between_servers: float  # Jain's index, as `Shares` has it; nan: nobody waited for so long
    between_people: float  # of the same server
    utilisation: float  # 0..1, of the engines' time
    refused: dict[str, int]  # orders of everybody but the raiders, by kind
    refused_raiders: int
    dreams_a_second: float
    busiest_dreams_a_second: float  # in the hour with the most
    cost: float  # of a dream; nan: an hour of an engine has no price


class Meter:
    """Live: looks on while a crowd's days go by."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        everybody = crowd.people + sum(raid.accounts for raid in crowd.raids)
        self._waited_s = np.zeros(everybody)
        self._dreams = np.zeros(everybody, dtype=np.int64)
        self._raiders: list[float] = []
        self._beside: list[float] = []
        self._hours: Counter[int] = Counter()
        self._busy_s = 0.0
        self._refused: Counter[str] = Counter()
        self._refused_raiders = 0
        self._queue: Queue | None = None
        self._in_line: Counter[int] = Counter()
        self._servers = Shares(lambda: list(self._in_line))
        self._people: dict[int, Shares] = {}  # by server

    def watch(self, queue: Queue) -> None:
        """This is the line."""
        self._queue = queue

    # ------------------------------------------------------------ what happens

    def refused(self, arrival: Arrival, why: Refused) -> None:
        if arrival.raids:
            self._refused_raiders += 1
        else:
            self._refused[type(why).__name__] += 1

    def joined(self, turn: Turn) -> None:
        self._in_line[turn.server] += 1

    def begun(self, turn: Turn, wait: Wait, at: float) -> None:
        arrival, span = wait.arrival, self._crowd.days * DAY_S
        self._waited_s[arrival.person] += wait.waited_s
        self._dreams[arrival.person] += 1
        self._hours[int(at // HOUR_S)] += 1
        self._busy_s += max(0.0, min(span, at + arrival.takes_s) - at)
        if arrival.raids:
            self._raiders.append(wait.waited_s)
        elif any(
            raid.at <= arrival.at < raid.end for raid in self._crowd.raids if raid.server != arrival.server
        ):
            self._beside.append(wait.waited_s)
        self._share(turn, at)

    def _share(self, turn: Turn, at: float) -> None:
        queue = self._queue
        assert queue is not None, "watch first"
        self._in_line[turn.server] -= 1
        still_waits = self._in_line[turn.server] > 0
        if not still_waits:
            del self._in_line[turn.server]
        self._servers.served(turn.server, at=at, still_waits=still_waits)
        if turn.server < 0:  # a direct message: nobody else is there
            return
        if turn.server not in self._people:
            server = turn.server
            self._people[server] = Shares(lambda: {one.person for one in queue.order_of(server)})
        theirs = queue.waiting(server=turn.server, person=turn.person)
        self._people[turn.server].served(turn.person, at=at, still_waits=theirs > 0)

    # ----------------------------------------------------------------- the end

    def figures(self, *, line: str, engines: int, cost_hour: float | None) -> Figures:
        """All of it."""
        crowd = self._crowd
        span, dreams = crowd.days * DAY_S, int(self._dreams.sum())
        own = self._dreams[: crowd.people] > 0
        means = self._waited_s[: crowd.people][own] / self._dreams[: crowd.people][own]
        price = nan if cost_hour is None or not dreams else cost_hour * engines * span / HOUR_S / dreams
        return Figures(
            line=line,
            engines=engines,
            people=crowd.people,
            servers=crowd.servers,
            days=crowd.days,
            dreams=dreams,
            each=Quantiles.of(means),
            beside_raids=Quantiles.of(self._beside),
            raiders=Quantiles.of(self._raiders),
            between_servers=_mean([self._servers]),
            between_people=_mean(self._people.values()),
            utilisation=self._busy_s / (engines * span),
            refused=dict(self._refused),
            refused_raiders=self._refused_raiders,
            dreams_a_second=dreams / span,
            busiest_dreams_a_second=max(self._hours.values(), default=0) / HOUR_S,
            cost=price,
        )


def _mean(shares: Iterable[Shares]) -> float:
    """Jain's index of all spans together."""
    every = list(shares)
    weight = sum(each.weight for each in every)
    return sum(each.sum for each in every) / weight if weight else nan
