"""Names by heart: where the things lie that the small CLIP knows by name, written down beside its weights.

A text tower this small holds only nine tenths of where each of some 2,500 names belongs. So a text that is a
name and nothing else (*a cat*, *il gatto*, *two cats*) is looked up; every other text is the tower's.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import ModelError
from engine.pocket.captions import Captions

FILE = "names.safetensors"
_ARTICLES = {
    "en": re.compile(r"(?:a few|a|an|the|some|many|several|two|three|four|five)\s+(?=\S)"),
    "it": re.compile(
        r"(?:un|uno|una|il|lo|la|i|gli|le|dei|degli|delle|alcuni|alcune|molti|molte|tanti|tante|due|tre"
        r"|quattro|cinque)\s+(?=\S)|(?:un|l)'\s*(?=\S)"
    ),
}
# Plurals: an ending, and what stands there in the singular; the first that gives a name counts.
_PLURALS = {
    "en": (
        ("mice", "mouse"), ("geese", "goose"), ("teeth", "tooth"), ("feet", "foot"),
        ("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", ""),
    ),
    "it": (("chi", "co"), ("ghi", "go"), ("i", "o"), ("i", "e"), ("i", "io"), ("i", "a"),
           ("che", "ca"), ("ghe", "ga"), ("ce", "cia"), ("ge", "gia"), ("e", "a")),
}  # fmt: skip


@dataclass(frozen=True)
class Lexicon:
    """Names of both languages and the vectors that they stand for."""

    names: dict[str, dict[str, int]]  # language → name in lower case → its row
    vectors: Tensor  # float [n, dimension], unit rows
    unsure: frozenset[str]  # names that mean something else in the other language: only with their article

    def row(self, text: str) -> int | None:
        """The row of a text that is a name, in the plural too, with or without an article or a number; else
        None."""
        plain = " ".join(text.lower().replace("’", "'").split()).rstrip(".!")
        if plain not in self.unsure:
            for names in self.names.values():
                if plain in names:
                    return names[plain]
        for language, article in _ARTICLES.items():
            if found := article.match(plain):
                name = plain[found.end() :]
                row = self.names[language].get(name, self._plural(name, language))
                if row is not None:
                    return row
        row = self._plural(plain, "en")
        if row is None and not plain.endswith("e"):  # *bare* is no Italian coffins, *le bare* are
            row = self._plural(plain, "it")
        return row

    def _plural(self, text: str, language: str) -> int | None:
        """The row of a name in the plural: of its last word in English, of its first in Italian. No name is
        unsure here: the ending tells the language."""
        before, _, last = text.rpartition(" ") if language == "en" else ("", "", text)
        word, space, after = last.partition(" ")
        names = self.names[language]
        for ending, singular in _PLURALS[language]:
            if word.endswith(ending):
                name = f"{before} {word.removesuffix(ending)}{singular}{space}{after}".strip()
                if name in names:
                    return names[name]
        return None

    def looked_up(self, texts: Sequence[str], vectors: Tensor) -> Tensor:
        """`vectors` [len(texts), dimension], with the rows of names in the place of the tower's."""
        known = {i: row for i, text in enumerate(texts) if (row := self.row(text)) is not None}
        if not known:
            return vectors
        rows = torch.tensor(list(known.values()), device=self.vectors.device)
        return vectors.index_copy(
            0, torch.tensor(list(known), device=vectors.device), self.vectors[rows].to(vectors)
        )

    def write(self, folder: Path) -> None:
        """Keep it in a perceptor's folder, the vectors in half precision; the file appears whole."""
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / (FILE + ".new")
        words = {"names": self.names, "unsure": sorted(self.unsure)}
        save_file({"vectors": self.vectors.half()}, fresh, {"words": json.dumps(words, ensure_ascii=False)})
        fresh.chmod(0o644)  # the library writes it for its owner alone
        fresh.replace(folder / FILE)


def read(folder: Path, dimension: int) -> Lexicon:
    """What `write` kept; a lexicon without names where there is none. Raises `ModelError`."""
    path = folder / FILE
    if not path.exists():
        return Lexicon({"en": {}, "it": {}}, torch.empty(0, dimension), frozenset())
    try:
        with safe_open(path, framework="pt") as file:
            vectors = file.get_tensor("vectors").float()
            words = json.loads(file.metadata()["words"])
        names = {language: dict(words["names"][language]) for language in _ARTICLES}
        rows = {row for some in names.values() for row in some.values()}
        if vectors.ndim != 2 or vectors.shape[1] != dimension or not bool(vectors.isfinite().all()):
            raise ValueError("other vectors")
        if not rows <= set(range(len(vectors))):
            raise ValueError("a name without a vector")
        return Lexicon(names, F.normalize(vectors, dim=1), frozenset(words["unsure"]))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged or of another model.") from error


def of(captions: Captions, places: Tensor) -> Lexicon:
    """The names of all emoji among the concepts of `captions`.

    `places` [concepts, dimension]: where the concepts lie; a name of several stands for their middle.
    """
    emoji = [i for i, slug in enumerate(captions.slugs) if not slug.startswith("clip-")]
    holders: dict[str, dict[str, tuple[int, ...]]] = {language: {} for language in _ARTICLES}
    said: dict[str, dict[str, set[int]]] = {language: {} for language in _ARTICLES}
    for i in emoji:
        for language, some in holders.items():
            names = captions.names[i][language]
            for word in (*names, *captions.keywords[i][language]):
                said[language].setdefault(word, set()).add(i)
            for name in names:
                some[name] = (*some.get(name, ()), i)
    rows = {
        together: row for row, together in enumerate({t: None for s in holders.values() for t in s.values()})
    }
    unsure = {
        name
        for language, other in (("en", "it"), ("it", "en"))
        for name, together in holders[language].items()
        if not said[other].get(name, set()) <= set(together)
    }
    vectors = torch.stack([F.normalize(places[list(together)].mean(0), dim=0) for together in rows])
    numbers = {language: {name: rows[t] for name, t in some.items()} for language, some in holders.items()}
    return Lexicon(numbers, vectors.detach().float().cpu(), frozenset(unsure))
