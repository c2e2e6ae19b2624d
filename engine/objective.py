"""What the latents are scored by: likeness to the text, and terms that keep them where the generator is good.

Formulas and constants: lucidrains/big-sleep 0.9.1, `BigSleep.forward`. All are summed and minimised.
"""

import torch
from torch import Tensor


def cosine_score(text: Tensor, views: Tensor) -> Tensor:
    """100 × cosine of the text [d] with each view [..., d], both of unit length. Returns [...], -100..100."""
    return 100 * (views @ text)


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
