import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from engine import cutouts

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


def test_a_flat_picture_stays_flat() -> None:
    flat = torch.full((1, 3, 40, 40), 0.7)
    for kind in ("nearest", "triangle"):
        views = cutouts.cut(flat, cutouts.fixed_boxes(), 64, kind)
        assert torch.allclose(views, torch.full_like(views, 0.7), atol=1e-5)
