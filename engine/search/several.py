"""Several of a thing: one picture in which what is dreamt stands two to nine times."""

import torch
from torch import Tensor

from engine.models.generator import OnePanel, Panel
from engine.search.canvas import Spot, laid

# Where they stand: the sides of those behind and of those in front, and how many there are in each row.
_ROWS = {
    2: (0.54, 0.54, (2,)),
    3: (0.42, 0.56, (2, 1)),
    4: (0.44, 0.5, (2, 2)),
    5: (0.36, 0.46, (3, 2)),
    6: (0.36, 0.42, (3, 3)),
    7: (0.3, 0.4, (4, 3)),
    8: (0.3, 0.36, (4, 4)),
    9: (0.28, 0.38, (3, 3, 3)),
}
MOST = max(_ROWS)
UNEVEN = 0.04  # of the picture's side, by which each second one stands lower


def spots(count: int) -> list[Spot]:
    """Where `count` of a thing, 2 to `MOST`, stand, from behind to the front: in rows, each second one
    mirrored."""
    far, near, rows = _ROWS[count]
    found: list[Spot] = []
    for index, number in enumerate(rows):
        depth = index / (len(rows) - 1) if len(rows) > 1 else 0.5
        side = far + (near - far) * depth
        top = 0.02 + (0.92 - side) * depth
        step = (0.98 - side) / max(number - 1, 1)
        start = 0.01 if number > 1 else (1 - side) / 2
        found += [
            Spot(start + step * place, top + UNEVEN * (place % 2), side, (len(found) + place) % 2 == 1)
            for place in range(number)
        ]
    return found


class Several(OnePanel):
    """A `Generator` whose pictures hold several of another one's things; the search looks at one of them."""

    whole = False

    def __init__(self, generator: Panel, count: int) -> None:
        """`count`: 2 to `MOST`."""
        self.one, self.spots = generator, spots(count)
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
            for spot in self.spots:
                picture = laid(picture, thing, spot)
            pictures.append(picture)
        return torch.stack(pictures).clamp(0, 1) * 2 - 1

    def sheet(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.sheet` says: one of them, large."""
        return self.one.sheet(z, class_weights)
