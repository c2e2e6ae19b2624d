"""The pocket generator as it ships: the files load into the package's own BigGAN, and the pictures show
what the class list says."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from pytorch_pretrained_biggan import BigGAN
from safetensors.torch import load_file
from torch import Tensor

from engine.models import registry
from engine.models.generator import (
    TAIL,
    TAIL_FILE,
    BakedBigGAN,
    load,
)
from engine.pocket import latents_map
from engine.pocket.latents_map import BACKGROUND_ROW, TINT_ROW
from engine.training import generator_net

FOLDER = registry.POCKET / "generator"
LARGEST = 13 * 1024 * 1024  # bytes of model.safetensors


CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def package() -> BigGAN:
    return generator_net.load(FOLDER)


@pytest.fixture(scope="module")
def generator() -> BakedBigGAN:
    return load(FOLDER, "pocket", CPU)


@pytest.fixture(scope="module")
def classes() -> list[dict[str, object]]:
    entries: list[dict[str, object]] = json.loads((FOLDER / "classes.json").read_text(encoding="utf-8"))
    return entries


def paint(generator: BakedBigGAN, number: int, z: Tensor) -> Tensor:
    """Pictures [B, 3, 128, 128] in 0..1 of one class at latents `z` [B, USED]."""
    z = F.pad(z, (0, generator.z_dim - z.shape[1]))
    labels = torch.zeros(len(z), generator.rows, generator.classes)
    labels[..., number] = 1
    with torch.no_grad():
        return generator(z[:, None].expand(-1, generator.rows, -1), labels) / 2 + 0.5


def plain_rows() -> Tensor:
    """One row [styles, USED] a style: natural colours on white."""
    count = len(latents_map.STYLES)
    return latents_map.with_style(
        torch.ones(count, latents_map.USED) * 0.8, torch.arange(count)
    ) * torch.tensor([1.0] * 3 + [0.0] * (latents_map.USED - 3))


def number_of(classes: list[dict[str, object]], name: str) -> int:
    return [entry["id"] for entry in classes].index(name)


def middle(pictures: Tensor) -> Tensor:
    """Mean colour [B, 3] of the middle half."""
    return pictures[:, :, 32:96, 32:96].mean((2, 3))


def test_the_files_fill_the_package_s_own_network(package: BigGAN) -> None:
    assert package.config.output_dim == 128
    assert (FOLDER / "model.safetensors").stat().st_size <= LARGEST
    assert all(torch.isfinite(value).all() for value in package.state_dict().values())


def test_the_package_draws_a_class_too_where_the_tail_stands_among_the_latents(
    package: BigGAN, generator: BakedBigGAN, classes: list[dict[str, object]]
) -> None:
    number = number_of(classes, "castle")
    z = F.pad(plain_rows()[:1], (0, generator.z_dim - latents_map.USED))
    if generator.tail:
        z[0, -generator.tail :] = load_file(FOLDER / TAIL_FILE)[TAIL][:, number]
    labels = torch.eye(generator.classes)[number : number + 1]
    with torch.no_grad():
        theirs = package(z, labels, 1.0) / 2 + 0.5  # as theirs repeats pixels, only nearly the same
    mine = paint(generator, number, plain_rows()[:1])
    assert (mine - theirs).abs().mean() < 0.05
    assert (mine.mean((2, 3)) - theirs.mean((2, 3))).abs().max() < 0.02


def test_spectral_norm_divides_by_one(package: BigGAN) -> None:
    for name, module in package.named_modules():
        if hasattr(module, "weight_orig"):
            matrix = module.weight_orig.reshape(module.weight_orig.shape[0], -1)
            sigma = torch.dot(module.weight_u, matrix @ module.weight_v)
            assert abs(float(sigma) - 1) < 1e-3, name


def test_each_class_stands_once_in_the_list_and_has_both_names(
    generator: BakedBigGAN, classes: list[dict[str, object]]
) -> None:
    assert len(classes) == generator.classes >= 800
    assert len({entry["id"] for entry in classes}) == len(classes)
    assert all(entry["name_en"] for entry in classes)
    assert sum(bool(entry["name_it"]) for entry in classes) > 0.9 * len(classes)
    assert json.loads((FOLDER / "styles.json").read_text(encoding="utf-8")) == [
        *latents_map.STYLES,
        latents_map.INKED,
    ]


def test_cherries_are_red_and_trees_are_green_in_every_style(
    generator: BakedBigGAN, classes: list[dict[str, object]]
) -> None:
    heart = middle(paint(generator, number_of(classes, "red-heart"), plain_rows()))
    assert (heart[:, 0] > heart[:, 1:].amax(1) + 0.2).all()
    cherries = paint(generator, number_of(classes, "cherries"), plain_rows())[:, :, 76:112, 24:104].mean(
        (2, 3)
    )
    assert (cherries[:, 0] > cherries[:, 1:].amax(1) + 0.15).all()
    tree = middle(paint(generator, number_of(classes, "deciduous-tree"), plain_rows()))
    assert (tree[:, 1] > tree[:, 0] + 0.05).all() and (tree[:, 1] > tree[:, 2] + 0.1).all()


def test_the_border_is_white_where_the_latents_say_so(
    generator: BakedBigGAN, classes: list[dict[str, object]]
) -> None:
    picture = paint(generator, number_of(classes, "crescent-moon"), plain_rows())
    assert picture[:, :, :8, :8].mean() > 0.9


def test_the_background_row_paints_the_background_that_the_map_promises(
    generator: BakedBigGAN, classes: list[dict[str, object]]
) -> None:
    z = plain_rows()[:1].repeat(4, 1)
    z[1, 5] = 2.2  # red
    z[2, 5:7] = torch.tensor([-1.1, 1.9])  # green
    z[3, latents_map.BACKGROUND_DEPTH] = 2.2  # dark
    corner = paint(generator, number_of(classes, "crescent-moon"), z)[:, :, 4:28, 4:28].mean((2, 3))
    promised = latents_map.background(z, 128)[:, :, 4:28].mean((2, 3))
    assert (corner - promised).abs().max() < 0.2
    assert corner[3].mean() < 0.5 < corner[0].mean()


def test_below_the_horizon_another_ground_is_painted_and_the_thing_stays(
    generator: BakedBigGAN,
    classes: list[dict[str, object]],
) -> None:
    z = F.pad(plain_rows()[:1], (0, generator.z_dim - latents_map.USED)).repeat(2, 1)
    z[1, latents_map.GROUND] = 1.5
    z[1, list(latents_map.GROUND_HUE)] = torch.tensor([-0.75, 1.3])  # green
    without, grounded = paint(generator, number_of(classes, "cat"), z)
    above = int(latents_map.HORIZON * 128) - 6
    assert (without - grounded)[:, :above].abs().max() < 0.05
    corner = grounded[:, -12:, -8:].mean((1, 2))
    assert corner[1] > corner[0] + 0.2 and corner[1] > corner[2] + 0.2
    assert without[:, -12:, -8:].mean() > 0.9


def test_the_tint_turns_a_red_heart_blue(generator: BakedBigGAN, classes: list[dict[str, object]]) -> None:
    z = plain_rows()[:1].repeat(2, 1)
    z[1, 3:5] = torch.tensor([-1.5, -2.6])  # 240 degrees, radius 3, where the network has it in full
    red, blue = middle(paint(generator, number_of(classes, "red-heart"), z))
    assert red[0] > red[2] + 0.2
    assert blue[2] > blue[0] + 0.1


def test_ink_draws_a_dark_outline_in_every_style(
    generator: BakedBigGAN, classes: list[dict[str, object]]
) -> None:
    rows = plain_rows()[[0, 3, 4]]  # the styles in which the ink's coordinate says nothing else
    rows[:, latents_map.INKING] = 0
    inked = rows.clone()
    inked[:, latents_map.INKING] = 1.5
    darker = []
    for name in (
        "cat",
        "elephant",
        "house",
        "banana",
        "frog",
        "key",
        "guitar",
        "sunflower",
        "cherries",
        "train",
    ):
        plain, lined = (paint(generator, number_of(classes, name), some) for some in (rows, inked))
        darkest = [some.mean(1).flatten(1).quantile(0.05, dim=1) for some in (plain, lined)]
        darker.append(darkest[0] - darkest[1])
    each = torch.stack(darker)  # [things, styles]
    assert (each > 0).all() and (each.mean(0) > 0.035).all(), each


def test_what_was_trained_is_what_the_engine_loads_up_to_half_precision(tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(5)
    config = generator_net.configuration(7, width=8)
    trained = generator_net.TrainedGenerator(config, rng)
    z, labels = torch.randn(3, 10, 128, generator=rng), torch.eye(7)[:3, None].expand(-1, 10, -1)
    with torch.no_grad():
        trained.tail.normal_(generator=rng)
        e = labels @ trained.table().t()
        trained.top(trained.trunk(z, e, measure=1.0), z, e, measure=1.0)
        block = trained.blocks[2]
        block.conv_1.weight *= 5000  # a variance that half precision does not hold
        trained.trunk(z, e, measure=1.0)
        assert block.bn_2.running_vars.max() > 1e6
        generator_net.export(trained.net.state_dict(), trained.tail, config, tmp_path)
        mine = trained.top(trained.trunk(z, e), z, e)
        theirs = load(tmp_path, "copy", CPU)(z, labels)
    assert mine.std() > 0.1
    assert (mine - theirs).abs().mean() < 5e-3


def test_rows_that_mean_something_lie_inside_the_layers() -> None:
    assert 0 < TINT_ROW < BACKGROUND_ROW <= len(generator_net.LAYERS)
