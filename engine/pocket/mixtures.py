"""One being of two things: 'a cat made of pizza' as a vector between the cat's and the pizza's.

A text tower this small hears one of the two in such words, or neither. So they are taken apart, each thing is
read by itself, and the picture shall be as near to both as it can.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.words import mixtures
from engine.words.mixtures import Mixture

SHARE = {
    "made": 0.6,
    "halves": 0.5,
    "blend": 0.5,
    "head": 0.5,
}  # of the first: a shape tells more than a stuff


def composed(first: Tensor, kind: str, second: Tensor) -> Tensor:
    """Unit rows [..., d] between two things [..., d] each, unit rows, of a being of this kind."""
    return F.normalize(torch.lerp(second, first, SHARE[kind]), dim=-1)


def encode_texts(
    texts: Sequence[str],
    encode: Callable[[Sequence[str]], Tensor],
    is_name: Callable[[str], bool] = lambda _: False,
    is_thing: Callable[[str], bool] | None = None,
) -> Tensor:
    """Unit rows [len(texts), d]: `encode`'s own, but composed where a text makes one being of two.

    `is_name` tells the names that are known by heart, which are no beings of two; `is_thing` is as for
    `engine.words.mixtures.read`.
    """
    beings: dict[int, Mixture] = {}
    for i, text in enumerate(texts):
        found = None if is_name(text) else mixtures.read(text, is_thing)
        if found is not None and not found.ground:  # a ground that is still there is one that nobody knows
            beings[i] = found
    vectors = encode([*texts, *(part for being in beings.values() for part in (being.first, being.second))])
    result, parts = list(vectors[: len(texts)]), vectors[len(texts) :]
    for (i, being), (first, second) in zip(beings.items(), parts.split(2), strict=False):
        result[i] = composed(first, being.kind, second)
    return torch.stack(result) if beings else vectors
