"""Painted grounds: half of them calm, named ones recognised, the same scene at any size."""

import pytest
import torch
import torch.nn.functional as F

from engine.pocket import grounds_painted
from engine.pocket.clip import PocketClip
from engine.pocket.grounds import GROUNDS
from engine.pocket.grounds_painted import MOTIFS, NUMBERS, near, paint
from engine.training.evaluate import WEIGHTS

NAMES = [name for pair in MOTIFS for name in pair]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_half_of_all_draws_are_calm_and_those_are_the_same_all_along_a_row_or_darker_at_the_edges() -> None:
    numbers = torch.randn(4000, NUMBERS, generator=seeded(0))
    assert 0.45 < float((grounds_painted.calm(numbers) > 0.5).float().mean()) < 0.6
    calm = near("calm", seeded(1), 24)
    assert torch.equal(grounds_painted.calm(calm), torch.ones(24))
    pictures = paint(calm, 64)
    assert float(pictures.diff(dim=2).abs().max()) < 0.02
    assert float((pictures.mean((1, 2, 3)) > 0.6).float().mean()) > 0.6
    assert torch.equal(paint(grounds_painted.calmed(calm), 32), paint(calm, 32))


@pytest.mark.parametrize("name", NAMES)
def test_a_motif_is_painted_in_range_fades_in_and_can_be_moved(name: str) -> None:
    numbers = near(name, seeded(2), 2).requires_grad_()
    picture = paint(numbers, 64)
    assert picture.shape == (2, 3, 64, 64)
    shown = picture.detach()
    assert 0 <= float(shown.min()) < float(shown.max()) <= 1
    assert float((shown[0] - shown[1]).abs().mean()) > 0.004
    assert torch.equal(grounds_painted.motifs(numbers.detach())[name], torch.ones(2))
    picture.square().sum().backward()
    moved = numbers.grad
    assert moved is not None
    assert moved.isfinite().all()
    assert int((moved.abs() > 0).any(0).sum()) >= 3
    column = next(i for i, pair in enumerate(MOTIFS) if name in pair)
    half = numbers.detach().clone()
    half[:, column] *= 1.8 / half[:, column].abs()
    half.requires_grad_()
    assert 0.2 < float(grounds_painted.motifs(half.detach())[name][0]) < 0.8
    paint(half, 64).square().sum().backward()
    assert half.grad is not None
    assert float(half.grad[:, column].abs().min()) > 0


def test_the_same_scene_is_seen_at_any_size_and_in_any_company() -> None:
    numbers = torch.cat([near(name, seeded(3), 1) for name in NAMES])
    large = paint(numbers, 256)
    assert torch.equal(large, paint(numbers, 256))
    torch.testing.assert_close(paint(numbers[5:6], 256)[0], large[5], rtol=0, atol=1e-5)
    for size in (16, 64):
        small = F.adaptive_avg_pool2d(large, size)
        assert float((paint(numbers, size) - small).abs().mean()) < 0.03


def test_the_embedded_perceptor_recognises_each_ground_it_was_taught() -> None:
    perceptor = PocketClip.load(WEIGHTS)
    for number, name in enumerate(GROUNDS):
        seen = perceptor.ground(paint(near(name, seeded(4), 32), 64))
        right = (seen.argmax(1) == number) & (seen[:, number] > 1 - seen.sum(1))
        assert float(right.float().mean()) >= 0.8, name


def test_rain_is_seen_at_the_size_of_a_thumbnail() -> None:
    picture = paint(near("rain", seeded(6), 4), 256)
    small = F.avg_pool2d(picture, 4).mean(1)  # [4, 64, 64]
    streaks = (small - F.avg_pool2d(small[:, None], 7, 1, 3)[:, 0])[:, 6:30, 6:-6]
    assert float(streaks.amax((1, 2)).min()) > 0.08
