"""Numbers and lists as people write them, for every language's sentences."""

from collections.abc import Sequence
from math import ceil


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours, minutes and seconds: '0:42', '1:02:03'."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def moment(at: float, style: str = "R") -> str:
    """A time (seconds since 1970) that Discord shows in each reader's own way: 'R' relative, 'f' in full."""
    return f"<t:{ceil(at)}:{style}>"


def bar(step: int, steps: int) -> str:
    """Ten cells, filled as far as it is."""
    done = round(10 * step / steps)
    return "▰" * done + "▱" * (10 - done)


def listed(names: Sequence[str], last: str) -> str:
    """'A, B and C' for `last` = 'and'; at least one name."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
