from pathlib import Path

import torch

from engine import atlas
from engine.generator import BakedBigGAN
from engine.perceptor import Perceptor

CPU = torch.device("cpu")


def test_it_holds_a_unit_vector_a_class_and_never_changes(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    told: list[int] = []
    made = atlas.make(tiny_generator, tiny_perceptor, CPU, told.append)
    assert made.shape == (tiny_generator.classes, 24)
    assert torch.allclose(made.norm(dim=1), torch.ones(tiny_generator.classes), atol=1e-5)
    assert told[-1] == tiny_generator.classes
    assert torch.equal(made, atlas.make(tiny_generator, tiny_perceptor, CPU))


def test_it_is_kept_and_never_mistaken_for_that_of_other_models(tmp_path: Path) -> None:
    made = torch.rand(12, 24)
    atlas.write(tmp_path / "new" / "atlas.safetensors", made, "mine")
    kept = atlas.read(tmp_path / "new" / "atlas.safetensors", "mine")
    assert kept is not None and (kept - made).abs().max() < 1e-3
    assert atlas.read(tmp_path / "new" / "atlas.safetensors", "another") is None
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["atlas.safetensors"]


def test_a_missing_or_damaged_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "atlas.safetensors"
    assert atlas.read(path, "mine") is None
    path.write_bytes(b"not an atlas")
    assert atlas.read(path, "mine") is None
