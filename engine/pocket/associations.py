"""What English words bring to mind: of each word a short vector, near to those of the things it reminds of.

A text tower of two layers cannot tell what *where books are kept* may be. A large sentence model can, and of
such phrases nearly all that it says lies in the sum of what it says of their words. So that was written down
once (`engine.training.associations`): vectors of some 12,000 words and of the things that can be drawn, such
that the inner product of a phrase's words with a thing is how alike the large model finds the two.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import ModelError

FILE = "associations.safetensors"  # in a perceptor's folder
SHARP = 0.06  # of a phrase's nearness to the things: how far it goes to the nearest
_WORD = re.compile(r"[a-z]{2,}")


# Words that say nothing of what a picture shows.
SAYS_NOTHING = frozenset(
    [
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "by",
        "to",
        "for",
        "from",
        "or",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "that",
        "which",
        "who",
        "whom",
        "whose",
        "where",
        "what",
        "when",
        "how",
        "it",
        "its",
        "this",
        "these",
        "those",
        "you",
        "your",
        "my",
        "we",
        "he",
        "she",
        "his",
        "her",
        "him",
        "their",
        "our",
        "us",
        "them",
        "and",
        "with",
        "as",
        "into",
        "one",
        "some",
        "any",
        "very",
        "something",
        "someone",
        "somebody",
        "anything",
        "thing",
        "things",
        "kind",
        "sort",
        "type",
        "has",
        "have",
        "had",
        "having",
        "do",
        "does",
        "did",
        "can",
        "cannot",
        "could",
        "will",
        "would",
        "shall",
        "should",
        "may",
        "might",
        "must",
        "not",
        "no",
        "never",
        "often",
        "always",
        "usually",
        "especially",
        "used",
        "use",
        "using",
        "uses",
        "made",
        "make",
        "makes",
        "making",
        "being",
        "become",
        "becomes",
        "get",
        "gets",
        "got",
        "much",
        "many",
        "more",
        "most",
        "than",
        "too",
        "also",
        "just",
        "like",
        "there",
        "here",
        "such",
        "other",
        "another",
        "each",
        "every",
        "all",
        "both",
    ]
)


@dataclass(frozen=True)
class Associations:
    """Words and things in one space; a phrase is the sum of its words."""

    words: dict[str, int]  # in lower case → its row of `vectors`
    vectors: Tensor  # int8 [words, d]
    most: Tensor  # float [words]: what 127 stands for in each row
    things: Tensor  # float [things, d]
    rows: Tensor  # int64 [things]: of the lexicon's vectors, what each thing stands for

    def of(self, text: str) -> tuple[Tensor, float] | None:
        """How much [things] a text brings each to mind, together 1, and how near the nearest is, -1..1, less
        the fewer of its words are known; None where none is."""
        said = [word for word in _WORD.findall(text.lower()) if word not in SAYS_NOTHING]
        known = [row for row in map(self._row, said) if row is not None]
        if not known:
            return None
        phrase = F.normalize(_full(self.vectors[known], self.most[known]).sum(0), dim=0)
        near = F.normalize(self.things, dim=1) @ phrase
        return (near / SHARP).softmax(0), float(near.max()) * math.sqrt(len(known) / len(said))

    def _row(self, word: str) -> int | None:
        return next((self.words[form] for form in _forms(word) if form in self.words), None)

    def write(self, folder: Path) -> None:
        """Keep them in a perceptor's folder; the file appears whole."""
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / (FILE + ".new")
        tensors = {
            "vectors": self.vectors,
            "most": self.most.half(),
            "things": self.things.half(),
            "rows": self.rows.to(torch.int16),
        }
        save_file(tensors, fresh, {"words": " ".join(self.words)})
        fresh.chmod(0o644)  # the library writes it for its owner alone
        fresh.replace(folder / FILE)


def in_8_bits(words: Sequence[str], vectors: Tensor, things: Tensor, rows: Tensor) -> Associations:
    """The associations of words with float `vectors` [words, d]."""
    most = vectors.abs().amax(1).clamp_min(1e-6)
    small = (127 * vectors / most[:, None]).round().to(torch.int8)
    return Associations({word: row for row, word in enumerate(words)}, small, most, things, rows)


def read(folder: Path, names: int) -> Associations | None:
    """What `write` kept beside a lexicon of so many vectors; None where there is no file.

    Raises `ModelError`.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            words = {word: row for row, word in enumerate(file.metadata()["words"].split())}
            vectors, rows = file.get_tensor("vectors"), file.get_tensor("rows").long()
            most, things = file.get_tensor("most").float(), file.get_tensor("things").float()
        if not len(words) == len(vectors) == len(most) or vectors.dtype != torch.int8:
            raise ValueError("other words")
        if vectors.shape[1:] != things.shape[1:] or len(rows) != len(things):
            raise ValueError("other things")
        if not len(rows) or int(rows.min()) < 0 or int(rows.max()) >= names:
            raise ValueError("a thing that has no name")
        if not (bool(most.isfinite().all()) and bool(things.isfinite().all())):
            raise ValueError("not finite")
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged or of another model.") from error
    return Associations(words, vectors, most, things, rows)


def _full(vectors: Tensor, most: Tensor) -> Tensor:
    return vectors.float() * most[:, None] / 127


def _forms(word: str) -> Iterator[str]:
    """A word as it is, and what it may be a form of."""
    yield word
    for ending, bare in (
        ("ies", "y"),
        ("es", ""),
        ("s", ""),
        ("ing", ""),
        ("ing", "e"),
        ("ed", ""),
        ("ed", "e"),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            yield word.removesuffix(ending) + bare
