"""Adam (Kingma and Ba 2015, algorithm 1): moves latents along their gradients, each number at its own pace.

The same numbers as `torch.optim.Adam`, which would load torch's compiler first: half a dream's start.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

BETAS, EPSILON = (0.9, 0.999), 1e-8  # the paper's, and torch's defaults


@dataclass(slots=True)
class Moments:
    """Running means of a parameter's gradient, each of its shape."""

    first: Tensor
    second: Tensor  # of its square
    updates: int = 0


class Adam:
    """Live. `moments`: of each parameter, once it has moved."""

    def __init__(self, parameters: Iterable[Tensor], rate: float) -> None:
        """`rate`: how far a step goes, about, in the parameters' own units; may be set anew before each."""
        self._parameters = list(parameters)
        self.rate = rate
        self.moments: dict[Tensor, Moments] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move each parameter that has a gradient, in place."""
        for parameter in self._parameters:
            if parameter.grad is not None:
                self._move(parameter, parameter.grad)

    def _move(self, parameter: Tensor, gradient: Tensor) -> None:
        if parameter not in self.moments:
            self.moments[parameter] = Moments(torch.zeros_like(parameter), torch.zeros_like(parameter))
        moments = self.moments[parameter]
        moments.updates += 1
        moments.first.lerp_(gradient, 1 - BETAS[0])
        moments.second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        # Both began at zero; what they lack for that.
        first_lacks, second_lacks = (1 - beta**moments.updates for beta in BETAS)
        spread = (moments.second.sqrt() / math.sqrt(second_lacks)).add_(EPSILON)
        parameter.addcdiv_(moments.first, spread, value=-self.rate / first_lacks)
