"""The views that the perceptor sees: random square crops of the picture, all resized to its input.

A crop and its resize are linear in the pixels, so a batch of them is two small matrix products with sparse
row and column matrices. Unlike `grid_sample` or advanced indexing, their backward pass is deterministic on
every device, so that the same seed gives the same picture.
"""

from typing import Literal

import torch
from torch import Tensor

Filter = Literal["nearest", "triangle"]


def random_boxes(count: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """BigSleep's crops: side ~ N(0.8, 0.3) clipped to 0.5..0.95 of the picture, placed uniformly.

    Returns left, top and side, each [count], in units of the picture's side, float32 on the CPU.
    `rng` is the only source of randomness (the original drew offsets from Python's unseeded `random`).
    """
    side = (0.8 + 0.3 * torch.randn(count, generator=rng)).clamp(0.5, 0.95)
    left, top = torch.rand(2, count, generator=rng) * (1 - side)
    return left, top, side


def fixed_boxes() -> tuple[Tensor, Tensor, Tensor]:
    """The six views a shown picture is judged by: all of it, its middle, its four overlapping corners.

    Returns left, top and side, each [6]. They are never drawn by the optimiser, and are the same for all.
    """
    left = torch.tensor([0.0, 0.1, 0.0, 0.2, 0.0, 0.2])
    top = torch.tensor([0.0, 0.1, 0.0, 0.0, 0.2, 0.2])
    side = torch.tensor([1.0, 0.8, 0.8, 0.8, 0.8, 0.8])
    return left, top, side


def cut(picture: Tensor, boxes: tuple[Tensor, Tensor, Tensor], size: int, filter: Filter) -> Tensor:
    """Every box of every picture, resized.

    `picture` [n, 3, h, w], any float range; `boxes` as `random_boxes` gives them, each [count].
    Returns [n * count, 3, size, size] in the picture's range, boxes of one picture side by side.
    `nearest` is BigSleep's; `triangle` is bilinear, widened for reduction so that nothing is skipped
    (the kernel of Pillow's BILINEAR).
    """
    n, channels, height, width = picture.shape
    left, top, side = boxes
    count = len(side)
    rows = _resample(top, side, height, size, filter).to(picture)  # [count, size, height]
    columns = _resample(left, side, width, size, filter).to(picture)  # [count, size, width]
    flat = picture.permute(2, 0, 1, 3).reshape(height, n * channels * width)  # [height, n*3*width]
    views = rows.reshape(count * size, height) @ flat  # [count*size, n*3*width]
    views = views.view(count, size * n * channels, width) @ columns.transpose(1, 2)  # [count, size*n*3, size]
    views = views.view(count, size, n, channels, size).permute(2, 0, 3, 1, 4)  # [n, count, 3, size, size]
    return views.reshape(n * count, channels, size, size)


def _resample(start: Tensor, side: Tensor, source: int, size: int, filter: Filter) -> Tensor:
    """The matrices [count, size, source] that take `size` samples from each span start..start+side (0..1).

    Spans are rounded to whole pixels, as a crop is.
    """
    length = (side * source).floor().clamp(min=1)  # [count], pixels
    first = (start * source).floor().minimum(source - length)  # [count]
    scale = length / size  # source pixels a sample
    sample = torch.arange(size)
    pixel = torch.arange(source)
    if filter == "nearest":
        at = first[:, None] + (sample * scale[:, None]).floor()  # [count, size], torch's nearest rule
        return (pixel == at[:, :, None]).float()
    centre = first[:, None] + (sample + 0.5) * scale[:, None] - 0.5  # [count, size]
    reach = scale.clamp(min=1)[:, None, None]
    weight = (1 - (pixel - centre[:, :, None]).abs() / reach).clamp(min=0)  # [count, size, source]
    inside = (pixel >= first[:, None]) & (pixel < (first + length)[:, None])  # [count, source]
    weight = weight * inside[:, None, :]
    return weight / weight.sum(2, keepdim=True)
