"""How much memory this process may still take: of the machine, of its containers, by its own limits.

Knows no torch, for it is asked before that takes its share.
"""

import math
import sys
from pathlib import Path

from engine.errors import OutOfMemory
from engine.process import cgroups
from engine.sentences import Key

MIB = 1024 * 1024  # bytes
PROC = Path("/proc")

# What a dream takes at its peak with the embedded models and a film, everything included, measured with torch
# 2.13 on 2 CPUs: memory that cannot be given back (567 MiB), and addresses (1512 MiB), mostly never memory.
DREAM_BYTES = 560 * MIB
DREAM_ADDRESSES = 1450 * MIB


def found(root: Path = cgroups.ROOT, membership: Path = cgroups.MEMBERSHIP, proc: Path = PROC) -> int | None:
    """How many bytes are free for this process; None where nobody tells.

    The least of what the machine and each of the process's control groups have. What can be swapped out or
    read again from a disk counts as free.
    """
    machine = _kilobytes(proc / "meminfo")
    swap = machine.get("SwapFree", 0)
    room: list[int] = []
    if "MemAvailable" in machine:
        room.append(machine["MemAvailable"] + swap)
    for folder in cgroups.folders("memory", root, membership):
        left = _left(folder, swap)
        if left is not None:
            room.append(left)
    return max(0, min(room)) if room else None


def addresses(proc: Path = PROC) -> int | None:
    """How many bytes of addresses the process's own limit (`ulimit -v`) leaves; None where there is none."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    used = _kilobytes(proc / "self" / "status").get("VmSize")
    return None if limit == resource.RLIM_INFINITY or used is None else max(0, limit - used)


def check_start(free: int | None, free_addresses: int | None) -> None:
    """Before torch is imported: raises `OutOfMemory` when not even the smallest models can dream here.

    `free` and `free_addresses` are bytes, None where nobody tells. Else the system would end the process
    without a word, perhaps after a long dream.
    """
    if free is not None and free < DREAM_BYTES:
        need = _megabytes(DREAM_BYTES)
        raise OutOfMemory(Key.DREAM_MEMORY, need=need, free=_megabytes(free))
    if free_addresses is not None and free_addresses < DREAM_ADDRESSES:
        need, left = _megabytes(DREAM_ADDRESSES), _megabytes(free_addresses)
        raise OutOfMemory(Key.DREAM_ADDRESSES, need=need, free=left)


def _left(folder: Path, swap: int) -> int | None:
    """What a control group of either version leaves; None where it sets no limit.

    `memory.stat` has what files take, which the kernel gives back when asked.
    """
    limit = cgroups.number(folder / "memory.max")
    if limit is not None:
        used = cgroups.number(folder / "memory.current")
        cached = cgroups.numbers(folder / "memory.stat")
        most, swapped = (cgroups.number(folder / f"memory.swap.{name}") for name in ("max", "current"))
        swap = swap if most is None else min(swap, max(0, most - (swapped or 0)))
    else:
        limit = cgroups.number(folder / "memory.limit_in_bytes")
        used = cgroups.number(folder / "memory.usage_in_bytes")
        cached = cgroups.numbers(folder / "memory.stat")
        cached = {name.removeprefix("total_"): value for name, value in cached.items() if "total_" in name}
        most = cgroups.number(folder / "memory.memsw.limit_in_bytes")
        swap = swap if most is None or limit is None else min(swap, max(0, most - limit))
    if limit is None or used is None or limit >= 2**62:  # version 1 writes a huge number for none
        return None
    return limit - used + cached.get("inactive_file", 0) + cached.get("active_file", 0) + swap


def _kilobytes(path: Path) -> dict[str, int]:
    """The numbers of lines `Name:  number kB`, in bytes; empty where there is no such file."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    parts = (line.split() for line in lines)
    return {p[0].rstrip(":"): int(p[1]) * 1024 for p in parts if len(p) == 3 and p[1].isdecimal()}


def _megabytes(size: int) -> str:
    return f"{math.ceil(size / 1e6)} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"
