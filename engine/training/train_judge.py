"""Trains the judge: resumable, on CPU or GPU, with snapshots of its averaged weights on the way."""

import argparse
import copy
import itertools
import logging
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from engine.pocket.captions import COLOUR_NAMES, Captions
from engine.pocket.judge import Judge, JudgeConfig
from engine.training import scenes
from engine.training.batches import prefetched
from engine.training.data import DEFAULT_FOLDER, load_descriptions, load_pictures
from engine.training.judge_batches import (
    WRONG_PAIRS,
    JudgeBatch,
    JudgeBatchMaker,
    learnt,
    row_weight,
    with_families,
)
from engine.training.training import adam, follow

log = logging.getLogger(__name__)

SEED = 20261  # not the perceptor's
WARM_UP_STEPS = 150
EMA = 0.998  # a step; less at the beginning
WEIGHT_DECAY = 0.05
MAX_SCALE = 50.0


class Anchors(nn.Module):
    """One learned vector a concept, used in training alone, and how sharply likeness is read."""

    def __init__(self, concepts: int, dimension: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(concepts, dimension) / dimension**0.5)
        self.pair_scale = nn.Parameter(torch.tensor(math.log(14.0)))
        self.class_scale = nn.Parameter(torch.tensor(math.log(14.0)))


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training train-judge`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training train-judge", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the pictures")
    parser.add_argument("--minutes", type=float, default=75, help="training time in all (%(default)s)")
    parser.add_argument("--batch", type=int, default=96, help="pictures a step (%(default)s)")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="(%(default)s)")
    parser.add_argument("--every", type=float, default=8, help="minutes between snapshots (%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    folder = options.data / "judge"
    folder.mkdir(parents=True, exist_ok=True)
    log.setLevel(logging.INFO)
    handlers = (logging.FileHandler(folder / "judge.log"), logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
    try:
        train(options, folder)
    finally:
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()
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
    average = copy.deepcopy(model).eval().requires_grad_(False)
    anchors = Anchors(len(captions.slugs), config.dimension).to(device)
    optimiser = adam((model, anchors), options.rate, WEIGHT_DECAY)
    checkpoint = folder / "judge.pt"
    step, used = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        for part, name in ((model, "model"), (average, "average"), (anchors, "anchors")):
            part.load_state_dict(state[name])
        optimiser.load_state_dict(state["optimiser"])
        step, used = state["step"], state["seconds"]
    log.info(
        "start at step %d after %.1f min: %d pictures, %d concepts, %.2f M weights",
        step, used / 60, len(rows), len(captions.slugs), sum(p.numel() for p in model.parameters()) / 1e6,
    )  # fmt: skip

    def keep() -> None:
        state = {
            "model": model.state_dict(),
            "average": average.state_dict(),
            "anchors": anchors.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "seconds": used,
        }
        torch.save(state, checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").replace(checkpoint)
        average.save(folder / "export")
        log.info("step %d: snapshot", step)

    maker = JudgeBatchMaker(descriptions, drawings, weights, captions, config, options.seed + 1 + step)
    total = options.minutes * 60
    started, last_save, seen = time.monotonic() - used, used, 0
    sums: dict[str, float] = {}
    bar = tqdm(total=round(total), initial=round(min(used, total)), unit="s", desc="judge", mininterval=5)
    for batch in prefetched(maker, options.batch):  # type: ignore[arg-type]
        used = time.monotonic() - started
        if used >= total:
            break
        share = min(1.0, used / total)
        rate = options.rate * min(1, (step + 1) / WARM_UP_STEPS)
        rate *= 0.02 + 0.49 * (1 + math.cos(math.pi * share))
        for group in optimiser.param_groups:
            group["lr"] = rate
        moved = JudgeBatch(**{name: value.to(device) for name, value in vars(batch).items()})
        losses = batch_losses(model.train(), anchors, moved)
        loss = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        if not bool(torch.isfinite(loss)):
            log.info("step %d: the loss is %s; step left out", step, loss.item())
            continue
        loss.backward()
        nn.utils.clip_grad_norm_(itertools.chain(model.parameters(), anchors.parameters()), 1.0)
        optimiser.step()
        step, seen = step + 1, seen + 1
        follow(average, model, min(EMA, (1 + step) / (10 + step)))
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        bar.update(round(used) - bar.n)
        if step % 100 == 0:
            text = ", ".join(f"{name} {value / seen:.3f}" for name, value in sums.items())
            log.info("step %d, %.1f min, rate %.1e: %s", step, used / 60, rate, text)
            sums, seen = {}, 0
        if used - last_save > options.every * 60:
            last_save = used
            keep()
    bar.close()
    keep()
    log.info("done at step %d after %.1f min", step, used / 60)


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
