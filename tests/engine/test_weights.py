import shutil
from pathlib import Path

import pytest

from engine import weights
from engine.errors import ModelError
from engine.settings import MODELS


@pytest.mark.parametrize("name", [name for name in MODELS if name != "auto"])
def test_every_name_that_a_dream_can_give_is_a_pair(name: str, tmp_path: Path) -> None:
    assert weights.pair(name, tmp_path).name == name


def test_any_other_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="secret"):
        weights.pair("../../secret", tmp_path)


def test_auto_without_a_gpu_is_pocket_even_where_the_large_files_lie(tmp_path: Path) -> None:
    for folder in ("biggan-deep-512", "clip-vit-base-patch32"):
        path = tmp_path / "models" / folder
        path.mkdir(parents=True)
        (path / "config.json").touch()
        (path / "pytorch_model.bin").touch()
    assert weights.resolve("auto", tmp_path, "cpu").name == "pocket"
    assert weights.resolve("auto", tmp_path, "cuda").name == "biggan-deep-512"


def test_auto_on_a_gpu_without_the_large_files_is_pocket(tmp_path: Path) -> None:
    assert weights.resolve("auto", tmp_path, "cuda").name == "pocket"


def test_a_pair_that_is_not_there_names_the_folder_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        weights.resolve("biggan-deep-256", tmp_path, "cpu")
    assert str(tmp_path / "models" / "biggan-deep-256") in str(caught.value)
    assert "pocket" in str(caught.value)


def test_the_fingerprint_is_that_of_the_weights_alone(tiny_models: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_models, tmp_path, dirs_exist_ok=True)
    mark = weights.fingerprint(weights.pair("biggan-deep-128", tiny_models))
    copy = weights.pair("biggan-deep-128", tmp_path)
    assert weights.fingerprint(copy) == mark
    with (copy.generator / "pytorch_model.bin").open("ab") as file:
        file.write(b"x")
    assert weights.fingerprint(copy) != mark
