"""Which of the backgrounds that the small BigGAN can paint show the ground that a dream asks for.

A search hardly moves a background: a white one is as far from night as from any other ground, and few random
ones look like any. So a start tries some that were chosen among thousands, by the map of the latents alone.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engine.pocket import grounds, latents_map
from engine.pocket.latents_map import BACKGROUND_HUE, GROUND, GROUND_DEPTH, GROUND_FULL

ASKED = 0.25  # how much of a ground's vector in a direction names it; others have 0.06 by chance
DRAWS, LIKED = 2048, 8  # backgrounds looked at, and how many of them are tried
VARIED, NEAR = 256, 0.35  # of each of those so many variants, this deviation away; the best is tried
SPREAD, FARTHEST = 1.5, 2.6  # of the draws: deviation, and the largest number
COORDINATES = slice(BACKGROUND_HUE[0], GROUND_DEPTH + 1)  # of the background row; the others paint none of it


def named(towards: Tensor, known: int) -> int | None:
    """The number in `grounds.GROUNDS`, below `known`, of the ground that a direction [d] names, or None."""
    if not known:
        return None
    asked = grounds.vectors(len(towards))[:known] @ towards.detach().cpu()
    return int(asked.argmax()) if float(asked.max()) > ASKED else None


@torch.no_grad()
def backgrounds(seen: Callable[[Tensor], Tensor], number: int, rng: torch.Generator) -> Tensor:
    """Backgrounds [LIKED, n] in which a perceptor sees the ground of this number: `COORDINATES` of the row.

    All have a horizon where the ground has land. `seen` tells how much [m, grounds] of each ground the
    perceptor sees in pictures [m, 3, s, s] in 0..1.
    """
    z = (SPREAD * torch.randn(DRAWS, GROUND_DEPTH + 1, generator=rng)).clamp(-FARTHEST, FARTHEST)
    if grounds.GROUNDS[number] not in grounds.NO_LAND:
        z[:, GROUND] = z[:, GROUND].abs().clamp(min=GROUND_FULL)

    def liking(z: Tensor) -> Tensor:
        pictures = latents_map.scenery(z, 16).expand(-1, -1, -1, 16)
        return seen(pictures)[:, number].cpu()

    best = z[liking(z).topk(LIKED).indices]  # [LIKED, numbers]
    near = NEAR * torch.randn(LIKED, VARIED, GROUND_DEPTH + 1, generator=rng)
    near[:, 0] = 0
    near[..., GROUND] = 0
    z = (best[:, None] + near).clamp(-FARTHEST, FARTHEST)
    chosen = liking(z.flatten(0, 1)).view(LIKED, VARIED).argmax(1)
    return z[torch.arange(LIKED), chosen][:, COORDINATES]
