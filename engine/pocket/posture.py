"""How a drawing stands in its picture: mirrored, tilted, larger or smaller, elsewhere, stretched, bent."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

NUMBERS = 8  # of a posture, each ~ N(0, 1)
MIRROR, TILT, SCALE, ACROSS, DOWN, ASPECT, BEND, LEAN = range(NUMBERS)
MIDDLE = 0.84  # of the picture's side that a drawing takes
EDGE = 0.96  # from the picture's middle: beyond it nothing stands
TILTED, STRETCHED = math.radians(22), 0.1  # at most: by an angle, by a power of e
ROWS = 64  # in which it is looked where a drawing ends


def standing(posture: Tensor) -> Tensor:
    """A posture [..., 8] that stays in its place: mirrored or not, and upright."""
    still = torch.zeros_like(posture)
    still[..., MIRROR] = posture[..., MIRROR]
    return still


def posed(drawing: Tensor, posture: Tensor, size: int) -> Tensor:
    """Drawings [n, 4, s, s] in their postures [n, 8], in pictures [n, 4, size, size]; differentiable in both,
    but for the mirror, which is a sign. What would leave its picture is moved back, and made smaller."""
    some = torch.tanh(posture / 1.5)  # [n, 8]
    turned = torch.where(posture[:, MIRROR, None] < 0, -1.0, 1.0)  # [n, 1]
    low, high = _extent(_outline(drawing[:, 3].detach()), some, turned)  # [n, 2] each, across and down
    scale = MIDDLE * torch.exp(0.2 * some[:, SCALE, None])  # [n, 1]
    scale = torch.minimum(scale, 2 * EDGE / (high - low).amax(1, keepdim=True).clamp(min=0.1))
    shift = (1 - scale) * some[:, [ACROSS, DOWN]]  # [n, 2]
    shift = torch.maximum(torch.minimum(shift, EDGE - scale * high), -EDGE - scale * low)

    down, across = torch.meshgrid(*[_centres(size).to(drawing)] * 2, indexing="ij")
    scale, some = scale[:, :, None], some[:, :, None, None]  # [n, 1, 1], [n, 8, 1, 1]
    x = (across - shift[:, 0, None, None]) / scale
    y = (down - shift[:, 1, None, None]) / scale
    angle = TILTED * some[:, TILT]
    x, y = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    stretch = torch.exp(STRETCHED * some[:, ASPECT])
    x, y = x * stretch, y / stretch
    x = (x + _bent(y, some)) * turned[:, :, None]
    mode = "bicubic" if size > drawing.shape[-1] else "bilinear"
    return F.grid_sample(drawing, torch.stack((x, y), 3), mode, "zeros", align_corners=False)


def _bent(y: Tensor, some: Tensor) -> Tensor:
    """How far aside a drawing's points are taken at these heights, by its bend and lean."""
    return 0.16 * some[:, BEND] * (y.square() - 0.4) + 0.14 * some[:, LEAN] * y


def _extent(points: tuple[Tensor, Tensor], some: Tensor, turned: Tensor) -> tuple[Tensor, Tensor]:
    """From where to where points of drawings, x and y [n, p], are in their pictures, across and down [n, 2]:
    before they are scaled and moved."""
    x, y = points
    numbers = some[:, :, None]  # [n, 8, 1]
    stretch = torch.exp(STRETCHED * numbers[:, ASPECT])
    x, y = (x * turned - _bent(y, numbers)) / stretch, y * stretch
    angle = TILTED * numbers[:, TILT]
    placed = torch.stack((x * angle.cos() - y * angle.sin(), y * angle.cos() + x * angle.sin()), 1)
    return placed.amin(2), placed.amax(2)


def _outline(cover: Tensor) -> tuple[Tensor, Tensor]:
    """The left and right end of what covers [n, s, s] in each of `ROWS` rows: x and y [n, 2 ROWS], -1..1."""
    there = F.adaptive_max_pool2d(cover[:, None], ROWS)[:, 0] > 0.1  # [n, ROWS, ROWS]
    at = _centres(ROWS).to(cover)
    left = torch.where(there, at - 1 / ROWS, 1.0).amin(2)
    right = torch.where(there, at + 1 / ROWS, -1.0).amax(2)
    found = there.any(2)
    x = torch.where(torch.cat((found, found), 1), torch.cat((left, right), 1), 0.0)
    y = torch.where(torch.cat((found, found), 1), torch.cat((at, at)), 0.0)
    return x, y


def _centres(size: int) -> Tensor:
    """Where the pixels of a side are, -1..1."""
    return (2 * torch.arange(size) + 1) / size - 1
