"""Painted grounds: whole pictures of the right colours, the same for the same seed."""

import pytest
import torch

from engine.pocket.grounds import GROUNDS, NO_LAND
from engine.training import painted


def some(ground: str, count: int = 64) -> torch.Tensor:
    numbers = torch.full((count,), GROUNDS.index(ground))
    return painted.paint(numbers, 32, torch.Generator().manual_seed(1))


def test_every_ground_is_painted_within_range_and_no_two_alike() -> None:
    assert {name for name, look in painted.LOOKS.items() if look.below is None} == NO_LAND
    assert set(painted.LOOKS) == set(GROUNDS)
    numbers = torch.arange(len(GROUNDS)).repeat(4)
    pictures = painted.paint(numbers, 64, torch.Generator().manual_seed(0))
    assert pictures.shape == (len(numbers), 3, 64, 64)
    assert pictures.isfinite().all()
    assert 0 <= float(pictures.min()) < float(pictures.max()) <= 1
    assert len(pictures.flatten(1).unique(dim=0)) == len(numbers)
    again = painted.paint(numbers, 64, torch.Generator().manual_seed(0))
    assert torch.equal(pictures, again)


@pytest.mark.parametrize(
    ("ground", "more", "less"), [("meadow", 1, 0), ("sea", 2, 0), ("desert", 0, 2), ("beach", 0, 2)]
)
def test_the_land_has_its_ground_colour_at_the_bottom(ground: str, more: int, less: int) -> None:
    bottom = some(ground)[:, :, -1].mean((0, 2))
    assert bottom[more] > bottom[less] + 0.1


def test_nights_are_dark_and_blue_and_skies_are_light() -> None:
    night, sky, space = (some(ground).mean((0, 2, 3)) for ground in ("night", "sky", "space"))
    assert night.mean() < 0.25
    assert night[2] > 1.5 * night[0]
    assert sky.mean() > 0.6
    assert space.mean() < night.mean()


def test_views_differ_in_where_the_horizon_lies() -> None:
    green = some("meadow")[:, 1] - some("meadow")[:, 2] > 0  # [n, 32, 32]
    share = green.float().mean((1, 2))
    assert float(share.min()) < 0.1
    assert ((share > 0.2) & (share < 0.8)).sum() > 8


def test_nameless_grounds_are_mostly_white_or_pale() -> None:
    pictures = painted.nameless(64, 32, torch.Generator().manual_seed(0))
    assert pictures.shape == (64, 3, 32, 32)
    assert 0 <= float(pictures.min()) <= float(pictures.max()) <= 1
    assert float((pictures.mean((1, 2, 3)) > 0.7).float().mean()) > 0.5
