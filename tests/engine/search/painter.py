"""A generator that paints one square a picture, for tests of what shows its things elsewhere."""

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.models.generator import Ability, OnePanel
from engine.pocket.abilities import LATENT_MAP
from engine.pocket.latents import GROUND, GROUND_ROW, POSTURE, POSTURE_ROW, ROWS, Z_DIM
from engine.pocket.posture import ACROSS

COLOUR_ROW, COLOUR = 3, slice(0, 3)  # coordinates that say nothing else
RED, BLUE, WHITE = (torch.tensor(colour) for colour in ((2.0, -2, -2), (-2.0, -2, 2), (4.0, 4, 4)))


class Painter(OnePanel):
    """A square from 8 to 56 of 64 px in the colour of its own coordinates, moved by its posture, on a plain
    ground of the colour that the first numbers of the ground say.

    Columns before `since` of the second panel's things are missing; things cover `cover` of what is behind.
    """

    name, size, rows, z_dim, classes = "painter", 64, ROWS, Z_DIM, 12
    latent_map, abilities = LATENT_MAP, frozenset[Ability]()

    def __init__(self, since: int = 8, margin: int = 8, cover: float = 1.0) -> None:
        self.since, self.margin, self.cover = since, margin, cover

    def __call__(self, z: Tensor, class_weights: Tensor) -> Tensor:
        things, ground = self.cut_out(z, class_weights, self.size)
        return (things[:, :3] + (1 - things[:, 3:]) * ground) * 2 - 1

    def cut_out(self, z: Tensor, class_weights: Tensor, size: int) -> tuple[Tensor, Tensor]:
        self.z = z
        cover = torch.zeros(len(z), 1, 64, 64)
        cover[..., self.margin : 64 - self.margin, self.margin : 64 - self.margin] = self.cover
        cover[1::2, ..., : self.since] = 0
        moved = (4 * z[:, POSTURE_ROW, POSTURE.start + ACROSS]).round().int().tolist()
        cover = torch.stack([one.roll(by, 2) for one, by in zip(cover, moved, strict=True)])
        colours = torch.sigmoid(2 * z[:, COLOUR_ROW, COLOUR])[..., None, None]
        grounds = torch.sigmoid(2 * z[:, GROUND_ROW, GROUND.start : GROUND.start + 3])[..., None, None]
        return torch.cat((colours * cover, cover), 1), F.interpolate(grounds, (size, size))


def latents(*things: Tensor, ground: Tensor = WHITE) -> Tensor:
    """Rows [1, n ROWS, Z_DIM] of things in these colours [3], the first of them on a ground of this one."""
    z = torch.zeros(1, len(things) * ROWS, Z_DIM)
    for index, colour in enumerate(things):
        z[:, index * ROWS + COLOUR_ROW, COLOUR] = colour
    z[:, GROUND_ROW, GROUND.start : GROUND.start + 3] = ground
    return z
