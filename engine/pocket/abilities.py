"""The latents of our generators as `engine.models.generator.LatentMap` has them asked for."""

import torch
from torch import Tensor

from engine.pocket import latents_map, scenery, tints
from engine.pocket.latents_map import BACKGROUND_ROW, GROUND_DEPTH, STYLE_ROW, TINT, TINT_ROW


class _LatentMap:
    """What each row means is said by `engine.pocket.latents_map`."""

    shared = (STYLE_ROW, BACKGROUND_ROW)
    background = BACKGROUND_ROW
    used = GROUND_DEPTH + 1

    contrasting = staticmethod(latents_map.contrasting)
    ground = staticmethod(latents_map.ground)
    below_horizon = staticmethod(latents_map.below_horizon)
    backgrounds = staticmethod(scenery.backgrounds)

    @staticmethod
    def on(z: Tensor, backgrounds: Tensor) -> Tensor:
        """As `LatentMap.on` says."""
        z = z.clone()
        z[:, BACKGROUND_ROW, scenery.COORDINATES] = backgrounds
        return z

    @staticmethod
    def tinted(z: Tensor, hue: float, which: Tensor, rng: torch.Generator) -> Tensor:
        """As `LatentMap.tinted` says."""
        z, tint = z.clone(), list(TINT)
        z[:, TINT_ROW, tint] = torch.where(which, tints.points(hue, len(z), rng), z[:, TINT_ROW, tint])
        return z


LATENT_MAP = _LatentMap()
