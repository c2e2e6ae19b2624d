"""Trains the judge: resumable, on CPU or GPU, with snapshots of its averaged weights on the way."""

import argparse
import contextlib
import copy
import logging
import math
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.pocket.captions import COLOUR_NAMES, Captions
from engine.pocket.judge import Judge, JudgeConfig
from engine.training import loop, scenes
from engine.training.batches import prefetched
from engine.training.data import load_descriptions, load_pictures
from engine.training.judge_batches import (
    WRONG_PAIRS,
    JudgeBatch,
    JudgeBatchMaker,
    learnt,
    row_weight,
    with_families,
)

log = logging.getLogger(__name__)

SEED = 20261  # not the perceptor's
WARM_UP_STEPS, RATE_END = 150, 0.02  # of the highest rate
MAX_SCALE = 50.0


class Anchors(nn.Module):
    """One learned vector a concept, used in training alone, and how sharply likeness is read."""

    def __init__(self, concepts: int, dimension: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(concepts, dimension) / dimension**0.5)
        self.pair_scale = nn.Parameter(torch.tensor(math.log(14.0)))
        self.class_scale = nn.Parameter(torch.tensor(math.log(14.0)))


class Course(loop.Course):
    """A training with all that its checkpoint keeps."""

    PARTS: ClassVar = (*loop.Course.PARTS, "anchors")
    model: Judge
    average: Judge

    def __init__(self, model: Judge, anchors: Anchors, rate: float) -> None:
        average = copy.deepcopy(model).eval().requires_grad_(False)
        super().__init__(model, average, loop.adam((model, anchors), rate))
        self.anchors = anchors


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training train-judge`. Returns its exit code."""
    usual = {"minutes": 75.0, "batch": 96, "rate": 2e-3, "threads": 1, "device": "cpu", "every": 8.0}
    options = loop.options("train-judge", __doc__, **usual, seed=SEED).parse_args(argv)
    folder = options.data / "judge"
    folder.mkdir(parents=True, exist_ok=True)
    with loop.logged(folder / "judge.log", options.threads):
        train(options, folder)
    return 0


def train(options: argparse.Namespace, folder: Path) -> None:
    """Train until `options.minutes` are used up, over as many runs as it takes; all is kept in `folder`."""
    everything = load_descriptions(options.data)
    rows = np.array(list(learnt(everything)))
    descriptions = with_families([everything[i] for i in rows])
    captions = Captions(descriptions)
    weights = np.array([row_weight(d) for d in descriptions])
    drawings = scenes.load_drawings(load_pictures(options.data), rows)
    device = torch.device(options.device)
    config = JudgeConfig()
    torch.manual_seed(options.seed)  # the weights' first values; all else has its own generators
    model = Judge(config).to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
    anchors = Anchors(len(captions.slugs), config.dimension).to(device)
    course = Course(model, anchors, options.rate)
    checkpoint = folder / "judge.pt"
    if checkpoint.exists():
        course.read(checkpoint)
    log.info(
        "start at step %d after %.1f min: %d pictures, %d concepts, %.2f M weights",
        course.step, course.seconds / 60, len(rows), len(captions.slugs),
        sum(p.numel() for p in model.parameters()) / 1e6,
    )  # fmt: skip

    def keep() -> None:
        course.write(checkpoint)
        course.average.save(folder / "export")

    maker = JudgeBatchMaker(descriptions, drawings, weights, captions, config, options.seed + 1 + course.step)
    with contextlib.closing(prefetched(maker.make, options.batch)) as batches:

        def step(share: float) -> dict[str, float]:
            rate = loop.scheduled(share, course.step, WARM_UP_STEPS, RATE_END)
            course.set_rate(options.rate * rate)
            batch = {name: value.to(device) for name, value in vars(next(batches)).items()}
            return course.learn(batch_losses(model.train(), anchors, JudgeBatch(**batch)))

        loop.run(
            course, step, loop.Plan("judge", options.minutes * 60, keep=keep, every_s=options.every * 60)
        )
    keep()
    log.info("done at step %d after %.1f min", course.step, course.seconds / 60)


def batch_losses(model: Judge, anchors: Anchors, batch: JudgeBatch) -> dict[str, Tensor]:
    """The parts of the loss, each a scalar.

    pair: CLIP's loss within the batch, texts and pictures that fit being excused. picture and text:
    cross-entropy to the concepts. colour: the right one of eleven for a tinted picture. both: the right one
    of five texts of two things.
    """
    with torch.autocast(batch.pictures.device.type, torch.bfloat16):
        pictures = model.encode_image(batch.pictures.contiguous(memory_format=torch.channels_last))
    texts = model.encode_text(batch.pieces)
    n, t, p = len(pictures), len(batch.tinted), len(batch.pairs)
    others = len(COLOUR_NAMES) - 1
    own, colours, pairs, free = texts.split(
        [n, others * t, WRONG_PAIRS * p, len(texts) - n - others * t - WRONG_PAIRS * p]
    )
    scale = anchors.pair_scale.exp().clamp(max=MAX_SCALE)
    logits = scale * pictures @ own.T  # [n, n]
    target = torch.arange(n, device=logits.device)
    never = float("-inf")
    pair = F.cross_entropy(logits.masked_fill(batch.fits_picture, never), target)
    pair = (pair + F.cross_entropy(logits.masked_fill(batch.fits_text, never).T, target)) / 2
    vectors = F.normalize(anchors.vectors, dim=1)
    class_scale = anchors.class_scale.exp().clamp(max=MAX_SCALE)
    picture = F.cross_entropy(class_scale * pictures @ vectors.T, batch.picture_target, label_smoothing=0.05)
    text = F.cross_entropy(
        class_scale * torch.cat([own, free]) @ vectors.T, batch.text_target, label_smoothing=0.05
    )
    losses = {"pair": pair, "picture": picture, "text": 0.6 * text}
    for name, rows, wrong in (("colour", batch.tinted, colours), ("both", batch.pairs, pairs)):
        if len(rows):
            answers = torch.cat([own[rows][:, None], wrong.view(len(rows), -1, own.shape[1])], 1)
            likeness = scale * torch.einsum("nd,nad->na", pictures[rows], answers)
            losses[name] = 0.2 * F.cross_entropy(likeness, torch.zeros_like(rows))
    return losses
