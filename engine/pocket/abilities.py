"""The latents of the embedded generator as `engine.models.generator.LatentMap` has them asked for."""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.pocket import posture, scenery, tints
from engine.pocket.grounds_painted import FROM, MOTIFS, calmed
from engine.pocket.latents import (
    BANDS,
    FINISH,
    FINISH_FROM,
    FINISH_ROW,
    GROUND,
    GROUND_ROW,
    MADE,
    MADE_OF,
    MATERIAL_ROW,
    NATURAL,
    POSTURE,
    POSTURE_ROW,
    STYLE_ROW,
    TINT,
    TINT_ROW,
)
from engine.words.colours import Tint

# Above which band one thing ends and the other begins, by how the words mix them.
_CUTS = {"halves": (4, 5, 3), "head": (4, 3), "blend": (4, 3, 5)}


class _LatentMap:
    """What each row means is said by `engine.pocket.latents`."""

    shared: tuple[int, ...] = (STYLE_ROW, GROUND_ROW)
    manner: tuple[int, ...] = (STYLE_ROW, FINISH_ROW, POSTURE_ROW, GROUND_ROW)
    background: int | None = GROUND_ROW
    pair_gain = 5.0  # each is drawn whole

    backgrounds = staticmethod(scenery.backgrounds)

    @staticmethod
    def standing(z: Tensor) -> Tensor:
        """As `LatentMap.standing` says."""
        z = z.clone()
        z[:, POSTURE_ROW, POSTURE] = posture.standing(z[:, POSTURE_ROW, POSTURE])
        return z

    @staticmethod
    def plain(z: Tensor) -> Tensor:
        """As `LatentMap.plain` says: no number is large enough for a finish, a scene or a tint."""
        return z / 2

    @staticmethod
    def sober(z: Tensor, alone: bool = True) -> Tensor:
        """As `LatentMap.sober` says: of a finish and a motif of the ground the farther out stays."""
        z = z.clone()
        scores, numbers = z[:, FINISH_ROW, FINISH], z[:, GROUND_ROW, GROUND]
        if not alone:
            z[:, GROUND_ROW, GROUND] = calmed(numbers)
            return z
        motif = numbers[:, : len(MOTIFS)].abs().amax(1, keepdim=True)  # [n, 1]
        scene = motif >= scores.amax(1, keepdim=True)
        both = (motif > FROM) & (scores > FINISH_FROM).any(1, keepdim=True)
        z[:, FINISH_ROW, FINISH] = torch.where(both & scene, scores.clamp(max=FINISH_FROM), scores)
        z[:, GROUND_ROW, GROUND] = torch.where(both & ~scene, calmed(numbers), numbers)
        return z

    @staticmethod
    def mixed(kind: str) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
        """As `LatentMap.mixed` says: bands of one above those of the other."""
        bands = range(BANDS)
        if kind == "made":
            return ((bands, (MATERIAL_ROW,)),)
        above = [(bands[:cut], bands[cut:]) for cut in _CUTS[kind]]
        if kind != "blend":
            return above
        return [*above, *((below, top) for top, below in above)]

    @staticmethod
    def made(z: Tensor) -> Tensor:
        """As `LatentMap.made` says."""
        z = z.clone()
        z[:, MATERIAL_ROW, MADE] = MADE_OF
        z[:, TINT_ROW, TINT] = 0  # in its stuff's own colours: a search would tint a cheese frog green
        return z

    @staticmethod
    def on(z: Tensor, backgrounds: Tensor) -> Tensor:
        """As `LatentMap.on` says."""
        z = z.clone()
        z[:, GROUND_ROW, GROUND.start : GROUND.start + backgrounds.shape[1]] = backgrounds
        return z

    @staticmethod
    def tinted(z: Tensor, tint: Tint, which: Tensor, rng: torch.Generator) -> Tensor:
        """As `LatentMap.tinted` says."""
        z = z.clone()
        placed = tints.placed(tint, len(z), rng) / NATURAL
        z[:, TINT_ROW, TINT] = torch.where(which, placed, z[:, TINT_ROW, TINT])
        return z


LATENT_MAP = _LatentMap()
