"""Some of a thing in a vessel: one picture in which what is dreamt lies in a bowl, a basket or the like."""

import torch
from torch import Tensor

from engine.models.generator import OnePanel, Panel
from engine.search.canvas import Spot, laid
from engine.search.several import cropped

# All in units of the vessel's width, or of its height where it says so.
# Things are as large as the vessel, for they are what is asked for: half as large, the judge saw bowls alone.
WIDE, TALL = {1: 1.1, 3: 1.0}, 1.1  # what one of so many things takes at most, across and down
# How far right of the middle each is, and how much higher than the lowest; the last is in front.
AT = {1: ((0.0, 0.0),), 3: ((-0.3, 0.12), (0.3, 0.12), (0.0, 0.0))}
# Of the height, below the rim: down to where they lie, and to where the opening's near edge goes.
SUNK, FRONT = 0.42, 0.3
RIM = 0.8  # of the widest row's coverage, which the rim is the first to have: above are handles and spoons
FILLED = 0.88  # of the picture's side that all of it takes


class Vessel(OnePanel):
    """A `Generator` whose pictures hold another one's things in a vessel; the search looks at one of them."""

    whole = False

    def __init__(self, generator: Panel, vessel: int, count: int) -> None:
        """`vessel`: a class of the generator's; `count`: of the things, 1 or 3."""
        self.one, self.vessel, self.count = generator, vessel, count
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
        z = self.latent_map.standing(z)
        things, ground = self.one.cut_out(z, class_weights, self.size)
        alone = torch.zeros_like(class_weights)
        alone[:, :, self.vessel] = 1
        vessels, _ = self.one.cut_out(self.latent_map.plain(z), alone, self.size)
        found = [self._laid(*each) for each in zip(ground, vessels, things, strict=True)]
        return torch.stack(found).clamp(0, 1) * 2 - 1

    def sheet(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.sheet` says: one of the things, large."""
        return self.one.sheet(z, class_weights)

    def _laid(self, picture: Tensor, vessel: Tensor, thing: Tensor) -> Tensor:
        """The things [4, s, s] in the vessel [4, s, s], over a picture [3, size, size], all in 0..1."""
        (vessel, wide, tall), (thing, *extent) = cropped(vessel), cropped(thing)
        rim = _rim(vessel)
        spots = placed(self.count, (wide, tall), (rim - (1 - tall) / 2) / tall, (extent[0], extent[1]))
        first, *others = fitted(spots, [(wide, tall), *[(extent[0], extent[1])] * self.count])
        picture = laid(picture, vessel, first)
        for spot in others:
            picture = laid(picture, thing, spot)
        return laid(picture, vessel * _front(vessel, rim, wide, tall), first)


def _rim(vessel: Tensor) -> float:
    """How far down a vessel [4, s, s] is about as wide as anywhere, 0..1."""
    rows = vessel[3].sum(1)
    return int((rows >= RIM * rows.max()).int().argmax()) / len(rows)


def _front(vessel: Tensor, rim: float, wide: float, tall: float) -> Tensor:
    """How much of a vessel [4, s, s] is before what lies in it, [s, s] in 0..1.

    All below the near half of its round opening, which begins at the rim on both sides.
    """
    middles = (torch.arange(vessel.shape[1], device=vessel.device) + 0.5) / vessel.shape[1]
    across = (middles - 0.5) / max(wide / 2, 1e-3)
    edge = rim + FRONT * tall * (1 - across**2).clamp(min=0).sqrt()
    return ((middles[:, None] - edge) * vessel.shape[1] / 4 + 0.5).clamp(0, 1)


def placed(count: int, vessel: tuple[float, float], rim: float, thing: tuple[float, float]) -> list[Spot]:
    """Spots of a vessel that takes so much of its square, across and down, and of `count` things in it, which
    take so much of theirs; the vessel is one wide and around (0, 0), its rim a share of its height down."""
    side = 1 / max(vessel[0], 1e-3)
    height = vessel[1] * side
    own = min(WIDE[count] / max(thing[0], 1e-3), TALL / max(thing[1], 1e-3))
    lowest = height * (rim + SUNK - 0.5)
    found = [Spot(-side / 2, -side / 2, side)]
    for index, (across, up) in enumerate(AT[count]):
        middle = lowest - up - own * thing[1] / 2
        found.append(Spot(across - own / 2, middle - own / 2, own, mirrored=index == 2))
    return found


def fitted(spots: list[Spot], extents: list[tuple[float, float]]) -> list[Spot]:
    """Spots in any place, of things that take so much of them across and down, moved together into the middle
    of a picture that they fill."""
    boxes = torch.tensor(
        [
            (
                spot.left + spot.side * (1 - wide) / 2,
                spot.top + spot.side * (1 - tall) / 2,
                spot.left + spot.side * (1 + wide) / 2,
                spot.top + spot.side * (1 + tall) / 2,
            )
            for spot, (wide, tall) in zip(spots, extents, strict=True)
        ]
    )
    start, end = boxes[:, :2].amin(0), boxes[:, 2:].amax(0)
    grow = FILLED / float((end - start).max())
    across, down = ((start + end) / 2).tolist()
    return [
        Spot(0.5 + grow * (s.left - across), 0.5 + grow * (s.top - down), grow * s.side, s.mirrored)
        for s in spots
    ]
