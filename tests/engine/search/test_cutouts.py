import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from engine.search import cutouts

PICTURE = torch.rand(2, 3, 40, 48, generator=torch.Generator().manual_seed(0))


def box(left: float, top: float, side: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.tensor([left]), torch.tensor([top]), torch.tensor([side])


def test_boxes_stay_inside_and_have_the_sizes_of_bigsleep() -> None:
    left, top, side = cutouts.random_boxes(4000, torch.Generator().manual_seed(0))
    assert side.min() >= 0.5 and side.max() <= 0.95
    assert left.min() >= 0 and top.min() >= 0
    assert (left + side).max() <= 1 and (top + side).max() <= 1
    assert 0.25 < (side == 0.95).float().mean() < 0.36  # P(N(0.8, 0.3) > 0.95) = 0.31
    assert 0.11 < (side == 0.5).float().mean() < 0.21  # P(N(0.8, 0.3) < 0.5) = 0.16


def test_boxes_come_from_the_generator_that_is_handed_in_and_no_other() -> None:
    torch.manual_seed(1)
    one = cutouts.random_boxes(8, torch.Generator().manual_seed(5))
    torch.manual_seed(2)
    two = cutouts.random_boxes(8, torch.Generator().manual_seed(5))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_nearest_is_a_crop_and_torch_s_nearest_resize() -> None:
    views = cutouts.cut(PICTURE, box(0.25, 0.1, 0.5), 31, "nearest")
    expected = F.interpolate(PICTURE[:, :, 4:24, 12:36], (31, 31), mode="nearest")
    assert views.shape == (2, 3, 31, 31)
    assert torch.allclose(views, expected, atol=1e-6)


def test_triangle_is_a_crop_and_pillow_s_bilinear_resize() -> None:
    views = cutouts.cut(PICTURE, box(0.25, 0.1, 0.5), 9, "triangle")
    for index in range(3):
        crop = Image.fromarray(PICTURE[0, index, 4:24, 12:36].numpy())
        expected = np.asarray(crop.resize((9, 9), Image.Resampling.BILINEAR))
        assert np.abs(views[0, index].numpy() - expected).max() < 1e-4


def test_each_picture_gets_each_box() -> None:
    boxes = cutouts.random_boxes(5, torch.Generator().manual_seed(0))
    views = cutouts.cut(PICTURE, boxes, 16, "triangle")
    alone = cutouts.cut(PICTURE[1:], boxes, 16, "triangle")
    assert views.shape == (10, 3, 16, 16)
    assert torch.allclose(views[5:], alone, atol=1e-6)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("augment", ["none", "smooth", "diffaugment"])
def test_views_are_drawn_from_the_generator_alone_and_split_without_a_change(augment: str) -> None:
    picture = 2 * PICTURE[:1] - 1
    torch.manual_seed(1)
    views = cutouts.draw(7, cutouts.Sizes(), augment, rng())
    seen = cutouts.see(picture, views, 16, "triangle")
    torch.manual_seed(2)
    again = cutouts.see(picture, cutouts.draw(7, cutouts.Sizes(), augment, rng()), 16, "triangle")
    assert seen.shape == (7, 3, 16, 16) and torch.equal(seen, again)
    parts = [cutouts.see(picture, part, 16, "triangle") for part in views.split(3)]
    assert [len(part) for part in parts] == [3, 3, 1]
    assert torch.allclose(torch.cat(parts), seen, atol=1e-5)


@pytest.mark.parametrize("augment", ["none", "smooth", "diffaugment"])
@pytest.mark.parametrize("filter", ["nearest", "triangle"])
def test_views_are_made_where_the_picture_is(augment: cutouts.Augment, filter: cutouts.Filter) -> None:
    elsewhere = torch.empty(1, 3, 32, 32, device="meta")  # whatever is made on the CPU cannot meet it
    seen = cutouts.see(elsewhere, cutouts.draw(4, cutouts.Sizes(), augment, rng()), 16, filter)
    assert (seen.device, seen.shape) == (elsewhere.device, (4, 3, 16, 16))


def test_plain_views_are_bigsleep_s_crops() -> None:
    views = cutouts.draw(5, cutouts.Sizes(), "none", rng(3))
    boxes = cutouts.random_boxes(5, rng(3))
    seen = cutouts.see(2 * PICTURE[:1] - 1, views, 16, "nearest")
    assert torch.allclose(seen, cutouts.cut(PICTURE[:1], boxes, 16, "nearest"), atol=1e-6)


def test_every_second_smooth_view_is_mirrored_and_all_are_blurred_and_tinted() -> None:
    views = cutouts.draw(6, cutouts.Sizes(), "smooth", rng())
    assert views.mirrored is not None and views.mirrored.tolist() == [False, True] * 3
    plain = cutouts.see(PICTURE[:1], cutouts.Views(views.boxes), 16, "triangle")
    mirrored = cutouts.see(PICTURE[:1], cutouts.Views(views.boxes, views.mirrored), 16, "triangle")
    assert torch.allclose(mirrored[1], plain[1].flip(2), atol=1e-6) and torch.equal(mirrored[0], plain[0])
    blurred = cutouts.see(PICTURE[:1], cutouts.Views(views.boxes, blur=views.blur), 16, "triangle")
    assert bool((blurred.std((1, 2, 3)) < plain.std((1, 2, 3))).all())
    tinted = cutouts.see(PICTURE[:1], cutouts.Views(views.boxes, colour=views.colour), 16, "triangle")
    assert bool(((tinted - plain).abs().amax((1, 2, 3)) > 0.01).all())


def test_diffaugment_shifts_scales_tints_covers_and_is_grey_beyond_the_picture() -> None:
    views = cutouts.draw(200, cutouts.Sizes(), "diffaugment", rng())
    left, _, side = views.boxes
    assert bool((side == side[0]).all()) and 1 / 1.2 <= side[0] <= 1 / 0.8
    middle = left + side / 2 - 0.5
    assert middle.abs().max() <= 0.125 and middle.abs().max() > 0.11
    moved = cutouts.Views((torch.tensor([-0.25]), torch.tensor([0.0]), torch.tensor([1.0])), padded=True)
    seen = cutouts.see(torch.ones(1, 3, 32, 32), moved, 16, "triangle")[:, :, 1:-1, :-1]  # the rim blends
    assert torch.allclose(seen[..., :3], torch.tensor(0.5)) and torch.allclose(
        seen[..., 5:], torch.tensor(1.0)
    )
    covered = cutouts.Views(moved.boxes, hole=torch.tensor([[0.5, 0.5]]), padded=True)
    seen = cutouts.see(torch.ones(1, 3, 32, 32), covered, 16, "triangle")
    assert torch.allclose(seen[..., 4:12, 5:12], torch.tensor(0.5)) and float(
        seen[0, 0, 1, -1]
    ) == pytest.approx(1)


def test_a_centre_bias_gathers_views_in_the_middle() -> None:
    def spread(bias: float) -> float:
        left, _, side = cutouts.random_boxes(2000, rng(), cutouts.Sizes(centre_bias=bias))
        assert left.min() >= 0 and (left + side).max() <= 1
        return float((left + side / 2).std())

    assert spread(6.0) < spread(2.0) < spread(0.0)


def test_a_flat_picture_stays_flat() -> None:
    flat = torch.full((1, 3, 40, 40), 0.7)
    for kind in ("nearest", "triangle"):
        views = cutouts.cut(flat, cutouts.fixed_boxes(), 64, kind)
        assert torch.allclose(views, torch.full_like(views, 0.7), atol=1e-5)
