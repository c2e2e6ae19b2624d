import os

import pytest

# One thread a process: machines that test are busy, and threads that wait for each other are slow there.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["OFFLINE"] = "1"  # no test asks the network for a model

# They take minutes where most take less than a second: begun last, one would go on alone.
LONGEST = (
    "tests/chaos/test_chaos.py",
    "tests/test_document_commands.py",
    "tests/bot/test_process",
    "tests/engine/training/test_train_generator.py",
)


def pytest_xdist_auto_num_workers() -> int:
    """Of `-n auto`: one more than there are cores, as the bot's tests wait for half of their time."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
