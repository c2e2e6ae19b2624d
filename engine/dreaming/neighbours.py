"""Which of the things that a generator can draw are nearest to words that it does not know well."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from engine.dreaming.loaded import Loaded
from engine.dreaming.wishes import Wishes
from engine.search import atlas
from engine.words import grounds
from engine.words.scene import Scene

MOST = 3  # things that are named
NEAR = 0.2  # cosine; what is further away has nothing to do with the words


def of(wished: Wishes, loaded: Loaded, scene: Scene | None) -> dict[str, list[str]]:
    """What is nearest to the words of a dream that hardly shows them, as `nearest` says it."""
    names = atlas.names_by_language(loaded.pair.generator)
    if not names:
        return {}
    wanted = [phrase.words for phrase in wished.phrases if phrase.weight > 0]
    things = [scene.first, scene.second] if scene else [grounds.read(words)[0] for words in wanted]
    perceive = loaded.perceptor
    towards = [perceive.encode_texts([perceive.fitting(one)])[0] for one in things]
    return nearest(towards, loaded.atlas(), names)


def nearest(
    towards: Sequence[Tensor], ranks: Tensor, names: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """The names, by language, of at most `MOST` classes nearest to unit vectors [d] each; {} for none.

    `ranks` [classes, d] is the generator's atlas, `names` what each class is called. Of several vectors each
    has its turn. Of a cat and a cat's face only the nearer is named.
    """
    if not towards or not names:
        return {}
    likeness = torch.stack(list(towards)).cpu() @ ranks.t()  # [vectors, classes]
    orders = [row.argsort(descending=True).tolist() for row in likeness]
    first = next(iter(names.values()))
    chosen: list[int] = []
    for turn in range(len(first)):
        for row, order in zip(likeness, orders, strict=True):
            fresh = not any(_are_kin(first[order[turn]], first[one]) for one in chosen)
            if len(chosen) < MOST and fresh and row[order[turn]] >= NEAR:
                chosen.append(order[turn])
        if len(chosen) == MOST:
            break
    return {language: [some[one] for one in chosen] for language, some in names.items()} if chosen else {}


def _are_kin(one: str, other: str) -> bool:
    """Whether two names share a word: a cat, a black cat and a cat's face."""
    return not set(one.lower().split()).isdisjoint(other.lower().split())
