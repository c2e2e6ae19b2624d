"""The last stage of the small CLIP's training: its map of places learns to say what stands where.

Only the map is trained, on what the finished tower makes of pictures of two things; single things keep their
vectors. The two are then bound to their places as `places.composed` binds them for a text.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket import places
from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClip
from engine.pocket.lexicon import Lexicon
from engine.training import loop
from engine.training.batches import BatchMaker
from engine.training.train_words import encoded

BATCHES, COUNT = 160, 96  # batches of pairs; half as many of single things
STEPS, STEP_COUNT, RATE = 1000, 128, 3e-3
SCALE = 30.0
KEEP_SINGLE, KEEP_PAIR = 8.0, 1.0  # how much vectors of one thing, and of two, should stay what they were


def settle(
    model: PocketClip, maker: BatchMaker, words: Tensor, seed: int,
    batches: int = BATCHES, steps: int = STEPS,
) -> None:  # fmt: skip
    """Train the map of places of `model` itself; some five minutes of one core. Needs `config.places`.

    `words` [concepts, d]: the vector of each concept's name.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        couples = [maker.couples(COUNT) for _ in range(batches)]
        seen = torch.cat([model.cells(pictures).half() for pictures, *_ in couples])  # [n, channels, 4, 4]
        single = torch.cat([model.cells(maker.singles(COUNT)).half() for _ in range(max(1, batches // 2))])
        right, wrong = (
            torch.cat(side) for side in zip(*(_texts(words, *c[1:]) for c in couples), strict=True)
        )
    before = copy.deepcopy(model)
    learnt = [*model.image_places.parameters(), *model.place_projection.parameters()]
    for parameter in learnt:
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(learnt, lr=RATE)

    def measure() -> tuple[Tensor, dict[str, float]]:
        rows, others = (torch.randint(len(x), (STEP_COUNT,), generator=random) for x in (seen, single))
        cells, alone = seen[rows].float(), single[others].float()
        vectors, kept = model.embed(cells), model.embed(alone)
        with torch.no_grad():
            vectors_before, kept_before = before.embed(cells), before.embed(alone)
        margin = (vectors * (right[rows] - wrong[rows])).sum(1)
        loss = F.softplus(-SCALE * margin).mean()
        loss = loss + KEEP_SINGLE * (1 - (kept * kept_before).sum(1)).mean()
        loss = loss + KEEP_PAIR * (1 - (vectors * vectors_before).sum(1)).mean()
        apart = (margin > 0).float().mean()
        return loss, {"loss": float(loss.detach()), "told apart": float(apart)}

    loop.stage("places", optimiser, steps, measure)
    for parameter in learnt:
        parameter.requires_grad_(False)


@torch.no_grad()
def name_vectors(
    model: PocketClip, captions: Captions, tokenizer: Any, names: Lexicon | None = None
) -> Tensor:
    """[concepts, d]: the vector of each concept's first name, by heart where `names` has it."""
    texts = captions.first_names
    found = encoded(model, tokenizer, texts)
    return names.looked_up(texts, found) if names else found


def _texts(words: Tensor, one: Tensor, two: Tensor, relations: Sequence[str]) -> tuple[Tensor, Tensor]:
    """[n, d] each: concepts `one` at their places and `two` opposite, and the same with things swapped."""
    right = [places.composed(words[a], r, words[b]) for a, b, r in zip(one, two, relations, strict=True)]
    wrong = [places.composed(words[b], r, words[a]) for a, b, r in zip(one, two, relations, strict=True)]
    return torch.stack(right), torch.stack(wrong)
