"""WordNet's nouns: which of them can be seen, and their synonyms (Debian's wordnet-base; wndb(5WN))."""

from dataclasses import dataclass
from pathlib import Path

# Files of what can be seen: animal, artifact, body, food, object, phenomenon, plant, substance
VISIBLE = frozenset({"05", "06", "08", "13", "17", "19", "20", "27"})


@dataclass(frozen=True)
class Nouns:
    """The lemmas in lower case with spaces, each with its commonest sense."""

    kinds: dict[str, str]  # lemma → the number of the file that its first sense is in
    synonyms: dict[str, tuple[str, ...]]  # lemma → the other words of that sense

    @classmethod
    def read(cls, folder: Path) -> "Nouns":
        """From `folder`'s index.noun and data.noun. Raises `OSError`."""
        senses: dict[str, tuple[str, list[str]]] = {}
        for fields in lines(folder / "data.noun"):
            count = int(fields[3], 16)
            senses[fields[0]] = fields[1], [fields[4 + 2 * i].replace("_", " ") for i in range(count)]
        kinds, synonyms = {}, {}
        for fields in lines(folder / "index.noun"):
            lemma = fields[0].replace("_", " ")
            kinds[lemma], words = senses[first_sense(fields)]
            synonyms[lemma] = tuple(w for w in words if w != lemma and w.islower())
        return cls(kinds, synonyms)

    def visible(self, words: str) -> bool:
        """Whether these words' commonest sense is something that can be seen."""
        return self.kinds.get(words) in VISIBLE


def lines(path: Path) -> list[list[str]]:
    """The fields of each line of an index or data file, its licence left out. Raises `OSError`."""
    text = path.read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if not line.startswith(" ")]


def tagged(fields: list[str]) -> int:
    """How many of a lemma's senses occur in WordNet's tagged texts (tagsense_cnt) of an index line."""
    return int(fields[5 + int(fields[3])])


def first_sense(fields: list[str]) -> str:
    """The key in the data file of a lemma's commonest sense, of an index line."""
    return fields[6 + int(fields[3])]
