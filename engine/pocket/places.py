"""What stands where: 'a cat left of a dog' as a vector made of the cat's and the dog's.

A text tower this small reads the two things of a sentence as a heap; which of them is left it does not keep.
So such a text is taken apart, and each thing's vector is bound to its place by turning it (after Plate 1995,
holographic reduced representations); the picture tower is taught to do the same with what it sees there.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.pocket.words import OPPOSITE, RELATIONS

if TYPE_CHECKING:
    from torch import Tensor  # reading words needs no torch, and the bot reads them too

PLACES = tuple(RELATIONS)
BOUND = 0.6  # how much the places count beside the things
_OF = r" d(?:i|el|ello|ella|ell'|ei|egli|elle)"  # Italian's 'of' with and without an article
_WORDS = {
    place: "|".join(
        re.sub(" di$", _OF, words)
        for words in sorted((w for some in RELATIONS[place] for w in some), key=len, reverse=True)
    )
    for place in PLACES
}
_SENTENCE = re.compile(
    r"^\s*(?P<first>\S.*?)\s+(?:" + "|".join(f"(?P<{p}>{w})" for p, w in _WORDS.items()) + r")"
    r"(?:\s+|(?<='))(?P<second>\S.*?)\s*$",
    re.IGNORECASE | re.DOTALL,
)


def read(text: str) -> tuple[str, str, str] | None:
    """The first thing, its place (one of `PLACES`), the second thing; None where a text says nothing such."""
    found = _SENTENCE.match(text)
    if found is None:
        return None
    return found["first"], next(place for place in PLACES if found[place]), found["second"]


def turned(vectors: "Tensor", place: str) -> "Tensor":
    """`vectors` [..., d] bound to a place: their coordinates moved on by an odd number of eighths of d."""
    return vectors.roll(vectors.shape[-1] * (2 * PLACES.index(place) + 1) // 8, -1)


def composed(first: "Tensor", place: str, second: "Tensor") -> "Tensor":
    """Unit rows [..., d] of two things [..., d] each, the first at `place`, the second opposite."""
    from torch.nn import functional as F

    things = F.normalize(first + second, dim=-1)
    bound = F.normalize(turned(first, place) + turned(second, OPPOSITE[place]), dim=-1)
    return F.normalize(things + BOUND * bound, dim=-1)


def encode_texts(texts: Sequence[str], encode: "Callable[[Sequence[str]], Tensor]") -> "Tensor":
    """Unit rows [len(texts), d]: `encode`'s own, but composed where a text says what stands where."""
    import torch

    sentences = {i: found for i, text in enumerate(texts) if (found := read(text))}
    parts = [thing for first, _, second in sentences.values() for thing in (first, second)]
    vectors = encode([*texts, *parts])
    result, rest = list(vectors[: len(texts)]), vectors[len(texts) :]
    for (i, (_, place, _)), pair in zip(sentences.items(), rest.split(2), strict=False):
        result[i] = composed(pair[0], place, pair[1])
    return torch.stack(result) if result else vectors
