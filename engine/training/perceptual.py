"""How unlike two pictures look: LPIPS (Zhang et al. 2018, arXiv 1801.03924) with the judge's convolutions.

An owl's eye is a hundredth of its pixels and half of what makes it an owl, so pixels alone tell little of a
drawing. The judge has no part in the generator's training, so that nothing was made to please it. Unlike in
LPIPS, all channels count the same: nobody was asked which differences people see.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.models import registry
from engine.pocket.judge import Judge

WEIGHTS = registry.POCKET / "judge"


class Perceptual:
    """The distance of pictures from drawings, by a judge of which nothing is changed."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> "Perceptual":
        """By the judge in `folder`. Raises `ModelError`."""
        return cls(Judge.load(folder))

    @torch.no_grad()
    def distance(self, shown: Tensor, wanted: Tensor) -> Tensor:
        """Of `shown` and `wanted`, [n, 3, s, s] in -1..1 with s a multiple of 16, each with its own: [n].

        In each of four maps the activations at a place are made a vector of length 1; the squared distance of
        the two, 0 for the same and 2 at right angles, is averaged over the places, then over the maps.
        """
        mine, theirs = self._judge.maps(shown / 2 + 0.5), self._judge.maps(wanted / 2 + 0.5)
        apart = [
            (F.normalize(one, dim=1) - F.normalize(other, dim=1)).square().sum(1).mean((1, 2))
            for one, other in zip(mine, theirs, strict=True)
        ]
        return torch.stack(apart).mean(0)
