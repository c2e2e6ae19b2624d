"""Measures the perceptor on drawings that it never saw: a whole vendor, an outline set, unseen concepts."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import ModelError
from engine.evaluation import prompt_list
from engine.models import perceptor, registry
from engine.models.folders import CLASSES
from engine.pocket import lexicon
from engine.pocket import texts as reading
from engine.pocket.captions import COLOUR_NAMES, RELATIONS, fill, tinted
from engine.pocket.clip import PocketClip
from engine.pocket.grounds import GROUNDS, SAID
from engine.pocket.lexicon import Lexicon
from engine.pocket.tokens import load_tokenizer
from engine.search import atlas
from engine.training import lists, painted, scenes
from engine.training.data import DEFAULT_FOLDER, load_descriptions, load_pictures
from engine.training.sources import EMOJI_STYLES
from engine.training.train_words import encoded

PROMPTS = lists.lines("prompts")
UNKNOWN = lists.lines("unknown")
PAIRS = 300
WEIGHTS = registry.POCKET / "perceptor"
PHRASES = Path(__file__).with_name("phrases.txt")
HEAD = "| what | among | first | first five | asked | verdict |\n|---|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    among: int  # how many answers there are to choose from
    first: float  # share of pictures whose best answer is right, 0..1
    five: float | None  # share with the right answer among the best five; None where that says nothing
    floor: tuple[float | None, float | None] = (None, None)  # what `first` and `five` must reach

    def line(self) -> str:
        """The figure as a line of the table in Markdown."""
        five = "" if self.five is None else f"{self.five:.1%}"
        pairs = zip(("first", "five"), self.floor, strict=True)
        asked = ", ".join(f"{word} {floor:.0%}" for word, floor in pairs if floor is not None)
        return f"| {self.what} | {self.among} | {self.first:.1%} | {five} | {asked} | {self.verdict()} |"

    def verdict(self) -> str:
        """'reached', 'short by 3.2 points' (the worse of the two), or '' where nothing is asked."""
        pairs = zip(self.floor, (self.first, self.five), strict=True)
        missing = [floor - value for floor, value in pairs if floor is not None and value is not None]
        if not missing:
            return ""
        return "reached" if max(missing) <= 0 else f"short by {100 * max(missing):.1f} points"


class Examiner:
    """A perceptor with the pictures and names of the evaluation."""

    def __init__(
        self,
        model: PocketClip,
        tokenizer: Any,
        descriptions: Sequence[dict],
        pictures: np.ndarray,
        names: Lexicon | None = None,
    ):
        self.model = model
        self.lexicon = names
        self.tokenizer = tokenizer
        self.descriptions = descriptions
        self.pictures = pictures
        self.concepts: dict[str, dict] = {}
        for d in descriptions:
            if d["thing"] and d["code"]:
                self.concepts.setdefault(d["concept"], d)
        self.random = np.random.default_rng(0)
        self.torch = torch.Generator().manual_seed(0)

    def rows(self, style: str, held_out: bool = False) -> np.ndarray:
        """Numbers of a style's pictures of things (held-out concepts or the others)."""
        return np.array(
            [
                i
                for i, d in enumerate(self.descriptions)
                if d["style"] == style and d["concept"] in self.concepts and d["held_out"] == held_out
            ]
        )

    def texts(self, texts: Sequence[str]) -> Tensor:
        """[n, dimension] of n texts, as a dream reads them."""

        def tower(texts: Sequence[str]) -> Tensor:
            return encoded(self.model, self.tokenizer, texts)

        return reading.encode(texts, tower, self.lexicon, self.model.config.grounds)

    def seen(self, pictures: Tensor) -> Tensor:
        """[n, dimension] of pictures [n, 3, 64, 64]."""
        return torch.cat([self.model.encode_image(part) for part in pictures.split(256)])

    def layers(
        self, rows: np.ndarray, size: float = 0.9, x: Tensor | float = 0.0, y: Tensor | float = 0.0
    ) -> Tensor:
        """The drawings of `rows`, placed: [n, 4, 64, 64]."""
        return scenes.upright(self.pictures, rows, self.model.config.image_size, size, x, y)

    def on_white(self, rows: np.ndarray) -> Tensor:
        """The drawings of `rows` alone on white: [n, 3, 64, 64]."""
        layers = self.layers(rows)
        return scenes.over(layers, torch.ones(len(rows), 3, *layers.shape[2:]))

    def naming(
        self,
        what: str,
        rows: np.ndarray,
        texts: dict[str, str],
        floor: tuple[float | None, float | None] = (None, None),
    ) -> Figure:
        """Picture → one of `texts` (by concept); pictures without a text are left out."""
        slugs = list(texts)
        rows = np.array([i for i in rows if self.descriptions[i]["concept"] in texts])
        right = torch.tensor([slugs.index(self.descriptions[i]["concept"]) for i in rows])
        similarity = self.seen(self.on_white(rows)) @ self.texts(list(texts.values())).T
        return _figure(what, similarity, right, floor)

    def names(self, language: str, held_out: bool | None = None) -> dict[str, str]:
        """Concept → its name with an article."""
        return {
            slug: fill("{a}", d[f"name_{language}"].lower(), language)
            for slug, d in self.concepts.items()
            if d[f"name_{language}"] and held_out in (None, d["held_out"])
        }

    def paraphrases(self, language: str = "en") -> dict[str, str]:
        """Concept → up to four of its keywords without any word of its name."""
        result = {}
        for slug, d in self.concepts.items():
            used = set(d[f"name_{language}"].lower().split())
            words = [k for k in d[f"keywords_{language}"] if not used & set(k.split())]
            words = [k for k in words if not any(k.startswith(u[:4]) for u in used)]
            if len(words) >= 2:
                result[slug] = ", ".join(words[:4])
        return result

    def paraphrases_in_both(self) -> dict[str, dict[str, str]]:
        """Language → the `paraphrases` of the concepts that have them in either, so that both have as many
        answers to choose from."""
        english, italian = self.paraphrases("en"), self.paraphrases("it")
        both = [slug for slug in english if slug in italian]
        return {
            "English": {slug: english[slug] for slug in both},
            "Italian": {slug: italian[slug] for slug in both},
        }

    def means(self) -> Tensor:
        """Unit rows [concepts, dimension]: the mean of each concept's pictures in the trained styles."""
        rows = np.array(
            [
                i
                for i, d in enumerate(self.descriptions)
                if d["concept"] in self.concepts
                and d["split"] in ("train", "unseen_concept")
                and d["style"] in EMOJI_STYLES
            ]
        )
        numbers = _numbers([self.descriptions[i]["concept"] for i in rows], list(self.concepts))
        total = torch.zeros(len(self.concepts), self.model.config.dimension)
        total.index_add_(0, numbers, self.seen(self.on_white(rows)))
        return torch.nn.functional.normalize(total, dim=1)

    def rejection(self, means: Tensor) -> tuple[Figure, float, float]:
        """How surely a name scores above unknown words, and the mean best cosine of either."""
        known = (self.texts(list(self.names("en").values())) @ means.T).amax(1)
        unknown = (self.texts(UNKNOWN) @ means.T).amax(1)
        share = float((known[:, None] > unknown).float().mean())
        figure = Figure("a name scores above unknown words", 2, share, None, (0.95, None))
        return figure, float(known.mean()), float(unknown.mean())

    def colours(self, rows: np.ndarray) -> Figure:
        """Tinted pictures → which of eleven colours."""
        colours = [str(self.random.choice(COLOUR_NAMES)) for _ in rows]
        layers = scenes.tint(self.layers(rows), colours, self.torch)
        ground = torch.full((len(rows), 3, *layers.shape[2:]), 0.8)
        seen = self.seen(scenes.over(layers, ground))
        names = [self.descriptions[i]["name_en"].lower() for i in rows]
        texts = self.texts([tinted(name, colour, "en") for name in names for colour in COLOUR_NAMES])
        similarity = torch.einsum("nd,ncd->nc", seen, texts.view(len(rows), len(COLOUR_NAMES), -1))
        return _figure(
            "colour of a tinted picture", similarity, _numbers(colours, COLOUR_NAMES), (0.92, None)
        )

    def pairs(self, rows: np.ndarray) -> list[Figure]:
        """Two things beside or above each other → which pair, and which of them is where."""
        one, two = self.random.choice(rows, PAIRS), self.random.choice(rows, PAIRS)
        across = torch.arange(PAIRS) % 2 == 0
        sign = torch.where(torch.arange(PAIRS) % 4 < 2, -0.48, 0.48)
        zero = torch.zeros(PAIRS)
        x, y = torch.where(across, sign, zero), torch.where(across, zero, sign)
        ground = torch.ones(PAIRS, 3, 64, 64)
        ground = scenes.over(self.layers(two, 0.5, -x, -y), ground)
        seen = self.seen(scenes.over(self.layers(one, 0.5, x, y), ground))
        a, b = (
            [fill("{a}", self.descriptions[i]["name_en"].lower(), "en") for i in side] for side in (one, two)
        )
        which = seen @ self.texts([f"{p} and {q}" for p, q in zip(a, b, strict=True)]).T
        figures = [_figure("'A and B'", which, torch.arange(PAIRS), (0.40, None))]
        for title, chosen, names in (
            ("left or right of", across, ("left", "right")),
            ("above or below", ~across, ("above", "below")),
        ):
            picked = [i for i in torch.nonzero(chosen).flatten().tolist() if a[i] != b[i]]
            words = [RELATIONS[names[0] if sign[i] < 0 else names[1]][0][0] for i in picked]
            right = self.texts([f"{a[i]} {w} {b[i]}" for i, w in zip(picked, words, strict=True)])
            wrong = self.texts([f"{b[i]} {w} {a[i]}" for i, w in zip(picked, words, strict=True)])
            both = torch.stack([(seen[picked] * right).sum(1), (seen[picked] * wrong).sum(1)], 1)
            figures.append(_figure(title, both, torch.zeros(len(picked), dtype=torch.int64), (0.80, None)))
        return figures

    def grounds(self, rows: np.ndarray) -> Figure:
        """Pictures on painted grounds → their named ground, or none."""
        known = len(GROUNDS)
        numbers = torch.arange(len(rows)) % (known + 1)  # the last: none of them
        ground = painted.nameless(len(rows), self.model.config.image_size, self.torch)
        named = (numbers < known).nonzero().flatten()
        ground[named] = painted.paint(numbers[named], self.model.config.image_size, self.torch)
        x, y = 0.6 * torch.rand(2, len(rows), generator=self.torch) - 0.3
        seen = self.seen(scenes.over(self.layers(rows, 0.7, x, y), ground))
        names = [fill("{a}", self.descriptions[i]["name_en"].lower(), "en") for i in rows]
        ends = [*(f" {SAID[ground][0]}" for ground in GROUNDS), ""]
        texts = self.texts([name + end for name in names for end in ends])
        similarity = torch.einsum("nd,ncd->nc", seen, texts.view(len(rows), len(ends), -1))
        return _figure("ground of a picture", similarity, numbers, (0.70, None))

    def phrases(self, means: Tensor) -> Figure:
        """The loose phrases of `PHRASES` → one of the things that each may mean."""
        phrases, meant = _phrases(list(self.concepts))
        return _meant("loose phrases → what they may mean", self.texts(phrases) @ means.T, meant)

    def closest(self, means: Tensor, prompts: Sequence[str], count: int = 5) -> list[list[tuple[str, float]]]:
        """For each prompt the concepts whose `means` it is closest to, with cosines."""
        slugs = list(self.concepts)
        best = (self.texts(prompts) @ means.T).topk(count, dim=1)
        return [
            [(slugs[i], float(s)) for s, i in zip(scores, indices, strict=True)]
            for scores, indices in zip(best.values, best.indices.tolist(), strict=True)
        ]


def phrases_to_classes(pair: registry.Pair) -> Figure:
    """The loose phrases of `PHRASES` → one of the classes that each may mean, by the atlas, which is
    where a dream of them begins. Raises `ModelError`."""
    described = json.loads((pair.generator / CLASSES).read_text(encoding="utf-8"))
    features = atlas.read(pair.generator.parent / atlas.FILE, registry.fingerprint(pair))
    if features is None:
        raise ModelError("The atlas is of other models; python -m engine.training atlas makes it anew.")
    phrases, meant = _phrases([each["id"] for each in described])
    texts = perceptor.load_all(pair.perceptors, pair.perceptor_names, torch.device("cpu")).encode_texts(
        phrases
    )
    return _meant("loose phrases → classes that they may mean", texts @ features.T, meant)


def _phrases(things: Sequence[str]) -> tuple[list[str], Tensor]:
    """The loose phrases of `PHRASES`, and which of the `things` each may mean, bool [phrases, things]."""
    listed = [one.prompt.split(" | ") for one in prompt_list.read(PHRASES)]
    meant = torch.tensor([[thing in some.split() for thing in things] for _, some in listed])
    return [phrase for phrase, _ in listed], meant


def _meant(what: str, similarity: Tensor, meant: Tensor) -> Figure:
    """From [phrases, things]: the best of what is `meant` counts."""
    return _figure(what, similarity, similarity.masked_fill(~meant, float("-inf")).argmax(1))


def examine(examiner: Examiner) -> list[Figure]:
    """The figures of the table that one model gives; each with what it must reach."""
    vendor, outlines = examiner.rows("emojione"), examiner.rows("openmoji")
    english, name, words = examiner.names("en"), (0.45, 0.70), (None, 0.35)
    return [
        examiner.naming("trained style (noto) → name", examiner.rows("noto"), english),
        examiner.naming("unseen vendor → name", vendor, english, name),
        examiner.naming("unseen vendor → Italian name", vendor, examiner.names("it"), name),
        examiner.naming(
            "unseen vendor → keywords without the name's words", vendor, examiner.paraphrases(), words
        ),
        examiner.naming(
            "unseen vendor → Italian keywords, likewise", vendor, examiner.paraphrases("it"), words
        ),
        *(
            examiner.naming(f"the same, what has both: {said}", vendor, texts)
            for said, texts in examiner.paraphrases_in_both().items()
        ),
        examiner.naming("outlines → name", outlines, english),
        examiner.colours(vendor),
        *examiner.pairs(vendor),
        examiner.grounds(vendor),
    ]


def unseen_concepts(examiner: Examiner) -> Figure:
    """Drawings of the held-out concepts → which of them: honest for a model that has not been shown them."""
    rows = np.concatenate([examiner.rows(style, held_out=True) for style in ("noto", "fluent", "emojione")])
    return examiner.naming("unseen concepts → name", rows, examiner.names("en", held_out=True), (None, 0.50))


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training evaluate`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the pictures")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="a perceptor's folder")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    parser.add_argument(
        "--before",
        type=Path,
        metavar="FOLDER",
        help="the same training's export from before the held-out concepts were let in, for their row",
    )
    parser.add_argument(
        "--phrases", action="store_true", help="only where the loose phrases begin: needs no pictures"
    )
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    if options.phrases:
        print(HEAD + phrases_to_classes(registry.pair(registry.EMBEDDED.name, Path())).line())
        return 0
    descriptions, pictures = load_descriptions(options.data), load_pictures(options.data)
    examiner = _examiner(options.weights, descriptions, pictures)
    with torch.no_grad():
        means = examiner.means()
        rejection, known, unknown = examiner.rejection(means)
        figures = [*examine(examiner), examiner.phrases(means), rejection]
        if options.before:
            figures.append(unseen_concepts(_examiner(options.before, descriptions, pictures)))
        print(HEAD, end="")
        for figure in figures:
            print(figure.line())
        print(f"\nbest cosine x 100, mean: names {100 * known:.0f}, unknown words {100 * unknown:.0f}\n")
        for prompt, found in zip(PROMPTS, examiner.closest(means, PROMPTS), strict=True):
            print(f"{prompt}: " + ", ".join(f"{slug} {100 * score:.0f}" for slug, score in found))
    return 0


def _examiner(folder: Path, descriptions: Sequence[dict], pictures: np.ndarray) -> Examiner:
    model = PocketClip.load(folder)
    names = lexicon.read(folder, model.config.dimension)
    return Examiner(model, load_tokenizer(folder), descriptions, pictures, names)


def _figure(
    what: str, similarity: Tensor, right: Tensor, floor: tuple[float | None, float | None] = (None, None)
) -> Figure:
    """From [pictures, answers] and the right answers' numbers."""
    own = similarity.gather(1, right[:, None])
    rank = (similarity > own).sum(1)
    answers = similarity.shape[1]
    five = float((rank < 5).float().mean()) if answers > len(GROUNDS) + 1 else None
    return Figure(what, answers, float((rank == 0).float().mean()), five, floor)


def _numbers(values: Sequence[str], order: Sequence[str]) -> Tensor:
    place = {value: i for i, value in enumerate(order)}
    return torch.tensor([place[value] for value in values])
