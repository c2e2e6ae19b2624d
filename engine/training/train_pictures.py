"""More pictures for a finished small CLIP: its picture tower learns on towards texts that stay as they are.

Only texts speak of colours and places, so pictures alone forget both, and texts that learn, too, cost a third
of a step. Here all that reads texts is locked (after LiT, Zhai et al. 2022, arXiv 2111.07991): names and
keywords by heart, composed places, the text tower. Pictures are told each caption as a dream would read it.
"""

import argparse
import copy
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import ClassVar

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, multiprocessing, nn
from tqdm import tqdm

from engine.models import perceptor
from engine.pocket.clip import PocketClip
from engine.pocket.tokens import load_tokenizer
from engine.training.batches import Batch, prefetched
from engine.training.data import DEFAULT_FOLDER
from engine.training.material import Material
from engine.training.train_words import is_of_texts
from engine.training.training import (
    Kept,
    adam,
    cosine,
    follow,
)

log = logging.getLogger(__name__)

CHECKPOINT = "pictures.pt"
WARM_UP_STEPS = 100
EMA = 0.998  # a step; less at the beginning
WEIGHT_DECAY = 0.05
SCALE = 30.0  # of cosines: where finished weights fit best; one that grew would make all cosines sink
WRONG, CLOSE = 0.7, 1.0  # how much a wrong text, and the distance to the right one, count beside the rest
SMOOTH = 0.05  # of a picture's target, given to all other concepts

Encode = Callable[[Sequence[str]], Tensor]


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training train-pictures`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training train-pictures", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the pictures")
    parser.add_argument("--weights", type=Path, required=True, help="a perceptor's folder, which is changed")
    parser.add_argument("--pictures", type=int, default=1_800_000, help="how many (%(default)s)")
    parser.add_argument("--batch", type=int, default=96, help="pictures a step and process (%(default)s)")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate (%(default)s)")
    parser.add_argument(
        "--processes", type=int, default=1, help="that share each step, one CPU thread each (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--every", type=float, default=5, help="minutes between checkpoints (%(default)s)")
    options = parser.parse_args(argv)
    if options.processes == 1:
        train(0, options)
        return 0
    store = options.data / f"{CHECKPOINT}.meeting"
    store.unlink(missing_ok=True)
    try:
        multiprocessing.spawn(_share, (options, store), options.processes)
    finally:
        store.unlink(missing_ok=True)
    return 0


def _share(rank: int, options: argparse.Namespace, store: Path) -> None:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # they are all on this machine
    dist.init_process_group("gloo", f"file://{store.resolve()}", rank=rank, world_size=options.processes)
    try:
        train(rank, options)
    finally:
        dist.destroy_process_group()


@dataclass
class Course(Kept):
    """A training with all that its checkpoint keeps."""

    model: PocketClip
    average: PocketClip
    optimiser: torch.optim.Optimizer
    step: int = 0
    pictures: int = 0

    PARTS: ClassVar = ("model", "average", "optimiser")
    FACTS: ClassVar = ("step", "pictures")


def train(rank: int, options: argparse.Namespace) -> None:
    """Show `options.pictures` pictures, over as many runs as it takes; the last step changes the weights.

    With several processes each makes its own batches, and their gradients are averaged.
    """
    torch.set_num_threads(1)
    logging.basicConfig(
        level=logging.WARNING if rank else logging.INFO, format="%(asctime)s %(message)s", force=True
    )
    log.setLevel(logging.NOTSET)
    model = PocketClip.load(options.weights)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_of_pictures(name))
    average = copy.deepcopy(model).requires_grad_(False)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
    course = Course(model, average, adam([model], options.rate, WEIGHT_DECAY))
    checkpoint = options.data / CHECKPOINT
    if checkpoint.exists():
        course.read(checkpoint, torch.device("cpu"))
    if course.pictures >= options.pictures:
        log.info("nothing is left to do: %d pictures were shown", course.pictures)
        if not rank:
            average.save(options.weights)  # a run may have ended between its last checkpoint and this
        return
    material = Material.read(options.data)
    encode = by_length(perceptor.load(options.weights, "pocket", torch.device("cpu")).encode_texts)
    places = encode(material.captions.first_names)  # [concepts, dimension]
    seed = options.seed + 1 + course.step * options.processes + rank
    maker = material.maker(material.weights, load_tokenizer(options.weights), seed)
    log.info("start at step %d after %d pictures, %d concepts", course.step, course.pictures, len(places))
    recent: dict[str, list[float]] = {}
    saved = time.monotonic()
    bar = tqdm(
        total=options.pictures, initial=course.pictures, unit="picture", disable=rank > 0, mininterval=5
    )
    for batch in prefetched(maker, options.batch):
        share = course.pictures / options.pictures
        rate = options.rate * min(1, (course.step + 1) / WARM_UP_STEPS) * (0.01 + 0.99 * cosine(share))
        for group in course.optimiser.param_groups:
            group["lr"] = rate
        losses = batch_losses(model.train(), batch, encode(batch.texts), places)
        course.optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        _average_gradients(model)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        course.optimiser.step()
        course.step += 1
        course.pictures += options.batch * options.processes
        follow(average, model, min(EMA, (1 + course.step) / (10 + course.step)))
        bar.update(options.batch * options.processes)
        for name, value in losses.items():
            recent.setdefault(name, []).append(float(value.detach()))
        if course.step % 100 == 0:
            text = ", ".join(f"{name} {fmean(values):.3f}" for name, values in recent.items())
            log.info("step %d, %d pictures, rate %.1e: %s", course.step, course.pictures, rate, text)
            recent.clear()
        if not rank and time.monotonic() - saved > options.every * 60:
            course.write(checkpoint)
            average.save(options.data / "export" / "pictures")
            saved = time.monotonic()
        if course.pictures >= options.pictures:
            break
    bar.close()
    if not rank:
        course.write(checkpoint)
        average.save(options.weights)
        log.info("done after %d pictures", course.pictures)


def batch_losses(model: PocketClip, batch: Batch, texts: Tensor, places: Tensor) -> dict[str, Tensor]:
    """The parts of the loss, each a scalar.

    `texts` [n + k, dimension]: the batch's captions as they are read; `places` [concepts, dimension].
    picture: cross-entropy to the concepts. pair: CLIP's loss within the batch, without punishing texts that
    fit. wrong: a picture prefers its own text to the same with places or colours swapped, or with another
    colour or thing. close: the distance to its own text.
    """
    pictures = model.embed(model.cells(batch.pictures.contiguous(memory_format=torch.channels_last)))
    n = len(pictures)
    own, wrong = texts[:n], texts[n:]
    logits = (SCALE * pictures @ own.T).masked_fill(batch.excused, float("-inf"))  # [n, n]
    target = torch.arange(n)
    margin = SCALE * (pictures[batch.wrong_for] * (own[batch.wrong_for] - wrong)).sum(1)
    return {
        "picture": F.cross_entropy(SCALE * pictures @ places.T, batch.picture_target, label_smoothing=SMOOTH),
        "pair": (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2,
        "wrong": WRONG * F.softplus(-margin).mean(),
        "close": CLOSE * (1 - (pictures * own).sum(1)).mean(),
    }


def is_of_pictures(name: str) -> bool:
    """Whether a weight of `PocketClip` is its picture tower's; the head of grounds is not."""
    return not is_of_texts(name) and not name.startswith("image_grounds")


def by_length(encode: Encode, count: int = 48) -> Encode:
    """`encode` by parts of `count` texts of like lengths, which need little padding."""

    def encoded(texts: Sequence[str]) -> Tensor:
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        parts = [encode([texts[i] for i in order[at : at + count]]) for at in range(0, len(order), count)]
        return torch.cat(parts)[torch.tensor(order).argsort()]

    return encoded


def _average_gradients(model: PocketClip) -> None:
    """All processes get the mean of their gradients."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view(gradient.shape))
