"""The pocket generator as it ships: files hold what they promise, pictures show what the class list says."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.errors import ModelError
from engine.models import registry
from engine.models.generator import load
from engine.pocket import latents
from engine.pocket.abilities import LATENT_MAP
from engine.pocket.decoder import CHANNELS, SIDE, SIZE
from engine.pocket.generator import SHADOW, SHOWN, PocketGenerator, shadow
from engine.training.sources import STYLES

FOLDER = registry.POCKET / "generator"
LARGEST = 26e6  # bytes of model.safetensors
CPU = torch.device("cpu")
FAINT = 0.0025  # the weight that a start leaves to all other classes


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    found: dict[str, Tensor] = load_file(FOLDER / "model.safetensors")
    return found


@pytest.fixture(scope="module")
def generator() -> PocketGenerator:
    found = load(FOLDER, "pocket", CPU)
    assert isinstance(found, PocketGenerator)
    return found


@pytest.fixture(scope="module")
def classes() -> list[dict[str, object]]:
    entries: list[dict[str, object]] = json.loads((FOLDER / "classes.json").read_text(encoding="utf-8"))
    return entries


def number_of(classes: list[dict[str, object]], name: str) -> int:
    return [entry["id"] for entry in classes].index(name)


def weights(generator: PocketGenerator, number: int, count: int = 1) -> Tensor:
    """Class weights [count, rows, classes] of one class alone."""
    found = torch.zeros(count, generator.rows, generator.classes)
    found[..., number] = 1
    return found


def in_styles(count: int = len(STYLES)) -> Tensor:
    """z [count, rows, z_dim]: one in each style, else as it is without a wish."""
    z = torch.zeros(count, latents.ROWS, latents.Z_DIM)
    z[torch.arange(count), latents.STYLE_ROW, latents.STYLE.start + torch.arange(count)] = 2
    return z


def drawn(generator: PocketGenerator, classes: list[dict[str, object]], name: str) -> Tensor:
    """The mean colour [styles, 3] of a thing in each style."""
    with torch.no_grad():
        found = generator.drawings(in_styles(), weights(generator, number_of(classes, name), len(STYLES)))
    return found[:, :3].sum((2, 3)) / found[:, 3:].sum((2, 3))


def test_the_weights_are_finite_small_and_of_the_promised_kinds(tensors: dict[str, Tensor]) -> None:
    assert (FOLDER / "model.safetensors").stat().st_size <= LARGEST
    codes, number = tensors["codes"], tensors["number"]
    assert codes.dtype == torch.int8 and codes.shape[1:] == (CHANNELS, SIDE, SIDE)
    assert number.dtype == torch.int16 and number.shape[1] == len(STYLES)
    assert sorted(number[number >= 0].tolist()) == list(range(len(codes)))  # each drawing is somebody's
    rest = [value for key, value in tensors.items() if key not in ("codes", "number")]
    assert all(value.dtype == torch.float16 and bool(value.isfinite().all()) for value in rest)
    assert int(codes.min()) >= -127 and float(codes.float().std()) > 10


def test_each_class_stands_once_in_the_list_has_both_names_and_the_styles_of_its_drawings(
    generator: PocketGenerator, classes: list[dict[str, object]], tensors: dict[str, Tensor]
) -> None:
    assert len(classes) == generator.classes >= 800
    assert len({entry["id"] for entry in classes}) == len(classes)
    assert all(entry["name_en"] for entry in classes)
    assert sum(bool(entry["name_it"]) for entry in classes) > 0.9 * len(classes)
    styles = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))["styles"]
    assert styles == list(STYLES)
    for entry, row in zip(classes, (tensors["number"] >= 0).tolist(), strict=True):
        assert entry["styles"] == [style for style, there in zip(styles, row, strict=True) if there]


@pytest.mark.parametrize(
    ("name", "most", "least"),
    [
        ("cherries", 0, 2), ("red-heart", 0, 2), ("tomato", 0, 2), ("deciduous-tree", 1, 2),
        ("green-apple", 1, 2), ("blue-heart", 2, 0), ("spouting-whale", 2, 0), ("banana", 0, 2),
    ],
)  # fmt: skip
def test_a_thing_has_its_own_colours_in_each_style(
    name: str, most: int, least: int, generator: PocketGenerator, classes: list[dict[str, object]]
) -> None:
    colours = drawn(generator, classes, name)
    assert bool((colours[:, most] > colours[:, least] + 0.1).all()), colours
    mean = colours.mean(0)
    assert int(mean.argmax()) == most


def test_styles_draw_a_thing_each_in_its_own_way(
    generator: PocketGenerator, classes: list[dict[str, object]]
) -> None:
    number = number_of(classes, "cat")
    there = (generator.codes.number[number] >= 0).tolist()
    with torch.no_grad():
        found = generator.drawings(in_styles(), weights(generator, number, len(STYLES)))[there].flatten(1)
    apart = torch.cdist(found, found, p=1)[~torch.eye(len(found), dtype=torch.bool)] / found.shape[1]
    assert len(found) >= 5 and float(apart.min()) > 0.01


def test_a_code_begins_with_the_means_of_its_drawing_s_cells(generator: PocketGenerator) -> None:
    numbers = torch.arange(generator.classes)[::90]
    labels = F.one_hot(numbers, generator.classes).float()[:, None].expand(-1, latents.BANDS, -1)
    with torch.no_grad():
        codes = generator.codes(labels, torch.zeros(len(numbers), generator.codes.styles))
        cells = F.avg_pool2d(generator.decoder(codes), SIZE // SIDE)
    assert (cells - (codes[:, :4] / 2 + 0.5)).abs().mean() < 0.03
    assert cells.std() > 0.1


def test_drawings_are_colours_times_coverage_sharp_and_bare_around(generator: PocketGenerator) -> None:
    numbers = torch.arange(generator.classes)[::60]
    labels = F.one_hot(numbers, generator.classes).float()[:, None].expand(-1, generator.rows, -1)
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(len(numbers), latents.ROWS, latents.Z_DIM, generator=rng)
    with torch.no_grad():
        found = generator.drawings(z, labels)
        things, _ = generator.cut_out(z, labels, SIZE)
    assert found.shape == (len(numbers), 4, SIZE, SIZE) and things.shape[1:] == (4, SHOWN, SHOWN)
    for some in (found, things):
        assert some.min() >= -1e-4 and some.max() <= 1 + 1e-4
        assert float((some[:, :3] - some[:, 3:]).max()) < 0.02
    cover = things[:, 3]
    edges = torch.stack((cover[:, 0], cover[:, -1], cover[..., 0], cover[..., -1]))
    assert edges.max() < 0.1  # around a thing there is its ground, whatever its posture
    assert bool((cover.mean((1, 2)) > 0.05).all())
    between = ((cover > 0.1) & (cover < 0.9)).float().mean() / (cover > 0.5).float().mean()
    assert between < 0.12  # outlines are crisp


def test_the_picture_is_what_is_cut_out_before_its_ground_and_the_sheet_the_same_smaller(
    generator: PocketGenerator, classes: list[dict[str, object]]
) -> None:
    rng = torch.Generator().manual_seed(2)
    z = torch.randn(2, latents.ROWS, latents.Z_DIM, generator=rng)
    labels = weights(generator, number_of(classes, "castle"), 2)
    with torch.no_grad():
        picture, sheet = generator(z, labels), generator.sheet(z, labels)
        things, ground = generator.cut_out(z, labels, SHOWN)
    assert picture.shape == (2, 3, SHOWN, SHOWN) and sheet.shape == (2, 3, SIZE, SIZE)
    assert generator.size == SHOWN and generator.sheet_size == SIZE
    assert (F.avg_pool2d(picture, SHOWN // SIZE) - sheet).abs().mean() < 0.05
    cover = things[:, 3:]
    behind = ground * (1 - SHADOW * shadow(cover))
    assert torch.allclose(picture, (things[:, :3] + (1 - cover) * behind) * 2 - 1, atol=1e-5)
    assert float((ground - behind).max()) > 0.05  # below a thing there is its shadow
    assert bool((behind <= ground).all())


def test_bands_of_two_things_stand_one_above_the_other(
    generator: PocketGenerator, classes: list[dict[str, object]]
) -> None:
    one, other = (weights(generator, number_of(classes, name)) for name in ("owl", "rabbit"))
    both = one.clone()
    both[:, 4:] = other[:, 4:]
    with torch.no_grad():
        mixed, first, second = (generator.drawings(in_styles(1), some) for some in (both, one, other))
    above, below = slice(0, SIZE // 2 - 32), slice(SIZE // 2 + 32, SIZE)

    def colour(drawing: Tensor, rows: slice) -> Tensor:
        return drawing[0, :3, rows].sum((1, 2)) / drawing[0, 3, rows].sum()

    for rows, own, another in ((above, first, second), (below, second, first)):
        near, far = ((colour(mixed, rows) - colour(some, rows)).abs().max() for some in (own, another))
        assert near < 0.03 < far  # it may be wider or narrower than alone, so that both join


def test_hundreds_of_faint_classes_leave_a_drawing_as_it_is(
    generator: PocketGenerator, classes: list[dict[str, object]]
) -> None:
    alone = weights(generator, number_of(classes, "cat"))
    with torch.no_grad():
        clear = generator.drawings(in_styles(1), alone)
        clouded = generator.drawings(in_styles(1), 0.9 * alone + FAINT * (1 - alone))
    assert (clear - clouded).abs().mean() < 0.003


def test_a_cat_made_of_tomato_is_red_and_has_a_cat_s_outline(
    generator: PocketGenerator, classes: list[dict[str, object]]
) -> None:
    labels = weights(generator, number_of(classes, "cat"))
    labels[:, latents.MATERIAL_ROW] = weights(generator, number_of(classes, "tomato"))[:, 0]
    with torch.no_grad():
        plain, made = (generator.drawings(z, labels) for z in (in_styles(1), LATENT_MAP.made(in_styles(1))))
    assert torch.allclose(plain[:, 3], made[:, 3], atol=1e-5)
    before, after = (some[0, :3].sum((1, 2)) / some[0, 3].sum() for some in (plain, made))
    assert after[0] - after[1] > before[0] - before[1] + 0.2


def test_gradients_reach_what_is_dreamt_and_how_it_stands(
    generator: PocketGenerator, classes: list[dict[str, object]]
) -> None:
    rng = torch.Generator().manual_seed(4)
    z = 0.3 * torch.randn(1, latents.ROWS, latents.Z_DIM, generator=rng)
    z[:, latents.FINISH_ROW, latents.FINISH.start] = 1.7  # between none and all of it
    z[:, latents.TINT_ROW, latents.TINT] = torch.tensor([1.9, 1.3, 0.2]) / latents.NATURAL
    z[:, latents.MATERIAL_ROW, latents.MADE] = (latents.MADE_FROM + latents.MADE_FULL) / 2
    labels = 0.6 * weights(generator, number_of(classes, "cat"))
    labels += 0.4 * weights(generator, number_of(classes, "pizza"))
    z.requires_grad_(), labels.requires_grad_()
    generator.sheet(z, labels).square().sum().backward()
    assert z.grad is not None and labels.grad is not None
    assert bool(z.grad.isfinite().all()) and bool(labels.grad.isfinite().all())
    for row, some in (
        (latents.STYLE_ROW, latents.STYLE), (latents.FINISH_ROW, latents.FINISH),
        (latents.POSTURE_ROW, latents.POSTURE), (latents.TINT_ROW, latents.TINT),
        (latents.GROUND_ROW, latents.GROUND),
        (latents.MATERIAL_ROW, slice(latents.MADE, latents.MADE + 1)),
    ):  # fmt: skip
        assert bool(z.grad[0, row, some].any()), row
    number = [number_of(classes, name) for name in ("cat", "pizza")]
    assert bool((labels.grad[0][:, number] != 0).all())
    assert all(parameter.grad is None for parameter in generator.parameters())


def spoil(folder: Path, change: str) -> None:
    """Spoil a good generator's folder in one way."""
    path, settings = folder / "model.safetensors", folder / "config.json"
    config = json.loads(settings.read_text())
    found = load_file(path)
    if change == "no weights":
        path.unlink()
        return
    if change == "truncated":
        path.write_bytes(path.read_bytes()[:-1000])
        return
    if change == "codes in floats":
        found["codes"] = found["codes"][:9].half()
    elif change == "codes of another size":
        found["codes"] = found["codes"][:, :8].contiguous()
    elif change == "no codes":
        del found["codes"]
    elif change == "a drawing's number out of range":
        found["number"][0, 0] = len(found["codes"])
    elif change == "a class without a drawing":
        found["number"][5] = -1
    elif change == "a decoder's tensor missing":
        del found["first.weight"]
    elif change == "a tensor too many":
        found["extra"] = torch.zeros(1)
    elif change == "another shape":
        found["first.weight"] = found["first.weight"][1:].contiguous()
    elif change == "not a number":
        found["last.bias"][0] = torch.nan
    elif change == "more classes in the configuration":
        config["num_classes"] += 1
    elif change == "styles that are a word":
        config["styles"] = "noto"
    elif change == "a style too many":
        config["styles"].append("crayon")
    elif change == "no styles":
        del config["styles"]
    elif change == "the configuration of another kind":
        config["model_type"] = "pocket-dragon"
    settings.write_text(json.dumps(config))
    save_file(found, path)


@pytest.mark.parametrize(
    "change",
    [
        "no weights",
        "truncated",
        "codes in floats",
        "codes of another size",
        "no codes",
        "a drawing's number out of range",
        "a class without a drawing",
        "a decoder's tensor missing",
        "a tensor too many",
        "another shape",
        "not a number",
        "more classes in the configuration",
        "styles that are a word",
        "a style too many",
        "no styles",
        "the configuration of another kind",
    ],
)
def test_spoilt_files_are_one_clear_sentence(change: str, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    spoil(tmp_path, change)
    with pytest.raises(ModelError) as caught:
        load(tmp_path, "spoilt", CPU)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
