"""The limits that containers set: the control groups of this process, of either version, up to the root.

Knows files, not what the limits are for. Elsewhere than on Linux there are none.
"""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def folders(controller: str, root: Path = ROOT, membership: Path = MEMBERSHIP) -> Iterator[Path]:
    """The folders with the limits of `controller`, e.g. "memory": the own group's first, then its parents'.

    A limit of a parent counts as well as the own one. Seen from within a container a path may not be there
    (it is the host's), while the container's own group lies at the root: what is not there is passed over.
    Version 1 has a tree for each controller, version 2 one for all (cgroups(7)).
    """
    for line in _lines(membership):
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if not colon:
            continue
        if controllers == "":  # version 2, alone or beside version 1
            trees = [root, root / "unified"]
        elif controller in controllers.split(","):
            trees = [root / controllers, root / controller]
        else:
            continue
        inner = Path(path.strip().lstrip("/"))
        if ".." in inner.parts:  # of a namespace beside ours: only the root is ours to see
            inner = Path()
        tree = next((tree for tree in trees if tree.is_dir()), None)
        if tree is not None:
            yield from (tree / part for part in (inner, *inner.parents) if (tree / part).is_dir())


def number(path: Path) -> int | None:
    """The whole number in a file; None where there is no such file, or another word, e.g. "max"."""
    for line in _lines(path):
        try:
            return int(line)
        except ValueError:
            return None
    return None


def numbers(path: Path) -> dict[str, int]:
    """The numbers in a file of lines `name number`, e.g. `memory.stat`; empty where there is none."""
    pairs = (line.split() for line in _lines(path))
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
