"""`python -m tests.bot.simulation`: days of many people, servers and engines, a row of figures for each size.

First a small real bot dreams some dreams, which says what the database does for each; then each size is lived
through with the bot's own turns and limits. A size is a number of engines: people, servers, raids and the
longest line grow with it, unless they are said.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from math import isnan
from time import perf_counter, process_time
from typing import Any

from tests.bot.simulation.crowd import DAY_S, HOUR_S, Arrival, Crowd, raids
from tests.bot.simulation.figures import Figures, Meter, Quantiles
from tests.bot.simulation.line import FirstComeFirstServed, Rules, Simulation
from tests.bot.simulation.real_bot import RealBot, Work

TELL_S = 10.0  # of real time between two words of how far it is
SAMPLE = 40  # dreams of the real bot, which say what the database does


@dataclass(frozen=True, slots=True)
class Row:
    """A size's figures, and what they took."""

    figures: Figures
    orders: int
    cpu_s: float
    statements_each: float | None  # that the database does for one dream; None: it was not counted

    def statements_a_second(self, dreams_a_second: float) -> float | None:
        return None if self.statements_each is None else self.statements_each * dreams_a_second


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 (that is what it is for)


def told(crowd: Crowd, simulation: Simulation) -> Iterator[Arrival]:
    """The crowd's arrivals; says now and then how far it is."""
    next_word = perf_counter() + TELL_S
    for arrival in crowd.arrivals():
        if perf_counter() > next_word:
            next_word = perf_counter() + TELL_S
            waiting = simulation.queue.qsize()
            day = arrival.at / DAY_S
            say(f"  day {day:.2f} of {crowd.days:g}, {simulation.ids:,} dreams, {waiting:,} wait")
        yield arrival


def live(crowd: Crowd, *, engines: int, rules: Rules, plain: bool, cost_hour: float | None) -> Row:
    """One size; `plain`: first come, first served, for comparison."""
    meter, begun = Meter(crowd), process_time()
    queue = FirstComeFirstServed() if plain else None
    simulation = Simulation(engines=engines, rules=rules, watcher=meter, queue=queue)
    simulation.run(told(crowd, simulation))
    line = "first come" if plain else "fair"
    figures = meter.figures(line=line, engines=engines, cost_hour=cost_hour)
    orders = figures.dreams + figures.refused_raiders + sum(figures.refused.values())
    return Row(figures, orders, process_time() - begun, None)


def count_work(crowd: Crowd) -> Work:
    """What the database does for some of these dreams in a small real bot, which is an empty one."""
    arrivals = list(islice(replace(crowd, people=100, dreams_a_day=50.0, raids=()).arrivals(), SAMPLE))
    with tempfile.TemporaryDirectory() as folder:
        bot = RealBot(f"sqlite+aiosqlite:///{folder}/bot.db", arrivals, engines=2, rules=Rules(in_all=10**6))
        asyncio.run(bot.run())
    return bot.work


def crowd_for(engines: int, given: argparse.Namespace) -> Crowd:
    """Everybody who asks so many engines."""
    servers = given.servers or max(1, min(10_000, given.servers_each * engines))
    capacity = engines * HOUR_S / given.dream_s  # dreams an hour
    return Crowd(
        people=given.people or given.people_each * engines,
        servers=servers,
        days=given.days,
        dreams_a_day=given.dreams_a_day,
        dream_s=given.dream_s,
        evening=given.evening,
        raids=raids(
            a_day=given.raids_a_day,
            days=given.days,
            servers=servers,
            orders=round(given.raid * capacity),
            seed=given.seed,
        ),
        seed=given.seed,
    )


def rules_for(engines: int, given: argparse.Namespace) -> Rules:
    """What the host and the moderators allow."""
    in_all = given.waiting_in_all or Rules().in_all * engines
    return Rules(per_person=given.waiting_per_person, in_all=in_all, per_hour=given.per_hour)


# ------------------------------------------------------------------------ what is shown


def _seconds(waits: Quantiles) -> str:
    return "–" if isnan(waits.median) else f"{waits.median:,.0f} / {waits.late:,.0f}"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None or isnan(value) else format(value, form)


def cells(row: Row) -> dict[str, str]:
    """A row of the table by its headlines."""
    figures = row.figures
    usual = figures.dreams + sum(figures.refused.values())
    refused = sum(figures.refused.values()) / usual if usual else 0.0
    mean, most = map(row.statements_a_second, (figures.dreams_a_second, figures.busiest_dreams_a_second))
    return {
        "line": figures.line,
        "engines": f"{figures.engines:,}",
        "people": f"{figures.people:,}",
        "servers": f"{figures.servers:,}",
        "days": f"{figures.days:g}",
        "orders": f"{row.orders:,}",
        "dreams": f"{figures.dreams:,}",
        "refused (raiders aside)": f"{refused:.1%}",
        "mean wait of each person, s (median / 99 %)": _seconds(figures.each),
        "wait beside a raid, s (median / 99 %)": _seconds(figures.beside_raids),
        "raiders' wait, s (median / 99 %)": _seconds(figures.raiders),
        "Jain's index of servers": _number(figures.between_servers, ".3f"),
        "of a server's people": _number(figures.between_people, ".3f"),
        "engines at work": f"{figures.utilisation:.0%}",
        "statements a second (mean / busiest hour)": f"{_number(mean, '.1f')} / {_number(most, '.1f')}",
        "cost a dream": _number(figures.cost, ".4g"),
        "CPU, s": f"{row.cpu_s:.0f}",
    }


def table(rows: Sequence[Row]) -> str:
    """In Markdown."""
    shown = [cells(row) for row in rows]
    lines = [list(shown[0]), ["---"] * len(shown[0]), *(list(each.values()) for each in shown)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_json(rows: Sequence[Row], work: Work | None) -> str:
    """Everything; what is not known is null."""
    found = [
        asdict(row)
        | {
            "statements_a_second": row.statements_a_second(row.figures.dreams_a_second),
            "busiest_statements_a_second": row.statements_a_second(row.figures.busiest_dreams_a_second),
        }
        for row in rows
    ]
    known: Any = {"database": None if work is None else asdict(work), "rows": found}
    return json.dumps(_without_nan(known), indent=1)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and isnan(value) else value


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bot.simulation", description=(__doc__ or "").split("\n")[0]
    )
    add = parser.add_argument
    add("--engines", type=int, nargs="+", default=[1, 10], help="a size each, 1 to 1,000")
    add("--days", type=float, default=2.0)
    add("--people", type=int, help="in all, however many engines there are")
    add("--people-each", type=int, default=1000, help="for each engine, where --people is not said")
    add("--servers", type=int, help="in all")
    add("--servers-each", type=int, default=10, help="for each engine, 10,000 at most")
    add("--dreams-a-day", type=float, default=1.0, help="that one person asks for")
    add("--dream-s", type=float, default=60.0, help="seconds that a dream takes an engine, on average")
    add("--evening", type=float, default=0.8, help="0: people ask at all hours alike; 1: never at night")
    add("--raids-a-day", type=float, default=1.0)
    add("--raid", type=float, default=3.0, help="how many times what all engines can dream a raid asks for")
    add("--waiting-per-person", type=int, default=Rules().per_person)
    add("--waiting-in-all", type=int, help="dreams; blank: 100 for each engine")
    add("--per-hour", type=int, help="dreams that moderators allow each person of a server in an hour")
    add("--cost-hour", type=float, help="price of an engine's hour, for the cost of a dream")
    add("--compare", action="store_true", help="also first come, first served")
    add("--no-database", action="store_true", help="do not count what the database does")
    add("--json", action="store_true", help="instead of a table")
    add("--seed", type=int, default=1)
    return parser


def main() -> None:
    given = parser().parse_args()
    work = None
    if not given.no_database:
        say(f"{SAMPLE} dreams of a real bot")
        work = count_work(crowd_for(1, given))
        cpu_ms = 1000 * work.cpu_s / work.dreams
        say(f"  for each {work.statements_each:.0f} statements, {cpu_ms:.0f} ms of the processor")
    rows: list[Row] = []
    for engines in given.engines:
        for plain in (False, True) if given.compare else (False,):
            crowd = crowd_for(engines, given)
            say(f"{engines:,} engines, {crowd.people:,} people, {crowd.servers:,} servers")
            rules = rules_for(engines, given)
            row = live(crowd, engines=engines, rules=rules, plain=plain, cost_hour=given.cost_hour)
            rows.append(replace(row, statements_each=None if work is None else work.statements_each))
    print(as_json(rows, work) if given.json else table(rows))  # noqa: T201 (that is what it is for)


if __name__ == "__main__":
    main()
