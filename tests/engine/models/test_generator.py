import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pytorch_pretrained_biggan import BigGAN, BigGANConfig
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import ModelError
from engine.models import catalogue, generator, installed
from engine.models.biggan_layout import layout
from engine.models.files import read_config
from engine.models.generator import BakedBigGAN
from engine.models.registry import POCKET
from engine.pocket import latents_map
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


def baked_of(model: BigGAN, name: str, **options: Any) -> BakedBigGAN:
    """The baked form of the package's own module."""
    return BakedBigGAN(vars(model.config), model.state_dict(), name, **options)


@pytest.mark.parametrize(
    "config",
    [
        tiny.BIGGAN,
        PUBLISHED_128,
        *(installed.biggan_config(model) for model in catalogue.BIGGANS[1:]),
        read_config(POCKET / "generator", tuple(tiny.BIGGAN)),
    ],
    ids=["tiny", "published 128", "256", "512", "embedded"],
)
def test_the_layout_is_the_package_s_own(config: dict[str, Any]) -> None:
    with torch.device("meta"):
        model = BigGAN(BigGANConfig.from_dict(config))
    assert layout(config) == {key: tuple(value.shape) for key, value in model.state_dict().items()}


@pytest.mark.parametrize("config", [tiny.BIGGAN, PUBLISHED_128], ids=["tiny", "published 128"])
def test_the_baked_form_makes_the_package_s_own_pictures(config: dict[str, object]) -> None:
    model = tiny.random_biggan(config)
    z, label = condition(config["z_dim"], config["num_classes"])
    with torch.no_grad():
        expected = model(z, label, 1.0)
        baked = baked_of(model, "baked")
        picture = baked(rows(z, baked.rows), rows(label, baked.rows))
    assert baked.size == config["output_dim"]
    assert expected.std() > 0.05  # a picture, not a grey square that anything equals
    assert (picture - expected).abs().max() < 1e-4


def test_centred_classes_make_the_same_picture_and_small_weights_of_all_the_others_leave_it() -> None:
    model = tiny.random_biggan(tiny.BIGGAN)
    with torch.no_grad():
        model.embeddings.weight += 0.5  # a mean as large as what sets the classes apart
    baked, plain = baked_of(model, "baked", centred=True), baked_of(model, "plain")
    z = rows(torch.randn(1, baked.z_dim, generator=torch.Generator().manual_seed(3)), baked.rows)
    label = torch.zeros(1, baked.rows, baked.classes)
    label[..., 1] = 1
    with torch.no_grad():
        assert (baked(z, label) - plain(z, label)).abs().max() < 1e-4
        moved = [(one(z, label + 0.05) - one(z, label)).abs().mean() for one in (baked, plain)]
    assert moved[0] < 0.5 * moved[1]


def test_the_last_enlargements_are_bilinear_where_that_is_asked_for() -> None:
    model = tiny.random_biggan(tiny.BIGGAN)
    ups = [bool(up) for up, _, _ in model.config.layers]
    some = {count: baked_of(model, "some", bilinear=count) for count in (0, 1, sum(ups))}
    for count, baked in some.items():
        blocks = [layer for layer in baked.layers if hasattr(layer, "up_sample")]
        asked = [block.bilinear for block in blocks if block.up_sample]
        assert asked == [False] * (len(asked) - count) + [True] * count
    z, label = condition(some[0].z_dim, some[0].classes)
    pictures = [baked(rows(z, baked.rows), rows(label, baked.rows)) for baked in some.values()]
    assert all(picture.shape == pictures[0].shape for picture in pictures)
    assert not torch.equal(pictures[0], pictures[1]) and not torch.equal(pictures[1], pictures[2])


def test_the_rest_of_a_class_vector_stands_among_the_latents_and_mixes_as_the_rest_does(
    tmp_path: Path,
) -> None:
    model = tiny.write_biggan(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    size, classes = config["z_dim"], config["num_classes"]
    tail = torch.randn(2, classes, generator=torch.Generator().manual_seed(5))
    config[generator.TAIL] = size - 2
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file({generator.TAIL: tail.half()}, tmp_path / generator.TAIL_FILE)
    baked = generator.load(tmp_path, "tailed", CPU)
    z, label = condition(size, classes)
    with torch.no_grad():
        picture = baked(rows(z, baked.rows), rows(label, baked.rows))
        z[:, -2:] = label @ tail.half().float().T  # what stood there before makes no difference
        expected = model(z, label, 1.0)
    assert (picture - expected).abs().max() < 1e-4


@pytest.mark.parametrize("content", [None, b"", torch.zeros(3, 2), torch.full((2, 12), torch.inf)])
def test_a_missing_or_wrong_rest_of_the_class_vectors_is_told(
    tmp_path: Path, content: Tensor | bytes | None
) -> None:
    tiny.write_biggan(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config[generator.TAIL] = config["z_dim"] - 2
    (tmp_path / "config.json").write_text(json.dumps(config))
    path = tmp_path / generator.TAIL_FILE
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        save_file({generator.TAIL: content}, path)
    with pytest.raises(ModelError, match=generator.TAIL_FILE):
        generator.load(tmp_path, "tailed", CPU)


def test_enlarging_is_torch_s_own() -> None:
    x = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(
        generator.enlarged(x, True), F.interpolate(x, scale_factor=2, mode="bilinear"), atol=1e-6
    )
    assert torch.equal(generator.enlarged(x, False), F.interpolate(x, scale_factor=2, mode="nearest"))


def test_a_ground_is_painted_below_the_horizon_alone_and_takes_a_gradient() -> None:
    early = {
        "channel_width": 16,
        "num_classes": 8,
        "attention_layer_position": 4,
    }  # attention mixes all places
    model = tiny.random_biggan({**PUBLISHED_128, **early})
    baked, plain = baked_of(model, "baked", grounds=True), baked_of(model, "plain")
    z, label = condition(baked.z_dim, baked.classes)
    z, label = rows(z, baked.rows).clone(), rows(label, baked.rows)
    late = latents_map.BACKGROUND_ROW
    z[:, late, latents_map.GROUND] = 0
    with torch.no_grad():
        sky = plain(z, label)
        assert torch.equal(baked(z, label), sky)  # no ground is asked for
        z[:, late, latents_map.GROUND] = 2
        assert not torch.equal(baked(z, label), plain(z, label))
        below, _ = latents_map.ground(z[:, late])
        whole = z.clone()
        whole[:, late] = below
        below_all = plain(whole, label)
    z.requires_grad_()
    picture = baked(z, label)
    reach = 32  # pixels around the horizon that the kernels and the last block mix
    horizon = round(latents_map.HORIZON * 128)
    above = (picture - plain(z, label).detach())[:, :, : horizon - reach].abs().max()
    assert above < 1e-4
    assert (picture.detach()[:, :, -4:] - below_all[:, :, -4:]).abs().max() < 1e-4
    picture[:, :, -4:].sum().backward()
    assert z.grad is not None
    assert bool((z.grad[:, late, list(latents_map.GROUND_HUE)].abs() > 0).all())
    assert bool((z.grad[:, late, list(latents_map.BACKGROUND_HUE)] == 0).all())


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
    elif change in ("grounds without a row for them", "grounds that are a word"):
        config[generator.GROUNDED] = True if change.endswith("them") else "yes"
        (folder / "config.json").write_text(json.dumps(config))
    elif change in ("a class tail that begins nowhere", "a class tail that is a word"):
        config[generator.TAIL] = 10**6 if change.endswith("nowhere") else "yes"
        (folder / "config.json").write_text(json.dumps(config))
    elif change in ("more bilinear enlargements than layers", "bilinear that is a truth value"):
        config[generator.BILINEAR] = 1000 if change.startswith("more") else True
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
        "grounds without a row for them",
        "grounds that are a word",
        "more bilinear enlargements than layers",
        "bilinear that is a truth value",
        "a class tail that begins nowhere",
        "a class tail that is a word",
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
