"""Which tints of the small BigGAN's things show the colour that a dream's words name.

A search hardly moves a tint, and of random ones few are strong and fewer of one hue: *a blue bird* would stay
red. So where the words name a colour, half of a start's candidates wear it.
"""

import torch
from torch import Tensor

STRENGTH, SPREAD = 3.0, 0.2  # radius, from which on tints are whole; deviation of the angle, in radians


def points(hue: float, count: int, rng: torch.Generator) -> Tensor:
    """Tints [count, 2] of about this hue (degrees), as `latents_map.TINT` has them."""
    angle = torch.deg2rad(torch.tensor(hue)) + SPREAD * torch.randn(count, generator=rng)
    return STRENGTH * torch.stack((angle.cos(), angle.sin()), 1)
