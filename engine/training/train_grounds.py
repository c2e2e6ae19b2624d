"""The very last stage of the small CLIP's training: it learns to tell named grounds apart.

Only a small head beside the finished picture tower is trained. What it says is added to a picture's vector as
`grounds.composed` adds a ground to a text's; pictures on grounds without a name keep their vectors.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.clip import PocketClip, coarse
from engine.pocket.grounds import GROUNDS
from engine.pocket.tokens import load_tokenizer
from engine.training import loop, painted
from engine.training.batches import SIDE, BatchMaker
from engine.training.material import Material

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

    def measure() -> tuple[Tensor, dict[str, float]]:
        rows = torch.randint(len(seen), (STEP_COUNT,), generator=random)
        logits = F.pad(head(seen[rows].float()), (1, 0))
        loss = F.cross_entropy(logits, target[rows] + 1, label_smoothing=SMOOTH)
        right = (logits.argmax(1) == target[rows] + 1).float().mean()
        return loss, {"loss": float(loss.detach()), "right": float(right)}

    loop.stage("grounds", optimiser, steps, measure)
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
    parser = loop.options("train-grounds", __doc__, weights=None, threads=1, seed=0)
    parser.add_argument("--steps", type=int, default=STEPS, help="(%(default)s)")
    options = parser.parse_args(argv)
    with loop.logged(options.data / "grounds.log", options.threads):
        model = PocketClip.load(options.weights)
        material = Material.read(options.data)
        maker = material.maker(material.weights, load_tokenizer(options.weights), options.seed)
        settled(model, maker, options.seed, BATCHES, options.steps).save(options.weights)
    return 0
