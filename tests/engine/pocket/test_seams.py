"""One thing above another: they are as wide as each other where they meet."""

import torch
from torch import Tensor

from engine.pocket import seams

SIZE = 64


def block(left: int, right: int, light: float) -> Tensor:
    """A drawing [1, 4, 64, 64] that covers these columns."""
    found = torch.zeros(1, 4, SIZE, SIZE)
    found[:, :, :, left:right] = light
    found[:, 3, :, left:right] = 1
    return found


def bands(*classes: int) -> Tensor:
    """Class weights [1, 8, 5] of one class a band."""
    found = torch.full((1, 8, 5), 0.0025)
    for band, number in enumerate(classes):
        found[0, band, number] = 0.9
    return found


def test_two_meet_where_the_one_ends_and_one_alone_does_not() -> None:
    weights = torch.cat(
        (bands(1, 1, 1, 1, 3, 3, 3, 3), bands(1, 1, 1, 3, 3, 3, 3, 3), bands(*[2] * 8), bands(*[2] * 8))
    )
    weights[3, :, 4] = 0.9  # both of it everywhere
    cut, at = seams.seam(weights)
    assert cut.tolist() == [True, True, False, False]
    torch.testing.assert_close(at[:2], torch.tensor([0.5, 0.375]), atol=1e-3, rtol=0)


def test_both_are_as_wide_and_in_the_same_place_where_they_meet() -> None:
    found = seams.joined(block(8, 40, 0.2), block(24, 56, 1.0), torch.tensor([0.5]))[0]
    for row in (4, 28, 36, 60):
        there = (found[3, row] > 0.5).nonzero()[:, 0]
        assert (int(there[0]), int(there[-1]) + 1) == (16, 48), row
    assert float(found[0, 4, 32]) < 0.3 < 0.9 < float(found[0, 60, 32])
    narrow = seams.joined(block(24, 40, 0.2), block(16, 48, 1.0), torch.tensor([0.5]))[0]
    widths = [int((narrow[3, row] > 0.5).sum()) for row in (28, 36)]
    assert abs(widths[0] - widths[1]) <= 1 and abs(widths[0] - (16 * 32) ** 0.5) <= 2


def test_what_is_much_narrower_stays_so_and_nothing_at_all_is_no_error() -> None:
    found = seams.joined(block(30, 34, 0.2), block(4, 60, 1.0), torch.tensor([0.5]))[0]
    above, below = (int((found[3, row] > 0.5).sum()) for row in (20, 44))
    assert above < 8 and below > 30
    nothing = torch.zeros(1, 4, SIZE, SIZE)
    assert bool(seams.joined(nothing, nothing, torch.tensor([0.5])).isfinite().all())


def test_a_gradient_reaches_both_and_where_they_meet() -> None:
    upper, lower, at = block(8, 40, 0.2), block(24, 56, 1.0), torch.tensor([0.5])
    for each in (upper, lower, at):
        each.requires_grad_()
    seams.joined(upper, lower, at).square().sum().backward()
    assert all(each.grad is not None and bool(each.grad.any()) for each in (upper, lower, at))
    assert at.grad is not None and bool(at.grad.isfinite().all())
