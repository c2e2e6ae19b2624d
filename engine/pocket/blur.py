"""Soft pictures: box means, of shifted pictures, which CPUs add up far more quickly than they pool."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def box(values: Tensor, reach: int) -> Tensor:
    """The mean of each square of 2 `reach` + 1 pixels of [n, c, h, w], 0 beyond the picture."""
    boxed: Tensor = _Box.apply(values, reach)
    return boxed


def blurred(values: Tensor, radius: int) -> Tensor:
    """Soft within about this radius, 0 beyond the picture: made small, averaged twice, made large again."""
    side = values.shape[-1]
    factor = 1
    while factor * 2 <= radius and side % (factor * 2) == 0:
        factor *= 2
    small = halved(values, factor)
    reach = max(round(radius / factor), 1)
    small = box(box(small, reach), reach)
    if factor == 1:
        return small
    large = F.interpolate(small, (side, side), mode="bilinear", align_corners=False)
    return box(large, factor // 2)  # else its slopes would be seen as squares


def halved(values: Tensor, factor: int) -> Tensor:
    """The means of squares of `factor` pixels, a power of two, of [n, c, h, w]."""
    while factor > 1:
        values = values[..., ::2, :] + values[..., 1::2, :]
        values = (values[..., ::2] + values[..., 1::2]) / 4
        factor //= 2
    return values


class _Box(torch.autograd.Function):
    """Each pixel goes into the means of those that go into its own, so that the gradient's way back is the
    same: half the work of going back through every shifted picture."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, reach: int) -> Tensor:
        ctx.reach = reach
        return _boxed(values, reach)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _boxed(gradients[0], ctx.reach), None


def _boxed(values: Tensor, reach: int) -> Tensor:
    for dim in (2, 3):
        values = _along(values, reach, dim)
    return values


def _along(values: Tensor, reach: int, dim: int) -> Tensor:
    width, side = 2 * reach + 1, values.shape[dim]
    padded = F.pad(values, (reach, reach) if dim == 3 else (0, 0, reach, reach))
    total = padded.narrow(dim, 0, side)
    for start in range(1, width):
        total = total + padded.narrow(dim, start, side)
    return total / width
