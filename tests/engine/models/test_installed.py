"""The large models on this machine: checked, and taken in from a user's own files."""

import hashlib
import io
import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from pytorch_pretrained_biggan import BigGAN, BigGANConfig
from safetensors.torch import save_file

from engine.errors import BadRequest, ModelError
from engine.models import catalogue, files, installed
from engine.models.checksums import pin, pins, sha256_of
from engine.models.installed import Soundness
from tests.engine import published

MODEL = catalogue.named("biggan-deep-128")


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user may have: BigGAN-deep-128's tensors under another file name, hollow."""
    path = tmp_path_factory.mktemp("own") / "pytorch_model.bin"
    with torch.device("meta"):
        weights = BigGAN(
            BigGANConfig.from_dict(installed.biggan_config(catalogue.named("biggan-deep-128")))
        ).state_dict()
    published.hollow(weights, path)
    return path


@pytest.mark.parametrize("model", catalogue.BIGGANS, ids=lambda model: model.name)
def test_our_configurations_are_the_published_files_byte_for_byte(model: catalogue.RemoteModel) -> None:
    text = installed.as_json(installed.biggan_config(model))
    assert hashlib.sha256(text.encode()).hexdigest() == model.files[0][0].sha256


@pytest.mark.parametrize(("side", "tensors"), [(128, 506), (256, 602), (512, 698)])
def test_our_configurations_make_the_published_layouts(side: int, tensors: int) -> None:
    with torch.device("meta"):
        model = BigGAN(
            BigGANConfig.from_dict(installed.biggan_config(catalogue.named(f"biggan-deep-{side}")))
        )
    assert len(model.state_dict()) == tensors
    parameters = sum(value.numel() for value in model.parameters())
    assert round(parameters / 1e6, 1) == {128: 50.4, 256: 55.9, 512: 56.2}[side]


def test_a_user_s_own_file_is_known_by_its_tensors_and_put_in_its_place(
    own_file: Path, tmp_path: Path
) -> None:
    assert installed.take_in(own_file, tmp_path) is MODEL
    folder = tmp_path / "biggan-deep-128"
    assert installed.here(MODEL, tmp_path) and not installed.here(
        catalogue.named("biggan-deep-256"), tmp_path
    )
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        "config.json",
        "pytorch_model.bin",
        "sha256.json",
    }
    assert set(pins(folder)) == {"config.json", "pytorch_model.bin"}


def test_what_is_not_the_published_file_does_not_pass(own_file: Path, tmp_path: Path) -> None:
    installed.take_in(own_file, tmp_path)
    with pytest.raises(ModelError, match=r"SHA-256 is [0-9a-f]{64} instead of"):
        list(installed.verify(MODEL, tmp_path))


def test_a_file_without_a_published_hash_is_remembered_and_any_change_is_noticed(
    tiny_models: Path, tmp_path: Path
) -> None:
    model = catalogue.named("ViT-B/32")
    folder = tmp_path / model.folder
    shutil.copytree(tiny_models / "models" / model.folder, folder)
    whole = (folder / "vocab.json").read_text()
    (folder / "vocab.json").write_text('{"<|startoftext|>": 0, "<|endoftext|>": 1}')
    with pytest.raises(ModelError, match="tokenizer"):  # the last look is a strict load
        list(installed.verify(model, tmp_path))
    (folder / "vocab.json").write_text(whole)
    assert {verdict.soundness for verdict in installed.verify(model, tmp_path)} == {Soundness.FIRST}
    assert {verdict.soundness for verdict in installed.verify(model, tmp_path)} == {Soundness.REMEMBERED}
    (folder / "merges.txt").write_text("#version: 0.2\n\n")
    with pytest.raises(ModelError, match=r"merges\.txt has changed.*dream models fetch ViT-B/32"):
        list(installed.verify(model, tmp_path))
    (folder / "vocab.json").unlink()
    with pytest.raises(ModelError, match=r"vocab\.json is missing; dream models fetch ViT-B/32"):
        list(installed.verify(model, tmp_path))


def test_a_page_whose_checksum_was_remembered_is_no_model(tiny_models: Path, tmp_path: Path) -> None:
    model = catalogue.named("ViT-B/32")
    folder = tmp_path / model.folder
    shutil.copytree(tiny_models / "models" / model.folder, folder)
    (folder / "model.safetensors").write_text("<html>log in</html>")
    pin(folder, "model.safetensors", sha256_of(folder / "model.safetensors"), 19)
    with pytest.raises(ModelError, match=r"model\.safetensors is a web page; dream models fetch ViT-B/32"):
        list(installed.verify(model, tmp_path))


def test_weights_are_imported_by_what_they_are_not_by_their_name(own_file: Path, tmp_path: Path) -> None:
    tensors = {name: tensor.contiguous() for name, tensor in files.read_tensors(own_file.parent).items()}
    save_file(tensors, tmp_path / "own.bin")
    models = tmp_path / "models"
    installed.take_in(own_file, models)
    installed.take_in(tmp_path / "own.bin", models)
    assert {path.name for path in (models / MODEL.folder).iterdir()} == {
        "config.json",
        "model.safetensors",
        "sha256.json",
    }
    assert installed.here(MODEL, models)


def test_a_refused_file_is_named_as_the_user_knows_it(tmp_path: Path) -> None:
    page = tmp_path / "biggan.bin"
    page.write_text("<html>log in</html>")
    with pytest.raises(ModelError, match=rf"^{page} is a web page"):
        installed.take_in(page, tmp_path / "models")
    torch.save({"a": Hostile()}, page)
    with pytest.raises(ModelError) as caught:
        installed.take_in(page, tmp_path / "models")
    assert str(page) in str(caught.value) and ".importing" not in str(caught.value)


def test_a_clip_without_its_tokenizer_says_what_is_missing(tmp_path: Path) -> None:
    own = tmp_path / "own.bin"
    torch.save({"vision_model.embeddings.patch_embedding.weight": torch.zeros(768, 3, 32, 32)}, own)
    with pytest.raises(ModelError, match=r"ViT-B/32 needs its tokenizer.*merges\.txt"):
        installed.take_in(own, tmp_path / "models")
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
        installed.take_in(path, tmp_path / "models")
    assert list((tmp_path / "models").glob("*")) == []
    assert not Path("/tmp/oneiro-was-here").exists()


def test_places_without_a_model_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no file"):
        installed.take_in(tmp_path / "nothing", tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadRequest, match="holds neither"):
        installed.take_in(tmp_path / "folder", tmp_path)


@pytest.mark.parametrize("name", ["ViT-B/32", "ViT-B/16", "ViT-L/14"])
def test_our_clip_configurations_have_the_published_sizes(name: str) -> None:
    from transformers import CLIPConfig, CLIPModel

    with torch.device("meta"):
        model = CLIPModel(CLIPConfig(**published.without_type(installed.clip_config(name))))
    parameters = sum(value.numel() for value in model.parameters())
    assert round(parameters / 1e6) == {"ViT-B/32": 151, "ViT-B/16": 150, "ViT-L/14": 428}[name]
    assert json.dumps(installed.clip_config(name))
