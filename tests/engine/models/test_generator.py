import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_pretrained_biggan import BigGAN, BigGANConfig
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import ModelError
from engine.models import catalogue, generator, installed, registry
from engine.models.biggan_layout import layout
from engine.models.generator import BakedBigGAN, Unknown
from engine.models.registry import POCKET
from engine.pocket.generator import PocketGenerator
from engine.words import mixtures
from engine.words.colours import TINTS
from tests.engine import tiny

CPU = torch.device("cpu")
PUBLISHED_128 = {
    "output_dim": 128,
    "z_dim": 128,
    "class_embed_dim": 128,
    "channel_width": 128,
    "num_classes": 1000,
    "layers": [
        [False, 16, 16],
        [True, 16, 16],
        [False, 16, 16],
        [True, 16, 8],
        [False, 8, 8],
        [True, 8, 4],
        [False, 4, 4],
        [True, 4, 2],
        [False, 2, 2],
        [True, 2, 1],
    ],
    "attention_layer_position": 8,
    "eps": 1e-4,
    "n_stats": 51,
}


def condition(z_dim: int, classes: int, seed: int = 3) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(2, z_dim, generator=rng), torch.rand(2, classes, generator=rng)


def rows(x: Tensor, count: int) -> Tensor:
    return x[:, None].expand(-1, count, -1)


def baked_of(model: BigGAN, name: str) -> BakedBigGAN:
    """The baked form of the package's own module."""
    return BakedBigGAN(vars(model.config), model.state_dict(), name)


@pytest.mark.parametrize(
    "config",
    [
        tiny.BIGGAN,
        PUBLISHED_128,
        *(installed.biggan_config(model) for model in catalogue.BIGGANS[1:]),
    ],
    ids=["tiny", "published 128", "256", "512"],
)
def test_the_layout_is_the_package_s_own(config: dict[str, Any]) -> None:
    with torch.device("meta"):
        model = BigGAN(BigGANConfig.from_dict(config))
    assert layout(config) == {key: tuple(value.shape) for key, value in model.state_dict().items()}


@pytest.mark.parametrize("config", [tiny.BIGGAN, PUBLISHED_128], ids=["tiny", "published 128"])
def test_the_baked_form_makes_the_package_s_own_pictures(config: dict[str, object]) -> None:
    model = tiny.biggan(config)
    z, label = condition(config["z_dim"], config["num_classes"])
    with torch.no_grad():
        expected = model(z, label, 1.0)
        baked = baked_of(model, "baked")
        picture = baked(rows(z, baked.rows), rows(label, baked.rows))
    assert baked.size == config["output_dim"]
    assert expected.std() > 0.05  # a picture, not a grey square that anything equals
    assert (picture - expected).abs().max() < 1e-4


def test_other_kinds_are_loaded_by_the_type_in_their_configuration_and_unknown_ones_are_biggans(
    tmp_path: Path,
) -> None:
    assert isinstance(generator.load(POCKET / "generator", "pocket", CPU), PocketGenerator)
    assert registry.generator_loader("pocket-clip") is None
    for kind in (None, "biggan", "pocket-clip", 7, ["pocket-generator"]):
        tiny.write_biggan(tmp_path)
        (tmp_path / "config.json").write_text(json.dumps({**tiny.BIGGAN, "model_type": kind}))
        found = generator.load(tmp_path, "large", CPU)
        assert isinstance(found, BakedBigGAN) and found.name == "large"


def test_a_generator_that_cuts_nothing_out_gives_whole_squares_on_what_is_at_their_sides(
    tiny_generator: BakedBigGAN,
) -> None:
    z, label = condition(tiny_generator.z_dim, tiny_generator.classes)
    given = rows(z, tiny_generator.rows), rows(label, tiny_generator.rows)
    things, ground = tiny_generator.cut_out(*given, 48)
    assert things.shape == (2, 4, 32, 32) and ground.shape == (2, 3, 48, 48)
    assert torch.equal(things[:, 3], torch.ones(2, 32, 32))
    assert torch.allclose(things[:, :3] * 2 - 1, tiny_generator(*given), atol=1e-6)
    assert torch.equal(ground, ground[..., :1].expand(-1, -1, -1, 48))  # the same all along a row
    sides = things[:, :3, :, [0, 1, -2, -1]].mean(3)  # [2, 3, 32]
    assert torch.allclose(ground[..., 0].mean(2), sides.mean(2), atol=0.01)
    _, same = tiny_generator.cut_out(*given, 32)
    assert torch.allclose(same[..., 0], sides, atol=1e-5)


def test_latents_that_mean_nothing_are_left_alone() -> None:
    known, z = Unknown(7), torch.randn(3, 7, 4)
    rng = torch.Generator().manual_seed(1)
    before = rng.get_state()
    assert known.standing(z) is known.made(z) is known.plain(z) is z
    assert known.on(z, known.backgrounds(None, "night", rng)) is z
    assert known.tinted(z, TINTS["red"], torch.ones(3, 1, dtype=torch.bool), rng) is z
    assert not len(known.backgrounds(None, "night", rng))
    assert (known.manner, known.background) == ((), None)
    assert torch.equal(rng.get_state(), before)


@pytest.mark.parametrize("kind", mixtures.KINDS)
def test_two_things_are_mixed_by_giving_rows_of_unknown_meaning_to_either_or_both(kind: str) -> None:
    ways = [(list(one), list(other)) for one, other in Unknown(7).mixed(kind)]
    assert len({str(way) for way in ways}) == len(ways)
    for one, other in ways:
        assert one and other and sorted({*one, *other}) == list(range(7))  # no row is left without a class
    assert any(set(one) == set(other) for one, other in ways)
    assert all((other, one) in ways for one, other in ways)


def test_a_gradient_reaches_every_latent_row(tiny_generator: BakedBigGAN) -> None:
    z, label = condition(tiny_generator.z_dim, tiny_generator.classes)
    z = rows(z, tiny_generator.rows).clone().requires_grad_()
    label = rows(label, tiny_generator.rows).clone().requires_grad_()
    tiny_generator(z, label).square().sum().backward()
    assert z.grad is not None and label.grad is not None
    assert bool((z.grad.abs().amax(dim=2) > 0).all())
    assert bool((label.grad.abs().amax(dim=2) > 0).all())
    assert all(parameter.grad is None for parameter in tiny_generator.parameters())


def test_each_row_conditions_its_own_layer(tiny_generator: BakedBigGAN) -> None:
    z, label = condition(tiny_generator.z_dim, tiny_generator.classes)
    same = tiny_generator(rows(z, tiny_generator.rows), rows(label, tiny_generator.rows))
    for row in range(tiny_generator.rows):
        moved = rows(z, tiny_generator.rows).clone()
        moved[:, row] += 1
        assert not torch.equal(tiny_generator(moved, rows(label, tiny_generator.rows)), same), row


def test_safetensors_and_half_precision_load_too(tmp_path: Path, tiny_generator: BakedBigGAN) -> None:
    model = tiny.write_biggan(tmp_path)
    (tmp_path / "pytorch_model.bin").unlink()
    save_file(
        {key: value.half().contiguous() for key, value in model.state_dict().items()},
        tmp_path / "model.safetensors",
    )
    z, label = condition(tiny_generator.z_dim, tiny_generator.classes)
    picture = generator.load(tmp_path, "half", CPU)(rows(z, 6), rows(label, 6))
    assert (picture - tiny_generator(rows(z, 6), rows(label, 6))).abs().max() < 0.05


def rewrite(folder: Path, change: str) -> None:
    """Spoil a good generator's folder in one way."""
    weights = folder / "pytorch_model.bin"
    config = json.loads((folder / "config.json").read_text())
    if change == "no weights":
        weights.unlink()
    elif change == "no config":
        (folder / "config.json").unlink()
    elif change == "truncated":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif change == "empty":
        weights.write_bytes(b"")
    elif change == "not a model":
        weights.write_bytes(b"<html>404 Not Found</html>" * 100)
    elif change == "config not json":
        (folder / "config.json").write_text("{")
    elif change == "config of another size":
        config["channel_width"] = 16
        (folder / "config.json").write_text(json.dumps(config))
    elif change == "config without layers":
        del config["layers"]
        (folder / "config.json").write_text(json.dumps(config))
    elif change == "hostile config":
        config["layers"] = "x" * 1000
        (folder / "config.json").write_text(json.dumps(config))
    else:
        tensors = torch.load(weights, weights_only=True)
        name = "generator.layers.0.conv_0.weight_orig"
        if change == "a tensor missing":
            del tensors[name]
        elif change == "a tensor too many":
            tensors["extra"] = torch.zeros(1)
        elif change == "another shape":
            tensors[name] = tensors[name][1:]
        elif change == "not a number":
            tensors[name].view(-1)[0] = float("nan")
        torch.save(tensors, weights)


@pytest.mark.parametrize(
    "change",
    [
        "no weights",
        "no config",
        "truncated",
        "empty",
        "not a model",
        "config not json",
        "config of another size",
        "config without layers",
        "hostile config",
        "a tensor missing",
        "a tensor too many",
        "another shape",
        "not a number",
    ],
)
def test_a_spoilt_model_is_one_clear_sentence(tiny_models: Path, tmp_path: Path, change: str) -> None:
    shutil.copytree(tiny_models / "models" / "biggan-deep-128", tmp_path, dirs_exist_ok=True)
    rewrite(tmp_path, change)
    with pytest.raises(ModelError) as caught:
        generator.load(tmp_path, "spoilt", CPU)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_code_inside_a_model_file_does_not_run(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "ran"),)  # type: ignore[return-value]

    (tmp_path / "config.json").write_text(json.dumps(tiny.BIGGAN))
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"embeddings.weight": Attack()}, protocol=2))
    with pytest.raises(ModelError):
        generator.load(tmp_path, "hostile", CPU)
    assert not (tmp_path / "ran").exists()
