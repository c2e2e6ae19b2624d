"""How drawings stand in their pictures: mirrored, tilted, larger or smaller, elsewhere, stretched, bent."""

import pytest
import torch
from torch import Tensor

from engine.pocket import posture
from engine.pocket.posture import (
    ACROSS,
    ASPECT,
    BEND,
    DOWN,
    LEAN,
    MIDDLE,
    MIRROR,
    NUMBERS,
    SCALE,
    TILT,
    posed,
)


def drawings(count: int, size: int = 64) -> Tensor:
    """Premultiplied RGBA [count, 4, size, size]: an L of red and white that fills its square to the edges."""
    found = torch.zeros(count, 4, size, size)
    third = size // 3
    found[:, :, :, :third] = torch.tensor([0.9, 0.1, 0.1, 1.0])[:, None, None]
    found[:, :, -third:, :] = torch.tensor([0.8, 0.8, 0.8, 1.0])[:, None, None]
    return found


def at(**numbers: float) -> Tensor:
    """A posture [1, 8] with these numbers, named as the module's, and no others."""
    found = torch.zeros(1, NUMBERS)
    for name, value in numbers.items():
        found[0, getattr(posture, name)] = value
    return found


def draws(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, NUMBERS, generator=torch.Generator().manual_seed(seed))


def centre(picture: Tensor) -> tuple[float, float]:
    """Where the middle of what covers [1, 4, s, s] is, across and down, -1..1."""
    cover = picture[0, 3]
    places = (2 * torch.arange(len(cover)) + 1) / len(cover) - 1
    return tuple(float((cover.sum(axis) * places).sum() / cover.sum()) for axis in (0, 1))  # type: ignore


@pytest.mark.parametrize("size", [64, 96])
def test_a_mirrored_one_is_the_mirrored_drawing_in_the_same_posture(size: int) -> None:
    given, numbers = drawings(8), draws(8)
    numbers[:, MIRROR] = 1
    mirrored = numbers.clone()
    mirrored[:, MIRROR] = -0.01
    assert torch.allclose(posed(given, mirrored, size), posed(given.flip(3), numbers, size), atol=1e-4)
    upright, turned = (posed(given[:1], at(MIRROR=value), size) for value in (1.0, -1.0))
    assert torch.allclose(upright, turned.flip(3), atol=1e-4)
    assert not torch.allclose(upright, turned, atol=0.1)


def test_standing_is_upright_in_the_middle_and_keeps_the_mirror() -> None:
    numbers = draws(20)
    still = posture.standing(numbers)
    assert torch.equal(still[:, MIRROR], numbers[:, MIRROR])
    assert not still[:, [number for number in range(NUMBERS) if number != MIRROR]].any()
    square = torch.ones(1, 4, 64, 64)
    covered = posed(square, posture.standing(draws(1)), 64)[0, 3] > 0.5
    margin = round(64 * (1 - MIDDLE) / 2)
    assert bool(covered[margin + 1 : -margin - 1, margin + 1 : -margin - 1].all())
    assert not covered[: margin - 1].any() and not covered[-margin + 1 :].any()
    assert not covered[:, : margin - 1].any() and not covered[:, -margin + 1 :].any()


def test_each_number_does_what_its_name_says() -> None:
    given = drawings(1)
    still = posed(given, at(), 64)
    across, down = centre(still)
    assert centre(posed(given, at(ACROSS=2.0), 64))[0] > across + 0.05
    assert centre(posed(given, at(DOWN=2.0), 64))[1] > down + 0.05
    areas = [float(posed(given, at(SCALE=value), 64)[:, 3].sum()) for value in (-2.0, 0.0, 2.0)]
    assert areas[0] < 0.9 * areas[1] < 0.9 * 0.95 * areas[2]
    square = torch.ones(1, 4, 64, 64)

    def box(numbers: Tensor) -> tuple[int, int]:
        covered = posed(square, numbers, 64)[0, 3] > 0.5
        return int(covered.any(0).sum()), int(covered.any(1).sum())

    wide, high = box(at(ASPECT=-2.0))
    assert wide > high + 4 and box(at(ASPECT=2.0)) == (high, wide)
    for name in ("TILT", "BEND", "LEAN"):
        one, other = (posed(given, at(**{name: value}), 64) for value in (2.0, -2.0))
        assert (one - still).abs().mean() > 0.01 < (one - other).abs().mean(), name
    covered = posed(square, at(LEAN=2.0), 64)[0, 3]
    top, bottom = (float((row * torch.arange(64)).sum() / row.sum()) for row in covered[[14, 50]])
    assert abs(top - bottom) > 2  # its top is beside its bottom


@pytest.mark.parametrize("far", [1.0, 4.0])
def test_nothing_leaves_its_picture(far: float) -> None:
    numbers = far * draws(200)
    given = torch.cat((drawings(100), torch.ones(100, 4, 64, 64)))  # half of them to the corners
    cover = posed(given, numbers, 64)[:, 3]
    edges = torch.stack((cover[:, 0], cover[:, -1], cover[..., 0], cover[..., -1]), 1)
    assert float(edges.max()) < 0.5
    assert float(cover.sum((1, 2)).min()) > 0.2 * 64 * 64  # nor is it made tiny


def test_what_fits_stands_where_its_numbers_say() -> None:
    small = torch.zeros(1, 4, 64, 64)
    small[..., 20:44, 20:44] = 1
    middles = [centre(posed(small, at(ACROSS=value, DOWN=-value), 64)) for value in (0.5, 1.0, 2.0, 4.0)]
    for across, down in middles:
        assert across == pytest.approx(-down, abs=0.01)
    free = 1 - MIDDLE
    assert [across for across, _ in middles] == pytest.approx(
        [free * float(torch.tanh(torch.tensor(value / 1.5))) for value in (0.5, 1.0, 2.0, 4.0)], abs=0.01
    )


def test_postures_differ_from_draw_to_draw() -> None:
    shown = posed(drawings(40), draws(40), 64).flatten(1)
    apart = torch.cdist(shown, shown, p=1)[~torch.eye(40, dtype=torch.bool)] / shown.shape[1]
    assert float(apart.min()) > 0.01


@pytest.mark.parametrize("size", [64, 128])
def test_a_gradient_reaches_the_drawing_and_every_number_but_the_mirror(size: int) -> None:
    given, numbers = drawings(2).requires_grad_(), (0.5 * draws(2, 3)).requires_grad_()
    towards = posed(drawings(2), draws(2, 5), size).detach()
    (posed(given, numbers, size) - towards).square().sum().backward()
    assert given.grad is not None and numbers.grad is not None
    assert given.grad.isfinite().all() and numbers.grad.isfinite().all()
    assert bool(given.grad.any())
    moved = [SCALE, ACROSS, DOWN, TILT, ASPECT, BEND, LEAN]
    assert bool((numbers.grad[:, moved] != 0).all()) and not numbers.grad[:, MIRROR].any()


def test_a_step_along_the_gradient_brings_a_thing_to_where_it_is_wanted() -> None:
    given, numbers = drawings(1), at().requires_grad_()
    towards = posed(given, at(ACROSS=0.8, SCALE=-1.0), 64)
    optimiser = torch.optim.Adam([numbers], lr=0.1)
    before = float((posed(given, numbers, 64) - towards).abs().mean().detach())
    for _ in range(40):
        optimiser.zero_grad()
        (posed(given, numbers, 64) - towards).square().mean().backward()
        optimiser.step()
    assert float((posed(given, numbers, 64) - towards).abs().mean().detach()) < 0.3 * before
