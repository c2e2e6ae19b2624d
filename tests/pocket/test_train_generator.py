"""The pocket generator's training: it learns, it is resumed exactly, and its top begins as a picture."""

from pathlib import Path

import pytest
import torch
from torch.nn.functional import avg_pool2d

from engine.pocket import generator_net, latents_map
from engine.pocket.generator_data import Drawings, shrink
from engine.pocket.latents_map import STYLES, USED
from engine.pocket.train_generator import Training, class_vectors, draw


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


def test_training_lowers_the_loss_of_both_parts_and_resumes_to_the_same_numbers(
    drawings: Drawings, tmp_path: Path
) -> None:
    training = Training(drawings, width=16, seed=1, rate=2e-3)
    coarse = [training.step(0.0)["coarse"] for _ in range(15)]
    assert sum(coarse[-3:]) < 0.7 * sum(coarse[:3])
    fine = [training.step(0.3)["fine"] for _ in range(6)]
    assert sum(fine[-3:]) < sum(fine[:3])
    training.save(tmp_path / "checkpoint.pt")
    other = Training(drawings, width=16, seed=2, rate=2e-3)
    other.resume(tmp_path / "checkpoint.pt")
    assert other.step(0.3) == training.step(0.3)


def test_a_checkpoint_of_other_classes_is_refused(drawings: Drawings, tmp_path: Path) -> None:
    Training(drawings, width=16, seed=1, rate=1e-3).save(tmp_path / "checkpoint.pt")
    fewer = Drawings(
        drawings.pictures, drawings.coarse, drawings.index[:2], drawings.weights[:2], drawings.classes[:2]
    )
    with pytest.raises(ValueError, match="other classes"):
        Training(fewer, width=16, seed=1, rate=1e-3).resume(tmp_path / "checkpoint.pt")


def test_a_step_draws_the_picture_that_its_latents_mean(drawings: Drawings) -> None:
    classes, numbers, z = draw(drawings, 64, 10, torch.Generator().manual_seed(3))
    assert torch.equal(drawings.index[classes, latents_map.style_index(z[:, 0])], numbers)
    assert z.shape == (64, 10, USED)


def test_latents_without_a_meaning_keep_no_weight(drawings: Drawings) -> None:
    training = Training(drawings, width=16, seed=1, rate=2e-3)
    for _ in range(3):
        training.step(0.0)
    generator = training.model.net.generator
    block = training.model.blocks[0]
    for layer in (generator.gen_z, block.bn_0.scale, block.bn_2.offset):
        assert not layer.weight[:, USED:128].any()
        assert layer.weight[:, :USED].any() and layer.weight[:, 128:].any()


def test_the_top_begins_as_the_head_s_picture_on_white(drawings: Drawings) -> None:
    training = Training(drawings, width=16, seed=1, rate=2e-3)
    for _ in range(40):  # until the trunk shows most of what it can
        training.step(0.0)
    model = training.model
    rng = torch.Generator().manual_seed(4)
    classes, _, z = draw(drawings, 48, 10, rng)
    e = class_vectors(model.net.embeddings.weight, classes, 10, rng).detach()
    z[:, generator_net.BACKGROUND_ROW, 5:] = 0
    with torch.no_grad():
        features = model.trunk(z, e)
        coarse = model.coarse(features)
        wanted = (coarse[:, :3] + 1 - coarse[:, 3:]).clamp(0, 1)
        model.top(features, z, e, measure=True)
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
