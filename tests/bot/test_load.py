"""Many people at once: nobody is starved, and a flood delays only those who flood."""

from pathlib import Path

import pytest

from tests.bot.load import crowd, first_come_first_served, report, simulate

DREAM_S = 28.0  # for 120 dreams in an hour: just within what one worker can do


@pytest.mark.parametrize("restart_at", [None, 600.0])
async def test_a_flood_delays_only_those_who_flood(tmp_path: Path, restart_at: float | None) -> None:
    arrivals = crowd(people=30, dreams=120, servers=4, seed=1)
    waits = await simulate(arrivals, dream_s=DREAM_S, folder=tmp_path, restart_at=restart_at)
    assert len(waits) == len(arrivals), "every dream was dreamt"
    assert {wait.person for wait in waits} == set(range(30)), "everybody had a turn"
    bystanders = [wait for wait in waits if wait.person != 0 and wait.server != 1]
    flooder = max(wait.waited_s for wait in waits if wait.person == 0)
    rush = max(wait.waited_s for wait in waits if wait.server == 1)
    plain = first_come_first_served(arrivals, DREAM_S)
    unfair = [w for w, arrival in zip(plain, arrivals, strict=True) if arrival.person and arrival.server != 1]
    mine = [wait.waited_s for wait in bystanders if wait.alone]
    # A dream of somebody with none in line waits for at most one of each server in a round of theirs.
    neighbours = max(len({w.person for w in waits if w.server == server}) for server in (2, 3, 4))
    assert max(mine) <= DREAM_S * (1 + 4 * neighbours)
    assert max(mine) < min(flooder, rush)
    assert sum(mine) / len(mine) < 0.5 * sum(unfair) / len(unfair)
    assert "every one was dreamt, once" in report(waits, arrivals, DREAM_S)
