"""What several tests of the embedded models' making share."""

from pathlib import Path

import pytest

from tests.pocket import squares


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as `python -m engine.pocket data` leaves it, with a tokenizer and a teacher's lessons."""
    squares.write(tmp_path)
    return tmp_path
