"""One thing made of another: the outline and features of the one, filled with what the other looks like."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.blur import blurred

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue (Rec. 601)
REACH = 0.5  # of a stuff's drawing, from its middle: what fills the thing
TIMES = 2.1  # how often it does, mirrored in turn, so that a pizza's toppings are many


def made_of(thing: Tensor, stuff: Tensor, share: Tensor) -> Tensor:
    """Drawings `thing` [n, 4, s, s], of which `share` [n], 0..1, is as if made of the drawings `stuff`.

    All premultiplied, the stuff of the same shape; differentiable."""
    share = share[:, None, None, None]
    cover = thing[:, 3:].clamp(0, 1)
    colour = straight(thing)
    weights = torch.tensor(LUMINANCE).to(thing)[:, None, None]
    light = (colour * weights).sum(1, keepdim=True)  # [n, 1, s, s]
    mean = _mean(light, cover)
    around = blurred(light * cover, 15) / blurred(cover, 15).clamp(min=1e-3)
    features = ((light - around) * 2.2).clamp(-0.75, 0.5)  # eyes, mouths, outlines
    shade = 1 + 0.5 * (around - mean)
    filled = (
        _spread(stuff, cover) * shade * (1 + features.clamp(max=0)) + 0.5 * features.clamp(min=0)
    ).clamp(0, 1)
    return torch.cat((torch.lerp(colour, filled, share) * cover, cover), dim=1)


def straight(drawing: Tensor) -> Tensor:
    """The colours [n, 3, s, s], 0..1, of premultiplied drawings [n, 4, s, s]."""
    return (drawing[:, :3] / drawing[:, 3:].clamp(min=0.05)).clamp(0, 1)


def _spread(stuff: Tensor, cover: Tensor) -> Tensor:
    """The middle of each stuff, `TIMES` beside itself, over the box that the thing covers, its mean colour
    where it has holes: colours [n, 3, s, s]."""
    size = stuff.shape[-1]
    there = stuff[:, 3:].clamp(0, 1)
    mean = _mean(stuff[:, :3], torch.ones_like(there)) / _mean(there, torch.ones_like(there)).clamp(min=1e-3)
    whole = stuff[:, :3] + (1 - there) * mean  # the stuff on a ground of its own colour
    at = (2 * torch.arange(size, device=stuff.device) + 1) / size - 1
    grids = []
    for over, axis in ((stuff[:, 3], 1), (stuff[:, 3], 2)):
        source_low, source_high = _span(over.detach().amax(axis))
        low, high = _span(cover[:, 0].detach().amax(axis))
        middle, half = (source_low + source_high) / 2, REACH * (source_high - source_low) / 2
        along = (at - (low + high)[:, None] / 2) / ((high - low)[:, None] / 2).clamp(min=0.1)
        grids.append(middle[:, None] + half[:, None] * _mirrored(TIMES * along))  # [n, s]
    x, y = grids
    grid = torch.stack((x[:, None].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)), 3)
    return F.grid_sample(whole, grid, "bilinear", "reflection", align_corners=False).clamp(0, 1)


def _mirrored(along: Tensor) -> Tensor:
    """Places along a side, folded into -1..1, which stays as it is."""
    return 1 - ((along + 1) % 4 - 2).abs()


def _span(covered: Tensor) -> tuple[Tensor, Tensor]:
    """From where to where something is along a side, [n] each in -1..1, of the most that covers [n, s]."""
    size = covered.shape[1]
    at = (2 * torch.arange(size, device=covered.device) + 1) / size - 1
    there = covered > 0.5
    low = torch.where(there, at, 1.0).amin(1)
    high = torch.where(there, at, -1.0).amax(1)
    return torch.minimum(low, high), torch.maximum(low, high)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """[n, c, 1, 1]"""
    return (values * weights).sum((2, 3), keepdim=True) / weights.sum((2, 3), keepdim=True).clamp(min=1e-3)
