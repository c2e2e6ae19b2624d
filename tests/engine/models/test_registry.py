import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import BadRequest, ModelError
from engine.models import registry
from engine.pocket import lexicon
from engine.settings import MODELS


@pytest.mark.parametrize("name", [name for name in MODELS if name != "auto"])
def test_every_name_that_a_dream_can_give_is_a_pair(name: str, tmp_path: Path) -> None:
    assert registry.pair(name, tmp_path).name == name


def test_any_other_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="secret"):
        registry.pair("../../secret", tmp_path)


CPU, GPU = torch.device("cpu"), torch.device("mps")  # the other kind that can be asked about without one


def put_large_files(data_dir: Path) -> None:
    for folder in ("biggan-deep-512", "clip-vit-base-patch32"):
        path = data_dir / "models" / folder
        path.mkdir(parents=True)
        (path / "config.json").touch()
        (path / "pytorch_model.bin").touch()


def test_auto_without_a_gpu_is_pocket_even_where_the_large_files_lie(tmp_path: Path) -> None:
    put_large_files(tmp_path)
    assert registry.resolve("auto", tmp_path, CPU, fetch=True).name == "pocket"
    assert registry.resolve("auto", tmp_path, GPU).name == "biggan-deep-512"


def test_auto_on_a_gpu_is_large_only_where_the_files_are_or_may_be_fetched(tmp_path: Path) -> None:
    assert registry.resolve("auto", tmp_path, GPU).name == "pocket"
    assert registry.resolve("auto", tmp_path, GPU, fetch=True).name == "biggan-deep-512"


@pytest.mark.parametrize("free, name", [(16 * 1024**3, "biggan-deep-512"), (1024**3, "pocket")])
def test_auto_asks_how_much_memory_the_gpu_has_free(
    free: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 24 * 1024**3))
    put_large_files(tmp_path)
    assert registry.resolve("auto", tmp_path, torch.device("cuda")).name == name


def test_two_clips_judge_together_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    pair = registry.pair("biggan-deep-256", tmp_path, "vit-b/32+ViT-L/14")
    assert pair.clip == "ViT-B/32+ViT-L/14"
    assert [folder.name for folder in pair.perceptors] == ["clip-vit-base-patch32", "clip-vit-large-patch14"]
    for wrong in ("ViT-H/14", "ViT-B/32+ViT-B/32", "+", "../x"):
        with pytest.raises(BadRequest, match="ViT-B/16"):
            registry.pair("biggan-deep-256", tmp_path, wrong)


def test_the_fingerprint_is_that_of_the_weights_alone(tiny_models: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_models, tmp_path, dirs_exist_ok=True)
    mark = registry.fingerprint(registry.pair("biggan-deep-128", tiny_models))
    copy = registry.pair("biggan-deep-128", tmp_path)
    assert registry.fingerprint(copy) == mark
    with (copy.generator / "pytorch_model.bin").open("ab") as file:
        file.write(b"x")
    assert registry.fingerprint(copy) != mark


def test_the_fingerprint_knows_the_learnt_names(tmp_path: Path) -> None:
    shutil.copytree(registry.POCKET, tmp_path, dirs_exist_ok=True)
    shipped = registry.pair("pocket", tmp_path)
    copy = replace(shipped, perceptors=(tmp_path / "perceptor",))
    mark = registry.fingerprint(copy)
    assert mark == registry.fingerprint(shipped)
    (tmp_path / "perceptor" / lexicon.FILE).unlink()
    assert registry.fingerprint(copy) != mark
