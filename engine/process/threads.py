"""How many threads torch computes with, and how they wait for each other. To be decided before its import.

Knows no torch: the runtimes of OpenMP read the environment once, when they are loaded.
"""

import math
import os
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

from engine.process import cgroups

_CPUS = Path("/sys/devices/system/cpu")

# By default a thread that waits for the others spins for milliseconds, which on a machine with other work
# keeps the very thread from running that it waits for: a dream then takes ten times as long.
WAITING = {
    "GOMP_SPINCOUNT": "1000",  # GCC's runtime, in torch for Linux: some microseconds
    "KMP_BLOCKTIME": "0",  # LLVM's and Intel's, in torch for macOS and Windows: milliseconds
}
# Whoever has set one of these has decided about it.
WAITING_DECIDED = (*WAITING, "OMP_WAIT_POLICY")
COUNT_DECIDED = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def prepare(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set the environment for torch and for child processes, but nothing that the user has set already."""
    if not _given(environ, WAITING_DECIDED):
        environ.update(WAITING)
    if not _given(environ, COUNT_DECIDED) and (count := _allowed()) is not None:
        environ["OMP_NUM_THREADS"] = str(count)


def usable() -> int:
    """How many threads this process may keep busy: as many as it has cores, or CPU time for."""
    allowed = _allowed()
    return cores(affinity()) if allowed is None else allowed


def is_decided(environ: Mapping[str, str]) -> bool:
    """Whether the user has set how many threads there shall be; what `prepare` has set is not theirs."""
    given = {key: environ.get(key, "") for key in COUNT_DECIDED}
    if given["OMP_NUM_THREADS"] == str(_allowed()):
        del given["OMP_NUM_THREADS"]
    return _given(given, COUNT_DECIDED)


def _allowed() -> int | None:
    """How many threads the quota leaves, where these are fewer than cores."""
    allowed = quota()
    return max(1, math.floor(allowed)) if allowed is not None and allowed < cores(affinity()) else None


def quota(root: Path = cgroups.ROOT, membership: Path = cgroups.MEMBERSHIP) -> float | None:
    """How many CPUs' time the control groups of this process allow it; None for no limit."""
    found: list[float] = []
    for folder in cgroups.folders("cpu", root, membership):
        limit, period = _bandwidth(folder)
        if limit is not None and period and limit > 0 and period > 0:
            found.append(limit / period)
    return min(found, default=None)


def _bandwidth(folder: Path) -> tuple[int | None, int | None]:
    """Microseconds of CPU time a period, and the period's (cgroups 1 and 2); None for no limit."""
    limit = cgroups.number(folder / "cpu.cfs_quota_us")
    if limit is not None:
        return limit, cgroups.number(folder / "cpu.cfs_period_us")
    try:
        words = (folder / "cpu.max").read_text(encoding="ascii").split()
        return int(words[0]), int(words[1]) if len(words) > 1 else 100_000
    except (OSError, ValueError, IndexError):
        return None, None  # no such file, or "max"


def affinity() -> Iterable[int]:
    """The CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)


def cores(cpus: Iterable[int], folder: Path = _CPUS) -> int:
    """How many of these CPUs are cores of their own: as many threads does torch take by itself."""
    siblings = set()
    for cpu in cpus:
        path = folder / f"cpu{cpu}" / "topology" / "thread_siblings_list"
        try:
            siblings.add(path.read_text(encoding="ascii").strip())
        except OSError:
            siblings.add(str(cpu))
    return len(siblings)


def _given(environ: Mapping[str, str], keys: Iterable[str]) -> bool:
    return any(environ.get(key, "").strip() for key in keys)
