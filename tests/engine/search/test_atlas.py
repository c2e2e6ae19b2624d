from pathlib import Path

import pytest
import torch

from engine.errors import ModelError
from engine.models.generator import BakedBigGAN
from engine.models.perceptor import Perceptor
from engine.search import atlas

CPU = torch.device("cpu")


def test_it_holds_a_unit_vector_a_class_and_never_changes(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    told: list[int] = []
    made = atlas.make(tiny_generator, tiny_perceptor, CPU, told=told.append)
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


def test_a_class_s_names_are_half_of_what_it_is(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    names = [[f"thing {index}", f"cosa {index}"] for index in range(tiny_generator.classes)]
    pictures = atlas.make(tiny_generator, tiny_perceptor, CPU)
    called = atlas.make(tiny_generator, tiny_perceptor, CPU, names)
    for index, both in enumerate(names):
        words = torch.nn.functional.normalize(tiny_perceptor.encode_texts(both).mean(0), dim=0)
        assert torch.allclose(called[index] @ words, called[index] @ pictures[index], atol=1e-4)


def test_names_are_read_from_the_generator_s_folder(tmp_path: Path) -> None:
    assert atlas.read_names(tmp_path) == []
    path = tmp_path / "classes.json"
    path.write_text('[{"id": "x", "name_en": "house", "name_it": "casa"}, {"name_en": "cat", "name_it": ""}]')
    assert atlas.read_names(tmp_path) == [["house", "casa"], ["cat"]]


@pytest.mark.parametrize("text", ["", "{", "3", '[{"id": "nameless"}]', '[["list"]]', '[{"name_en": 3}]'])
def test_spoilt_names_are_one_clear_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "classes.json").write_text(text)
    with pytest.raises(ModelError, match=r"classes\.json"):
        atlas.read_names(tmp_path)
