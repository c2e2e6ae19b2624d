"""The small CLIP: its files are read strictly, its vectors are unit rows, its gradients reach the pixels."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from engine.errors import ModelError
from engine.models import perceptor
from engine.pocket.clip import PocketClip, PocketClipConfig
from engine.pocket.tokens import load_tokenizer, read_tokenizer
from engine.training.evaluate import PROMPTS, UNKNOWN, WEIGHTS

TINY = PocketClipConfig(
    vocab_size=50, max_tokens=8, dimension=12, channels=(4, 6, 8, 10), blocks=(0, 1, 0, 1),
    places=3, text_width=16, text_layers=1, heads=2,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    PocketClip(TINY).save(tmp_path)
    return tmp_path


def test_both_towers_give_unit_rows_of_the_same_length(folder: Path) -> None:
    model = PocketClip.load(folder)
    images = model.encode_image(torch.rand(3, 3, 64, 64))
    texts = model.encode_text(
        torch.tensor([[1, 5, 2, 2], [1, 7, 9, 2]]), torch.tensor([[1, 1, 1, 0], [1] * 4])
    )
    assert images.shape == (3, 12)
    assert texts.shape == (2, 12)
    for rows in (images, texts):
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(len(rows)))


def test_gradient_reaches_every_pixel_and_no_weight(folder: Path) -> None:
    model = PocketClip.load(folder)
    pixels = torch.rand(1, 3, 64, 64, requires_grad=True)
    model.encode_image(pixels)[0, 0].backward()
    assert pixels.grad is not None
    assert (pixels.grad != 0).all()
    assert not any(p.requires_grad for p in model.parameters())


def test_what_stands_where_is_kept_beside_what_is_there() -> None:
    """The same cells in another order: the mean cannot tell them apart, the map of places can."""
    torch.manual_seed(0)
    model = PocketClip(TINY).eval()
    cells = torch.rand(1, 10, 4, 4)
    model.image_layers, model.image_last = torch.nn.Identity(), torch.nn.Identity()
    with torch.no_grad():
        model.image_position.zero_()
        here, there = model.encode_image(cells), model.encode_image(cells.flip(3))
        assert float((here - there).norm()) > 0.01
        model.place_projection.weight.zero_()
        torch.testing.assert_close(model.encode_image(cells), model.encode_image(cells.flip(3)))


def test_files_from_before_there_were_places_are_read(folder: Path) -> None:
    old = PocketClip(replace(TINY, places=0))
    old.save(folder)
    config = json.loads((folder / "config.json").read_text())
    del config["places"]
    (folder / "config.json").write_text(json.dumps(config))
    picture = torch.rand(1, 3, 64, 64)
    again = PocketClip.load(folder).encode_image(picture)
    torch.testing.assert_close(again, old.eval().encode_image(picture), rtol=0.02, atol=0.01)


def test_padding_does_not_change_a_text(folder: Path) -> None:
    model = PocketClip.load(folder)
    short = model.encode_text(torch.tensor([[1, 5, 2]]), torch.ones(1, 3, dtype=torch.int64))
    padded = model.encode_text(torch.tensor([[1, 5, 2, 33, 40]]), torch.tensor([[1, 1, 1, 0, 0]]))
    torch.testing.assert_close(short, padded)


def test_what_is_saved_is_what_is_loaded(folder: Path) -> None:
    model = PocketClip.load(folder)
    model.save(folder / "again")
    again = PocketClip.load(folder / "again")
    assert again.config == TINY
    picture = torch.rand(1, 3, 64, 64)
    assert torch.equal(model.encode_image(picture), again.encode_image(picture))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("size", [None, 0, 40])
def test_missing_or_truncated_file_is_one_clear_error(folder: Path, name: str, size: int | None) -> None:
    path = folder / name
    if size is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match=name):
        PocketClip.load(folder)


def test_tensor_too_many_too_few_or_of_another_shape_is_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    fewer = {k: v for k, v in weights.items() if k != "image_position"}
    for changed in (
        fewer,
        {**weights, "extra": torch.zeros(1)},
        {**fewer, "image_position": torch.zeros(10, 2, 8)},
    ):
        save_file(changed, folder / "model.safetensors")
        with pytest.raises(ModelError, match=r"do not fit their config\.json"):
            PocketClip.load(folder)


def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(
        {**weights, "image_position": weights["image_position"] * torch.nan}, folder / "model.safetensors"
    )
    with pytest.raises(ModelError, match="not finite"):
        PocketClip.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "clip"},
        {"heads": 0},
        {"places": -1},
        {"channels": [4, 6]},
        {"blocks": [0, 0, 1, 0]},
        {"blocks": 2},
        {"vocab_size": "many"},
        {"colour": 3},
    ],
)
def test_config_of_another_model_is_refused(folder: Path, change: dict) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelError, match="pocket perceptor"):
        PocketClip.load(folder)


def test_loading_leaves_the_global_random_numbers_alone(folder: Path) -> None:
    before = torch.random.get_rng_state()
    PocketClip.load(folder)
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_the_search_sees_with_is_the_trained_model_but_for_rounding() -> None:
    ours = perceptor.load(WEIGHTS, "pocket CLIP", torch.device("cpu"))
    trained = PocketClip.load(WEIGHTS)
    towards = F.normalize(
        torch.randn(trained.config.dimension, generator=torch.Generator().manual_seed(1)), dim=0
    )
    found = []
    for encode in (trained.encode_image, ours.encode_images):
        pixels = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(2)).requires_grad_()
        features = encode(pixels)
        (features @ towards).sum().backward()
        found.append((features.detach(), pixels.grad))
    (features, gradient), (again, its_gradient) = found
    torch.testing.assert_close(again, features, rtol=0, atol=1e-5)
    assert F.cosine_similarity(gradient.flatten(), its_gradient.flatten(), dim=0) > 0.9999


def heart(colour: tuple[float, float, float]) -> torch.Tensor:
    """A plain heart on white, [1, 3, 64, 64]: (x² + y² - 1)³ ≤ x² y³."""
    line = torch.linspace(-1.35, 1.35, 64)
    y, x = torch.meshgrid(-line, line, indexing="ij")
    inside = ((x**2 + y**2 - 1) ** 3 - x**2 * y**3 <= 0).float()
    return (inside * torch.tensor(colour).view(3, 1, 1) + (1 - inside))[None]


@pytest.mark.parametrize(
    ("colour", "name"), [((0.9, 0.1, 0.1), "a red heart"), ((0.1, 0.3, 0.9), "a blue heart")]
)
def test_shipped_perceptor_knows_a_heart_and_its_colour(
    colour: tuple[float, float, float], name: str
) -> None:
    model, tokenizer = PocketClip.load(WEIGHTS), load_tokenizer(WEIGHTS)
    texts = ["a red heart", "a blue heart", "a green tree", "the moon", "a house", "a cat", "a rocket"]
    tokens = tokenizer(texts, padding=True, return_tensors="pt")
    similarity = model.encode_image(heart(colour)) @ model.encode_text(**_named(tokens)).T
    assert texts[int(similarity.argmax())] == name


@pytest.mark.parametrize(
    ("words", "shift"),
    [("left of", (-16, 0)), ("right of", (16, 0)), ("above", (0, -16)), ("under", (0, 16))],
)
def test_shipped_perceptor_knows_what_stands_where(words: str, shift: tuple[int, int]) -> None:
    perceive = perceptor.load(WEIGHTS, "pocket", torch.device("cpu"))
    square = torch.ones(1, 3, 32, 32)
    square[:, :, 4:28, 4:28] = torch.tensor([0.1, 0.3, 0.9]).view(3, 1, 1)
    picture = torch.ones(1, 3, 64, 64)
    for part, sign in ((F.interpolate(heart((0.9, 0.1, 0.1)), size=32), 1), (square, -1)):
        x, y = 16 + sign * shift[0], 16 + sign * shift[1]
        picture[:, :, y : y + 32, x : x + 32] = part
    texts = [f"a red heart {words} a blue square", f"a blue square {words} a red heart"]
    right, wrong = (perceive.encode_images(picture) @ perceive.encode_texts(texts).T)[0].tolist()
    assert right > wrong + 0.02


def test_words_of_nothing_score_visibly_below_a_match() -> None:
    perceive = perceptor.load(WEIGHTS, "pocket", torch.device("cpu"))
    seen = perceive.encode_images(heart((0.9, 0.1, 0.1)))
    match, *nothing = (
        seen @ perceive.encode_texts(["a red heart", "xkqzv blorf", "epistemology", "https://a.b/c?d=1"]).T
    )[0].tolist()
    assert max(nothing) < match - 0.15


def test_shipped_perceptor_is_small_and_fits_its_tokenizer() -> None:
    files = list(WEIGHTS.iterdir())
    assert sum(path.stat().st_size for path in files) < 13 * 1024 * 1024
    model, tokenizer = PocketClip.load(WEIGHTS), load_tokenizer(WEIGHTS)
    assert len(tokenizer) == model.config.vocab_size
    assert tokenizer.model_max_length == model.config.max_tokens


def _named(tokens) -> dict[str, torch.Tensor]:
    return {"ids": tokens["input_ids"], "mask": tokens["attention_mask"]}


def test_the_tokenizer_read_without_transformers_is_the_same() -> None:
    one, other = load_tokenizer(WEIGHTS), read_tokenizer(WEIGHTS)
    texts = [
        *UNKNOWN,
        *PROMPTS,
        "",
        " a\n\tb ",
        "<|endoftext|> x",
        "it's l'albero è 2x",
        "e\u0301",
        "👩‍👩‍👧 🏳️‍🌈",
    ]
    assert [found.ids for found in other.encode_batch(texts)] == one(texts).input_ids


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt"])
def test_a_missing_or_damaged_tokenizer_is_one_clear_error(tmp_path: Path, name: str) -> None:
    for file in WEIGHTS.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_bytes((WEIGHTS / name).read_bytes()[:3000])
    with pytest.raises(ModelError):
        perceptor.load(tmp_path, "cut", torch.device("cpu"))
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match="missing or damaged"):
        perceptor.load(tmp_path, "without", torch.device("cpu"))
