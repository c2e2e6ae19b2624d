"""What is optimised: a latent row and a row of class weights per generator layer, and one for the input.

Two kinds of module have them as their parameters: `Latents` (BigSleep's) moves the rows themselves, `Basis`
(FuseDream's) mixes a few pictures'. Calling either gives z [rows, z_dim] and class weights [rows, classes].
"""

import copy
import math
from typing import Generic, Self, TypeVar

import torch
from torch import Tensor, nn


class Latents(nn.Module):
    """BigSleep's parameters (lucidrains/big-sleep 0.9.1, `Latents`).

    `z` [rows, z_dim] and `class_logits` [rows, classes], float32; rows = generator layers + 1. Row 0 makes
    the generator's input, row i + 1 conditions its block i. `max_classes` above 0 leaves each row that many.
    """

    def __init__(
        self, z: Tensor, class_logits: Tensor, max_classes: int = 0, class_temperature: float = 2.0
    ) -> None:
        super().__init__()
        self.max_classes = max_classes
        self.class_temperature = class_temperature
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

    @classmethod
    @torch.no_grad()
    def of(cls, latents: "Latents | Basis", max_classes: int = 0, class_temperature: float = 2.0) -> Self:
        """Rows of their own that make the picture of `latents`, up to rounding.

        With `max_classes` the likeness is rough: the shares of a top-k are those of the weights' squares, so
        that hundreds of small weights do not drown the large ones.
        """
        z, weights = latents()
        weights = weights.clamp(1e-6, 1 - 1e-6)
        if max_classes:
            return cls(z, 2 * class_temperature * weights.log(), max_classes, class_temperature)
        return cls(z, torch.logit(weights))

    def forward(self) -> tuple[Tensor, Tensor]:
        """Returns z [rows, z_dim] and class weights [rows, classes] in 0..1.

        A sigmoid, not a softmax; with `max_classes`, big-sleep's differentiable top-k.
        """
        if self.max_classes:
            return self.z, top_classes(self.class_logits, self.max_classes, self.class_temperature)
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


def top_classes(logits: Tensor, count: int, temperature: float) -> Tensor:
    """The `count` largest of logits [rows, classes] as weights in 0..1, all others 0; differentiable.

    The largest gets its share of a softmax over all, the next its share of one over all but the largest, and
    so on (lucidrains/big-sleep 0.9.1, `differentiable_topk`).
    """
    ranked, order = (logits / temperature).sort(dim=1, descending=True)  # [rows, classes] each
    rest = ranked.flip(1).logcumsumexp(1).flip(1)  # log of the sum of this and all smaller ones
    shares = (ranked - rest).exp()[:, :count]
    return torch.zeros_like(logits).scatter(1, order[:, :count], shares)


class Basis(nn.Module):
    """FuseDream's parameters (gnobitab/FuseDream, `optimize_clip_score`): a mix of a few good pictures.

    `z` [k, z_dim] and `mix_z` [k, z_dim], whose softmax over k weighs each number by itself; `class_weights`
    [k, classes], fixed, and `mix_classes` [k, 1]. There the mix of classes has a weight per number of their
    embedding, too; our generators take class weights, so here it has one per picture. All float32.
    """

    def __init__(
        self, z: Tensor, mix_z: Tensor, class_weights: Tensor, mix_classes: Tensor, rows: int
    ) -> None:
        super().__init__()
        self.rows = rows
        self.z = nn.Parameter(z.clone())
        self.mix_z = nn.Parameter(mix_z.clone())
        self.class_weights = nn.Parameter(class_weights.clone(), requires_grad=False)
        self.mix_classes = nn.Parameter(mix_classes.clone())

    def forward(self) -> tuple[Tensor, Tensor]:
        """Returns z [rows, z_dim] and class weights [rows, classes] in 0..1, all rows alike."""
        z = (self.mix_z.softmax(0) * self.z).sum(0)  # [z_dim]
        weights = (self.mix_classes.softmax(0) * self.class_weights).sum(0)  # [classes]
        return z.expand(self.rows, -1), weights.expand(self.rows, -1)


def _slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Spherical interpolation of each row (Shoemake 1985). Rows that point the same way are lerped."""
    cosine = torch.cosine_similarity(a, b, dim=1).clamp(-1, 1)[:, None]  # [rows, 1]
    angle = cosine.acos()
    straight = torch.lerp(a, b, share)
    curved = (((1 - share) * angle).sin() * a + (share * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin() > 1e-3, curved, straight)


Kind = TypeVar("Kind", bound=Latents | Basis)


class LatentAverage(Generic[Kind]):
    """The exponential moving average of latents that makes the shown picture, corrected for its zero start.

    The average of a constant is that constant from the first update on (big-sleep's `EMA`, decay 0.99).
    """

    def __init__(self, latents: Kind, decay: float) -> None:
        self.decay = decay
        self.weight = 0.0  # of what was taken in, 0..1
        self.sum: Kind = copy.deepcopy(latents)
        self.sum.requires_grad_(False)
        for parameter in self.sum.parameters():
            parameter.zero_()
        self.update(latents)

    @torch.no_grad()
    def update(self, latents: Kind) -> None:
        """Take in the latents as they are now."""
        self.weight = self.decay * self.weight + (1 - self.decay)
        for total, parameter in zip(self.sum.parameters(), latents.parameters(), strict=True):
            total.lerp_(parameter, 1 - self.decay)

    @torch.no_grad()
    def __call__(self) -> Kind:
        """The average: latents of the same kind, detached."""
        average: Kind = copy.deepcopy(self.sum)
        for parameter in average.parameters():
            parameter.div_(self.weight)
        return average
