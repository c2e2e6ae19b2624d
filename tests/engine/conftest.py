from pathlib import Path

import pytest
import torch

from engine import generator, perceptor
from engine.generator import BakedBigGAN
from engine.perceptor import Perceptor
from tests.engine import tiny

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
