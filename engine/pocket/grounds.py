"""Named grounds: 'a cat at night' as the cat's vector with a fixed one of the night added.

A text that ends in such words is taken apart, as `engine.pocket.places` does with what stands where; a small
head of the picture tower says which of these grounds it sees and adds the same vector.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.words.grounds import GROUNDS as GROUNDS
from engine.words.grounds import NO_LAND as NO_LAND
from engine.words.grounds import SAID as SAID
from engine.words.grounds import read as read

BOUND = 0.45  # how much a ground counts beside the things
# Rows of the Walsh-Hadamard matrix of size 256 with little of the names' vectors in them (0.68 to 0.81 of the
# mean row's share); they differ in their last four bits, so that they are at right angles from size 16 on.
_ROWS = (143, 211, 228, 221, 246, 92, 75, 217, 242, 87, 216, 106)


def vectors(dimension: int) -> Tensor:
    """Unit rows [len(GROUNDS), dimension]: a Walsh-Hadamard row each, (-1)^|i & k| / √dimension at column i.

    At right angles where `dimension` is a power of two, 16 or more.
    """
    both = torch.tensor(_ROWS)[:, None] & torch.arange(dimension)  # [grounds, dimension]
    bits = (both[..., None] >> torch.arange(8)) & 1  # [grounds, dimension, 8]
    return (1 - 2 * (bits.sum(-1) % 2)).float() / dimension**0.5


def composed(things: Tensor, seen: Tensor) -> Tensor:
    """Things [n, d], unit rows, on grounds, of each `seen` [n, grounds] so much, 0..1 → unit rows [n, d]."""
    return F.normalize(things + BOUND * seen @ vectors(things.shape[1])[: seen.shape[1]].to(things), dim=1)
