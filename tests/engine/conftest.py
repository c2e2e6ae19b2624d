"""What several tests of the engine share."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.models import generator, perceptor, registry
from engine.models.generator import BakedBigGAN, Generator
from engine.models.perceptor import Perceptor
from engine.pocket.perceptor import PocketPerceptor
from engine.search import atlas
from tests.engine import tiny
from tests.engine.training import squares

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with tiny models in the large ones' places."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny.write_models(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_generator(tiny_models: Path) -> BakedBigGAN:
    return generator.load(tiny_models / "models" / "biggan-deep-128", "tiny BigGAN", CPU)


@pytest.fixture(scope="session")
def tiny_perceptor(tiny_models: Path) -> Perceptor:
    return perceptor.load(tiny_models / "models" / "clip-vit-base-patch32", "tiny CLIP", CPU)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as `python -m engine.training data` leaves it, with a tokenizer and a teacher's lessons."""
    squares.write(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def embedded() -> tuple[Generator, PocketPerceptor, Tensor]:
    """The embedded models and their atlas [classes, d]."""
    pair = registry.pair("pocket", Path())
    perceive = perceptor.load_all(pair.perceptors, pair.perceptor_names, CPU)
    generate = generator.load(pair.generator, pair.generator_name, CPU)
    ranks = atlas.read(pair.generator.parent / atlas.FILE, registry.fingerprint(pair))
    assert ranks is not None and isinstance(perceive, PocketPerceptor)
    return generate, perceive, ranks
