"""What the tests of real processes share: waiting with a deadline, seeing whether a process runs."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(done: Callable[[], bool], limit_s: float = 60.0) -> None:
    """Poll until `done()`; fail after `limit_s` seconds."""
    deadline = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < deadline, f"not within {limit_s} s"
        time.sleep(0.01)


async def until(done: Callable[[], bool], limit_s: float = 60.0) -> None:
    """`wait_until` for coroutines."""
    async with asyncio.timeout(limit_s):
        while not done():  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.01)


def runs(pid: int) -> bool:
    """Whether the process exists and is no zombie (Linux)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
