"""Twenty rounds of chaos with fixed seeds break no promise. `make chaos N=1 SEED=…` repeats what fails."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.bot_process import LOADED_CORES_S, ROOT
from tests.bot.postgres import Cluster, NoServer
from tests.chaos.__main__ import play
from tests.chaos.faults import KINDS, POSTGRESQL, SQLITE
from tests.chaos.rounds import Limits, Plan, Result

ROUNDS = 20
FIRST_SEED = 1
LIMITS = Limits(settle_s=4 * LOADED_CORES_S, late_s=2 * LOADED_CORES_S, end_s=2 * LOADED_CORES_S)

pytestmark = [
    pytest.mark.timeout(3600),  # an idle machine needs two or three minutes
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


def has_postgresql() -> bool:
    try:
        Cluster().close()
    except NoServer:
        return False
    return True


def test_twenty_rounds_of_random_faults_break_no_promise(folder: Path) -> None:
    database = "" if has_postgresql() else SQLITE
    plans = [Plan.of(seed, database=database) for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS)]
    results: list[Result] = []
    asyncio.run(play(plans, results, folder=folder, jobs=2, limits=LIMITS))
    broken = {f"seed {r.plan.seed}, {r.plan.fault}": list(r.broken) for r in results if r.broken}
    assert broken == {}
    assert len(results) == ROUNDS
    # On a busy machine most people are answered too late, and nothing is promised them.
    assert all(result.promised for result in results)
    assert sum(result.votes for result in results) >= ROUNDS


def test_every_kind_strikes_once_before_one_strikes_again() -> None:
    kinds = [Plan.of(seed).fault for seed in range(len(KINDS))]
    assert sorted(kinds) == sorted(KINDS)
    assert Plan.of(7) == Plan.of(7)
    assert {Plan.of(seed).database for seed in range(50)} == {SQLITE, POSTGRESQL}


def test_all_that_chaos_shortens_is_there() -> None:
    """In a process of its own: this one's tests wait as long as the program does."""
    subprocess.run(
        [sys.executable, "-c", "from tests.chaos import quick; quick.shorten()"], cwd=ROOT, check=True
    )
