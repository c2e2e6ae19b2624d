"""The words for a picture: captions in English and Italian, and which concepts each of them fits."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.words.colours import COLOURS as COLOURS
from engine.words.places import OPPOSITE as OPPOSITE
from engine.words.places import RELATIONS as RELATIONS

COLOUR_NAMES = tuple(COLOURS)
_COLOUR_WORDS = frozenset(w for words, _ in COLOURS.values() for w in words) | {
    "gray",
    "golden",
    "colour",
    "color",
}
ITALIAN = 0.5  # share of the captions of what has an Italian name
NAME_WEIGHT = 6.0  # how much more a caption means the concept that has these very words as its name

SIDES: dict[str, tuple[str, str]] = {  # where a thing alone stands → English and Italian words after it
    "left": ("on the left", "a sinistra"),
    "right": ("on the right", "a destra"),
    "above": ("at the top", "in alto"),
    "below": ("at the bottom", "in basso"),
}

_ENGLISH = (
    ["{a}"] * 6
    + ["{n}"] * 6
    + ["the {n}"] * 2
    + ["a picture of {a}", "a drawing of {a}", "a photo of {a}", "an image of {a}", "a painting of {a}"]
    + ["an emoji of {a}", "an icon of {a}", "a picture of the {n}", "a beautiful {n}", "a small {n}"]
    + ["a big {n}", "a cute {n}", "one {n}", "my {n}", "{a} in a picture", "{a}, digital art", "just {a}"]
    + ["i dreamt of {a}", "a nice old {n}", "a dream of {a}", "{a} on a plain background", "funny {n}"]
)
_ITALIAN = (
    ["{n}"] * 6
    + ["{a}"] * 6
    + ["{il}"] * 2
    + ["un disegno di {a}", "una foto di {a}", "un'immagine di {a}", "{a} bello", "un quadro con {a}"]
    + [
        "un'icona di {a}",
        "{a} in un disegno",
        "ho sognato {a}",
        "{a} molto bello",
        "il mio {n}",
        "la mia {n}",
    ]
)
_FOOD_ENGLISH = ["a bowl of {n}", "a plate of {n}", "some {n}", "fresh {n}", "a bowl of {n}", "tasty {n}"]
_FOOD_ITALIAN = ["una ciotola di {n}", "un piatto di {n}", "del buon {n}"]
_WITHOUT_ARTICLE = re.compile(r"^(a|an|the|un|una|uno|il|la|lo|i|gli|le)\b")


@dataclass(frozen=True)
class Caption:
    """A text and what it may stand for."""

    text: str
    concepts: np.ndarray  # indices of all concepts that it fits, int64
    weights: np.ndarray  # how well, sums to 1, float32


class Captions:
    """Captions for concepts by their index; randomness comes in as a numpy `Generator`."""

    def __init__(self, descriptions: Sequence[dict[str, Any]]) -> None:
        self.slugs: list[str] = sorted({d["concept"] for d in descriptions})
        index = {slug: i for i, slug in enumerate(self.slugs)}
        size = len(self.slugs)
        self.names: list[dict[str, list[str]]] = [{"en": [], "it": []} for _ in range(size)]
        self.keywords: list[dict[str, list[str]]] = [{"en": [], "it": []} for _ in range(size)]
        self.food = [False] * size
        self.thing = [False] * size
        for d in descriptions:
            i = index[d["concept"]]
            self.food[i] |= d["group"] == "food-drink"
            self.thing[i] |= d["thing"]
            for language in ("en", "it"):
                full = d[f"name_{language}"]
                _add(self.names[i][language], [shorter(full), full.lower()])
                _add(self.keywords[i][language], [k for k in d[f"keywords_{language}"] if len(k) < 40])
        self._holders: dict[str, dict[int, float]] = defaultdict(dict)
        for i in range(size):
            for language in ("en", "it"):
                for word in self.keywords[i][language]:
                    self._holders[word].setdefault(i, 1.0)
                for word in self.names[i][language]:
                    self._holders[word][i] = NAME_WEIGHT
        self.tintable = [
            not any(_COLOUR_WORDS & set(n.split()) for names in self.names[i].values() for n in names)
            for i in range(size)
        ]

    @property
    def first_names(self) -> list[str]:
        """Each concept's first name with an article, in English."""
        return [
            fill("{a}", (names["en"] or [slug.replace("-", " ")])[0], "en")
            for slug, names in zip(self.slugs, self.names, strict=True)
        ]

    def index(self, slug: str) -> int:
        """A concept's number."""
        return self.slugs.index(slug)

    def words(self, concept: int, random: np.random.Generator) -> tuple[str, str, bool]:
        """Some words for a concept, their language, and whether they are its name."""
        language = "it" if random.random() < ITALIAN and self.names[concept]["it"] else "en"
        keywords = self.keywords[concept][language]
        if keywords and random.random() < 0.42:
            return str(random.choice(keywords)), language, False
        names = self.names[concept][language] or self.names[concept]["en"]
        return str(names[random.integers(len(names))]), language, True

    def meaning(self, *words: str) -> tuple[np.ndarray, np.ndarray]:
        """Concepts that one of the words fits, with weights that sum to 1."""
        total: dict[int, float] = defaultdict(float)
        for word in words:
            for concept, weight in self._holders.get(word, {}).items():
                total[concept] += weight
        concepts = np.fromiter(total, np.int64, len(total))
        weights = np.fromiter(total.values(), np.float32, len(total))
        return concepts, weights / max(float(weights.sum()), 1e-9)

    def single(self, concept: int, colour: str | None, random: np.random.Generator) -> Caption:
        """A caption for a picture of one concept, tinted with `colour` where given."""
        words, language, is_name = self.words(concept, random)
        meant = [words]
        if not is_name and random.random() < 0.3:
            names = self.names[concept][language] or self.names[concept]["en"]
            meant = [names[0], words]
            words = f"{names[0]}, {words}" if random.random() < 0.5 else f"{words} {names[0]}"
        if colour is not None:
            text = tinted(words, colour, language)
        else:
            templates = _ENGLISH if language == "en" else _ITALIAN
            if self.food[concept] and random.random() < 0.25:
                templates = _FOOD_ENGLISH if language == "en" else _FOOD_ITALIAN
            text = fill(str(random.choice(templates)), words, language)
        concepts, weights = self.meaning(*meant)
        if len(meant) == 2 or concept not in concepts:  # name and keyword together mean this one
            concepts, weights = np.array([concept], np.int64), np.ones(1, np.float32)
        return Caption(text, concepts, weights)

    def pair(
        self, first: int, second: int, relation: str | None, random: np.random.Generator
    ) -> tuple[str, str, Caption]:
        """A caption for two things, the same with the things swapped (relations only), and the meaning.

        `relation` says where the first stands; without one the caption joins the two by 'and'.
        """
        one, language, _ = self.words(first, random)
        names = self.names[second][language] or self.names[second]["en"]
        two = names[random.integers(len(names))]
        if random.random() < 0.7:
            names = self.names[first][language] or self.names[first]["en"]
            one = names[random.integers(len(names))]
        article = random.random() < 0.6
        a, b = (fill("{a}", w, language) if article else w for w in (one, two))
        if relation is None:
            joins = (
                ("and", "with", "next to", "and", ",") if language == "en" else ("e", "con", "vicino a", "e")
            )
            text = swapped = f"{a} {random.choice(joins)} {b}"
        else:
            join = random.choice(RELATIONS[relation][0 if language == "en" else 1])
            text, swapped = f"{a} {join} {b}", f"{b} {join} {a}"
        meaning = Caption(text, np.array([first, second], np.int64), np.full(2, 0.5, np.float32))
        return text, swapped, meaning

    def placed(self, concept: int, relation: str, random: np.random.Generator) -> tuple[str, str, Caption]:
        """As `pair`, for one thing at a side: 'a cat on the left', and the same on the right."""
        words, language, _ = self.words(concept, random)
        thing = fill("{a}" if random.random() < 0.6 else "{n}", words, language)
        texts = [f"{thing} {SIDES[side][language == 'it']}" for side in (relation, OPPOSITE[relation])]
        meaning = Caption(texts[0], np.array([concept], np.int64), np.ones(1, np.float32))
        return texts[0], texts[1], meaning

    def coloured_pair(
        self, first: int, second: int, colours: tuple[str, str], random: np.random.Generator
    ) -> tuple[str, str, Caption]:
        """As `pair`, for tinted things: 'a red house and a blue cat', and with the colours swapped."""
        language = "it" if random.random() < ITALIAN else "en"
        names = [self.names[i][language] or self.names[i]["en"] for i in (first, second)]
        one, two = (str(some[random.integers(len(some))]) for some in names)
        join = random.choice(("and", "next to", "and") if language == "en" else ("e", "vicino a", "e"))
        texts = [
            f"{tinted(one, a, language)} {join} {tinted(two, b, language)}"
            for a, b in (colours, colours[::-1])
        ]
        meaning = Caption(texts[0], np.array([first, second], np.int64), np.full(2, 0.5, np.float32))
        return texts[0], texts[1], meaning


def fill(template: str, words: str, language: str) -> str:
    """A template with {n} the bare words, {a} the words with an article, {il} with Italian's definite one."""
    if _WITHOUT_ARTICLE.match(words):
        bare = with_article = definite = words
    elif language == "en":
        bare = words
        plural = words.endswith("s") and not words.endswith("ss")
        with_article = words if plural else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
        definite = f"the {words}"
    else:
        bare, last = words, words.split()[0][-1]
        article = {"a": ("una", "la"), "e": ("un", "il"), "i": ("dei", "i")}.get(last, ("un", "il"))
        with_article, definite = f"{article[0]} {words}", f"{article[1]} {words}"
    return template.replace("{n}", bare).replace("{a}", with_article).replace("{il}", definite)


def in_a_sentence(words: str, language: str, random: np.random.Generator) -> str:
    """Some words as a caption says them, in one of a language's templates."""
    return fill(str(random.choice(_ENGLISH if language == "en" else _ITALIAN)), words, language)


def tinted(words: str, colour: str, language: str) -> str:
    """'a red house', 'una casa rossa'."""
    english, masculine, feminine = COLOURS[colour][0]
    if language == "en":
        return fill("{a}", f"{english} {words}", "en")
    return f"{fill('{a}', words, 'it')} {feminine if words.split()[0].endswith('a') else masculine}"


def shorter(name: str) -> str:
    """A name as people say it: lower case, 'dog' for 'dog face', without brackets."""
    name = re.sub(r"\(.*?\)|[“”\"]", "", name.lower()).strip()
    name = re.sub(r"^(muso|faccina|faccia) (di |da )?(?=\w+$)", "", name)
    return re.sub(r"(?<=^)(\w+) face$", r"\1", name) if not name.endswith(("ing face", "ed face")) else name


def _add(words: list[str], more: list[str]) -> None:
    words.extend(w for w in more if w and w not in words)
