"""Which painted grounds show the one that a dream asks for.

A search hardly moves a background: a white one is as far from night as from any other ground. So a start
tries some that paint what the words name, of which the perceptor sees it best.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engine.pocket import grounds, grounds_painted

ASKED = 0.25  # how much of a ground's vector in a direction names it; others have 0.06 by chance
DRAWN, LIKED = 64, 8  # grounds looked at, and how many of them are tried
SEEN = 16  # side of what is looked at, in pixels


def named(towards: Tensor, known: int) -> int | None:
    """The number in `grounds.GROUNDS`, below `known`, of the ground that a direction [d] names, or None."""
    if not known:
        return None
    asked = grounds.vectors(len(towards))[:known] @ towards.detach().cpu()
    return int(asked.argmax()) if float(asked.max()) > ASKED else None


@torch.no_grad()
def backgrounds(seen: Callable[[Tensor], Tensor] | None, name: str, rng: torch.Generator) -> Tensor:
    """Numbers [LIKED, n] of `grounds_painted` that paint the ground of this name of `engine.words.grounds`.

    `seen` tells how much [m, grounds] of each of the first grounds a perceptor sees in pictures [m, 3, s, s]
    in 0..1; the best by it are taken.
    """
    numbers = grounds_painted.near(name, rng, DRAWN)
    if seen is None:
        return numbers[:LIKED]
    liking = seen(grounds_painted.paint(numbers, SEEN))[:, grounds.GROUNDS.index(name)].cpu()
    return numbers[liking.topk(LIKED).indices]
