"""The pocket generator's training: it learns, it is resumed exactly, and its top begins as a picture."""

import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch.nn.functional import avg_pool2d

from engine.pocket import latents_map
from engine.pocket.latents_map import CLASS_TAIL, STYLES, USED
from engine.training import generator_net, train_generator
from engine.training.critic import HEAD_START
from engine.training.generator_data import Drawings, shrink
from engine.training.train_generator import (
    Training,
    border_loss,
    class_vectors,
    coarse_target,
    detail_loss,
    draw,
    full_target,
    grid_loss,
)


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """bfloat16, which halves memory, takes twice the time where the processor has none."""
    monkeypatch.setattr(torch, "autocast", lambda *arguments, **options: nullcontext())


@pytest.fixture(scope="module")
def drawings() -> Drawings:
    """Three classes: a red, a green and a blue square of a different size, the same in each style."""
    pictures = torch.zeros(3, 128, 128, 4, dtype=torch.uint8)
    for number, (margin, colour) in enumerate(((16, 0), (32, 1), (44, 2))):
        pictures[number, margin : 128 - margin, margin : 128 - margin, colour] = 230
        pictures[number, margin : 128 - margin, margin : 128 - margin, 3] = 255
    index = torch.arange(3)[:, None].expand(3, len(STYLES)).contiguous()
    classes = [{"id": name, "name_en": name} for name in ("red", "green", "blue")]
    return Drawings(pictures, shrink(pictures), index, torch.ones(3), classes)


def take_few(patch: pytest.MonkeyPatch) -> None:
    """The same stages with fewer samples a step, for what does not depend on how well it learns."""
    patch.setattr(train_generator, "STAGES", ((0.0, 12, 0), (0.55, 10, 8), (0.92, 6, 6)))
    patch.setattr(train_generator, "SHARPEN_BATCH", 6)
    patch.setattr(train_generator, "MEASURED", 24)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    take_few(monkeypatch)


@pytest.fixture(scope="module")
def begun(drawings: Drawings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a training whose top has just begun."""
    training = Training(drawings, width=16, seed=1, rate=2e-3)
    with pytest.MonkeyPatch.context() as patch:
        take_few(patch)
        for share in (0.0, 0.0, 0.6):
            training.paint(share)
    path = tmp_path_factory.mktemp("begun") / "checkpoint.pt"
    training.write(path)
    return path


def test_training_lowers_the_loss_of_both_parts_and_resumes_to_the_same_numbers(
    drawings: Drawings, tmp_path: Path
) -> None:
    training = Training(drawings, width=16, seed=1, rate=2e-3)
    coarse = [training.paint(0.0)["coarse"] for _ in range(15)]
    assert sum(coarse[-3:]) < 0.7 * sum(coarse[:3])
    fine = [training.paint(0.6)["fine"] for _ in range(6)]
    assert sum(fine[-3:]) < sum(fine[:3])
    training.write(tmp_path / "checkpoint.pt")
    other = Training(drawings, width=16, seed=2, rate=2e-3)
    other.read(tmp_path / "checkpoint.pt")
    assert other.paint(0.6) == training.paint(0.6)


@pytest.mark.usefixtures("small_batches")
def test_a_training_begins_with_another_s_checkpoint_and_its_own_clock(
    drawings: Drawings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Training(drawings, width=16, seed=1, rate=2e-3)
    first.paint(0.0)
    first.seconds = 600.0
    first.write(tmp_path / "first.pt")
    monkeypatch.setattr(train_generator, "read_drawings", lambda *_: drawings)
    out = tmp_path / "out"
    places = ["--out", str(out), "--export", str(tmp_path / "export"), "--start", str(tmp_path / "first.pt")]
    assert train_generator.main([*places, "--minutes", "0.005", "--width", "16"]) == 0
    kept = torch.load(out / "checkpoint.pt", weights_only=True)
    assert 0 < kept["seconds"] < 60 and kept["step"] > first.step <= kept["warming_since"]


@pytest.mark.usefixtures("small_batches")
def test_the_critic_s_minutes_begin_with_the_moving_average(
    drawings: Drawings, begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = torch.load(begun, weights_only=True)
    shutil.copy(begun, tmp_path / "checkpoint.pt")
    monkeypatch.setattr(train_generator, "read_drawings", lambda *_: drawings)
    monkeypatch.setattr(train_generator, "SHARPEN_RATE", 0.0)
    places = ["--out", str(tmp_path), "--export", str(tmp_path / "export"), "--width", "16"]
    assert train_generator.main([*places, "--minutes", "0.01", "--sharpen", "0.01"]) == 0
    after = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert after["step"] > first["step"]
    for name, value in first["average"].items():
        torch.testing.assert_close(after["model"][name], value)


def test_ink_changes_the_picture_that_is_wanted_and_not_the_trunk_s(drawings: Drawings) -> None:
    _, numbers, z = draw(drawings, 8, 10, torch.Generator().manual_seed(3))
    inked = z.clone()
    z[:, latents_map.BACKGROUND_ROW, latents_map.INKING] = 0
    inked[:, latents_map.BACKGROUND_ROW, latents_map.INKING] = 2
    plain, lined = (full_target(drawings.pictures[numbers], some) for some in (z, inked))
    assert (plain - lined).abs().amax((1, 2, 3)).min() > 0.3
    assert plain.min() >= -1 and lined.min() >= -1 and lined.max() <= 1
    coarse = [coarse_target(drawings.coarse[numbers], some) for some in (z, inked)]
    assert torch.equal(*coarse)


@pytest.mark.usefixtures("small_batches")
def test_sharpening_moves_all_but_statistics_and_is_resumed_to_the_same_numbers(
    drawings: Drawings, begun: Path, tmp_path: Path
) -> None:
    training = Training(drawings, width=16, seed=1, rate=2e-3)
    training.read(begun)
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    training.critic.seen.fill_(HEAD_START)
    assert set(training.sharpen(0.0)) == {"fine", "grid", "critic", "unlike", "coarse"}
    moved = {
        name for name, value in training.model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert {"net.embeddings.weight", "tail", "net.generator.gen_z.weight", "head.weight"} <= moved
    assert all(any(name.startswith(f"net.generator.layers.{i}.") for name in moved) for i in (0, 9))
    assert not any("running" in name for name in moved)
    training.write(tmp_path / "checkpoint.pt")
    other = Training(drawings, width=16, seed=2, rate=2e-3)
    other.read(tmp_path / "checkpoint.pt")
    assert other.sharpen(0.5) == training.sharpen(0.5)


@pytest.mark.usefixtures("small_batches")
def test_a_checkpoint_of_other_classes_is_refused(drawings: Drawings, tmp_path: Path) -> None:
    Training(drawings, width=16, seed=1, rate=1e-3).write(tmp_path / "checkpoint.pt")
    fewer = Drawings(
        drawings.pictures, drawings.coarse, drawings.index[:2], drawings.weights[:2], drawings.classes[:2]
    )
    with pytest.raises(ValueError, match="other classes"):
        Training(fewer, width=16, seed=1, rate=1e-3).read(tmp_path / "checkpoint.pt")


def test_a_step_draws_the_picture_that_its_latents_mean(drawings: Drawings) -> None:
    classes, numbers, z = draw(drawings, 64, 10, torch.Generator().manual_seed(3))
    assert torch.equal(drawings.index[classes, latents_map.style_index(z[:, 0])], numbers)
    assert z.shape == (64, 10, USED)


@pytest.mark.usefixtures("small_batches")
def test_latents_without_a_meaning_keep_no_weight(drawings: Drawings) -> None:
    training = Training(drawings, width=16, seed=1, rate=2e-3)
    for _ in range(3):
        training.paint(0.0)
    generator = training.model.net.generator
    block = training.model.blocks[0]
    for layer in (generator.gen_z, block.bn_0.scale, block.bn_2.offset):
        assert not layer.weight[:, USED:CLASS_TAIL].any()
        assert layer.weight[:, :USED].any() and layer.weight[:, CLASS_TAIL:].any()


def test_the_top_begins_as_the_head_s_picture_on_white(drawings: Drawings) -> None:
    training = Training(drawings, width=16, seed=1, rate=2e-3)
    for _ in range(40):  # until the trunk shows most of what it can
        training.paint(0.0)
    model = training.model
    rng = torch.Generator().manual_seed(4)
    classes, _, z = draw(drawings, 48, 10, rng)
    e = class_vectors(model.table(), classes, 10, rng).detach()
    z[:, latents_map.BACKGROUND_ROW, 5:] = 0
    with torch.no_grad():
        features = model.trunk(z, e)
        coarse = model.coarse(features)
        wanted = (coarse[:, :3] + 1 - coarse[:, 3:]).clamp(0, 1)
        model.top(features, z, e, measure=1.0)
        at_random = (avg_pool2d(model.top(features, z, e) / 2 + 0.5, 4) - wanted).abs().mean()
        assert 0.2 < model.start_top(z, e) <= 1
        begun = (avg_pool2d(model.top(features, z, e) / 2 + 0.5, 4) - wanted).abs().mean()
    assert begun < 0.6 * at_random


def test_the_fitted_background_is_nearer_than_any_single_colour() -> None:
    gain, once, twice = generator_net.fit_background()
    z = torch.randn(2000, USED, generator=torch.Generator().manual_seed(9))
    promised = latents_map.background(z, 3)[:, :, 1, 0]
    fitted = gain * (1 + z @ once.t()).relu() * (1 + z @ twice.t()).relu()
    single = promised.median(0).values
    assert (fitted - promised).abs().mean() < 0.8 * (single - promised).abs().mean()


def test_squares_in_a_flat_ground_cost_and_a_slope_or_an_edge_that_is_wanted_does_not() -> None:
    flat = torch.zeros(1, 3, 32, 32)
    slope = torch.linspace(0, 0.4, 32).expand(1, 3, 32, 32)
    stairs = slope[..., 2::4].repeat_interleave(4, dim=3)
    edge = (torch.arange(32) >= 16).float().expand(1, 3, 32, 32)
    assert grid_loss(flat, flat) == 0 and grid_loss(edge, edge) == 0
    assert grid_loss(stairs, flat) > 3 * grid_loss(slope, flat) > 0
    assert grid_loss(edge, flat) > grid_loss(flat, edge) == 0


def test_a_missing_eye_costs_more_than_as_much_error_in_the_ground() -> None:
    wanted = torch.ones(1, 3, 32, 32)
    wanted[..., 12:15, 12:15] = -1
    elsewhere = wanted.clone()
    elsewhere[..., 24:27, 24:27] = -1
    assert detail_loss(torch.ones_like(wanted), wanted) > 2 * detail_loss(elsewhere, wanted) > 0


def test_what_is_badly_drawn_is_shown_more_often(drawings: Drawings) -> None:
    training = Training(drawings, width=16, seed=1, rate=1e-3)
    for _ in range(20):
        training._judge(torch.tensor([0, 1, 2]), torch.tensor([0.1, 0.2, 0.6]))
    assert training.hardness[0] < training.hardness[1] < 1 < training.hardness[2]


def test_an_error_that_is_smooth_costs_nothing_at_the_borders_and_one_in_squares_does() -> None:
    wanted = torch.zeros(1, 4, 32, 32)
    even = wanted + 0.3
    squares = torch.rand(1, 4, 16, 16, generator=torch.Generator().manual_seed(2))
    squares = squares.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert border_loss(even, wanted) == 0
    assert border_loss(squares, wanted) > 0.1
