"""Several of a thing: one picture in which what is dreamt stands two to nine times."""

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.models.generator import OnePanel, Panel
from engine.search.canvas import Spot, laid

# How many stand in each row, from behind to the front.
_ROWS = {2: (2,), 3: (2, 1), 4: (2, 2), 5: (3, 2), 6: (3, 3), 7: (4, 3), 8: (4, 4), 9: (3, 3, 3)}
MOST = max(_ROWS)
HEIGHTS = {1: 0.8, 2: 0.43, 3: 0.26}  # of one of them at most, where there are so many rows
EDGES, GAP = 0.98, 0.03  # of the picture's width that a row may take, and between two in it
NEARER = 1.3  # how much larger than those behind the ones in front are at most
APART = 1.2  # from one's middle to the next one's, in widths, at most
UNEVEN = 0.04  # of the picture's side, by which each second one stands lower


def spots(count: int, wide: float = 1.0, tall: float = 1.0) -> list[Spot]:
    """Where `count` of a thing, 2 to `MOST`, stand, from behind to the front: in rows, each second one
    mirrored, as large as they can be. A thing is in the middle of its spot and takes so much of it."""
    rows = _ROWS[count]
    sides = [min(HEIGHTS[len(rows)] / tall, (EDGES - GAP * (n - 1)) / n / wide) for n in rows]
    sides = [min(side, NEARER * min(sides)) for side in sides]
    highest, lowest = 0.02 + sides[0] * tall / 2, 0.94 - sides[-1] * tall / 2
    found: list[Spot] = []
    for index, (number, side) in enumerate(zip(rows, sides, strict=True)):
        depth = index / (len(rows) - 1) if len(rows) > 1 else 0.5
        middle = highest + (lowest - highest) * depth
        step = min((EDGES - side * wide) / max(number - 1, 1), APART * side * wide)
        found += [
            Spot(
                0.5 + step * (place - (number - 1) / 2) - side / 2,
                middle - side / 2 + UNEVEN * (place % 2),
                side,
                (len(found) + place) % 2 == 1,
            )
            for place in range(number)
        ]
    return found


def cropped(thing: Tensor) -> tuple[Tensor, float, float]:
    """A thing [4, s, s] in the middle of the smallest square that holds it, and how much of that it takes,
    across and down; as it is where it is nothing."""
    there = thing[3] > 0.1
    if not there.any():
        return thing, 1.0, 1.0
    (top, bottom), (left, right) = (
        (int(found[0]), int(found[-1]) + 1) for found in (there.any(axis).nonzero() for axis in (1, 0))
    )
    side = max(bottom - top, right - left)
    high, low = side - (bottom - top), side - (right - left)
    only = thing[:, top:bottom, left:right]
    padded = F.pad(only, (low // 2, low - low // 2, high // 2, high - high // 2))
    return padded, (right - left) / side, (bottom - top) / side


class Several(OnePanel):
    """A `Generator` whose pictures hold several of another one's things; the search looks at one of them."""

    whole = False

    def __init__(self, generator: Panel, count: int) -> None:
        """`count`: 2 to `MOST`."""
        self.one, self.count = generator, count
        self.name, self.latent_map, self.abilities = generator.name, generator.latent_map, generator.abilities
        self.size, self.rows = generator.size, generator.rows
        self.z_dim, self.classes = generator.z_dim, generator.classes

    @property
    def sheet_size(self) -> int:
        """As `Generator.sheet_size` says."""
        return self.one.sheet_size

    @torch.no_grad()
    def __call__(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.__call__` says, but without gradients: those go through `sheet`."""
        things, ground = self.one.cut_out(self.latent_map.standing(z), class_weights, self.size)
        pictures = []
        for picture, thing in zip(ground, things, strict=True):
            only, wide, tall = cropped(thing)
            for spot in spots(self.count, wide, tall):
                picture = laid(picture, only, spot)
            pictures.append(picture)
        return torch.stack(pictures).clamp(0, 1) * 2 - 1

    def sheet(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.sheet` says: one of them, large."""
        return self.one.sheet(z, class_weights)
