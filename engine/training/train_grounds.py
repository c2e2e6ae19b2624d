"""The very last stage of the small CLIP's training: it learns to tell named grounds apart.

Only a small head beside the finished picture tower is trained. What it says is added to a picture's vector as
`grounds.composed` adds a ground to a text's; pictures on grounds without a name keep their vectors.
"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.clip import PocketClip, coarse
from engine.pocket.grounds import GROUNDS
from engine.pocket.tokens import load_tokenizer
from engine.training import painted
from engine.training.batches import SIDE, BatchMaker
from engine.training.data import DEFAULT_FOLDER
from engine.training.material import Material

log = logging.getLogger(__name__)

BATCHES, COUNT = 320, 96  # batches of pictures
NAMELESS, COUPLES = 2, 4  # each so manieth batch is on grounds without a name; is of two things
STEPS, STEP_COUNT, RATE = 3000, 256, 2e-3
WEIGHT_DECAY = 0.02
SMOOTH = 0.02  # of a target's whole, given to all others: a search must feel where another ground lies


def settled(
    model: PocketClip, maker: BatchMaker, seed: int, batches: int = BATCHES, steps: int = STEPS
) -> PocketClip:
    """`model` with a head that tells `grounds.GROUNDS` apart, all else as it was; two minutes of one core.

    A head that is there already is made anew.
    """
    random = torch.Generator().manual_seed(seed)
    seen, target = pictures(maker, batches, random)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # the weights' first values
        finished = PocketClip(replace(model.config, grounds=len(GROUNDS)))
    head = finished.image_grounds
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        rows = torch.randint(len(seen), (STEP_COUNT,), generator=random)
        logits = F.pad(head(seen[rows].float()), (1, 0))
        loss = F.cross_entropy(logits, target[rows] + 1, label_smoothing=SMOOTH)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 200 == 199:
            right = float((logits.argmax(1) == target[rows] + 1).float().mean())
            log.info(
                "grounds, step %d: loss %.3f, %.1f %% right", step + 1, float(loss.detach()), 100 * right
            )
    learnt = {f"image_grounds.{name}": value for name, value in head.state_dict().items()}
    finished.load_state_dict(model.state_dict() | learnt, assign=True)
    return finished.eval().requires_grad_(False)


@torch.no_grad()
def pictures(maker: BatchMaker, batches: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """`coarse` pictures [n, 3, 16, 16], half precision, and their grounds' numbers [n], -1 for no name."""
    seen, target = [], []
    for i in range(batches):
        numbers, ground = torch.full((COUNT,), -1), None
        if i % NAMELESS:
            numbers = torch.randint(len(GROUNDS), (COUNT,), generator=random)
            ground = painted.paint(numbers, SIDE, random)
        elif i % (2 * NAMELESS):
            ground = painted.nameless(COUNT, SIDE, random)
        two = i // NAMELESS % COUPLES == 0
        made = maker.couples(COUNT, ground)[0] if two else maker.singles(COUNT, ground)
        seen.append(coarse(made).half())
        target.append(numbers)
    return torch.cat(seen), torch.cat(target)


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training train-grounds`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training train-grounds", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the pictures")
    parser.add_argument("--weights", type=Path, required=True, help="a perceptor's folder, which is changed")
    parser.add_argument("--steps", type=int, default=STEPS, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    model = PocketClip.load(options.weights)
    material = Material.read(options.data)
    maker = material.maker(material.weights, load_tokenizer(options.weights), options.seed)
    settled(model, maker, options.seed, BATCHES, options.steps).save(options.weights)
    return 0
