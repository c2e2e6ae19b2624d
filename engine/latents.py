"""What is optimised: a latent row and a row of class weights per generator layer, and one for the input."""

import copy
from typing import Self

import torch
from torch import Tensor, nn


class Latents(nn.Module):
    """BigSleep's parameters (lucidrains/big-sleep 0.9.1, `Latents`).

    `z` [rows, z_dim] and `class_logits` [rows, classes], float32; rows = generator layers + 1. Row 0 makes
    the generator's input, row i + 1 conditions its block i.
    """

    def __init__(self, z: Tensor, class_logits: Tensor) -> None:
        super().__init__()
        if len(z) != len(class_logits):
            raise ValueError(f"{len(z)} rows of noise, but {len(class_logits)} rows of classes.")
        self.z = nn.Parameter(z.clone())
        self.class_logits = nn.Parameter(class_logits.clone())

    @classmethod
    def blind(cls, rows: int, z_dim: int, classes: int, rng: torch.Generator) -> Self:
        """BigSleep's own start: z ~ N(0, 1), logits ~ N(-3.9, 0.3). Drawn on the CPU, whatever the device."""
        z = torch.randn(rows, z_dim, generator=rng)
        logits = -3.9 + 0.3 * torch.randn(rows, classes, generator=rng)
        return cls(z, logits)

    def forward(self) -> tuple[Tensor, Tensor]:
        """Returns z [rows, z_dim] and class weights [rows, classes] in 0..1 (a sigmoid, not a softmax)."""
        return self.z, torch.sigmoid(self.class_logits)


class LatentAverage:
    """The exponential moving average of latents that makes the shown picture, corrected for its zero start.

    The average of a constant is that constant from the first update on (big-sleep's `EMA`, decay 0.99).
    """

    def __init__(self, latents: Latents, decay: float) -> None:
        self.decay = decay
        self._weight = 0.0
        self._sum = copy.deepcopy(latents).requires_grad_(False)
        for parameter in self._sum.parameters():
            parameter.zero_()
        self.update(latents)

    @torch.no_grad()
    def update(self, latents: Latents) -> None:
        """Take in the latents as they are now."""
        self._weight = self.decay * self._weight + (1 - self.decay)
        for total, parameter in zip(self._sum.parameters(), latents.parameters(), strict=True):
            total.lerp_(parameter, 1 - self.decay)

    @torch.no_grad()
    def __call__(self) -> tuple[Tensor, Tensor]:
        """The averaged z [rows, z_dim] and class weights [rows, classes] in 0..1."""
        return self._sum.z / self._weight, torch.sigmoid(self._sum.class_logits / self._weight)
