"""The simulation says what the real bot does, and its figures what they are named."""

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from math import isnan
from pathlib import Path

import pytest

from bot.queue.lane import Turn
from bot.queue.limits import Refused
from tests.bot.simulation.__main__ import main
from tests.bot.simulation.crowd import DAY_S, HOUR_S, Arrival, Crowd, Raid, raids
from tests.bot.simulation.figures import Figures, Meter, Shares, jain
from tests.bot.simulation.line import FirstComeFirstServed, Queue, Rules, Simulation, Wait
from tests.bot.simulation.real_bot import RealBot

AGREES_S = 0.001  # of each wait: both know the simulated time exactly
SMALL = Crowd(people=20, servers=3, days=1 / 24, dreams_a_day=36, dream_s=80, evening=0.0, seed=3)
RAIDED = replace(SMALL, raids=(Raid(600.0, 1, orders=40),))


class Remembering:
    """Looks on and remembers all of it."""

    def __init__(self) -> None:
        self.waits: list[Wait] = []
        self.refusals: list[tuple[Arrival, str]] = []

    def watch(self, queue: Queue) -> None: ...

    def joined(self, turn: Turn) -> None: ...

    def refused(self, arrival: Arrival, why: Refused) -> None:
        self.refusals.append((arrival, type(why).__name__))

    def begun(self, turn: Turn, wait: Wait, at: float) -> None:
        self.waits.append(wait)


def simulated(arrivals: Iterable[Arrival], *, engines: int, rules: Rules) -> Remembering:
    seen = Remembering()
    Simulation(engines=engines, rules=rules, watcher=seen).run(arrivals)
    return seen


def measured(crowd: Crowd, *, engines: int, queue: Queue | None = None, rules: Rules) -> Figures:
    meter = Meter(crowd)
    Simulation(engines=engines, rules=rules, watcher=meter, queue=queue).run(crowd.arrivals())
    return meter.figures(line="", engines=engines, cost_hour=1.0)


@pytest.mark.parametrize(
    ("engines", "rules"),
    [
        (1, Rules(per_person=2, in_all=5)),
        (2, Rules(per_person=1, in_all=3)),
        (1, Rules(per_person=3, in_all=1000, per_hour=2)),
    ],
)
async def test_the_real_bot_lets_everybody_wait_as_long(tmp_path: Path, engines: int, rules: Rules) -> None:
    arrivals = list(RAIDED.arrivals())
    said = simulated(arrivals, engines=engines, rules=rules)
    bot = RealBot(f"sqlite+aiosqlite:///{tmp_path}/bot.db", arrivals, engines=engines, rules=rules)
    real = await bot.run()
    assert said.refusals, "nobody was refused, so that says nothing"
    assert [(arrival, type(why).__name__) for arrival, why in bot.refused] == said.refusals
    expected = {wait.arrival: wait.waited_s for wait in said.waits}
    assert len(expected) == len(said.waits) == len(real)
    for wait in real:
        assert wait.waited_s == pytest.approx(expected[wait.arrival], abs=AGREES_S)
    assert max(expected.values()) > SMALL.dream_s, "nobody waited, so that says nothing"
    assert bot.work.statements > bot.work.transactions > 4 * len(real)


def test_a_crowd_asks_as_often_as_was_said_and_most_in_the_evening() -> None:
    crowd = Crowd(people=3000, servers=100, days=2, dreams_a_day=5, dream_s=60)
    arrivals = list(crowd.arrivals())
    assert arrivals == list(crowd.arrivals()), "the same ones each time"
    assert len(arrivals) == pytest.approx(3000 * 2 * 5, rel=0.05)
    assert sum(arrival.takes_s for arrival in arrivals) / len(arrivals) == pytest.approx(60, rel=0.05)
    assert arrivals == sorted(arrivals, key=lambda arrival: arrival.at)
    hours = [int(arrival.at % DAY_S // HOUR_S) for arrival in arrivals]
    assert hours.count(20) > 3 * hours.count(8)
    often = sorted((sum(a.person == person for a in arrivals) for person in range(100)), reverse=True)
    assert sum(often[:10]) > 0.25 * sum(often), "a few ask very often"
    in_servers = [arrival.server for arrival in arrivals]
    assert in_servers.count(1) > 5 * in_servers.count(50)
    assert in_servers.count(None) == pytest.approx(0.1 * len(arrivals), rel=0.5)


def test_raids_come_on_their_days_by_accounts_that_are_nobody_elses() -> None:
    found = raids(a_day=1, days=3, servers=10, orders=200, seed=1)
    assert [int(raid.at // DAY_S) for raid in found] == [0, 1, 2]
    crowd = Crowd(people=50, servers=10, days=3, dreams_a_day=1, dream_s=1, raids=found)
    raiding = [arrival for arrival in crowd.arrivals() if arrival.raids]
    assert len(raiding) == pytest.approx(3 * 200, rel=0.2)
    for raid in found:
        its = [arrival for arrival in raiding if raid.at <= arrival.at < raid.end]
        assert {arrival.server for arrival in its} == {raid.server}
        assert {arrival.person - 50 - raid.first for arrival in its} <= set(range(raid.accounts))
    assert sum(raid.accounts for raid in found) == 18


def test_a_raid_delays_those_who_raid_and_hardly_anybody_else() -> None:
    crowd = Crowd(
        people=600, servers=20, days=0.5, dreams_a_day=3, dream_s=60, evening=0, raids=(Raid(7200.0, 3, 900),)
    )
    rules = Rules(in_all=10**6)
    fair = measured(crowd, engines=2, rules=rules)
    plain = measured(crowd, engines=2, rules=rules, queue=FirstComeFirstServed())
    assert fair.dreams > 900 and fair.refused_raiders > 100
    assert fair.beside_raids.late < 0.25 * fair.raiders.late
    assert fair.beside_raids.median < 0.25 * plain.beside_raids.median
    assert fair.between_people > 0.95
    assert 0.3 < fair.utilisation < 1
    assert fair.cost == pytest.approx(2 * 12 / fair.dreams)


def test_jains_index_is_one_where_all_have_the_same_and_small_where_one_has_all() -> None:
    assert jain([3, 3, 3]) == 1
    assert jain([1, 0, 0, 0]) == 0.25
    assert isnan(jain([0, 0]))


def test_shares_compare_only_those_who_wait_all_the_time() -> None:
    def live(turns: str) -> Shares:
        """`turns`: whose it is, one a minute; a small one's leaves the line."""
        in_line = set("ABC")
        shares = Shares(lambda: [ord(one) for one in in_line])
        for minute, one in enumerate("A" * 16 + turns):
            if one.islower():
                in_line.discard(one.upper())
            shares.served(ord(one.upper()), at=60.0 * minute, still_waits=one.isupper())
        return shares

    even, uneven = live("ABC" * 30), live("AAAABC" * 30)
    assert even.sum / even.weight == pytest.approx(1, abs=0.01)
    assert uneven.sum / uneven.weight == pytest.approx(36 / (3 * 18), abs=0.02)
    without_c = live("c" + "AB" * 40)
    assert without_c.sum / without_c.weight == pytest.approx(1, abs=0.01), "C waits no longer"


def test_the_command_prints_a_table_and_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def printed(*words: str) -> str:
        usual = (
            "--engines 1 2 --people 60 --days 0.2 --dreams-a-day 5 --raids-a-day 5 --no-database --compare"
        )
        monkeypatch.setattr(sys, "argv", ["simulation", *usual.split(), *words])
        main()
        return capsys.readouterr().out

    head, _, *rows = printed("--cost-hour", "2").splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| fair", "| first come"] * 2
    assert {row.count("|") for row in rows} == {head.count("|")}
    found = json.loads(printed("--json"))
    assert [row["figures"]["engines"] for row in found["rows"]] == [1, 1, 2, 2]
    assert found["rows"][0]["figures"]["cost"] is None, "an engine's hour has no price"
    assert found["database"] is None
