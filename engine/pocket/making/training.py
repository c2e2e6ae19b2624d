"""What the trainings share: the average of the weights; two of them also the optimiser."""

import itertools
from collections.abc import Iterable

import torch
from torch import nn


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
