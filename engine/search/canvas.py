"""A canvas: one picture made of two, each thing of a `Scene` searched in a panel of its own.

A generator that draws one thing a picture blends two that are asked for into neither. So the search moves two
sets of latents, a half of the rows each, and its views look at the one thing or the other alone (`sheet`).
What makes a picture one is shared, drawing style and background, and things are cut out where the generator
knows how, so that they may overlap: the crown sits on the frog's head, the wings behind the pizza.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.models.generator import Panel
from engine.search.cutouts import Boxes, Views
from engine.search.latents import Latents
from engine.words.scene import Scene

SCALE = 2  # side of a sheet, in units of a panel's
FILLED, GROWN = 0.94, 1.35  # of the canvas's side that two things take, and how much larger that makes them
HAT = 1.5  # width of a hat, in units of a head's that juts out


@dataclass(frozen=True)
class Spot:
    """Where a panel is shown: left and top of its square and its side, in units of the canvas's side."""

    left: float
    top: float
    side: float
    mirrored: bool = False


@dataclass(frozen=True)
class Layout:
    """Where the first thing is shown, and the second, perhaps twice; what is in front hides the other."""

    first: Spot
    second: tuple[Spot, ...]
    front: int  # 0: the first thing, 1: the second
    overlap: float | None = None  # of the upper thing's height: both are moved until they overlap so far


def _layout(
    first: tuple[float, float, float],
    second: tuple[float, float, float],
    front: int = 0,
    overlap: float | None = None,
) -> Layout:
    return Layout(Spot(*first), (Spot(*second),), front, overlap)


def _twins(
    first: tuple[float, float, float],
    left: float,
    top: float,
    side: float,
    front: int,
    overlap: float | None = None,
) -> Layout:
    """The second thing twice: at the right as it is, at the left mirrored."""
    right = Spot(1 - left - side, top, side)
    return Layout(Spot(*first), (right, Spot(left, top, side, mirrored=True)), front, overlap)


# By how the two stand (`Scene.place`). Things fill some four fifths of their panels.
LAYOUTS = {
    "left": _layout((0.0, 0.22, 0.56), (0.44, 0.22, 0.56)),
    "right": _layout((0.44, 0.22, 0.56), (0.0, 0.22, 0.56)),
    "together": _layout((0.0, 0.29, 0.63), (0.37, 0.04, 0.63)),  # larger than side by side
    "above": _layout((0.22, 0.0, 0.56), (0.22, 0.44, 0.56)),
    "below": _layout((0.22, 0.44, 0.56), (0.22, 0.0, 0.56)),
    "on": _layout((0.24, 0.0, 0.52), (0.15, 0.3, 0.7), 0, 0.12),  # its feet within the other's upper part
    "in": _layout((0.2, 0.0, 0.6), (0.15, 0.3, 0.7), 1, 0.5),  # the lower part hidden
    "hat": _layout((0.16, 0.32, 0.68), (0.26, 0.0, 0.48), 1, 0.13),
    "glasses": _layout((0.1, 0.1, 0.8), (0.24, 0.25, 0.52), 1),
    "clothes": _layout((0.1, 0.06, 0.8), (0.28, 0.46, 0.44), 1),
    "held": _layout((0.0, 0.08, 0.78), (0.52, 0.46, 0.48), 1),  # beside it, low
    "aloft": _layout((0.0, 0.28, 0.7), (0.46, 0.0, 0.54), 1),  # beside it, high
    "flanked": _twins((0.17, 0.02, 0.66), 0.0, 0.5, 0.44, 1),  # by one on each side, low
    "wings": _twins((0.22, 0.24, 0.56), 0.0, 0.12, 0.5, 0),  # on both sides, behind
    "horns": _twins((0.16, 0.28, 0.68), 0.1, 0.04, 0.42, 0),  # at the top, behind
    "legs": _twins((0.14, 0.0, 0.72), 0.18, 0.54, 0.42, 0, 0.15),  # below, behind
}


def settled(layout: Layout, there: Tensor) -> Layout:
    """The layout for these two things, `there` [2, s, s], true where each is in its panel: moved up or down
    until they meet as `Layout.overlap` says, and together to the middle; a hat is fitted to a head that juts
    out. Unchanged where nothing shall meet or is there.
    """
    if layout.overlap is None or not there.flatten(1).any(1).all():
        return layout
    first, second = layout.first, layout.second[0]
    hat = second.top < first.top
    head = _head(there[0]) if hat else None
    if head:
        second = _fitted(second, there[1], *(first.left + first.side * at for at in head))
    spots = (first, second)
    upper, lower = (1, 0) if hat else (0, 1)
    (top, feet), (met, bottom) = (
        [spots[i].top + spots[i].side * at for at in _span(there[i].any(1))] for i in (upper, lower)
    )
    highest = met
    if len(layout.second) == 1 and not head:
        met = _top_below(spots[upper], there[upper], spots[lower], there[lower], hat)
    down = met + layout.overlap * (feet - top) - feet  # how far the upper one has to go
    rise = 0.5 - (min(top + down, highest) + max(feet + down, bottom)) / 2
    moves = (rise, rise + down) if hat else (rise + down, rise)
    twins = layout.second[1:]  # of things that are no hats, which alone are moved sideways
    return replace(
        layout,
        first=replace(first, top=first.top + moves[0]),
        second=tuple(replace(spot, top=spot.top + moves[1]) for spot in (second, *twins)),
    )


def filled(layout: Layout, there: Tensor) -> Layout:
    """The layout for these two things, `there` as for `settled`, in the middle of the canvas and as large as
    fits, but not more than `GROWN` times as it was. Unchanged where one is nothing."""
    if not there.flatten(1).any(1).all():
        return layout
    spots, ends = (layout.first, *layout.second), []
    for spot, one in zip(spots, (there[0], *[there[1]] * len(layout.second)), strict=True):
        left, right = _span(one.flip(1).any(0) if spot.mirrored else one.any(0))
        top, bottom = _span(one.any(1))
        ends.append([at + spot.side * end for at, end in zip(
            (spot.left, spot.top, spot.left, spot.top), (left, top, right, bottom), strict=True
        )])  # fmt: skip
    corners = torch.tensor(ends)  # [things, 4]
    start, end = corners[:, :2].amin(0), corners[:, 2:].amax(0)  # across and down
    grow = min(FILLED / float((end - start).max()), GROWN)
    across, down = ((start + end) / 2).tolist()
    first, *second = (
        replace(
            spot,
            left=0.5 + grow * (spot.left - across),
            top=0.5 + grow * (spot.top - down),
            side=grow * spot.side,
        )
        for spot in spots
    )
    return replace(layout, first=first, second=tuple(second))


def _fitted(spot: Spot, there: Tensor, start: float, end: float) -> Spot:
    """A hat's spot over a head that begins and ends there across the canvas, half of its size at least."""
    left, right = _span(there.any(0))
    side = spot.side * min(max(HAT * (end - start) / (spot.side * (right - left)), 0.5), 1)
    return replace(spot, left=(start + end) / 2 - side * (left + right) / 2, side=side)


def _top_below(upper: Spot, standing: Tensor, lower: Spot, there: Tensor, hat: bool) -> float:
    """The upper edge, down the canvas, of the lower thing under the upper one; its highest where nothing is.

    The mean one under the middle half, for its highest point may be elsewhere; of what wears a hat nearly the
    highest under most of it, for eyes may be there.
    """
    size = len(there)
    left, right = (upper.left + upper.side * at for at in _span(standing.any(0)))
    margin = 0.1 if hat else 0.25
    start, end = (
        max(int((left + (right - left) * part - lower.left) / lower.side * size), 0)
        for part in (margin, 1 - margin)
    )
    under = there[:, start:end]
    tops = under.int().argmax(0)[under.any(0)].float()  # the first true one of each column
    if not len(tops):
        return lower.top + lower.side * _span(there.any(1))[0]
    return lower.top + lower.side * float(tops.quantile(0.1) if hat else tops.mean()) / size


def _span(there: Tensor) -> tuple[float, float]:
    """Where the first and after the last true one of [s] is, 0..1."""
    found = there.nonzero()
    return found[0].item() / len(there), (found[-1].item() + 1) / len(there)


def _head(there: Tensor) -> tuple[float, float] | None:
    """Where the upper fifth of a thing begins and ends across its panel, 0..1; None unless it juts out."""
    top, bottom = _span(there.any(1))
    left, right = _span(there.any(0))
    start, end = _span(there[: int((top + (bottom - top) / 5) * len(there)) + 1].any(0))
    return (start, end) if end - start < 0.6 * (right - left) else None


class Canvas:
    """A `Generator` whose pictures hold two of another one's, on their common ground.

    The first half of its rows is the first panel's, the second half the second's, whose style and background
    are the first's. Where a generator cuts nothing out, panels are whole squares.
    """

    def __init__(self, generator: Panel, scene: Scene) -> None:
        self.panel = generator
        self.panels, self.whole = 2, False
        self.latent_map, self.abilities = generator.latent_map, generator.abilities
        self.name = generator.name
        self.size, self.sheet_size = generator.size, generator.sheet_size
        self.rows = 2 * generator.rows
        self.z_dim = generator.z_dim
        self.classes = generator.classes
        self.layout = LAYOUTS[scene.place]
        rows = torch.arange(generator.rows)[:, None]
        self._shared = torch.isin(rows, torch.tensor(generator.latent_map.shared))  # [rows / 2, 1]

    @torch.no_grad()
    def __call__(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.__call__` says, but without gradients: those go through `sheet`."""
        z, class_weights = self._panels(z, class_weights)
        things, ground = self.panel.cut_out(z, class_weights, self.size)
        pairs = zip(ground[::2], things.unflatten(0, (-1, 2)), strict=True)
        return torch.stack([self._laid(*one) for one in pairs]).clamp(0, 1) * 2 - 1

    def _laid(self, picture: Tensor, things: Tensor) -> Tensor:
        """Two things [2, 4, s, s] over a picture [3, size, size], all in 0..1."""
        there = things[:, 3].cpu() > 0.5
        layout = filled(settled(self.layout, there), there)
        shown = [(0, layout.first), *((1, spot) for spot in layout.second)]
        shown.sort(key=lambda one: one[0] == layout.front)  # what is in front comes last
        for panel, spot in shown:
            picture = laid(picture, things[panel], spot)
        return picture

    def sheet(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.sheet` says, the first at the upper left, the second at the upper right."""
        panels = self.panel.sheet(*self._panels(z, class_weights))
        return F.pad(torch.cat((panels[::2], panels[1::2]), dim=3), (0, 0, 0, panels.shape[-1]))

    def _panels(self, z: Tensor, class_weights: Tensor) -> tuple[Tensor, Tensor]:
        """The base's arguments, [2 n, rows / 2, ...] each: each picture's first panel, then its second."""
        z = z.unflatten(1, (2, -1))  # [n, 2, rows / 2, z_dim]
        z = torch.where(self._shared.to(z.device), z[:, :1], z).flatten(0, 1)
        return self.latent_map.standing(z), class_weights.unflatten(1, (2, -1)).flatten(0, 1)


def laid(picture: Tensor, thing: Tensor, spot: Spot) -> Tensor:
    """A thing [4, s, s] at its spot over a picture [3, size, size], all in 0..1."""
    rows, columns = (matrix.to(picture) for matrix in _placing(spot, picture.shape[-1], thing.shape[-1]))
    placed = rows @ thing @ columns.T  # [4, size, size]
    return (1 - placed[3:].clamp(0, 1)) * picture + placed[:3]


def _placing(spot: Spot, size: int, own: int) -> tuple[Tensor, Tensor]:
    """The matrices [size, own] that resize a panel's rows and columns and put them at its spot.

    A part of that may lie outside."""
    side = round(spot.side * size)
    one = torch.eye(own)[None, None]  # [1, 1, own, own]
    resize = F.interpolate(one, (side, own), mode="bicubic", align_corners=False, antialias=True)[0, 0]
    left, top = (round(at * size) for at in (spot.left, spot.top))
    rows, columns = (F.pad(resize, (0, 0, at, size - side - at)) for at in (top, left))
    return rows, columns.flip(1) if spot.mirrored else columns


def aimed(views: Views, panels: int) -> Views:
    """These views, made for a whole picture, each at a panel of a sheet: two by two in turn."""
    if panels == 1:
        return views
    panel = torch.arange(len(views)) // 2 % panels  # neighbours differ in being mirrored
    return replace(views, boxes=_within(views.boxes, panel), panel=panel)


def at_each(boxes: Boxes, panels: int) -> tuple[Boxes, Tensor | None]:
    """All of the `boxes` [n] at a sheet's first panel, then at the next; and whose each is [panels n], None
    where there is but one."""
    if panels == 1:
        return boxes, None
    panel = torch.arange(panels).repeat_interleave(len(boxes[0]))
    left, top, side = (values.repeat(panels) for values in boxes)
    return _within((left, top, side), panel), panel


def _within(boxes: Boxes, panel: Tensor) -> Boxes:
    """Boxes [n] of a whole picture, each at its `panel` [n] of a sheet."""
    left, top, side = (values / SCALE for values in boxes)
    return left + panel / SCALE, top, side


def joined(latents: Sequence[Latents]) -> Latents:
    """The panels' latents, all on one device, as those of the picture."""
    return Latents(
        torch.cat([each.z for each in latents]).detach(),
        torch.cat([each.class_logits for each in latents]).detach(),
    )


def fitted(latents: Latents, rows: int) -> Latents:
    """`latents` with so many rows: one thing's twice for a canvas of two, the first of two things alone."""
    if len(latents.z) == rows:
        return latents
    if 2 * len(latents.z) == rows:
        return joined((latents, latents))
    return Latents(latents.z[:rows].detach(), latents.class_logits[:rows].detach())
