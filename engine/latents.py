"""What is optimised: a latent row and a row of class weights per generator layer, and one for the input."""

import copy
import math
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

    @torch.no_grad()
    def varied(self, strength: float, rng: torch.Generator) -> "Latents":
        """A copy that is changed by `strength` (0: not at all, 1: another sample altogether).

        Noise is turned towards fresh noise at constant variance, the same for all rows so that the picture
        stays of one piece; class logits get a quarter as much jitter, so that it stays the same thing until
        the search says otherwise.
        """
        noise = torch.randn(1, self.z.shape[1], generator=rng).to(self.z)
        jitter = torch.randn(1, self.class_logits.shape[1], generator=rng).to(self.z)
        z = math.sqrt(1 - strength**2) * self.z + strength * noise
        return Latents(z, self.class_logits + 0.25 * strength * jitter)

    @torch.no_grad()
    def blended(self, other: "Latents", share: float) -> "Latents":
        """Between these latents (`share` 0) and others of the same shape (1).

        Noise goes along the sphere row by row (slerp), since a straight line would pass through smaller
        noise, that is duller pictures. Class weights, not logits, are mixed: halfway both are half on.
        """
        z = _slerp(self.z, other.z, share)
        weights = torch.lerp(self()[1], other()[1], share).clamp(1e-6, 1 - 1e-6)
        return Latents(z, torch.logit(weights))


def _slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Spherical interpolation of each row (Shoemake 1985). Rows that point the same way are lerped."""
    cosine = torch.cosine_similarity(a, b, dim=1).clamp(-1, 1)[:, None]  # [rows, 1]
    angle = cosine.acos()
    straight = torch.lerp(a, b, share)
    curved = (((1 - share) * angle).sin() * a + (share * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin() > 1e-3, curved, straight)


class LatentAverage:
    """The exponential moving average of latents that makes the shown picture, corrected for its zero start.

    The average of a constant is that constant from the first update on (big-sleep's `EMA`, decay 0.99).
    """

    def __init__(self, latents: Latents, decay: float) -> None:
        self.decay = decay
        self.weight = 0.0  # of what was taken in, 0..1
        self.sum = copy.deepcopy(latents).requires_grad_(False)
        for parameter in self.sum.parameters():
            parameter.zero_()
        self.update(latents)

    @torch.no_grad()
    def update(self, latents: Latents) -> None:
        """Take in the latents as they are now."""
        self.weight = self.decay * self.weight + (1 - self.decay)
        for total, parameter in zip(self.sum.parameters(), latents.parameters(), strict=True):
            total.lerp_(parameter, 1 - self.decay)

    @torch.no_grad()
    def __call__(self) -> Latents:
        """The average: latents of the same kind, detached."""
        average = copy.deepcopy(self.sum)
        for parameter in average.parameters():
            parameter.div_(self.weight)
        return average
