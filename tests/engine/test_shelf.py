"""The large models on this machine: checked, and taken in from a user's own files."""

import hashlib
import io
import json
import pickle
from pathlib import Path

import pytest
import torch
from pytorch_pretrained_biggan import BigGAN, BigGANConfig

from engine import catalogue, files, shelf
from engine.errors import BadRequest, ModelError
from engine.fetch import pins
from engine.shelf import Soundness
from tests.engine import published

MODEL = catalogue.named("biggan-deep-128")


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user may have: BigGAN-deep-128's tensors under another file name, hollow."""
    path = tmp_path_factory.mktemp("own") / "biggan-deep-128-pytorch_model.bin"
    with torch.device("meta"):
        weights = BigGAN(BigGANConfig.from_dict(shelf.biggan_config(128))).state_dict()
    published.hollow(weights, path)
    return path


@pytest.mark.parametrize("model", catalogue.BIGGANS, ids=lambda model: model.name)
def test_our_configurations_are_the_published_files_byte_for_byte(model: catalogue.RemoteModel) -> None:
    text = shelf.as_json(shelf.biggan_config(int(model.name.rpartition("-")[2])))
    assert hashlib.sha256(text.encode()).hexdigest() == model.files[0][0].sha256


@pytest.mark.parametrize(("side", "tensors"), [(128, 506), (256, 602), (512, 698)])
def test_our_configurations_make_the_published_layouts(side: int, tensors: int) -> None:
    with torch.device("meta"):
        model = BigGAN(BigGANConfig.from_dict(shelf.biggan_config(side)))
    assert len(model.state_dict()) == tensors
    parameters = sum(value.numel() for value in model.parameters())
    assert round(parameters / 1e6, 1) == {128: 50.4, 256: 55.9, 512: 56.2}[side]


def test_a_user_s_own_file_is_known_by_its_tensors_and_put_in_its_place(
    own_file: Path, tmp_path: Path
) -> None:
    assert shelf.take_in(own_file, tmp_path) is MODEL
    folder = tmp_path / "biggan-deep-128"
    assert shelf.here(MODEL, tmp_path) and not shelf.here(catalogue.named("biggan-deep-256"), tmp_path)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        "config.json",
        "pytorch_model.bin",
        "sha256.json",
    }
    assert set(pins(folder)) == {"config.json", "pytorch_model.bin"}


def test_what_is_not_the_published_file_does_not_pass(own_file: Path, tmp_path: Path) -> None:
    shelf.take_in(own_file, tmp_path)
    with pytest.raises(ModelError, match=r"SHA-256 is [0-9a-f]{64} instead of"):
        list(shelf.verify(MODEL, tmp_path))


def test_a_file_without_a_published_hash_is_remembered_and_any_change_is_noticed(tmp_path: Path) -> None:
    model = catalogue.named("ViT-B/32")
    folder = tmp_path / model.folder
    folder.mkdir(parents=True)
    for name in ("config.json", "vocab.json", "merges.txt", "tokenizer_config.json", "model.safetensors"):
        (folder / name).write_text("{}")
    verdicts = []
    with pytest.raises(ModelError):  # the last look is a strict load
        verdicts.extend(shelf.verify(model, tmp_path))
    assert {verdict.soundness for verdict in shelf_verdicts(model, tmp_path)} == {Soundness.REMEMBERED}
    (folder / "merges.txt").write_text("changed")
    with pytest.raises(ModelError, match=r"merges\.txt has changed"):
        list(shelf.verify(model, tmp_path))
    (folder / "vocab.json").unlink()
    with pytest.raises(ModelError, match="dream models fetch ViT-B/32"):
        list(shelf.verify(model, tmp_path))


def shelf_verdicts(model: catalogue.RemoteModel, models: Path) -> list[shelf.Verdict]:
    """What `verify` says before the strict load refuses."""
    said = []
    try:
        for verdict in shelf.verify(model, models):
            said.append(verdict)
    except ModelError:
        pass
    return said


def test_a_clip_without_its_tokenizer_says_what_is_missing(tmp_path: Path) -> None:
    own = tmp_path / "own.bin"
    torch.save({"vision_model.embeddings.patch_embedding.weight": torch.zeros(768, 3, 32, 32)}, own)
    with pytest.raises(ModelError, match=r"ViT-B/32 needs its tokenizer.*merges\.txt"):
        shelf.take_in(own, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


class Hostile:
    """A pickle that would run a command when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/oneiro-was-here",)


def test_a_pickle_that_ends_anywhere_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    torch.save({"layer.weight": torch.arange(5.0)}, whole, _use_new_zipfile_serialization=False)
    for end in range(len(whole.getvalue())):
        (tmp_path / "pytorch_model.bin").write_bytes(whole.getvalue()[:end])
        with pytest.raises(ModelError):
            files.read_tensors(tmp_path)


@pytest.mark.parametrize(
    "kind", ["hostile", "hostile zip", "text", "empty", "another model", "half", "no tensors"]
)
def test_bad_files_are_refused_and_leave_nothing(kind: str, own_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    match kind:
        case "hostile":
            path.write_bytes(pickle.dumps(Hostile(), protocol=2))
        case "hostile zip":
            torch.save({"weight": Hostile()}, path)
        case "text":
            path.write_text("<html>404</html>" * 1000)
        case "empty":
            path.touch()
        case "another model":
            torch.save({"layer.weight": torch.zeros(3)}, path)
        case "half":
            path.write_bytes(own_file.read_bytes()[: own_file.stat().st_size // 2])
        case "no tensors":
            torch.save({"step": 3}, path)
    with pytest.raises(ModelError):
        shelf.take_in(path, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []
    assert not Path("/tmp/oneiro-was-here").exists()


def test_places_without_a_model_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no file"):
        shelf.take_in(tmp_path / "nothing", tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadRequest, match="holds neither"):
        shelf.take_in(tmp_path / "folder", tmp_path)


@pytest.mark.parametrize("name", ["ViT-B/32", "ViT-B/16", "ViT-L/14"])
def test_our_clip_configurations_have_the_published_sizes(name: str) -> None:
    from transformers import CLIPConfig, CLIPModel

    with torch.device("meta"):
        model = CLIPModel(CLIPConfig(**published.without_type(shelf.clip_config(name))))
    parameters = sum(value.numel() for value in model.parameters())
    assert round(parameters / 1e6) == {"ViT-B/32": 151, "ViT-B/16": 150, "ViT-L/14": 428}[name]
    assert json.dumps(shelf.clip_config(name))
