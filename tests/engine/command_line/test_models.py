"""`dream models`, and a dream whose models arrive from a mirror."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.__main__ import main
from engine.models import catalogue
from tests.engine.mirror import Mirror, serving


@pytest.fixture
def mirror(tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror with tiny models under the large ones' names, and an empty DATA_DIR."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OFFLINE", "0")
    shutil.copytree(tiny_models / "models", tmp_path / "served")
    with serving(tmp_path / "served") as mirror:
        monkeypatch.setenv("MODEL_MIRRORS", mirror.url)
        yield mirror


def test_the_list_names_every_model_and_what_is_here(
    tiny_models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tiny_models))
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:7]] == ["pocket", *(model.name for model in catalogue.ALL)]
    assert "not here" in lines[3] and "not here" not in lines[1] and "not here" not in lines[4]


def test_a_model_is_fetched_ahead(mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "fetch", "vit-b/32"]) == 0
    assert "ViT-B/32 is in" in capsys.readouterr().out
    assert (tmp_path / "data/models/clip-vit-base-patch32/model.safetensors").is_file()
    assert main(["models", "verify", "ViT-B/32"]) == 0
    said = capsys.readouterr().out
    assert said.count("unchanged since it came here") == 5 and "every tensor" in said


def test_a_mirror_that_sends_a_login_page_brings_no_model(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.misbehave("model.safetensors", "login elsewhere", "login elsewhere")
    assert main(["models", "fetch", "ViT-B/32"]) == 3
    said = capsys.readouterr()
    assert "is in" not in said.out
    assert f"{mirror.url.removeprefix('http://')} sent a model.safetensors that is a web page" in said.err
    assert main(["models", "fetch", "ViT-B/32"]) == 0
    assert main(["models", "verify", "ViT-B/32"]) == 0


@pytest.mark.parametrize("wrong", ["page", "another model", "other words", "changed"])
def test_what_verify_rejects_fetch_replaces(
    wrong: str, mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data/models/clip-vit-base-patch32"
    assert main(["models", "fetch", "ViT-B/32"]) == 0
    if wrong != "changed":
        (folder / "sha256.json").unlink()  # as if it had come by hand
    match wrong:
        case "page":
            (folder / "config.json").write_text("<html>log in</html>")
        case "another model":
            save_file({"a": torch.zeros(3)}, folder / "model.safetensors")
        case "other words":
            (folder / "vocab.json").write_text('{"<|startoftext|>": 0, "<|endoftext|>": 1}')
        case "changed":
            (folder / "merges.txt").write_text("#version: 0.2\n\n")
    assert main(["models", "verify", "ViT-B/32"]) == 3
    assert main(["models", "fetch", "ViT-B/32"]) == 0
    assert main(["models", "verify", "ViT-B/32"]) == 0


def test_a_dream_names_the_file_that_is_no_model(
    mirror: Mirror, tiny_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_models, tmp_path / "data")
    dream = ["a house", "--model", "biggan-deep-128", "--steps", "1", "--out", "house.png"]
    for folder, file, name in (
        ("biggan-deep-128", "pytorch_model.bin", "biggan-deep-128"),
        ("clip-vit-base-patch32", "vocab.json", "ViT-B/32"),
        ("clip-vit-base-patch32", "model.safetensors", "ViT-B/32"),
    ):
        path = tmp_path / "data" / "models" / folder / file
        whole = path.read_bytes()
        path.write_text("<html>log in</html>")
        assert main(dream) == 3
        told = capsys.readouterr().err
        assert f"{path} is a web page; dream models fetch {name} brings it anew." in told
        path.write_bytes(whole)


def test_a_dream_fetches_its_models(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The 512 px pair, for of its weights no checksum is published: tiny ones can stand in."""
    (tmp_path / "served" / "biggan-deep-128").rename(tmp_path / "served" / "biggan-deep-512")
    small = catalogue.named("biggan-deep-512").files[0][0]
    (tmp_path / "served" / "biggan-deep-512" / small.name).rename(tmp_path / "config.json")
    arguments = ["a house", "--model", "biggan-deep-512", "--steps", "2", "--out", "house.png"]
    assert main(arguments) == 3  # the tiny configuration is not the published one
    assert "does not have config.json" in capsys.readouterr().err
    (tmp_path / "data/models/biggan-deep-512").mkdir(parents=True, exist_ok=True)
    shutil.copy(tmp_path / "config.json", tmp_path / "data/models/biggan-deep-512/config.json")
    assert main(arguments) == 0
    assert (tmp_path / "house.png").is_file()
    told = capsys.readouterr().err
    assert "pytorch_model.bin" in told and "model.safetensors" in told
    mirror.asked.clear()
    assert main(arguments) == 0
    assert mirror.asked == []


def test_two_clips_judge_one_dream_and_the_picture_repeats(
    mirror: Mirror, tiny_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_models, tmp_path / "data")
    shutil.copytree(
        tmp_path / "data/models/clip-vit-base-patch32", tmp_path / "data/models/clip-vit-base-patch16"
    )
    pair = ["--model", "biggan-deep-128", "--clip", "ViT-B/32+ViT-B/16"]
    assert main(["a house", *pair, "--seed", "1", "--steps", "2", "--out", "house.png"]) == 0
    assert main(["--from", "house.png", "--out", "again.png"]) == 0
    assert "The bytes are the same." in capsys.readouterr().err
    assert mirror.asked == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["models", "fetch"], "Please name what to fetch"),
        (["models", "fetch", "dall-e"], "There is no model named 'dall-e'"),
        (["models", "import"], "Please name the file"),
        (["models", "import", "nowhere.bin"], "nowhere.bin cannot be read: no such file"),
        (["models", "list", "pocket"], "takes no names"),
        (["models", "paint"], "dream models --help"),
        (["a house", "--clip", "ViT-H/14"], "--clip is 'ViT-H/14'; it must be one of ViT-B/32"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and told in said.err
