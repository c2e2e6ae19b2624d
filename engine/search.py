"""Where a dream starts: not blindly, but at the latents that the perceptor likes best before the first step.

After FuseDream (Liu et al. 2021, arXiv 2112.01573), which scores some 5000 random samples: here an atlas,
made once per pair of models, ranks all classes at the price of one matrix product; only samples of the
best classes are then rendered and scored.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from engine import cutouts
from engine.generator import Generator
from engine.latents import Latents
from engine.objective import cosine_score
from engine.perceptor import Perceptor

ATLAS_SAMPLES = 4  # pictures a class
CANDIDATE_CLASSES = 8
CANDIDATES_A_CLASS = 6
BATCH = 16  # pictures rendered at once
CLASS_ON = math.log(0.9 / 0.1)  # the logit of the chosen class: weight 0.9
CLASS_OFF = -6.0  # of all others: weight 0.0025; hundreds of BigSleep's 0.02 would blur a chosen class


@torch.no_grad()
def make_atlas(
    generator: Generator, perceptor: Perceptor, device: torch.device, told: Callable[[int], object] = bool
) -> Tensor:
    """How the perceptor sees each class: the mean feature of `ATLAS_SAMPLES` pictures, of unit length.

    Returns [classes, d], float32, on the CPU; always the same for the same models. `told` hears after each
    batch how many classes are done.
    """
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(ATLAS_SAMPLES, generator.z_dim, generator=rng)
    features: list[Tensor] = []
    for first in range(0, generator.classes, BATCH):
        classes = torch.arange(first, min(first + BATCH, generator.classes))
        total = sum(
            _features(generator, perceptor, row.expand(len(classes), -1), classes, device) for row in z
        )
        features.append(torch.nn.functional.normalize(torch.as_tensor(total), dim=1).cpu())
        told(int(classes[-1]) + 1)
    return torch.cat(features)


@torch.no_grad()
def scored_start(
    generator: Generator,
    perceptor: Perceptor,
    text: Tensor,
    atlas: Tensor,
    rng: torch.Generator,
    device: torch.device,
) -> Latents:
    """The best of `CANDIDATES_A_CLASS` samples of each of the `CANDIDATE_CLASSES` classes nearest the text.

    `text` [d] of unit length, `atlas` as `make_atlas` gives it. All rows start alike, as the generator was
    trained; the search then moves each by itself. Returns latents on the CPU.
    """
    near = (atlas @ text.cpu()).topk(min(CANDIDATE_CLASSES, generator.classes)).indices
    classes = near.repeat_interleave(CANDIDATES_A_CLASS)  # [candidates]
    z = torch.randn(len(classes), generator.z_dim, generator=rng)  # [candidates, z_dim]
    scores = torch.cat(
        [
            cosine_score(text, _features(generator, perceptor, some_z, some_classes, device))
            for some_z, some_classes in zip(z.split(BATCH), classes.split(BATCH), strict=True)
        ]
    )
    winner = int(scores.argmax())
    logits = CLASS_OFF + 0.3 * torch.randn(generator.rows, generator.classes, generator=rng)
    logits[:, classes[winner]] = CLASS_ON
    return Latents(z[winner].expand(generator.rows, -1), logits)


def _features(
    generator: Generator, perceptor: Perceptor, z: Tensor, classes: Tensor, device: torch.device
) -> Tensor:
    """The perceptor's features [n, d], of unit length, of n pictures from z [n, z_dim] and classes [n]."""
    weights = torch.zeros(len(classes), generator.classes)
    weights[torch.arange(len(classes)), classes] = 1
    rows = (len(classes), generator.rows, -1)
    picture = generator(z[:, None].expand(rows).to(device), weights[:, None].expand(rows).to(device))
    whole = (torch.zeros(1), torch.zeros(1), torch.ones(1))
    return perceptor.encode_images(cutouts.cut((picture + 1) / 2, whole, perceptor.size, "triangle"))
