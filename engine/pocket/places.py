"""What stands where: 'a cat left of a dog' as a vector made of the cat's and the dog's.

A text tower this small reads the two things of a sentence as a heap; which of them is left it does not keep.
So such a text is taken apart, and each thing's vector is bound to its place by turning it (after Plate 1995,
holographic reduced representations); the picture tower is taught to do the same with what it sees there.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.words.places import OPPOSITE, PLACES
from engine.words.places import read as read

BOUND = 0.6  # how much the places count beside the things


def turned(vectors: Tensor, place: str) -> Tensor:
    """`vectors` [..., d] bound to a place: their coordinates moved on by an odd number of eighths of d."""
    return vectors.roll(vectors.shape[-1] * (2 * PLACES.index(place) + 1) // 8, -1)


def composed(first: Tensor, place: str, second: Tensor) -> Tensor:
    """Unit rows [..., d] of two things [..., d] each, the first at `place`, the second opposite."""
    things = F.normalize(first + second, dim=-1)
    bound = F.normalize(turned(first, place) + turned(second, OPPOSITE[place]), dim=-1)
    return F.normalize(things + BOUND * bound, dim=-1)


def encode_texts(texts: Sequence[str], encode: Callable[[Sequence[str]], Tensor]) -> Tensor:
    """Unit rows [len(texts), d]: `encode`'s own, but composed where a text says what stands where."""
    sentences = {i: found for i, text in enumerate(texts) if (found := read(text))}
    parts = [thing for first, _, second in sentences.values() for thing in (first, second)]
    vectors = encode([*texts, *parts])
    result, rest = list(vectors[: len(texts)]), vectors[len(texts) :]
    for (i, (_, place, _)), pair in zip(sentences.items(), rest.split(2), strict=False):
        result[i] = composed(pair[0], place, pair[1])
    return torch.stack(result) if result else vectors
