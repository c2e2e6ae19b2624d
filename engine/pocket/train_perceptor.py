"""Trains the small CLIP: resumable, on CPU or GPU, with snapshots of its averaged weights on the way."""

import argparse
import copy
import itertools
import logging
import math
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from engine.pocket import scenes
from engine.pocket.batches import Batch, BatchMaker, prefetched
from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClip, PocketClipConfig
from engine.pocket.data import DEFAULT_FOLDER, load_descriptions, load_pictures
from engine.pocket.tokens import load_tokenizer, write_tokenizer

log = logging.getLogger(__name__)

TOKENIZER_FILES = ("vocab.json", "merges.txt", "tokenizer_config.json")
WARM_UP_STEPS = 150
EMA = 0.998  # a step; less at the beginning
WEIGHT_DECAY = 0.05
MAX_SCALE = 60.0  # CLIP's is 100; so few pictures are learnt by heart with it


class Prototypes(nn.Module):
    """One learned vector a concept, used in training alone: what pictures and texts of it come close to."""

    def __init__(self, concepts: int, dimension: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(concepts, dimension) / dimension**0.5)
        self.pair_scale = nn.Parameter(torch.tensor(math.log(14.0)))
        self.class_scale = nn.Parameter(torch.tensor(math.log(14.0)))


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.pocket train-perceptor`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.pocket train-perceptor", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the pictures")
    parser.add_argument(
        "--vocabulary", type=Path, help="CLIP's bpe_simple_vocab_16e6.txt.gz, for a new start"
    )
    parser.add_argument("--minutes", type=float, default=85, help="training time in all (%(default)s)")
    parser.add_argument("--batch", type=int, default=96, help="pictures a step (%(default)s)")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--every", type=float, default=8, help="minutes between snapshots (%(default)s)")
    parser.add_argument("--everything", action="store_true", help="train on the held-out concepts too")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    log.setLevel(logging.INFO)
    handlers = (logging.FileHandler(options.data / "perceptor.log"), logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
    try:
        train(options)
    finally:
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()
    return 0


def train(options: argparse.Namespace) -> None:
    """Train until `options.minutes` are used up, over as many runs as it takes."""
    folder = options.data / "tokenizer"
    config = PocketClipConfig()
    if not folder.exists():
        if options.vocabulary is None:
            raise SystemExit("Please give --vocabulary: the file that CLIP's Python packages carry.")
        write_tokenizer(options.vocabulary, folder, config.max_tokens)
    tokenizer = load_tokenizer(folder)
    everything = load_descriptions(options.data)
    captions = Captions([d for d in everything if d["split"] != "test_only"])
    splits = {"train", "unseen_concept"} if options.everything else {"train"}
    rows = np.array([i for i, d in enumerate(everything) if d["split"] in splits])
    descriptions = [everything[i] for i in rows]
    weights = np.array([row_weight(d) for d in descriptions])
    drawings = scenes.load_drawings(load_pictures(options.data), rows)
    device = torch.device(options.device)
    torch.manual_seed(options.seed)  # the weights' first values; all else has its own generators
    model = PocketClip(config).to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
    average = copy.deepcopy(model).eval().requires_grad_(False)
    prototypes = Prototypes(len(captions.slugs), config.dimension).to(device)
    optimiser = _optimiser(model, prototypes, options.rate)
    checkpoint = options.data / "perceptor.pt"
    step, used = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        for part, name in ((model, "model"), (average, "average"), (prototypes, "prototypes")):
            part.load_state_dict(state[name])
        optimiser.load_state_dict(state["optimiser"])
        step, used = state["step"], state["seconds"]
    log.info(
        "start at step %d after %.1f min: %d pictures, %d concepts, %.2f M weights",
        step, used / 60, len(rows), len(captions.slugs), sum(p.numel() for p in model.parameters()) / 1e6,
    )  # fmt: skip
    maker = BatchMaker(descriptions, drawings, weights, captions, tokenizer, options.seed + 1 + step)
    total = options.minutes * 60
    started, last_save, seen = time.monotonic() - used, used, 0
    sums: dict[str, float] = {}
    bar = tqdm(total=round(total), initial=round(min(used, total)), unit="s", desc="perceptor", mininterval=5)
    for batch in prefetched(maker, options.batch):
        used = time.monotonic() - started
        if used >= total:
            break
        rate = options.rate * min(1, (step + 1) / WARM_UP_STEPS) * (0.02 + 0.98 * _cosine(used / total))
        for group in optimiser.param_groups:
            group["lr"] = rate
        losses = batch_losses(model.train(), prototypes, _to(batch, device))
        loss = torch.stack(list(losses.values())).sum()
        if not bool(torch.isfinite(loss)):
            log.info("step %d: the loss is %s; step left out", step, loss.item())
            optimiser.zero_grad()
            continue
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(itertools.chain(model.parameters(), prototypes.parameters()), 1.0)
        optimiser.step()
        step, seen = step + 1, seen + 1
        _follow(average, model, min(EMA, (1 + step) / (10 + step)))
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        bar.update(round(used) - bar.n)
        if step % 100 == 0:
            text = ", ".join(f"{name} {value / seen:.3f}" for name, value in sums.items())
            log.info("step %d, %.1f min, rate %.1e: %s", step, used / 60, rate, text)
            sums, seen = {}, 0
        if used - last_save > options.every * 60:
            last_save = used
            _save(checkpoint, model, average, prototypes, optimiser, step, used)
            export(average, folder, options.data / "export" / "perceptor")
            log.info("step %d: snapshot", step)
    bar.close()
    _save(checkpoint, model, average, prototypes, optimiser, step, used)
    export(average, folder, options.data / "export" / "perceptor")
    log.info("done at step %d after %.1f min", step, used / 60)


def row_weight(description: dict[str, Any]) -> float:
    """How often a picture is drawn: concrete things of many styles before what only openclipart has."""
    if description["concept"].startswith("clip-"):
        return 0.06
    if not description["thing"]:
        return 0.2
    return 1.6 if description["held_out"] else 1.0  # those come late, once their figure is taken


def batch_losses(model: PocketClip, prototypes: Prototypes, batch: Batch) -> dict[str, Tensor]:
    """The parts of the loss, each a scalar.

    pair: CLIP's loss within the batch, without punishing texts that fit. picture and text: cross-entropy to
    the concepts. wrong: a picture prefers its own text to the same with places swapped or another colour.
    """
    with torch.autocast(batch.pictures.device.type, torch.bfloat16):
        pictures = model.encode_image(batch.pictures.contiguous(memory_format=torch.channels_last))
    texts = encode_by_length(model, batch.ids, batch.mask)
    n = len(pictures)
    own, wrong = texts[:n], texts[n:]
    scale = prototypes.pair_scale.exp().clamp(max=MAX_SCALE)
    logits = scale * pictures @ own.T  # [n, n]
    logits = logits.masked_fill(batch.excused, float("-inf"))
    target = torch.arange(n, device=logits.device)
    pair = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    vectors = F.normalize(prototypes.vectors, dim=1)
    class_scale = prototypes.class_scale.exp().clamp(max=MAX_SCALE)
    picture = F.cross_entropy(class_scale * pictures @ vectors.T, batch.picture_target, label_smoothing=0.05)
    text = F.cross_entropy(class_scale * own @ vectors.T, batch.text_target, label_smoothing=0.05)
    margin = scale * (pictures[batch.wrong_for] * (own[batch.wrong_for] - wrong)).sum(1)
    return {"pair": pair, "picture": picture, "text": 0.6 * text, "wrong": 0.3 * F.softplus(-margin).mean()}


def encode_by_length(model: PocketClip, ids: Tensor, mask: Tensor) -> Tensor:
    """`encode_text` without padding short texts to the longest: the shorter two thirds go on their own."""
    lengths = mask.sum(1)
    order = lengths.argsort()
    parts = []
    for part in order.tensor_split([2 * len(order) // 3]):
        longest = int(lengths[part].max())
        parts.append(model.encode_text(ids[part, :longest], mask[part, :longest]))
    return torch.cat(parts)[order.argsort()]


def export(average: PocketClip, tokenizer: Path, folder: Path) -> None:
    """Write a perceptor's folder: config, weights, tokenizer; each file appears whole."""
    fresh = folder.with_name(folder.name + ".new")
    average.save(fresh)
    for name in TOKENIZER_FILES:
        shutil.copy(tokenizer / name, fresh / name)
    folder.mkdir(parents=True, exist_ok=True)
    for path in fresh.iterdir():
        path.replace(folder / path.name)
    fresh.rmdir()


def _optimiser(model: nn.Module, prototypes: nn.Module, rate: float) -> torch.optim.AdamW:
    parameters = [p for part in (model, prototypes) for p in part.parameters()]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6, fused=True)


def _cosine(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    targets = itertools.chain(average.parameters(), average.buffers())
    for old, new in zip(targets, itertools.chain(model.parameters(), model.buffers()), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)


def _to(batch: Batch, device: torch.device) -> Batch:
    return Batch(**{name: value.to(device) for name, value in vars(batch).items()})


def _save(
    path: Path, model: nn.Module, average: nn.Module, prototypes: nn.Module,
    optimiser: torch.optim.Optimizer, step: int, seconds: float,
) -> None:  # fmt: skip
    state = {
        "model": model.state_dict(),
        "average": average.state_dict(),
        "prototypes": prototypes.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
