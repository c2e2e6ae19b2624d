"""Words by heart: what the names and keywords of things stand for, written down beside the small CLIP.

A text tower this small holds only nine tenths of where each of some 2,500 names belongs, and less of 7,100
keywords. So a text that is a name and nothing else (*a cat*, *il gatto*, *two cats*), or a keyword or a list
of them (*summer*, *acqua, estate, vacanza*), is looked up. The tower's reading of any other text is moved
towards the names and keywords in it (*a jazz musician*), unless it joins things or names colours: of those
the tower has learnt what pictures look like. English that names no thing (*where books are kept*) is moved
on, towards what its words bring to mind (`engine.pocket.associations`).
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import ModelError
from engine.models.folders import NAMES as FILE
from engine.pocket import associations
from engine.pocket.associations import SAYS_NOTHING, Associations
from engine.pocket.captions import COLOURS, Captions

_ARTICLES = {
    "en": re.compile(r"(?:a few|a|an|the|some|many|several|two|three|four|five|something)\s+(?=\S)"),
    "it": re.compile(
        r"(?:un|uno|una|il|lo|la|i|gli|le|dei|degli|delle|alcuni|alcune|molti|molte|tanti|tante|due|tre"
        r"|quattro|cinque|qualcosa di)\s+(?=\S)|(?:un|l)'\s*(?=\S)"
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
_WORD = re.compile(r"[^\W\d_]+")
_HYPHENATED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def _all(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that show nothing beside others, though some are keywords (*in*, *day*, *the*: Italian for tea).
_EMPTY = _all(
    "a an the of in on at by to for from or is are was my your his her its their our this that some very "
    "just like as into under over one two three no not day days time thing things picture photo drawing "
    "painting image "
    "un uno una il lo la i gli le l di del dello della dei degli delle dell d al allo alla ai agli alle all "
    "da dal dalla nel nella nello nei nelle nell su sul sulla per tra fra o che è mio mia suo sua molto più "
    "come questo questa qualcosa giorno giorni giornata cosa cose foto disegno quadro immagine"
)
_JOINS = _all("and with e ed con")
_NOT_ALONE = _JOINS - {"with"}
_STANDS = _all("with in on at under over near behind beside inside wearing riding holding")  # after a thing
# Words that tell Italian, of which none is English.
_ITALIAN = _all(
    "un uno una il lo la gli le di del dello della dei degli delle al allo alla ai agli alle da dal dalla "
    "nel nello nella nei nelle sul sulla tra fra che ed è più molto qualcosa qualcuno cosa dove quando chi si"
)
_COLOURS = frozenset(word for words, _ in COLOURS.values() for word in words)
_LONGEST = 4  # words of a name or keyword inside of a text
BY_HEART = 0.8  # share of what is known of a keyword; the rest is the tower's, which knows its kin
WITHIN = 0.5  # likewise of the names and keywords inside of a text, all of whose words are known
BROUGHT = 0.65  # and of what the words bring to mind, where that is something near
FAR, NEAR = 0.35, 0.5  # cosine of words to what they bring to mind: nothing of it counts; all
_SHORTEST = 4  # letters of a plural; shorter words are seldom any


@dataclass(frozen=True)
class Lexicon:
    """Names and keywords of both languages and the vectors that they stand for."""

    names: dict[str, dict[str, int]]  # language → name in lower case → its row
    keywords: dict[str, dict[str, tuple[int, ...]]]  # likewise → the rows of all things that it may mean
    vectors: Tensor  # float [n, dimension], unit rows
    unsure: frozenset[str]  # names that mean something else in the other language: only with their article
    reminders: Associations | None = None  # what other words bring to mind

    def encode(self, texts: Sequence[str], tower: Callable[[Sequence[str]], Tensor]) -> Tensor:
        """Unit rows [len(texts), dimension]: looked up where a text is known by heart, else what `tower`
        makes of it with its plurals in the singular."""
        return self.looked_up(texts, tower([self.in_singular(text) for text in texts]))

    def looked_up(self, texts: Sequence[str], vectors: Tensor) -> Tensor:
        """`vectors` [len(texts), dimension] of the tower, those of names replaced, those of keywords moved to
        what is known by heart."""
        result = vectors.clone()
        for i, text in enumerate(texts):
            row, meant = self.row(text), self.meaning(text)
            if row is not None:
                result[i] = self.vectors[row]
            elif meant is not None:
                result[i] = _moved(vectors[i], meant, BY_HEART)
            else:
                inside, known = self.gist(text)
                brought, near = self.brought(text)
                result[i] = _moved(_moved(vectors[i], inside, WITHIN * known), brought, BROUGHT * near)
        return result

    def brought(self, text: str) -> tuple[Tensor | None, float]:
        """The unit vector [dimension] of the things that an English text brings to mind, and how much that
        tells of it, 0..1.

        (None, 0) where it joins things, has a colour, or names a thing, whatever it stands on or is
        like: *a beautiful house on a hill*; *an animal with a long neck* names none.
        """
        if self.reminders is None or "," in text:
            return None, 0.0
        words = _HYPHENATED.findall(_plain(text).replace("'", " "))
        subject = list(takewhile(lambda word: word not in _STANDS, words))
        if not (_NOT_ALONE | _COLOURS | _ITALIAN).isdisjoint(words) or self._is_of_a_name(subject):
            return None, 0.0
        found = self.reminders.of(" ".join(words))
        if found is None:
            return None, 0.0
        shares, near = found
        vectors = self.vectors[self.reminders.rows]
        return F.normalize(shares @ vectors, dim=0), min(1.0, max(0.0, (near - FAR) / (NEAR - FAR)))

    def _is_of_a_name(self, words: Sequence[str]) -> bool:
        """Whether English `words` are a name behind adjectives, with or without an article."""
        rest = words[1:] if words and words[0] in _EMPTY else words
        if not SAYS_NOTHING.isdisjoint(rest):
            return False
        lengths = range(1, min(_LONGEST, len(rest)) + 1)
        return any(self._name(" ".join(rest[-length:]), "en") is not None for length in lengths)

    def meaning(self, text: str) -> Tensor | None:
        """The unit vector [dimension] of a text that is a keyword, or a list of names and keywords with
        commas; else None.

        In a list a word of n things counts 1 / n² for each: the rarer tells more.
        """
        plain = _plain(text)
        parts = [part for part in (part.strip() for part in plain.split(",")) if part]
        if not parts or plain in self.unsure:
            return None
        readings = []  # in each language in which all the parts are known
        for language in _ARTICLES:
            rows = [self._rows(part, language) for part in parts]
            if all(rows):
                readings.append(rows)
        if not readings:
            return None
        if len(readings) == 2 and not any(set(a) & set(b) for a, b in zip(*readings, strict=True)):
            return None  # it says one thing in English and another in Italian
        return self._middle([some for reading in readings for some in reading])

    def gist(self, text: str) -> tuple[Tensor | None, float]:
        """The unit vector [dimension] of the names and keywords inside of a text, and how much they tell of
        it, 0..1: all where one stands for a single thing, else their share of its words.

        (None, 0) where there are none, or where it joins things or names colours. In the language in which
        more is known, or in both; where these disagree, in that of its article. The longest count first, a
        name 1, a keyword of n things 1 / n² for each.
        """
        words = _HYPHENATED.findall(_plain(self.in_singular(text)).replace("'", " "))
        if not words or "," in text or not (_JOINS | _COLOURS).isdisjoint(words):
            return None, 0.0
        readings = {language: self._within(words, language) for language in _ARTICLES}
        known = max(share for _, share in readings.values())
        best = {language: found for language, (found, share) in readings.items() if share == known}
        if not known or (len(best) == 2 and _disjoint(*best.values())):
            if not known or len(words) == 1:
                return None, 0.0
            best = {"it": best["it"]} if _ARTICLES["it"].match(_plain(text)) else {"en": best["en"]}
        found = [rows for some in best.values() for rows in some]
        return self._middle(found), 1.0 if any(len(rows) == 1 for rows in found) else known

    def _within(self, words: Sequence[str], language: str) -> tuple[list[tuple[int, ...]], float]:
        """The rows of each name or keyword among `words`, and what share these are of all that mean
        anything."""
        found: list[tuple[int, ...]] = []
        strange = at = 0
        while at < len(words):
            empty = words[at] in _EMPTY or len(words[at]) == 1
            lengths = () if empty else range(min(_LONGEST, len(words) - at), 0, -1)
            for length in lengths:
                if rows := self._inside(" ".join(words[at : at + length]), language):
                    found.append(rows)
                    at += length
                    break
            else:
                strange += not empty
                at += 1
        return found, len(found) / max(1, len(found) + strange)

    def _inside(self, words: str, language: str) -> tuple[int, ...]:
        """The rows of all things that `words`, in the plural too, are the name of, or else a keyword."""
        row = self._name(words, language)
        if row is not None:
            return (row,)
        keywords, forms = self.keywords[language], [words, *_singulars(words, language)]
        if language == "en" and words.endswith("y"):  # *rainy* of *rain*, *foggy* of *fog*
            forms += [words[:-1], words[:-2]]
        return next((keywords[form] for form in forms if form in keywords), ())

    def _middle(self, readings: Iterable[Sequence[int]]) -> Tensor:
        """The unit vector [dimension] between rows, each of n that one word means counting 1 / n²."""
        weights: dict[int, float] = defaultdict(float)
        for some in readings:
            for row in some:
                weights[row] += len(some) ** -2
        share = torch.tensor(list(weights.values()), device=self.vectors.device)
        return F.normalize(share @ self.vectors[list(weights)], dim=0)

    def row(self, text: str) -> int | None:
        """The row of a text that is a name, in the plural too, with or without an article or a number; else
        None."""
        plain = _plain(text)
        if plain not in self.unsure:
            for names in self.names.values():
                if plain in names:
                    return names[plain]
        for language, article in _ARTICLES.items():
            if found := article.match(plain):
                row = self._name(plain[found.end() :], language)
                if row is not None:
                    return row
        for language in _ARTICLES:
            if language == "it" and plain.endswith("e"):
                continue  # *bare* is no Italian coffins, *le bare* are
            for form in _singulars(plain, language):  # no name is unsure here: the ending tells the language
                if form in self.names[language]:
                    return self.names[language][form]
        return None

    def _name(self, words: str, language: str) -> int | None:
        names = self.names[language]
        return next((names[form] for form in (words, *_singulars(words, language)) if form in names), None)

    def _rows(self, words: str, language: str) -> tuple[int, ...]:
        """The rows of all things that `words`, with their article or in the plural too, are a keyword or a
        name of."""
        article = _ARTICLES[language].match(words)
        bare = words[article.end() :] if article else words
        keywords = self.keywords[language]
        forms = (words, bare, *_singulars(bare, language))
        found = next((keywords[form] for form in forms if form in keywords), ())
        name = self._name(bare, language)
        return found or (() if name is None else (name,))

    def in_singular(self, text: str) -> str:
        """`text` with those words in the singular that are known in that form alone: *green guitars*."""
        return _WORD.sub(lambda found: self._singular(found[0]), text)

    def _singular(self, word: str) -> str:
        lower = word.lower()
        if len(word) < _SHORTEST or lower in self._words:
            return word
        forms = (form for language in _ARTICLES for form in _singulars(lower, language))
        return next((form for form in forms if form in self._words), word)

    @cached_property
    def _words(self) -> frozenset[str]:
        """Each single word of all names and keywords."""
        known: list[Iterable[str]] = [*self.names.values(), *self.keywords.values()]
        found = {word for texts in known for text in texts for word in _WORD.findall(text)}
        return frozenset(found | _COLOURS)

    def write(self, folder: Path) -> None:
        """Keep it in a perceptor's folder, the vectors in half precision; the file appears whole."""
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / (FILE + ".new")
        words = {"names": self.names, "keywords": self.keywords, "unsure": sorted(self.unsure)}
        save_file({"vectors": self.vectors.half()}, fresh, {"words": json.dumps(words, ensure_ascii=False)})
        fresh.chmod(0o644)  # the library writes it for its owner alone
        fresh.replace(folder / FILE)


def read(folder: Path, dimension: int) -> Lexicon:
    """What `write` kept, and what other words bring to mind, as far as there is either.

    Raises `ModelError`.
    """
    names = read_names(folder, dimension)
    return replace(names, reminders=associations.read(folder, len(names.vectors)))


def read_names(folder: Path, dimension: int) -> Lexicon:
    """What `write` kept; a lexicon without names where there is none. Raises `ModelError`."""
    path = folder / FILE
    if not path.exists():
        return Lexicon({"en": {}, "it": {}}, {"en": {}, "it": {}}, torch.empty(0, dimension), frozenset())
    try:
        with safe_open(path, framework="pt") as file:
            vectors = file.get_tensor("vectors").float()
            words = json.loads(file.metadata()["words"])
        names = {language: dict(words["names"][language]) for language in _ARTICLES}
        tagged = words.get("keywords", {})  # files from before there were any
        keywords = {
            language: {word: tuple(rows) for word, rows in tagged.get(language, {}).items()}
            for language in _ARTICLES
        }
        rows = {row for some in names.values() for row in some.values()}
        rows |= {row for some in keywords.values() for each in some.values() for row in each}
        if vectors.ndim != 2 or vectors.shape[1] != dimension or not bool(vectors.isfinite().all()):
            raise ValueError("other vectors")
        if not rows <= set(range(len(vectors))):
            raise ValueError("a name without a vector")
        unit = F.normalize(vectors, dim=1)
        return Lexicon(names, keywords, unit, frozenset(words["unsure"]))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged or of another model.") from error


def of(captions: Captions, places: Tensor) -> Lexicon:
    """The names and keywords of all emoji among the concepts of `captions`.

    `places` [concepts, dimension]: where the concepts lie; a name of several stands for their middle.
    """
    emoji = [i for i, slug in enumerate(captions.slugs) if not slug.startswith("clip-")]
    holders: dict[str, dict[str, tuple[int, ...]]] = {language: {} for language in _ARTICLES}
    tagged: dict[str, dict[str, tuple[int, ...]]] = {language: {} for language in _ARTICLES}
    for i in emoji:
        for language in _ARTICLES:
            for words, some in ((captions.names[i], holders), (captions.keywords[i], tagged)):
                for word in words[language]:
                    some[language][word] = (*some[language].get(word, ()), i)
    alone = [(i,) for i in emoji]
    rows = {
        together: row
        for row, together in enumerate({t: None for s in holders.values() for t in (*s.values(), *alone)})
    }
    unsure = {
        name
        for language, other in (("en", "it"), ("it", "en"))
        for name, together in holders[language].items()
        if not {*holders[other].get(name, ()), *tagged[other].get(name, ())} <= set(together)
    }
    vectors = torch.stack([F.normalize(places[list(together)].mean(0), dim=0) for together in rows])
    names = {language: {name: rows[t] for name, t in some.items()} for language, some in holders.items()}
    keywords = {
        language: {
            word: tuple(rows[(i,)] for i in sorted({*together, *holders[language].get(word, ())}))
            for word, together in _with_plurals(some, language).items()
        }
        for language, some in tagged.items()
    }
    return Lexicon(names, keywords, vectors.detach().float().cpu(), frozenset(unsure))


def _with_plurals(tagged: dict[str, tuple[int, ...]], language: str) -> dict[str, tuple[int, ...]]:
    """Each word with what its plural is a keyword of as well: *sword* of the crossed swords."""
    found = dict(tagged)
    for word, together in tagged.items():
        for form in _singulars(word, language):
            if form in tagged:
                found[form] = (*found[form], *together)
                break
    return found


def _moved(vector: Tensor, towards: Tensor | None, share: float) -> Tensor:
    """A unit vector [d], moved by a share of the way where there is somewhere to go."""
    if towards is None or not share:
        return vector
    return F.normalize(torch.lerp(vector, towards.to(vector), share), dim=0)


def _disjoint(one: Iterable[Sequence[int]], two: Iterable[Sequence[int]]) -> bool:
    """Whether two readings of the same words have no row in common."""
    return {row for rows in one for row in rows}.isdisjoint(row for rows in two for row in rows)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split()).rstrip(".!")


def _singulars(text: str, language: str) -> Iterator[str]:
    """What `text` may be the plural of: its last word in English, its first in Italian."""
    before, _, last = text.rpartition(" ") if language == "en" else ("", "", text)
    word, space, after = last.partition(" ")
    for ending, singular in _PLURALS[language]:
        if word.endswith(ending):
            yield f"{before} {word.removesuffix(ending)}{singular}{space}{after}".strip()
