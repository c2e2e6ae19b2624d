"""The lists that people chose words and drawings for, out of `lists.txt` beside this file."""

from functools import cache
from pathlib import Path


def words(section: str) -> tuple[str, ...]:
    """The words of a section, in their order. Raises `KeyError`."""
    return tuple(" ".join(lines(section)).split())


def lines(section: str) -> tuple[str, ...]:
    """The lines of a section, in their order. Raises `KeyError`."""
    return _sections()[section]


@cache
def _sections() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            found[line[1:-1]] = []
        elif line and not line.startswith("#"):
            found[next(reversed(found))].append(line)
    return {section: tuple(some) for section, some in found.items()}
