"""What several tests of the embedded models' making share."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine import atlas, generator, perceptor, weights
from engine.generator import Generator
from engine.perceptor import PocketPerceptor
from tests.pocket import squares

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as `python -m engine.pocket data` leaves it, with a tokenizer and a teacher's lessons."""
    squares.write(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def embedded() -> tuple[Generator, PocketPerceptor, Tensor]:
    """The embedded models and their atlas [classes, d]."""
    pair = weights.pair("pocket", Path())
    perceive = perceptor.load_all(pair.perceptors, pair.perceptor_names, CPU)
    generate = generator.load(pair.generator, pair.generator_name, CPU)
    ranks = atlas.read(pair.generator.parent / atlas.FILE, weights.fingerprint(pair))
    assert ranks is not None and isinstance(perceive, PocketPerceptor)
    return generate, perceive, ranks
