"""What the latents are scored by: likeness to the targets, and terms that keep them where pictures are good.

Formulas and constants of the terms: lucidrains/big-sleep 0.9.1, `BigSleep.forward`. All are summed and
minimised.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.errors import BadRequest
from engine.sentences import Key
from engine.words.colours import Tint


@dataclass(frozen=True)
class Target:
    """Something the picture shall resemble, or, with a negative weight, shall not."""

    vector: Tensor  # [d], unit length, float32: a phrase or a picture in the perceptor's space
    weight: float = 1.0
    tint: Tint | None = None  # the colour that a phrase names, for models that have tints


def direction(targets: Sequence[Target]) -> Tensor:
    """All targets as one vector [d]: their sum by weight, divided by the sum of the positive weights.

    A view's dot product with it is the weighted mean of its cosines, 1 at most: phrases that pull share one
    whole, what is avoided counts against it. A single target is its own direction, bit for bit. Raises
    `BadRequest` when no weight is above zero or one is not finite: nothing would be left to dream of.
    """
    positive = sum(target.weight for target in targets if target.weight > 0)
    if not all(math.isfinite(target.weight) for target in targets) or not math.isfinite(positive):
        raise BadRequest(Key.WEIGHT_NO_NUMBER)
    if positive <= 0:
        raise BadRequest(Key.NO_WEIGHT)
    return torch.stack([target.vector * (target.weight / positive) for target in targets]).sum(0)


def cosine_score(towards: Tensor, views: Tensor) -> Tensor:
    """100 × likeness of each view [..., d], of unit length, to `towards` [d], a `direction` or a unit vector.

    With `towards` [n, d], each of n views has its own.

    Returns [...]: -100..100, lower still where something is avoided.
    """
    if towards.ndim > 1:
        return 100 * (views * towards).sum(-1)
    return 100 * (views @ towards)


def latent_term(z: Tensor) -> Tensor:
    """How far each row of z [rows, z_dim] is from a standard normal sample. Returns a scalar, at least 4.

    |1 - std| + |mean|, averaged over rows, + 4 max(mean z², 1), + |skew| and |excess kurtosis| averaged.
    """
    spread = (1 - z.std(dim=1)).abs().mean() + z.mean(dim=1).abs().mean()
    power = 4 * z.square().mean().clamp(min=1)
    deviation = z - z.mean(dim=1, keepdim=True)
    normed = deviation / deviation.square().mean(dim=1, keepdim=True).sqrt()  # [rows, z_dim]
    skew = normed.pow(3).mean(dim=1)
    excess_kurtosis = normed.pow(4).mean(dim=1) - 3
    return spread + power + skew.abs().mean() + excess_kurtosis.abs().mean()


def class_term(weights: Tensor) -> Tensor:
    """mean((50 × each class weight but the row's largest)²) of weights [rows, classes] in 0..1."""
    if weights.shape[1] < 2:
        return weights.new_zeros(())
    others = torch.topk(weights, weights.shape[1] - 1, largest=False, dim=1).values
    return (50 * others).square().mean()
