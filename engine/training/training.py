"""What the trainings share: the average of the weights; some of them also optimiser, rate and checkpoint."""

import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn


class Kept:
    """A training whose checkpoint keeps `PARTS`, by their state, and `FACTS`, as they are."""

    PARTS: ClassVar[tuple[str, ...]]
    FACTS: ClassVar[tuple[str, ...]]

    def write(self, path: Path) -> None:
        """Keep everything; the file appears whole. Raises `OSError`."""
        state = {name: getattr(self, name).state_dict() for name in self.PARTS}
        torch.save(state | {name: getattr(self, name) for name in self.FACTS}, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def read(self, path: Path, device: torch.device) -> None:
        """Take up what `write` kept. Raises `OSError`, `KeyError`, `RuntimeError`."""
        state = torch.load(path, map_location=device, weights_only=True)
        for name in self.PARTS:
            getattr(self, name).load_state_dict(state[name])
        for name in self.FACTS:
            setattr(self, name, state[name])


def cosine(share: float) -> float:
    """From 1 at `share` 0 of a training down to 0 at its end (Loshchilov and Hutter 2017, SGDR)."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def adam(parts: Iterable[nn.Module], rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over all parameters of `parts` with CLIP's betas; only matrices and kernels decay.

    `rate`: the learning rate, above 0; `weight_decay`: a step's share of it (Loshchilov and Hutter 2019).
    """
    parameters = [p for part in parts for p in part.parameters()]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6, fused=True)


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move `average`, of the same shapes, towards `model`: average * decay + model * (1 - decay).

    `decay` in 0..1; whole numbers, such as batch norm's counters, are copied.
    """
    targets = itertools.chain(average.parameters(), average.buffers())
    for old, new in zip(targets, itertools.chain(model.parameters(), model.buffers()), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)
