"""How the small CLIP reads a text: grounds, places, beings of two and numbers are taken off, what is left is
looked up or read."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.pocket import grounds, mixtures, places
from engine.pocket.lexicon import Lexicon
from engine.words import counts, nouns
from engine.words.grounds import PAINTED


def encode(
    texts: Sequence[str],
    tower: Callable[[Sequence[str]], Tensor],
    names: Lexicon | None = None,
    known_grounds: int = 0,
) -> Tensor:
    """Unit rows [len(texts), d] of `texts`, of which `tower` [n texts → n, d] reads what is not composed.

    `names` are known by heart, and a text that is one is never taken apart for a ground; `known_grounds`: how
    many of `grounds.GROUNDS` the picture tower tells apart; texts with others are left whole. Where it knows
    some, those that are only painted are taken off and add nothing.
    """
    rests, seen = list(texts), torch.zeros(len(texts), known_grounds)
    for i, text in enumerate(texts):
        rest, ground = grounds.read(text)
        if ground is None or (names is not None and names.row(text) is not None):
            continue
        if ground in grounds.GROUNDS[:known_grounds]:
            seen[i, grounds.GROUNDS.index(ground)] = 1
        elif not known_grounds or ground not in PAINTED:
            continue
        rests[i] = rest

    def is_name(text: str) -> bool:
        return names is not None and names.row(text) is not None

    def plain(texts: Sequence[str]) -> Tensor:
        texts = [text if is_name(text) else _without_number(text) for text in texts]
        return tower(texts) if names is None else names.encode(texts, tower)

    def is_thing(text: str) -> bool:
        if any(map(is_name, (text, f"a {text}", f"un {text}"))):  # some names are sure with an article alone
            return True
        return names is not None and text in nouns.ALL and names.meaning(text) is not None

    found = places.encode_texts(rests, lambda some: mixtures.encode_texts(some, plain, is_name, is_thing))
    on = seen.any(1).nonzero().flatten().to(found.device)
    if not len(on):
        return found
    return found.index_copy(0, on, grounds.composed(found[on], seen[on.cpu()].to(found)))


def _without_number(text: str) -> str:
    """Several of a thing look like the thing."""
    counted = counts.read(text)
    return counted.words if counted else text
