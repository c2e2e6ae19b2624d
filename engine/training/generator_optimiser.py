"""Muon for the pocket generator's convolutions: momentum whose matrix is made orthogonal before each step.

Keller Jordan, "Muon: An optimizer for hidden layers in neural networks", 2024; the scale is that of Liu et
al., "Muon is Scalable for LLM Training", 2025, which makes Adam's learning rates fit. torch.optim.Muon does
the same for matrices alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of Jordan's quintic iteration
ADAM_SIZE = 0.2  # root mean square of an Adam step, in learning rates


class Muon(torch.optim.Optimizer):
    """Steps of even size in all directions for kernels [out, in, h, w], taken as matrices [out, in h w]."""

    def __init__(self, params: Iterable[dict[str, Any]], lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure: the loss is computed once
        """One step down the gradients."""
        for group in self.param_groups:
            for kernel in group["params"]:
                if kernel.grad is None:
                    continue
                state = self.state[kernel]
                if not state:
                    state["momentum"] = torch.zeros_like(kernel)
                momentum = state["momentum"].mul_(MOMENTUM).add_(kernel.grad)
                ahead = kernel.grad + MOMENTUM * momentum  # Nesterov
                matrix = orthogonal(ahead.flatten(1))
                size = ADAM_SIZE * max(matrix.shape) ** 0.5
                kernel.add_(matrix.view(kernel.shape), alpha=-group["lr"] * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """`matrix` [m, n] with all its singular values brought near 1 (0.7 to 1.2), by five Newton-Schulz
    iterations in bfloat16; a matrix of zeros stays one."""
    first, second, third = COEFFICIENTS
    x = matrix.bfloat16()
    if upright := x.shape[0] > x.shape[1]:
        x = x.t()
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.t()
        x = first * x + (second * gram + third * gram @ gram) @ x
    return (x.t() if upright else x).float()
