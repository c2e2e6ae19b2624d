"""More pictures for a finished small CLIP: its picture tower learns on towards texts that stay as they are.

Only texts speak of colours and places, so pictures alone forget both, and texts that learn, too, cost a third
of a step. Here all that reads texts is locked (after LiT, Zhai et al. 2022, arXiv 2111.07991): names and
keywords by heart, composed places, the text tower. Pictures are told each caption as a dream would read it.
"""

import argparse
import contextlib
import copy
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, multiprocessing

from engine.models import perceptor
from engine.pocket.clip import PocketClip
from engine.pocket.tokens import load_tokenizer
from engine.training import loop
from engine.training.batches import Batch, prefetched
from engine.training.material import Material
from engine.training.train_words import is_of_texts

log = logging.getLogger(__name__)

CHECKPOINT = "pictures.pt"
WARM_UP_STEPS, RATE_END = 100, 0.01  # of the highest rate
SCALE = 30.0  # of cosines: where finished weights fit best; one that grew would make all cosines sink
WRONG, CLOSE = 0.7, 1.0  # how much a wrong text, and the distance to the right one, count beside the rest
SMOOTH = 0.05  # of a picture's target, given to all other concepts

Encode = Callable[[Sequence[str]], Tensor]


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training train-pictures`. Returns its exit code."""
    usual = {"weights": None, "batch": 96, "rate": 1.5e-3, "seed": 0, "every": 5.0}
    parser = loop.options("train-pictures", __doc__, **usual)
    parser.add_argument("--pictures", type=int, default=1_800_000, help="how many (%(default)s)")
    parser.add_argument(
        "--processes", type=int, default=1, help="that share each step, one CPU thread each (%(default)s)"
    )
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


class Course(loop.Course):
    """A training with all that its checkpoint keeps."""

    FACTS: ClassVar = (*loop.Course.FACTS, "pictures")
    model: PocketClip
    average: PocketClip

    def __init__(self, model: PocketClip, rate: float) -> None:
        average = copy.deepcopy(model).requires_grad_(False)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
        super().__init__(model, average, loop.adam([model], rate))
        self.pictures = 0


def train(rank: int, options: argparse.Namespace) -> None:
    """Show `options.pictures` pictures, over as many runs as it takes; the last step changes the weights.

    With several processes each makes its own batches, and their gradients are averaged.
    """
    with loop.logged(options.data / "pictures.log", 1, quiet=rank > 0):
        model = PocketClip.load(options.weights)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(is_of_pictures(name))
        course = Course(model, options.rate)
        checkpoint = options.data / CHECKPOINT
        if checkpoint.exists():
            course.read(checkpoint)
        if course.pictures < options.pictures:
            _show(rank, options, course, checkpoint)
        else:
            log.info("nothing is left to do: %d pictures were shown", course.pictures)
        if not rank:  # a run may have ended between its last checkpoint and this
            course.average.save(options.weights)


def _show(rank: int, options: argparse.Namespace, course: Course, checkpoint: Path) -> None:
    material = Material.read(options.data)
    encode = by_length(perceptor.load(options.weights, "pocket", torch.device("cpu")).encode_texts)
    places = encode(material.captions.first_names)  # [concepts, dimension]
    seed = options.seed + 1 + course.step * options.processes + rank
    maker = material.maker(material.weights, load_tokenizer(options.weights), seed)
    log.info("start at step %d after %d pictures, %d concepts", course.step, course.pictures, len(places))

    def keep() -> None:
        course.write(checkpoint)
        course.average.save(options.data / "export" / "pictures")

    with contextlib.closing(prefetched(maker.make, options.batch)) as batches:

        def step(share: float) -> dict[str, float]:
            rate = loop.scheduled(share, course.step, WARM_UP_STEPS, RATE_END)
            course.set_rate(options.rate * rate)
            batch = next(batches)
            losses = batch_losses(course.model.train(), batch, encode(batch.texts), places)
            course.pictures += options.batch * options.processes
            return course.learn(losses)

        plan = loop.Plan(
            "pictures", options.pictures, "pictures", None if rank else keep, options.every * 60, rank > 0
        )
        loop.run(course, step, plan)
    if not rank:
        course.write(checkpoint)
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
