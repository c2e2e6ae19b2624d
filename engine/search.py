"""Where a dream starts: not blindly, but at the latents that the perceptor likes best before the first step.

After FuseDream (Liu et al. 2021, arXiv 2112.01573), which scores some 5000 random samples: here an atlas,
made once per pair of models, ranks all classes at the price of one matrix product; only samples of the
best classes are then rendered and scored.
"""

import math

import torch
from torch import Tensor

from engine.atlas import BATCH, seen
from engine.generator import Generator
from engine.latents import Latents
from engine.objective import cosine_score
from engine.perceptor import Perceptor

CANDIDATE_CLASSES = 8
CANDIDATES_A_CLASS = 6
CLASS_ON = math.log(0.9 / 0.1)  # the logit of the chosen class: weight 0.9
CLASS_OFF = -6.0  # of all others: weight 0.0025; hundreds of BigSleep's 0.02 would blur a chosen class


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

    `text` [d] of unit length, `atlas` [classes, d] as `engine.atlas.make` gives it. All rows start
    alike; the search then moves each by itself. Returns latents on the CPU.
    """
    near = (atlas @ text.cpu()).topk(min(CANDIDATE_CLASSES, generator.classes)).indices
    classes = near.repeat_interleave(CANDIDATES_A_CLASS)  # [candidates]
    z = torch.randn(len(classes), generator.z_dim, generator=rng)  # [candidates, z_dim]
    scores = torch.cat(
        [
            cosine_score(text, seen(generator, perceptor, some_z, some_classes, device))
            for some_z, some_classes in zip(z.split(BATCH), classes.split(BATCH), strict=True)
        ]
    )
    winner = int((scores + cosine_score(text.cpu(), atlas[classes]).to(scores)).argmax())
    logits = CLASS_OFF + 0.3 * torch.randn(generator.rows, generator.classes, generator=rng)
    logits[:, classes[winner]] = CLASS_ON
    return Latents(z[winner].expand(generator.rows, -1), logits)
