import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPModel, CLIPTokenizer

from engine.errors import ModelError
from engine.models import perceptor
from engine.models.perceptor import CLIP_MEAN, CLIP_STD, Perceptor

CPU = torch.device("cpu")
TEXTS = ["a bowl of cherries", "una casa", "🍒 שלום"]


def images(count: int, size: int) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_scores_are_those_of_transformers_own_model(tiny_models: Path, tiny_perceptor: Perceptor) -> None:
    folder = tiny_models / "models" / "clip-vit-base-patch32"
    model = CLIPModel.from_pretrained(folder).eval()
    tokens = CLIPTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    pictures = images(4, 32)
    normed = (pictures - torch.tensor(CLIP_MEAN).view(3, 1, 1)) / torch.tensor(CLIP_STD).view(3, 1, 1)
    with torch.no_grad():
        expected = model(**tokens, pixel_values=normed).logits_per_text / model.logit_scale.exp()
        scores = tiny_perceptor.encode_texts(TEXTS) @ tiny_perceptor.encode_images(pictures).T
    assert torch.allclose(scores, expected, atol=1e-5)


def test_only_the_pixels_get_a_gradient(tiny_perceptor: Perceptor) -> None:
    pictures = images(2, tiny_perceptor.size).requires_grad_()
    text = tiny_perceptor.encode_texts(["a house"])
    assert not text.requires_grad
    (tiny_perceptor.encode_images(pictures) @ text.T).sum().backward()
    assert pictures.grad is not None and bool((pictures.grad != 0).any())
    assert not any(parameter.requires_grad for parameter in tiny_perceptor._model.parameters())


def test_a_text_is_cut_at_whole_words_and_only_when_it_must_be(tiny_perceptor: Perceptor) -> None:
    assert tiny_perceptor.fitting("a bowl of cherries") == "a bowl of cherries"
    long = " ".join(["cherries"] * 40)  # a letter a token here: 8 tokens a word, 77 with two ends
    assert tiny_perceptor.fitting(long) == " ".join(["cherries"] * 9)
    assert tiny_perceptor.fitting("x" * 2000) == "x" * 75
    assert torch.isfinite(tiny_perceptor.encode_texts([long, "x" * 2000])).all()


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors", "vocab.json"])
def test_a_missing_file_is_one_clear_sentence(tiny_models: Path, tmp_path: Path, gone: str) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(tiny_models / "models" / "clip-vit-base-patch32", folder)
    (folder / gone).unlink()
    with pytest.raises(ModelError) as caught:
        perceptor.load(folder, "clip", CPU)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("spoilt", ["config.json", "model.safetensors", "vocab.json"])
def test_a_truncated_file_is_one_clear_sentence(tiny_models: Path, tmp_path: Path, spoilt: str) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(tiny_models / "models" / "clip-vit-base-patch32", folder)
    path = folder / spoilt
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError) as caught:
        perceptor.load(folder, "clip", CPU)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


def test_weights_that_do_not_fit_are_refused(tiny_models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(tiny_models / "models" / "clip-vit-base-patch32", folder)
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="do not fit"):
        perceptor.load(folder, "clip", CPU)


@pytest.mark.parametrize(
    "changed",
    [
        {"text_config": []},
        {"vision_config": 7},
        {"projection_dim": "x"},
        {"dtype": "none"},
        {"vision_config": {"patch_size": 0}},
        {"vision_config": {"num_attention_heads": 0}},
    ],
    ids=str,
)
def test_a_configuration_that_makes_no_sense_is_told(
    tiny_models: Path, tmp_path: Path, changed: dict[str, Any]
) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(tiny_models / "models" / "clip-vit-base-patch32", folder)
    config = json.loads((folder / "config.json").read_text())
    for key, value in changed.items():
        config[key] = config[key] | value if isinstance(value, dict) else value
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError) as caught:
        perceptor.load(folder, "clip", CPU)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


def test_a_configuration_nested_without_an_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("[" * 50_000)
    with pytest.raises(ModelError, match="cannot be read"):
        perceptor.load(tmp_path, "clip", CPU)


def test_another_kind_of_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ModelError, match="'llama'"):
        perceptor.load(tmp_path, "clip", CPU)


def test_perceptors_together_score_the_mean_of_their_cosines(tiny_perceptor: Perceptor) -> None:
    both = perceptor.Perceptors([tiny_perceptor, _Smaller(tiny_perceptor)])
    texts, pictures = ["a house", "a cat"], torch.rand(3, 3, 32, 32)
    alone = tiny_perceptor.encode_images(pictures) @ tiny_perceptor.encode_texts(texts).T
    small = F.interpolate(pictures, (16, 16), mode="bilinear", antialias=True)
    other = _Smaller(tiny_perceptor).encode_images(small) @ tiny_perceptor.encode_texts(texts).T
    joined = both.encode_images(pictures) @ both.encode_texts(texts).T
    assert torch.allclose(joined, (alone + other) / 2, atol=1e-6)
    assert torch.allclose(both.encode_texts(texts).norm(dim=1), torch.ones(2))
    assert both.size == 32 and both.fitting("a house") == "a house"
    pictures.requires_grad_()
    both.encode_images(pictures).sum().backward()
    assert pictures.grad is not None and bool(pictures.grad.abs().sum() > 0)


class _Smaller:
    """The same eyes behind glasses of half the size."""

    def __init__(self, other: Perceptor) -> None:
        self.name, self.size, self._other = "smaller", other.size // 2, other
        self.encode_texts, self.fitting = other.encode_texts, other.fitting

    def encode_images(self, images: Tensor) -> Tensor:
        assert images.shape[-1] == self.size
        return self._other.encode_images(F.interpolate(images, (self._other.size, self._other.size)))
