"""Which icons of permissively licensed sets show a thing: more styles of known concepts, and new ones.

Icon sets are full of arrows, buttons and brands. Kept is an icon whose words name a known concept, or are a
noun of WordNet's whose commonest sense can be seen.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.pocket.captions import shorter
from engine.training import lists
from engine.training.concepts import Concept, singular, slug_of
from engine.training.sources import IconSet
from engine.training.wordnet import Nouns

_IDLE = frozenset(lists.words("idle in icons"))
_NOT_SEEN = frozenset(lists.words("not seen in icons"))
_WORD = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True)
class Icon:
    """One kept icon."""

    drawing: str  # its name in its set
    svg: str
    words: str  # what it shows, in lower case
    keywords: tuple[str, ...]  # other words for a thing that no known concept is
    code: str  # the known concept's code, "" for a new one


def read_icons(folder: Path, icon_set: IconSet, concepts: dict[str, Concept], nouns: Nouns) -> Iterator[Icon]:
    """The kept icons of one package's `icons.json`, the first of each thing and variant.

    Raises `OSError`, and `ValueError` where the package states another licence than `icon_set`.
    """
    found = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
    licence = json.loads((folder / "info.json").read_text(encoding="utf-8"))["license"]["spdx"]
    if licence != icon_set.licence:
        raise ValueError(f"{folder} is under {licence}, not {icon_set.licence}: it has changed its licence.")
    known = names_of(concepts.values())
    taken: dict[str, int] = {}
    variants = re.compile(f"(?:{icon_set.variants})$")
    for name, icon in found["icons"].items():
        variant = variants.search(name)
        if variant is None or icon.get("hidden"):
            continue
        words = words_of(name[: variant.start()])
        said = meaning(words, known, nouns, icon_set.pictures)
        key = f"{said}{variant.group()}"
        if said is None or taken.get(key, 0) >= icon_set.each:
            continue
        taken[key] = taken.get(key, 0) + 1
        code = known.get(said, "")
        keywords = () if code else tuple(w for w in nouns.synonyms.get(said, ()) if len(w) < 24)[:4]
        yield Icon(name, svg_of(found, icon), said, keywords, code)


def names_of(concepts: Iterable[Concept]) -> dict[str, str]:
    """What concepts are called, also in the singular and as people say it → their codes."""
    known: dict[str, str] = {}
    concepts = list(concepts)
    for form in (_plain, lambda name: _plain(shorter(name)), lambda name: singular(_plain(name))):
        for concept in concepts:
            known.setdefault(form(concept.name_en), concept.code)
    return known


def words_of(name: str) -> list[str]:
    """The words of an icon's name, without numbers."""
    return _WORD.findall(name.lower())


def meaning(words: Sequence[str], known: dict[str, str], nouns: Nouns, pictures: bool) -> str | None:
    """What an icon of these words shows; None where that is nothing to be seen.

    `pictures`: its set holds pictures of things, so that two words may also be a thing by the second alone.
    """
    words = list(words)
    while words and words[-1] in _IDLE and " ".join(words) not in known:
        words.pop()
    while len(words) > 1 and words[0] in _IDLE and " ".join(words) not in known:
        words.pop(0)
    said = " ".join(words)
    if not 1 <= len(words) <= 3:
        return None
    for form in (said, singular(said), said + "s"):
        if form in known and not (len(words) == 1 and form in _NOT_SEEN):
            return form
    if not pictures and _NOT_SEEN & set(words):
        return None
    if said in _NOT_SEEN or len(said) < 3:
        return None
    if nouns.visible(said):
        return said
    if nouns.visible(singular(said)):
        return singular(said)
    if pictures and len(words) >= 2 and words[-1] not in _NOT_SEEN and nouns.visible(singular(words[-1])):
        return said
    return None


def svg_of(found: dict, icon: dict) -> str:
    """The SVG text of one icon of a set in Iconify's format, sizes as the format inherits them."""
    left, top = icon.get("left", 0), icon.get("top", 0)
    width = icon.get("width", found.get("width", 16))
    height = icon.get("height", found.get("height", 16))
    box = f'width="{width}" height="{height}" viewBox="{left} {top} {width} {height}"'
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {spaces} {box}>{icon['body']}</svg>"


def _plain(name: str) -> str:
    return slug_of(name).replace("-", " ")
