"""The views that the perceptor sees: square parts of the picture, resized to its input, perhaps augmented.

A crop and its resize are linear in the pixels, so a batch of them is two small matrix products with sparse
row and column matrices. Unlike `grid_sample` or advanced indexing, their backward pass is deterministic on
every device, so that the same seed gives the same picture.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

import torch
from torch import Tensor

Filter = Literal["nearest", "triangle"]
Augment = Literal["none", "smooth", "diffaugment"]
Boxes = tuple[Tensor, Tensor, Tensor]  # left, top, side, each [n], in units of the picture's side

# How far colours are moved at most, in pixels of -1..1: brightness by, saturation and contrast times 1 ±.
DIFFAUGMENT_COLOUR = (0.5, 1.0, 0.5)  # Zhao et al. 2020, arXiv 2006.10738, as FuseDream uses it
SMOOTH_COLOUR = (0.2, 0.4, 0.3)
DIFFAUGMENT_SHIFT = 0.125  # of the picture's side
DIFFAUGMENT_SCALE = 0.2  # 1 ±, FuseDream's own "resize"
DIFFAUGMENT_HOLE = 0.5  # side of the cut-out square, in units of the view's
SMOOTH_BLUR = 1.0  # the resampling kernel is up to 1 + this wider


@dataclass(frozen=True)
class Sizes:
    """How random crops are drawn; the defaults are BigSleep's."""

    low: float = 0.5  # side, in units of the picture's
    high: float = 0.95
    mean: float = 0.8
    deviation: float = 0.3
    centre_bias: float = 0.0  # 0: placed uniformly; else how many deviations the border is from the centre


@dataclass(frozen=True)
class Views:
    """What was drawn for some views, on the CPU; every tensor has one row a view."""

    boxes: Boxes
    mirrored: Tensor | None = None  # [n], bool
    blur: Tensor | None = None  # [n], how much wider the kernel is, 1 or more
    colour: Tensor | None = None  # [n, 3]: added brightness, factors of saturation and contrast
    hole: Tensor | None = None  # [n, 2]: row and column of the cut-out square's centre, 0..1
    panel: Tensor | None = None  # [n], which panel of a canvas it looks into, 0 or 1
    padded: bool = (
        False  # whether boxes may reach beyond the picture, where all is 0; exact to the pixel's part
    )

    def __len__(self) -> int:
        return len(self.boxes[0])

    def split(self, size: int) -> Iterator["Views"]:
        """These views in parts of at most `size`."""
        for at in range(0, len(self), size):
            yield self._each(itemgetter(slice(at, at + size)))

    def to(self, device: torch.device) -> "Views":
        """These views there: a few numbers each, of which their matrices are made where they are used."""
        return self._each(lambda values: values.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Views":
        left, top, side = map(change, self.boxes)
        mirrored, blur, colour, hole, panel = (
            None if values is None else change(values)
            for values in (self.mirrored, self.blur, self.colour, self.hole, self.panel)
        )
        return Views((left, top, side), mirrored, blur, colour, hole, panel, self.padded)


def draw(count: int, sizes: Sizes, augment: Augment, rng: torch.Generator) -> Views:
    """`count` random views. `rng` is the only source of randomness.

    "none": BigSleep's plain crops. "smooth": those, every second one mirrored, each with its own mild colours
    and its own blur (a wider resampling kernel), so that no fine pattern pleases all of them.
    "diffaugment": FuseDream's policy colour, translation, resize (one scale for all views) and cutout.
    """
    if augment == "diffaugment":
        scale = 1 + DIFFAUGMENT_SCALE * _spread(1, rng).expand(count)
        # Shifted first, then scaled about the middle, as there; what is moved in is grey.
        left, top = 0.5 - 0.5 / scale + DIFFAUGMENT_SHIFT * _spread((2, count), rng)
        colour = _colour(count, DIFFAUGMENT_COLOUR, rng)
        hole = torch.rand(count, 2, generator=rng)
        return Views((left, top, 1 / scale), colour=colour, hole=hole, padded=True)
    boxes = random_boxes(count, rng, sizes)
    if augment == "none":
        return Views(boxes)
    return Views(
        boxes,
        mirrored=torch.arange(count) % 2 == 1,
        blur=1 + SMOOTH_BLUR * torch.rand(count, generator=rng),
        colour=_colour(count, SMOOTH_COLOUR, rng),
    )


def _spread(shape: int | tuple[int, ...], rng: torch.Generator) -> Tensor:
    """Uniform in -1..1."""
    return 2 * torch.rand(shape, generator=rng) - 1


def _colour(count: int, reach: tuple[float, float, float], rng: torch.Generator) -> Tensor:
    return torch.tensor([0.0, 1.0, 1.0]) + torch.tensor(reach) * _spread((count, 3), rng)


def random_boxes(count: int, rng: torch.Generator, sizes: Sizes = Sizes()) -> Boxes:
    """BigSleep's crops: side ~ N(0.8, 0.3) clipped to 0.5..0.95 of the picture, placed uniformly.

    With a centre bias the place is drawn around the middle, anew and uniformly where it would be outside.
    Returns left, top and side, each [count], in units of the picture's side, float32 on the CPU.
    `rng` is the only source of randomness (the original drew offsets from Python's unseeded `random`).
    """
    side = (sizes.mean + sizes.deviation * torch.randn(count, generator=rng)).clamp(sizes.low, sizes.high)
    place = torch.rand(2, count, generator=rng)  # 0..1 of the room that is left
    if sizes.centre_bias:
        central = 0.5 + 0.5 / sizes.centre_bias * torch.randn(2, count, generator=rng)
        place = torch.where((central >= 0) & (central <= 1), central, place)
    left, top = place * (1 - side)
    return left, top, side


def fixed_boxes() -> Boxes:
    """The six views a shown picture is judged by: all of it, its middle, its four overlapping corners.

    Returns left, top and side, each [6]. They are never drawn by the optimiser, and are the same for all.
    """
    left = torch.tensor([0.0, 0.1, 0.0, 0.2, 0.0, 0.2])
    top = torch.tensor([0.0, 0.1, 0.0, 0.0, 0.2, 0.2])
    side = torch.tensor([1.0, 0.8, 0.8, 0.8, 0.8, 0.8])
    return left, top, side


def see(picture: Tensor, views: Views, size: int, filter: Filter) -> Tensor:
    """What the perceptor gets to see: `picture` [1, 3, h, w], -1..1 -> [len(views), 3, size, size], 0..1.

    Changed colours may leave that range a little. What lies outside of the picture is grey.
    """
    views = views.to(picture.device)
    seen = _cut(picture, views, size, filter)  # [n, 3, size, size], -1..1
    if views.colour is not None:
        brightness, saturation, contrast = views.colour.to(picture)[:, :, None, None, None].unbind(1)
        seen = seen + brightness
        grey = seen.mean(1, keepdim=True)
        seen = (seen - grey) * saturation + grey
        middle = seen.mean((1, 2, 3), keepdim=True)
        seen = (seen - middle) * contrast + middle
    if views.hole is not None:
        pixel = (torch.arange(size, device=picture.device) + 0.5) / size
        within = ((pixel - views.hole[:, :, None]).abs() < DIFFAUGMENT_HOLE / 2).to(picture)  # [n, 2, size]
        seen = seen * (1 - within[:, 0, :, None] * within[:, 1, None, :])[:, None]
    return (seen + 1) / 2


def cut(picture: Tensor, boxes: Boxes, size: int, filter: Filter) -> Tensor:
    """Every box of every picture, resized.

    `picture` [n, 3, h, w], any float range; `boxes` as `random_boxes` gives them, each [count].
    Returns [n * count, 3, size, size] in the picture's range, boxes of one picture side by side.
    `nearest` is BigSleep's; `triangle` is bilinear, widened for reduction so that nothing is skipped
    (the kernel of Pillow's BILINEAR).
    """
    return _cut(picture, Views(boxes).to(picture.device), size, filter)


def _cut(picture: Tensor, views: Views, size: int, filter: Filter) -> Tensor:
    """As `cut`, with the views' mirroring and blur, on the picture's device; 0 outside of the picture."""
    n, channels, height, width = picture.shape
    left, top, side = views.boxes
    count = len(side)
    rows = _resample(top, side, height, size, filter, views).to(picture)  # [count, size, height]
    columns = _resample(left, side, width, size, filter, views)  # [count, size, width]
    if views.mirrored is not None:
        columns = torch.where(views.mirrored[:, None, None], columns.flip(1), columns)
    columns = columns.to(picture)
    flat = picture.permute(2, 0, 1, 3).reshape(height, n * channels * width)  # [height, n*3*width]
    seen = rows.reshape(count * size, height) @ flat  # [count*size, n*3*width]
    seen = seen.view(count, size * n * channels, width) @ columns.transpose(1, 2)  # [count, size*n*3, size]
    seen = seen.view(count, size, n, channels, size).permute(2, 0, 3, 1, 4)  # [n, count, 3, size, size]
    return seen.reshape(n * count, channels, size, size)


def _resample(start: Tensor, side: Tensor, source: int, size: int, filter: Filter, views: Views) -> Tensor:
    """The matrices [count, size, source] that take `size` samples from each span start..start+side (0..1).

    Spans are rounded to whole pixels, as a crop is, unless they may reach beyond the picture.
    """
    length = (side * source).floor().clamp(min=1)  # [count], pixels
    first = (start * source).floor().minimum(source - length)
    pixel = torch.arange(source, device=start.device)
    if views.padded:
        length, first = side * source, start * source
        pixel = torch.arange(-source, 2 * source, device=start.device)
    scale = length / size  # source pixels a sample
    sample = torch.arange(size, device=start.device)
    if filter == "nearest":
        at = (
            first[:, None] + (sample * scale[:, None]).floor()
        ).round()  # [count, size], torch's nearest rule
        matrix = (pixel == at[:, :, None]).float()
    else:
        centre = first[:, None] + (sample + 0.5) * scale[:, None] - 0.5  # [count, size]
        reach = (scale if views.blur is None else scale * views.blur).clamp(min=1)[:, None, None]
        weight = (1 - (pixel - centre[:, :, None]).abs() / reach).clamp(min=0)  # [count, size, pixels]
        if not views.padded:
            inside = (pixel >= first[:, None]) & (pixel < (first + length)[:, None])  # [count, pixels]
            weight = weight * inside[:, None, :]
        matrix = weight / weight.sum(2, keepdim=True)
    return matrix[:, :, source : 2 * source] if views.padded else matrix
