"""Training pictures made on the fly: drawings placed, tinted, paired and worn on 64 px backgrounds."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.captions import COLOURS

STORED = 96  # pixels, each side, of the drawings in memory
DREAMT = "dreamt"  # the style of pictures that bring their own ground


@dataclass(frozen=True)
class Layout:
    """Where drawings stand: all float [n]; centre in -1..1 of the canvas, size as a share of its side."""

    x: Tensor
    y: Tensor
    size: Tensor
    angle: Tensor  # radians
    flip: Tensor  # 1 or -1


def load_drawings(pictures: np.ndarray, rows: np.ndarray) -> Tensor:
    """Rows of uint8 [N, 128, 128, 4] → uint8 [n, 4, 96, 96], colours multiplied by alpha."""
    result = torch.empty(len(rows), 4, STORED, STORED, dtype=torch.uint8)
    for start in range(0, len(rows), 256):
        part = torch.from_numpy(np.ascontiguousarray(pictures[rows[start : start + 256]]))
        part = part.permute(0, 3, 1, 2).float() / 255
        part[:, :3] *= part[:, 3:]
        part = F.interpolate(part, size=STORED, mode="bilinear", antialias=True, align_corners=False)
        result[start : start + 256] = (part * 255).round().clamp(0, 255).to(torch.uint8)
    return result


def random_layout(count: int, random: torch.Generator, low: float, high: float, flips: bool) -> Layout:
    """One drawing alone: sizes from `low` to `high`, mostly inside, small turns, mirrored half the time."""

    def uniform(a: float, b: float) -> Tensor:
        return a + (b - a) * torch.rand(count, generator=random)

    size = torch.exp(uniform(math.log(low), math.log(high)))
    reach = (1 - size).abs() + 0.12  # beyond the edge by a little; a large drawing is cropped anywhere
    flip = torch.where(torch.rand(count, generator=random) < (0.5 if flips else 0.0), -1.0, 1.0)
    return Layout(uniform(-1, 1) * reach, uniform(-1, 1) * reach, size, uniform(-0.26, 0.26), flip)


def upright(
    pictures: np.ndarray, rows: np.ndarray, side: int, size: float,
    x: Tensor | float = 0.0, y: Tensor | float = 0.0,
) -> Tensor:  # fmt: skip
    """The drawings `rows` of uint8 [N, 128, 128, 4] as they are, `size` of the canvas: [n, 4, side, side]."""
    zero = torch.zeros(len(rows))
    layout = Layout(zero + x, zero + y, zero + size, zero, zero + 1)
    return place(load_drawings(pictures, rows), layout, side)


def place(drawings: Tensor, layout: Layout, side: int, bend: Tensor | None = None) -> Tensor:
    """uint8 [n, 4, 96, 96] → float [n, 4, side, side] in 0..1, colours multiplied by alpha.

    `bend` float [n, side, side, 2], from `bends`, moves each point of the drawings (in halves of their side).
    """
    cos, sin = torch.cos(layout.angle) / layout.size, torch.sin(layout.angle) / layout.size
    theta = torch.stack(
        [
            torch.stack(
                [cos * layout.flip, sin * layout.flip, -(cos * layout.x + sin * layout.y) * layout.flip], 1
            ),
            torch.stack([-sin, cos, sin * layout.x - cos * layout.y], 1),
        ],
        1,
    )  # [n, 2, 3]
    grid = F.affine_grid(theta, [len(drawings), 4, side, side], align_corners=False)
    if bend is not None:
        grid = grid + bend
    return F.grid_sample(drawings.float() / 255, grid, mode="bilinear", align_corners=False)


def bends(count: int, side: int, random: torch.Generator) -> Tensor:
    """Soft random warps float [n, side, side, 2] for `place`: the proportions of another hand."""
    strength = 0.09 * torch.rand(count, 1, 1, 1, generator=random)
    coarse = strength * torch.randn(count, 2, 4, 4, generator=random)
    return F.interpolate(coarse, size=side, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def outlined(layers: Tensor) -> Tensor:
    """[n, 4, h, w] redrawn as dark lines, nearly white inside: what is left where a style has no colours."""
    padded = F.pad(layers, (1, 1, 1, 1))
    high, low = F.max_pool2d(padded, 3, 1), -F.max_pool2d(-padded, 3, 1)
    line = ((high - low).amax(1, keepdim=True) * 1.8 - 0.15).clamp(0, 1)  # where colour or cover changes
    alpha = torch.maximum(layers[:, 3:], line)
    inside = 0.9 * alpha + 0.1 * layers[:, :3]
    return torch.cat([inside * (1 - 0.9 * line), alpha], 1)


def inked(layers: Tensor, ground: Tensor, random: torch.Generator) -> Tensor:
    """Glyphs [n, 4, h, w], black ink on white paper, in two random colours, half of them without the paper.

    `ground` [n, 3, h, w] is what they will stand on: ink alone is lighter than a dark one and darker than a
    light one.
    """
    n = len(layers)
    alpha = layers[:, 3:]
    paper = layers[:, :3].mean(1, keepdim=True)  # how much of each pixel is paper, times alpha
    dark = (ground.mean((1, 2, 3)) < 0.5)[:, None, None, None]
    bare = (torch.rand(n, generator=random) < 0.5)[:, None, None, None]
    reverse = (torch.rand(n, generator=random) < 0.15)[:, None, None, None]
    deep = 0.6 * torch.rand(n, 3, 1, 1, generator=random)
    pale = 1 - 0.45 * torch.rand(n, 3, 1, 1, generator=random)
    ink = torch.where(torch.where(bare, dark, reverse), pale, deep)
    other = torch.where(reverse, deep, pale)
    colour = ink * (alpha - paper) + torch.where(bare, torch.zeros(()), other * paper)
    return torch.cat([colour, torch.where(bare, alpha - paper, alpha)], 1)


def tint(layers: Tensor, colours: list[str], random: torch.Generator) -> Tensor:
    """Recolour [n, 4, h, w] by lightness: black → the colour → white, with some of its own play left."""
    alpha = layers[:, 3:].clamp_min(1e-4)
    light = (layers[:, :3] / alpha * torch.tensor([0.3, 0.6, 0.1]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    target = torch.tensor([COLOURS[c][1] for c in colours])
    target = (target + 0.05 * torch.randn(target.shape, generator=random)).clamp(0, 1)[:, :, None, None]
    inside = (layers[:, 3:] > 0.5).float()
    mean = (light * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True).clamp_min(1)
    shift = (light - mean) * 0.7  # the drawing's own light and shade around the colour
    result = (target + torch.where(shift > 0, shift * (1 - target), shift * target) * 1.2).clamp(0, 1)
    return torch.cat([result * layers[:, 3:], layers[:, 3:]], 1)


def backgrounds(count: int, side: int, random: torch.Generator) -> Tensor:
    """float [n, 3, side, side]: white, plain colours, gradients and soft clouds of colour."""
    corners = torch.rand(count, 3, 2, 2, generator=random)
    kind = torch.rand(count, generator=random)
    plain = corners[:, :, :1, :1].expand(-1, -1, 2, 2)
    light = 0.75 + 0.25 * corners
    picked = torch.where((kind < 0.35)[:, None, None, None], plain, corners)
    picked = torch.where((kind > 0.5)[:, None, None, None], light, picked)
    picked = torch.where((kind > 0.65)[:, None, None, None], torch.ones(()), picked)
    smooth = F.interpolate(picked, size=side, mode="bilinear", align_corners=True)
    cloud = F.interpolate(torch.rand(count, 3, 5, 5, generator=random), size=side, mode="bilinear")
    return torch.where(((kind > 0.42) & (kind < 0.46))[:, None, None, None], cloud, smooth)


def over(layers: Tensor, ground: Tensor) -> Tensor:
    """Layers [n, 4, h, w] with multiplied colours over pictures [n, 3, h, w]."""
    return layers[:, :3] + ground * (1 - layers[:, 3:])


def wear(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Light, contrast, hue, blur, coarse pixels and noise, each on some of [n, 3, h, w] in 0..1."""
    n, _, side, _ = pictures.shape

    def some(share: float) -> Tensor:
        return (torch.rand(n, generator=random) < share).nonzero().flatten()

    def around(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand(n, channels, 1, 1, generator=random)

    mean = pictures.mean((1, 2, 3), keepdim=True)
    pictures = (pictures - mean) * around(0.75, 1.2) + mean * around(0.85, 1.15) * around(0.94, 1.06, 3)
    chosen = some(0.15)
    pictures[chosen] = F.avg_pool2d(F.pad(pictures[chosen], (1, 1, 1, 1), mode="replicate"), 3, 1)
    for share, cell, mode in ((0.15, 2, "bilinear"), (0.07, 4, "bilinear"), (0.06, 4, "nearest")):
        chosen = some(share)
        coarse = F.avg_pool2d(pictures[chosen], cell)
        pictures[chosen] = F.interpolate(coarse, size=side, mode=mode)
    for share, cell, mode in ((0.15, 1, "nearest"), (0.08, 4, "nearest"), (0.08, 8, "bilinear")):
        chosen = some(share)  # grain, and the patches that a half-trained generator leaves
        noise = torch.randn(len(chosen), 3, side // cell, side // cell, generator=random)
        noise = F.interpolate(noise, size=side, mode=mode)
        pictures[chosen] += noise * 0.08 * torch.rand(len(chosen), 1, 1, 1, generator=random)
    return pictures.clamp(0, 1)
