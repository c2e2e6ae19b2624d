"""How a drawing stands in its picture: mirrored, tilted, larger or smaller, elsewhere, stretched, bent."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

NUMBERS = 8  # of a posture, each ~ N(0, 1)
MIRROR, TILT, SCALE, ACROSS, DOWN, ASPECT, BEND, LEAN = range(NUMBERS)
MIDDLE = 0.82  # of the picture's side that a drawing takes


def standing(posture: Tensor) -> Tensor:
    """A posture [..., 8] that stays in its place: mirrored or not, and upright."""
    still = torch.zeros_like(posture)
    still[..., MIRROR] = posture[..., MIRROR]
    return still


def posed(drawing: Tensor, posture: Tensor, size: int) -> Tensor:
    """Drawings [n, 4, s, s] in their postures [n, 8], in pictures [n, 4, size, size]; differentiable in both,
    but for the mirror, which is a sign."""
    down, across = torch.meshgrid(*[_centres(size).to(drawing)] * 2, indexing="ij")
    some = torch.tanh(posture / 1.5)[:, :, None, None]  # [n, 8, 1, 1]
    scale = MIDDLE * torch.exp(0.2 * some[:, SCALE])
    free = 1 - scale.clamp(max=1)
    x = (across - free * some[:, ACROSS]) / scale
    y = (down - free * some[:, DOWN]) / scale
    angle = math.radians(22) * some[:, TILT]
    x, y = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    stretch = torch.exp(0.1 * some[:, ASPECT])
    x, y = x * stretch, y / stretch
    x = x + 0.16 * some[:, BEND] * (y.square() - 0.4) + 0.14 * some[:, LEAN] * y
    x = torch.where(posture[:, MIRROR, None, None] < 0, -x, x)
    mode = "bicubic" if size > drawing.shape[-1] else "bilinear"
    return F.grid_sample(drawing, torch.stack((x, y), 3), mode, "zeros", align_corners=False)


def _centres(size: int) -> Tensor:
    """Where the pixels of a side are, -1..1."""
    return (2 * torch.arange(size) + 1) / size - 1
