"""What the latents of the pocket generator mean.

Of a picture's latents z [rows, Z_DIM], each ~ N(0, 1), a number means something in one row alone; elsewhere
it does nothing, so that a dream may take one thing's posture and another one's ground. The class weights of
the first `BANDS` rows choose what stands in each band of cells, from the top; those of the last what it is
made of.
"""

import torch
from torch import Tensor

from engine.pocket.codes import BANDS

MATERIAL_ROW = BANDS
ROWS = BANDS + 1
Z_DIM = 48

STYLE_ROW, STYLE = 0, slice(0, 7)  # a score for each drawing style: the highest draws
FINISH_ROW, FINISH = 1, slice(7, 16)  # likewise, for how it is redrawn; none where all are low
POSTURE_ROW, POSTURE = 2, slice(16, 24)  # as `engine.pocket.posture` has them
TINT_ROW, TINT = 4, slice(24, 27)  # `NATURAL` times these are as `engine.pocket.tints` has them
MADE = 27  # of the last row: how far the thing is made of another
GROUND_ROW, GROUND = 6, slice(28, 45)  # as `engine.pocket.grounds_painted` has them

NATURAL = 0.6  # chance tints one thing of a hundred
FINISH_FROM, FINISH_FULL = 1.5, 1.9  # of the highest score
MADE_FROM, MADE_FULL = 3.3, 3.9  # beyond what chance brings: one in 2000
MADE_OF = 5.5  # what a start gives where the words say so: farther than a search goes back


def smoothstep(x: Tensor, low: float, high: float) -> Tensor:
    """0 up to `low`, 1 from `high`, smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def finishes(z: Tensor, count: int) -> Tensor:
    """How much of each of so many finishes is seen, [n, count] in 0..1, of z [n, rows, Z_DIM]: the highest
    score's alone."""
    scores = z[:, FINISH_ROW, FINISH][:, :count]
    best = scores.argmax(1, keepdim=True)
    strength = smoothstep(scores.gather(1, best), FINISH_FROM, FINISH_FULL)
    return torch.zeros_like(scores).scatter(1, best, strength)


def made(z: Tensor) -> Tensor:
    """How far each thing is made of another, [n] in 0..1, of z [n, rows, Z_DIM]."""
    return smoothstep(z[:, MATERIAL_ROW, MADE], MADE_FROM, MADE_FULL)
