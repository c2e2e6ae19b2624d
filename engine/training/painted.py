"""Named grounds painted at random, to train and to measure with: skies, horizons, stars, waves, houses."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket import grounds_painted
from engine.pocket.grounds import GROUNDS
from engine.training import scenes

Colours = tuple[tuple[float, float, float], tuple[float, float, float]]  # lowest and highest red, green, blue
PLAIN = 0.3  # share of pictures that are of the ground's own colour all over, or graded
BARE = 0.4  # share of the others without marks
MARGIN = 0.4  # how much of the smallest view's height may be cut off: views are 0.6 to 1 of a picture


@dataclass(frozen=True)
class Look:
    """How a ground is painted: a sky graded from `top` to `bottom`, on most of them a horizon, marks."""

    top: Colours
    bottom: Colours
    below: Colours | None = None  # under the horizon
    plain: Colours | None = None  # all over, where there is neither horizon nor gradient; else the sky's
    marks: str = ""  # a key of `_MARKS`


_SKY_TOP: Colours = ((0.25, 0.50, 0.85), (0.60, 0.82, 1.0))
_SKY_BOTTOM: Colours = ((0.55, 0.78, 0.94), (0.88, 0.96, 1.0))
LOOKS: dict[str, Look] = {
    "night": Look(
        ((0.01, 0.02, 0.10), (0.16, 0.18, 0.42)), ((0.04, 0.05, 0.18), (0.24, 0.24, 0.55)),
        ((0.01, 0.03, 0.05), (0.16, 0.22, 0.22)), marks="stars",
    ),
    "sunset": Look(
        ((0.45, 0.22, 0.40), (0.98, 0.60, 0.50)), ((0.95, 0.50, 0.15), (1.0, 0.80, 0.45)),
        ((0.15, 0.08, 0.12), (0.60, 0.35, 0.30)), ((0.92, 0.50, 0.25), (1.0, 0.70, 0.50)),
    ),
    "sky": Look(_SKY_TOP, _SKY_BOTTOM, marks="clouds"),
    "meadow": Look(
        _SKY_TOP, _SKY_BOTTOM, ((0.20, 0.50, 0.08), (0.60, 0.85, 0.38)),
        ((0.30, 0.62, 0.15), (0.68, 0.92, 0.50)), "clouds",
    ),
    "beach": Look(
        _SKY_TOP, _SKY_BOTTOM, ((0.88, 0.76, 0.48), (1.0, 0.92, 0.72)),
        ((0.90, 0.82, 0.58), (1.0, 0.94, 0.76)), "surf",
    ),
    "snow": Look(
        ((0.55, 0.66, 0.78), (0.82, 0.90, 0.98)), ((0.76, 0.84, 0.92), (0.94, 0.97, 1.0)),
        ((0.90, 0.93, 0.96), (1.0, 1.0, 1.0)), ((0.80, 0.87, 0.93), (0.91, 0.95, 0.98)), "flakes",
    ),
    "desert": Look(
        ((0.92, 0.80, 0.55), (1.0, 0.92, 0.75)), ((0.96, 0.86, 0.62), (1.0, 0.96, 0.82)),
        ((0.76, 0.48, 0.18), (0.95, 0.70, 0.40)), ((0.80, 0.58, 0.28), (0.95, 0.74, 0.48)),
    ),
    "sea": Look(
        _SKY_TOP, _SKY_BOTTOM, ((0.0, 0.20, 0.50), (0.20, 0.52, 0.82)),
        ((0.05, 0.32, 0.62), (0.25, 0.52, 0.85)), "waves",
    ),
    "underwater": Look(
        ((0.05, 0.50, 0.62), (0.35, 0.82, 0.88)), ((0.0, 0.15, 0.34), (0.08, 0.42, 0.58)),
        plain=((0.05, 0.42, 0.48), (0.25, 0.66, 0.72)), marks="bubbles",
    ),
    "space": Look(
        ((0.0, 0.0, 0.0), (0.18, 0.14, 0.24)), ((0.0, 0.0, 0.0), (0.24, 0.16, 0.30)),
        plain=((0.0, 0.0, 0.0), (0.32, 0.22, 0.26)), marks="stars",
    ),
    "forest": Look(
        ((0.06, 0.24, 0.08), (0.34, 0.50, 0.28)), ((0.04, 0.16, 0.05), (0.20, 0.36, 0.18)),
        ((0.10, 0.14, 0.04), (0.34, 0.32, 0.16)), ((0.04, 0.20, 0.06), (0.26, 0.46, 0.24)), "trunks",
    ),
    "street": Look(
        ((0.55, 0.66, 0.76), (0.84, 0.90, 0.96)), ((0.70, 0.76, 0.82), (0.90, 0.93, 0.97)),
        ((0.24, 0.24, 0.26), (0.52, 0.52, 0.55)), ((0.34, 0.34, 0.36), (0.60, 0.60, 0.62)), "houses",
    ),
}  # fmt: skip
_FLAT = ("surf", "waves")  # marks of what has no hills


def paint(numbers: Tensor, side: int, random: torch.Generator) -> Tensor:
    """The grounds of these `numbers` int64 [n] in `GROUNDS` → float [n, 3, side, side] in 0..1.

    Each as a view of 60 to 100 % of a picture shows it, so that the horizon may lie high, low or outside.
    """
    result = torch.empty(len(numbers), 3, side, side)
    for number in numbers.unique().tolist():
        rows = (numbers == number).nonzero().flatten()
        result[rows] = _painted(LOOKS[GROUNDS[number]], len(rows), side, random)
    return result


def nameless(count: int, side: int, random: torch.Generator) -> Tensor:
    """Grounds without a name, float [count, 3, side, side]: what else pictures and dreams stand on."""
    half = count // 2
    dreamt = grounds_painted.paint(grounds_painted.near("calm", random, half), side)
    return torch.cat([dreamt, scenes.backgrounds(count - half, side, random)]).clamp(0, 1)


def _painted(look: Look, count: int, side: int, random: torch.Generator) -> Tensor:
    share = 1 - MARGIN * torch.rand(count, 1, 1, generator=random)  # of the picture that is in view
    start = (1 - share) * torch.rand(count, 1, 1, generator=random)
    down = start + share * ((torch.arange(side) + 0.5) / side)[:, None]  # [n, side, 1], 0..1 of the picture
    top, bottom = _drawn(look.top, count, random), _drawn(look.bottom, count, random)
    picture = torch.lerp(top, bottom, down[:, None]).expand(-1, -1, -1, side)
    horizon = 0.55 + 0.25 * torch.rand(count, 1, 1, generator=random)
    hilly = _some(0.0 if look.marks in _FLAT else 0.4, count, random)[:, 0] * 0.05
    line = horizon + hilly * _noise(count, 1, (1, 5), (1, side), random)[:, 0]  # [n, 1, side]
    over = ((line - down) * side / share + 0.5).clamp(0, 1)[:, None]  # [n, 1, side, side]: 1 in the sky
    if look.below:
        land = _drawn(look.below, count, random)
        shade = 1 - 0.25 * torch.rand(count, 1, 1, 1, generator=random) * (down[:, None] - 0.55).clamp(min=0)
        picture = torch.lerp(land * shade, picture, over)
    if look.marks:
        marked = _MARKS[look.marks](picture, over, random)
        picture = torch.where(_some(1 - BARE, count, random) > 0, marked, picture)
    if look.plain:
        chosen = _drawn(look.plain, count, random)
    else:
        chosen = torch.lerp(top, bottom, torch.rand(count, 1, 1, 1, generator=random))
    slope = 1 - 0.2 * torch.rand(count, 1, 1, 1, generator=random) * down[:, None]
    plain = (chosen * slope).expand(-1, -1, -1, side)
    return torch.where(_some(PLAIN, count, random) > 0, plain, picture).clamp(0, 1)


def _drawn(colours: Colours, count: int, random: torch.Generator) -> Tensor:
    """Colours [count, 3, 1, 1] between the two: mostly one share of the way for all three, a little apart."""
    low, high = torch.tensor(colours)
    way = torch.rand(count, 1, generator=random) + 0.3 * (torch.rand(count, 3, generator=random) - 0.5)
    return (low + (high - low) * way.clamp(0, 1))[:, :, None, None]


def _some(share: float, count: int, random: torch.Generator) -> Tensor:
    """[count, 1, 1, 1]: 1 in a share of the rows, else 0."""
    return (torch.rand(count, 1, 1, 1, generator=random) < share).float()


def _noise(
    count: int, channels: int, coarse: tuple[int, int], size: tuple[int, int], random: torch.Generator
) -> Tensor:
    """Soft noise of about ±1, [count, channels, *size]."""
    values = 2 * torch.rand(count, channels, *coarse, generator=random) - 1
    return F.interpolate(values, size=size, mode="bilinear", align_corners=True)


def _mixed(picture: Tensor, colour: float | Tensor, cover: Tensor) -> Tensor:
    return picture + (colour - picture) * cover


def _dots(picture: Tensor, share: float, large: float, random: torch.Generator) -> Tensor:
    """Cover [n, 1, h, w] of dots of a pixel, some (`large` of the pictures) of three."""
    n, _, height, width = picture.shape
    dots = (torch.rand(n, 1, height, width, generator=random) < share).float()
    dots = dots * (0.5 + 0.5 * torch.rand(n, 1, height, width, generator=random))
    grown = F.max_pool2d(F.pad(dots, (1, 1, 1, 1)), 3, 1)
    return torch.where(_some(large, n, random) > 0, grown, dots)


def _stars(picture: Tensor, over: Tensor, random: torch.Generator) -> Tensor:
    return _mixed(picture, 1.0, _dots(picture, 0.012, 0.2, random) * over)


def _flakes(picture: Tensor, over: Tensor, random: torch.Generator) -> Tensor:
    return _mixed(picture, 1.0, _dots(picture, 0.02, 0.6, random))


def _bubbles(picture: Tensor, over: Tensor, random: torch.Generator) -> Tensor:
    return _mixed(picture, 0.9, 0.6 * _dots(picture, 0.006, 0.8, random))


def _clouds(picture: Tensor, over: Tensor, random: torch.Generator) -> Tensor:
    n, _, height, width = picture.shape
    cover = (3 * _noise(n, 1, (7, 5), (height, width), random) - 0.6).clamp(0, 0.9)
    return _mixed(picture, 1.0, cover * over)


def _surf(picture: Tensor, over: Tensor, random: torch.Generator) -> Tensor:
    """A strip of sea above the sand."""
    n, _, height, _ = picture.shape
    wide = (height * (0.08 + 0.2 * torch.rand(n, 1, 1, 1, generator=random))).round()
    land = 1 - over
    above = torch.stack(
        [F.pad(part, (0, 0, 0, int(w)))[:, int(w) :] for part, w in zip(land, wide.flatten(), strict=True)]
    )
    sea = _drawn(((0.05, 0.35, 0.65), (0.30, 0.65, 0.85)), n, random)
    return _mixed(picture, sea, above * over)


def _waves(picture: Tensor, over: Tensor, random: torch.Generator) -> Tensor:
    n, _, height, width = picture.shape
    cover = (4 * _noise(n, 1, (20, 6), (height, width), random) - 2.4).clamp(0, 0.6)
    return _mixed(picture, 0.95, cover * (1 - over))


def _trunks(picture: Tensor, over: Tensor, random: torch.Generator) -> Tensor:
    n, _, height, width = picture.shape
    cover = (5 * _noise(n, 1, (1, 14), (height, width), random) - 1.5).clamp(0, 1)
    bark = _drawn(((0.12, 0.08, 0.03), (0.36, 0.26, 0.16)), n, random)
    crowns = (1 + 0.3 * _noise(n, 1, (6, 6), (height, width), random)) * picture
    return _mixed(crowns, bark, 0.85 * cover * over)


def _houses(picture: Tensor, over: Tensor, random: torch.Generator) -> Tensor:
    """Blocks of flats of some heights before the sky, a window here and there."""
    n, _, height, width = picture.shape
    tall = F.interpolate(torch.rand(n, 1, 1, 8, generator=random), size=(1, width), mode="nearest")
    land = 1 - over
    base = land.argmax(2, keepdim=True).float()  # [n, 1, 1, width]: the horizon's row, 0 where there is none
    base = torch.where(base > 0, base, torch.full_like(base, float(height)))
    rows = torch.arange(height).view(1, 1, height, 1)
    cover = (rows > base - height * (0.1 + 0.5 * tall)).float() * over
    walls = F.interpolate(torch.rand(n, 1, 1, 8, generator=random), size=(1, width), mode="nearest")
    tone = _drawn(((0.40, 0.38, 0.38), (0.72, 0.66, 0.62)), n, random) * (0.75 + 0.5 * walls)
    lit = ((rows % 6 < 2) & (torch.arange(width) % 5 < 2)).float()
    return _mixed(picture, tone + 0.2 * lit, cover)


_MARKS: dict[str, Callable[[Tensor, Tensor, torch.Generator], Tensor]] = {
    "stars": _stars, "flakes": _flakes, "bubbles": _bubbles, "clouds": _clouds, "surf": _surf,
    "waves": _waves, "trunks": _trunks, "houses": _houses,
}  # fmt: skip
