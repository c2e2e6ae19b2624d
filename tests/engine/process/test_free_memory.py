"""What is free for this process, as made-up systems tell it."""

from pathlib import Path

import pytest

from engine.errors import OutOfMemory
from engine.process import free_memory
from engine.process.free_memory import MIB, check_start, found
from tests.engine.process.test_threads import tree

MACHINE = "MemTotal: 9000000 kB\nMemAvailable: 4096000 kB\nSwapFree: {swap} kB\nHugePages_Free: 0\n"


def left(tmp_path: Path, membership: str, files: dict[str, str], swap: int = 0) -> int | None:
    root = tree(tmp_path / "cgroup", files)
    root.mkdir(exist_ok=True)
    tree(tmp_path, {"self": membership, "proc/meminfo": MACHINE.format(swap=swap)})
    return found(root, tmp_path / "self", tmp_path / "proc")


V2 = {
    "memory.max": str(512 * MIB),
    "memory.current": str(100 * MIB),
    "memory.stat": f"anon 5\ninactive_file {30 * MIB}\nactive_file {10 * MIB}\n",
}
V1 = {
    "memory.limit_in_bytes": str(512 * MIB),
    "memory.usage_in_bytes": str(100 * MIB),
    "memory.stat": f"inactive_file 1\ntotal_inactive_file {30 * MIB}\ntotal_active_file {10 * MIB}\n",
}


def below(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {}, 4000 * MIB),
        ("0::/\n", V2, 452 * MIB),
        ("0::/\n", V2 | {"memory.max": "max\n"}, 4000 * MIB),
        ("0::/a/b\n", below("a", V2) | below("a/b", V2 | {"memory.max": "max\n"}), 452 * MIB),
        ("0::/not/here\n", V2, 452 * MIB),
        ("7:memory:/docker/x\n", below("memory/docker/x", V1), 452 * MIB),
        ("7:memory:/docker/x\n", below("memory", V1), 452 * MIB),
        (
            "7:memory:/a/b\n0::/\n",
            below("memory/a", V1)
            | below("memory/a/b", V1 | {"memory.limit_in_bytes": str(2**63 - 4096)})
            | below("memory", V1 | {"memory.limit_in_bytes": "9223372036854771712"}),
            452 * MIB,
        ),
        ("0::/\n", V2 | {"memory.current": str(900 * MIB)}, 0),
    ],
)
def test_the_tightest_group_counts_less_what_it_uses(
    tmp_path: Path, membership: str, files: dict[str, str], expected: int
) -> None:
    assert left(tmp_path, membership, files) == expected


def test_swap_counts_as_far_as_the_group_may_use_it(tmp_path: Path) -> None:
    assert left(tmp_path, "0::/\n", {}, swap=1024) == 4001 * MIB
    assert left(tmp_path, "0::/\n", V2, swap=1024) == 453 * MIB
    none = V2 | {"memory.swap.max": "0", "memory.swap.current": "0"}
    assert left(tmp_path, "0::/\n", none, swap=1024) == 452 * MIB


def test_nobody_tells_where_there_is_no_proc(tmp_path: Path) -> None:
    assert found(tmp_path, tmp_path / "self", tmp_path) is None


def test_a_dream_that_cannot_fit_is_refused_before_torch_with_both_numbers() -> None:
    check_start(None, None)
    check_start(free_memory.DREAM_BYTES, free_memory.DREAM_ADDRESSES)
    with pytest.raises(OutOfMemory, match=r"needs about 588 MB of memory, but only 537 MB are free\."):
        check_start(512 * MIB, None)
    with pytest.raises(OutOfMemory, match=r"address space, but the limit \(ulimit -v\) leaves 525 MB\."):
        check_start(None, 500 * MIB)
