"""Writes down what English words bring to mind, as a large sentence model has it, for `engine.pocket`.

The model is the text tower's teacher. Of a thing's names and keywords, and of each word, it says a vector; of
all short vectors those are kept whose products are nearest to the cosines of the two (Eckart and Young 1936).
It takes three minutes on one core.
"""

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models import folders, registry
from engine.pocket import associations, lexicon
from engine.pocket.associations import SAYS_NOTHING, Associations
from engine.pocket.clip import PocketClipConfig
from engine.pocket.lexicon import Lexicon
from engine.training import wordnet
from engine.training.teacher import Teacher

NUMBERS = 96  # of a vector
LEAST = 0.3  # cosine to the nearest thing; words that remind of nothing are left out
_ENDINGS = (
    ("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("er", ""),
    ("er", "e"), ("est", ""), ("ied", "y"), ("y", ""),
)  # fmt: skip
_WORD = re.compile(r"[a-z]{2,}")


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training associations`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training associations", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2's files")
    parser.add_argument(
        "--wordnet", type=Path, required=True, help="folder of index.noun and the like (Debian: wordnet-base)"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    classes = json.loads((registry.POCKET / "generator" / folders.CLASSES).read_text(encoding="utf-8"))
    folder = registry.POCKET / "perceptor"
    names = lexicon.read_names(folder, PocketClipConfig.read(folder / folders.CONFIG).dimension)
    usual = (options.model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    found = prepare(classes, names, Teacher(options.model), chosen(usual, options.wordnet))
    found.write(folder)
    path = folder / associations.FILE
    print(f"{path}: {len(found.words)} words, {path.stat().st_size / 1e6:.2f} MB")
    return 0


def chosen(usual: Iterable[str], wordnet_folder: Path) -> list[str]:
    """English words worth keeping: those `usual` ones that WordNet knows in some form, and those that its
    tagged texts hold twice."""
    lemmas: dict[str, int] = {}
    for part in ("noun", "verb", "adj", "adv"):
        for fields in wordnet.lines(wordnet_folder / f"index.{part}"):
            if _WORD.fullmatch(fields[0]):
                lemmas[fields[0]] = lemmas.get(fields[0], 0) + wordnet.tagged(fields)
    known = {word for word in usual if _WORD.fullmatch(word) and not lemmas.keys().isdisjoint(_stems(word))}
    return sorted(known | {word for word, times in lemmas.items() if times >= 2})


def prepare(
    classes: Sequence[dict[str, Any]], names: Lexicon, teacher: Any, words: Iterable[str]
) -> Associations:
    """The associations of `words`, and of those that name or describe the `classes` (`classes.json`), which
    all have a name in `names`; `teacher` maps n texts to float [n, d], unit rows."""
    said = [[entry["name_en"].lower()] for entry in classes]
    keywords = [entry["keywords_en"] or some for entry, some in zip(classes, said, strict=True)]
    own = {word for some in (*said, *keywords) for text in some for word in _WORD.findall(text.lower())}
    listed = sorted({*words, *own} - SAYS_NOTHING)
    things = F.normalize(_means(said, teacher) + _means(keywords, teacher), dim=1)
    things = F.normalize(things - things.mean(0), dim=1)
    vectors = teacher(listed)
    vectors = F.normalize(vectors - vectors.mean(0), dim=1)
    kept = (vectors @ things.T).amax(1) >= LEAST
    listed = [word for word, keep in zip(listed, kept.tolist(), strict=True) if keep]
    vectors, things = _shorter(vectors[kept], things)
    rows = [names.row(f"a {some[0]}") for some in said]
    rows = [names.row(some[0]) if row is None else row for row, some in zip(rows, said, strict=True)]
    return associations.in_8_bits(listed, vectors, things, torch.tensor(rows))


def _shorter(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Rows [n, d], [m, d] as [n, k], [m, k], whose inner products are as near to theirs as any could be."""
    (q, r), (p, s) = torch.linalg.qr(one), torch.linalg.qr(other)
    u, sizes, v = torch.linalg.svd(r @ s.T, full_matrices=False)
    roots = sizes[:NUMBERS].sqrt()
    return q @ u[:, :NUMBERS] * roots, p @ v[:NUMBERS].T * roots


def _means(texts: Sequence[Sequence[str]], teacher: Any) -> Tensor:
    """The middle [len(texts), d], of unit length, of what the teacher says of each one's texts."""
    owner = torch.tensor([i for i, some in enumerate(texts) for _ in some])
    vectors = teacher([text for some in texts for text in some])
    return F.normalize(torch.zeros(len(texts), vectors.shape[1]).index_add_(0, owner, vectors), dim=1)


def _stems(word: str) -> Iterator[str]:
    """What a word may be a form of: *cutting* of *cut*."""
    yield word
    for ending, bare in _ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending) + bare
            yield stem
            if len(stem) > 3 and stem[-1] == stem[-2]:
                yield stem[:-1]
