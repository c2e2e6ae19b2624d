"""Who asks for a dream when: people and servers with heavy tails, evenings, and raids.

Most people ask seldom and a few very often; most servers are small and a few very large; everybody asks more
in the evening than at night. A raid is an hour in which very many accounts, all of one server, ask for much
more than all engines can dream.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0
PART_S = 15 * MINUTE_S  # for which arrivals are drawn at once
EVENING_H = 20.5  # o'clock at which people ask most
SPREAD = 1.5  # of the logarithm of how often people ask: one in a hundred asks eleven times as often as most
TAKES_SPREAD = 0.5  # of the logarithm of how long dreams take
IN_PRIVATE = 0.1  # of the people ask in direct messages
EACH_IN_RAID = 30  # orders of each raider


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody asks for a dream."""

    at: float  # seconds after the begin
    person: int
    server: int | None  # None: a direct message
    takes_s: float = 0.0  # seconds of an engine
    raids: bool = False  # it is part of a raid


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Everybody, and how they ask."""

    people: int
    servers: int
    days: float
    dreams_a_day: float  # of a person, on average
    dream_s: float  # seconds that a dream takes an engine, on average
    evening: float = 0.8  # 0: people ask at all hours alike; 1: at night nobody does
    raids: tuple["Raid", ...] = ()
    seed: int = 1

    def arrivals(self) -> Iterator[Arrival]:
        """All of them, in the order in which they ask. The same ones each time."""
        random = np.random.default_rng(self.seed)
        often = np.cumsum(random.lognormal(0.0, SPREAD, self.people))
        size = np.cumsum(1.0 / np.arange(1, self.servers + 1))
        homes = np.searchsorted(size, random.random(self.people) * size[-1], side="right") + 1
        homes[random.random(self.people) < IN_PRIVATE] = 0
        end = self.days * DAY_S
        for start in np.arange(0.0, end, PART_S):
            span = min(PART_S, end - start)
            rate = self.people * self.dreams_a_day / DAY_S * self._hour(start + span / 2)
            many = random.poisson(rate * span)
            who = np.searchsorted(often, random.random(many) * often[-1], side="right")
            times = start + random.random(many) * span
            found = list(zip(times.tolist(), who.tolist(), homes[who].tolist(), [False] * many, strict=True))
            for raid in self.raids:
                found += raid.part(random, start, start + span, self.people)
            takes = self._takes(random, len(found))
            for (at, person, server, raids), takes_s in zip(sorted(found), takes, strict=True):
                yield Arrival(at, person, server or None, takes_s, raids)

    def _hour(self, at: float) -> float:
        """How much more people ask at this time than on average."""
        return 1 + self.evening * float(np.cos((at / HOUR_S - EVENING_H) * 2 * np.pi / 24))

    def _takes(self, random: Any, many: int) -> list[float]:
        drawn = random.lognormal(-(TAKES_SPREAD**2) / 2, TAKES_SPREAD, many)
        return list((self.dream_s * drawn).tolist())


@dataclass(frozen=True, slots=True)
class Raid:
    """An hour in which new accounts ask in one server."""

    at: float  # seconds after the begin
    server: int
    orders: int
    first: int = 0  # these accounts are numbered from there on, after all other people

    @property
    def end(self) -> float:
        return self.at + HOUR_S

    @property
    def accounts(self) -> int:
        return max(1, self.orders // EACH_IN_RAID)

    def part(self, random: Any, start: float, end: float, people: int) -> list[tuple[float, int, int, bool]]:
        """What of it falls into this time: when, who, where, and that it is a raid."""
        begin, until = max(start, self.at), min(end, self.end)
        if begin >= until:
            return []
        many = random.poisson(self.orders * (until - begin) / HOUR_S)
        times = begin + random.random(many) * (until - begin)
        who = people + self.first + random.integers(0, self.accounts, many)
        return [
            (at, person, self.server, True) for at, person in zip(times.tolist(), who.tolist(), strict=True)
        ]


def raids(*, a_day: float, days: float, servers: int, orders: int, seed: int) -> tuple[Raid, ...]:
    """So many of them, each on another day at any hour, in any server."""
    random = np.random.default_rng([seed, 1])
    found: list[Raid] = []
    for number in range(round(a_day * days)):
        latest = max(0.0, days * DAY_S - HOUR_S)
        at = min(latest, (number + float(random.random())) * DAY_S / a_day)
        first = found[-1].first + found[-1].accounts if found else 0
        found.append(Raid(at, int(random.integers(1, servers + 1)), orders, first))
    return tuple(found)
