"""Where one thing ends and another begins below it: both are brought to one width there, and join."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.latents import smoothstep

APART = 0.6  # how much more of the upper one there has to be in the first band than in the last one
NARROWER = 0.5  # by a power of e: how much each of the two is made wider or narrower at most
FADE, LOOKED = 10 / 256, 8 / 256  # of a drawing's height: over which they fade, and are measured


def seam(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Which drawings of class weights [n, bands, classes] are of one thing above another, bool [n]; and
    how far down these meet, [n] in 0..1: where the one loses to the other."""
    share = weights.square()
    upper, lower = (
        share.gather(2, share[:, end].argmax(1)[:, None, None].expand(-1, share.shape[1], -1))[..., 0]
        for end in (0, -1)
    )  # [n, bands] each
    part = upper / (upper + lower).clamp(min=1e-12)  # one half everywhere of a single thing
    return (part[:, 0] - part[:, -1]).detach() > APART, part.mean(1)


def joined(upper: Tensor, lower: Tensor, at: Tensor) -> Tensor:
    """Drawings [n, 4, s, s] of the `upper` ones above and the `lower` ones below `at` [n], 0..1 from the top.

    Where they meet both are as wide as the geometric mean of what they were, and in the same place."""
    size = upper.shape[-1]
    down = (torch.arange(size, device=upper.device) + 0.5) / size  # [s]
    near = (-((down - at[:, None]) / LOOKED).square()).exp()  # [n, s]
    near = near / near.sum(1, keepdim=True).clamp(min=1e-6)
    (wide, middle), (below, middle_below) = (_width(drawing, near) for drawing in (upper, lower))
    narrower = ((wide / below).log() / 2).clamp(-NARROWER, NARROWER)
    place = (middle + middle_below) / 2
    above = _moved(upper, (-narrower).exp(), middle, place)
    share = smoothstep((down - at[:, None]) / FADE, -1, 1)[:, None, :, None]
    return torch.lerp(above, _moved(lower, narrower.exp(), middle_below, place), share)


def _width(drawing: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
    """How much drawings [n, 4, s, s] cover of the rows that count, `near` [n, s], and where the
    middle of that is, -1..1: [n] each."""
    size = drawing.shape[-1]
    across = (2 * torch.arange(size, device=drawing.device) + 1) / size - 1
    cover = (drawing[:, 3].clamp(0, 1) * near[:, :, None]).sum(1)  # [n, s]
    total = cover.sum(1).clamp(min=1e-2)
    return total, cover @ across / total


def _moved(drawing: Tensor, wider: Tensor, middle: Tensor, to: Tensor) -> Tensor:
    """Drawings [n, 4, s, s], so much `wider` around their `middle`, which is moved `to` another place, [n]
    each; where something would leave the picture it is cut."""
    size = drawing.shape[-1]
    at = (2 * torch.arange(size, device=drawing.device) + 1) / size - 1
    x = middle[:, None] + (at - to[:, None]) / wider[:, None]  # [n, s]
    grid = torch.stack((x[:, None].expand(-1, size, -1), at[:, None].expand(len(x), -1, size)), 3)
    return F.grid_sample(drawing, grid, "bilinear", "zeros", align_corners=False)
