"""Finishes: each restyles a drawing cut out in its own way, stays in range, and can be searched through."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket import finishes
from engine.pocket.finishes import FINISHES, finished


def drawing(side: int = 64, count: int = 2) -> Tensor:
    """Premultiplied drawings [count, 4, side, side] of a round face with two eyes, of different colours."""
    at = (torch.arange(side) + 0.5) / side - 0.5
    down, across = at[:, None], at[None]

    def disc(x: float, y: float, radius: float) -> Tensor:
        return ((radius - torch.hypot(across - x, down - y)) * side + 0.5).clamp(0, 1)

    cover, eyes = disc(0, 0, 0.36), torch.maximum(disc(-0.12, -0.1, 0.06), disc(0.12, -0.1, 0.06))
    colours = torch.tensor([[0.95, 0.75, 0.2], [0.3, 0.5, 0.9]]).repeat(count, 1)[:count, :, None, None]
    shaded = colours * (1 - 0.3 * (down + 0.5)) * (1 - 0.85 * eyes)
    return torch.cat((shaded * cover, cover.expand(count, 1, -1, -1)), 1)


def weights(name: str, weight: float = 1.0, count: int = 2) -> Tensor:
    found = torch.zeros(count, len(FINISHES))
    found[:, list(FINISHES).index(name)] = weight
    return found


@pytest.mark.parametrize("name", FINISHES)
def test_a_finish_gives_premultiplied_colours_and_keeps_what_stands_where(name: str) -> None:
    before = drawing(64)
    after = finished(before, weights(name))
    assert after.shape == before.shape
    assert 0 <= float(after.min()) < float(after.max()) <= 1
    assert float((after[:, :3] - after[:, 3:]).max()) < 1e-4
    assert float((after[:, 3:] - before[:, 3:]).abs().mean()) < 0.2
    assert float(after[:, 3, 32, 32].min()) > 0.6
    assert float((after - before).abs().mean()) > 0.01
    assert torch.equal(finished(before, weights(name)), after)
    nothing = finished(torch.zeros(1, 4, 64, 64), weights(name, count=1))
    assert float(nothing.max()) == 0


@pytest.mark.parametrize("name", FINISHES)
def test_a_finish_mixes_by_its_weight_and_passes_gradients(name: str) -> None:
    before = drawing(64).requires_grad_()
    weight = weights(name, 0.5).requires_grad_()
    mixed = finished(before, weight)
    whole = finished(before, weights(name))
    torch.testing.assert_close(mixed, (before + whole) / 2, rtol=0, atol=1e-5)
    mixed.square().mean().backward()
    assert before.grad is not None
    assert weight.grad is not None
    assert before.grad.isfinite().all()
    assert float(before.grad.abs().sum()) > 0
    assert float(weight.grad[:, list(FINISHES).index(name)].abs().min()) > 0


def test_rows_are_finished_each_by_their_own_weights() -> None:
    before = drawing(64, 3)
    asked = torch.zeros(3, len(FINISHES))
    asked[0, 0], asked[2, 2] = 1, 1
    after = finished(before, asked)
    assert torch.equal(after[1], before[1])
    torch.testing.assert_close(after[:1], finishes.ink(before[:1]))
    torch.testing.assert_close(after[2:], finishes.pixels(before[2:]))


def test_no_two_finishes_look_alike() -> None:
    before = drawing(128, 1)
    found = torch.cat([finish(before) for finish in FINISHES.values()])
    shown = found[:, :3] + 0.8 * (1 - found[:, 3:])
    apart = (shown[:, None] - shown[None]).abs().mean((2, 3, 4))
    apart.fill_diagonal_(1)
    assert float(apart.min()) > 0.01


@pytest.mark.parametrize("side", [16, 32, 96, 256, 512])
def test_finishes_know_any_side(side: int) -> None:
    for name, finish in FINISHES.items():
        assert finish(drawing(side, 1)).shape == (1, 4, side, side), name


@pytest.mark.parametrize("name", FINISHES)
@pytest.mark.parametrize("side", [64, 256])
def test_eyes_are_seen_in_each_finish(name: str, side: int) -> None:
    """They, or their edges, differ from what is around them, even to who sees no finer than a 64th."""
    after = F.avg_pool2d(finished(drawing(side), weights(name))[:, :3], side // 64)
    around = after[..., 38:48, 22:42].mean((2, 3), keepdim=True)
    eye = (after[..., 20:32, 18:30] - around).abs().amax(1)
    assert float(eye.flatten(1).quantile(0.8, 1).min()) > 0.1
