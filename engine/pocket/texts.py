"""How the small CLIP reads a text: grounds and places are taken off, what is left is looked up or read."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.pocket import grounds, places
from engine.pocket.lexicon import Lexicon


def encode(
    texts: Sequence[str],
    tower: Callable[[Sequence[str]], Tensor],
    names: Lexicon | None = None,
    known_grounds: int = 0,
) -> Tensor:
    """Unit rows [len(texts), d] of `texts`, of which `tower` [n texts → n, d] reads what is not composed.

    `names` are known by heart, and a text that is one is never taken apart for a ground; `known_grounds`: how
    many of `grounds.GROUNDS` the picture tower tells apart; texts with others are left whole.
    """
    rests, seen = list(texts), torch.zeros(len(texts), known_grounds)
    for i, text in enumerate(texts):
        rest, ground = grounds.read(text)
        known = ground is not None and grounds.GROUNDS.index(ground) < known_grounds
        if ground is not None and known and (names is None or names.row(text) is None):
            rests[i] = rest
            seen[i, grounds.GROUNDS.index(ground)] = 1

    def plain(texts: Sequence[str]) -> Tensor:
        return tower(texts) if names is None else names.encode(texts, tower)

    found = places.encode_texts(rests, plain)
    on = seen.any(1).nonzero().flatten().to(found.device)
    if not len(on):
        return found
    return found.index_copy(0, on, grounds.composed(found[on], seen[on.cpu()].to(found)))
