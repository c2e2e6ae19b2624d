"""Batches for the judge's training: worn pictures, their words, and words that are wrong for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.captions import COLOUR_NAMES, Caption, Captions, fill, tinted
from engine.pocket.judge import JudgeConfig, pieces_of
from engine.training import scenes
from engine.training.batches import fitting, targets
from engine.training.sources import ICON_STYLES, POPULAR

HELD_OUT_STYLES = ("twemoji", "fluent-flat")  # the perceptor learns these; the judge never sees them
SHARE_TINTED = 0.09
SHARE_PAIRS = 0.12
SHARE_SOFT = 0.2  # blurred on top of `scenes.wear`, as a small generator's pictures are
SHARE_ODD_WORDS = 0.15  # texts with a word in them that means nothing, or a slip of the pen
FREE_TEXTS = 1  # texts without a picture for each one with
SIZES = (0.75, 1.1)  # of a drawing, as a share of the picture: the judge sees whole pictures, not cutouts
WRONG_PAIRS = 4  # texts that name one of a pair's two things and another one

# What people call a whole family of things: English, Italian; by the group's or subgroup's name.
FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "food-sweet": (("sweet", "dessert", "something sweet"), ("dolce", "dessert", "qualcosa di dolce")),
    "food-fruit": (("fruit", "healthy food"), ("frutta", "frutto")),
    "food-vegetable": (("vegetable", "vegetables"), ("verdura", "ortaggio")),
    "food-prepared": (("meal", "dinner", "something to eat"), ("pasto", "cena", "qualcosa da mangiare")),
    "drink": (("drink", "something to drink", "beverage"), ("bevanda", "qualcosa da bere")),
    "animal-mammal": (("animal", "mammal"), ("animale", "mammifero")),
    "animal-bird": (("bird", "animal with wings"), ("uccello", "animale con le ali")),
    "animal-marine": (("sea animal", "something in the sea"), ("animale marino", "animale del mare")),
    "animal-bug": (("insect", "bug", "small animal"), ("insetto",)),
    "animal-reptile": (("reptile",), ("rettile",)),
    "plant-flower": (("flower", "plant", "garden"), ("fiore", "pianta", "giardino")),
    "plant-other": (("plant", "nature"), ("pianta", "natura")),
    "place-building": (("building", "architecture"), ("edificio", "palazzo")),
    "place-geographic": (("landscape", "nature", "view"), ("paesaggio", "natura")),
    "sky-weather": (("weather", "sky"), ("tempo", "cielo")),
    "transport-ground": (("vehicle", "something that drives"), ("veicolo", "mezzo di trasporto")),
    "transport-air": (("something that flies", "aircraft"), ("qualcosa che vola",)),
    "transport-water": (("boat", "something that floats"), ("barca", "imbarcazione")),
    "clothing": (("clothes", "something to wear"), ("vestito", "abbigliamento")),
    "musical-instrument": (("musical instrument", "music"), ("strumento musicale", "musica")),
    "sport": (("sport", "game"), ("sport", "gioco")),
    "tool": (("tool",), ("attrezzo", "utensile")),
    "heart": (("love", "heart"), ("amore", "cuore")),
    "money": (("money", "wealth"), ("soldi", "denaro")),
}
_LOOSE = (
    "something {n}",
    "a {n} thing",
    "{n} in the sky",
    "{n} on the ground",
    "the most beautiful {n}",
    "a beautiful {n}",
    "{a} of my dreams",
    "{a} at night",
    "{n}!",
    "qualcosa di {n}",
    "una cosa: {n}",
)
_SYLLABLES = ("ba", "ko", "ri", "su", "ten", "mo", "la", "vex", "ur", "pli", "zan", "or", "qui", "sho", "dra")


@dataclass(frozen=True)
class JudgeBatch:
    """n pictures and their texts, t of them tinted and p of them pairs; then wrong and free texts."""

    pictures: Tensor  # float [n, 3, side, side] in 0..1
    pieces: Tensor  # int64 [n + 10 t + WRONG_PAIRS p + free, words, GRAMS], in this order
    tinted: Tensor  # int64 [t]: which pictures; each has ten texts of other colours
    pairs: Tensor  # int64 [p]: which pictures; each has WRONG_PAIRS texts of other pairs
    picture_target: Tensor  # float [n, concepts], rows sum to 1
    text_target: Tensor  # float [n + free, concepts], rows sum to 1
    fits_picture: Tensor  # bool [n, n]: text j is no wrong answer for picture i, though made for another
    fits_text: Tensor  # bool [n, n]: picture i is no wrong answer for text j


class JudgeBatchMaker:
    """Draws batches out of drawings; all randomness comes from `seed`."""

    def __init__(
        self,
        descriptions: Sequence[dict[str, Any]],
        drawings: Tensor,
        weights: np.ndarray,
        captions: Captions,
        config: JudgeConfig,
        seed: int,
    ) -> None:
        """`drawings` uint8 [rows, 4, 96, 96] and `weights` float [rows] go with `descriptions`."""
        self._drawings = drawings
        self._share = weights / weights.sum()
        self._captions = captions
        self._config = config
        self._concept = np.array([captions.index(d["concept"]) for d in descriptions])
        named = np.zeros(len(captions.slugs))
        np.maximum.at(named, self._concept, weights)
        self._named = named / named.sum()
        self._random = np.random.default_rng(seed)
        self._torch = torch.Generator().manual_seed(seed)

    def make(self, count: int) -> JudgeBatch:
        """One batch of `count` pictures."""
        random, captions = self._random, self._captions
        pairs, tints = round(count * SHARE_PAIRS), round(count * SHARE_TINTED)
        rows = random.choice(len(self._share), count + pairs, p=self._share)
        one, two = self._concept[rows[:count]], self._concept[rows[count:]]
        could = [i for i in range(pairs, count) if captions.tintable[int(one[i])]]
        colours = {i: str(random.choice(COLOUR_NAMES)) for i in could[:tints]}
        own: list[Caption] = []
        other_colours: list[str] = []
        other_pairs: list[str] = []
        for i in range(count):
            concept = int(one[i])
            if i < pairs:
                own.append(captions.pair(concept, int(two[i]), None, random)[2])
                for _ in range(WRONG_PAIRS // 2):
                    third, fourth = (int(c) for c in random.choice(self._concept, 2))
                    other_pairs.append(captions.pair(concept, third, None, random)[0])
                    other_pairs.append(captions.pair(fourth, int(two[i]), None, random)[0])
            elif (colour := colours.get(i)) is not None:
                words, language, _ = captions.words(concept, random)
                others = [c for c in COLOUR_NAMES if c != colour]
                other_colours += [tinted(words, c, language) for c in others]
                meant, weights = captions.meaning(words)
                own.append(Caption(tinted(words, colour, language), meant, weights))
            else:
                own.append(captions.single(concept, None, random))
        free = [self._free() for _ in range(FREE_TEXTS * count)]
        texts = [c.text for c in own] + other_colours + other_pairs + [c.text for c in free]
        odd = np.flatnonzero(random.random(len(texts)) < SHARE_ODD_WORDS)
        for i in odd.tolist():
            texts[i] = self._odd(texts[i])
        picture_target, text_target = targets(one, two, own + free, slice(pairs), len(captions.slugs))
        fits = fitting(picture_target, own, pairs)
        fits_picture = fits.clone()
        fits_picture[:pairs] = False  # and A and B are more than 'A'
        return JudgeBatch(
            self._pictures(rows, pairs, colours),
            pieces_of(texts, self._config.buckets, self._config.max_words),
            torch.tensor(list(colours), dtype=torch.int64),
            torch.arange(pairs),
            picture_target,
            text_target,
            fits_picture,
            fits,
        )

    def _free(self) -> Caption:
        """A text without a picture: words for some concept, at times loosely."""
        concept = int(self._random.choice(len(self._named), p=self._named))
        if self._random.random() < 0.75:
            return self._captions.single(concept, None, self._random)
        words, language, _ = self._captions.words(concept, self._random)
        text = fill(str(self._random.choice(_LOOSE)), words, language)
        return Caption(text, *self._captions.meaning(words))

    def _odd(self, text: str) -> str:
        words = text.split()
        at = int(self._random.integers(len(words) + 1))
        if self._random.random() < 0.3 and at < len(words) and len(words[at]) > 4:
            letters = list(words[at])
            i = int(self._random.integers(1, len(letters) - 2))
            letters[i], letters[i + 1] = letters[i + 1], letters[i]
            words[at] = "".join(letters)
        else:
            words.insert(at, "".join(self._random.choice(_SYLLABLES, self._random.integers(2, 5))))
        return " ".join(words)

    def _pictures(self, rows: np.ndarray, pairs: int, colours: dict[int, str]) -> Tensor:
        n, side = len(rows) - pairs, self._config.image_size
        ground = scenes.backgrounds(n, side, self._torch)
        layout = scenes.random_layout(n, self._torch, *SIZES, flips=True)
        if pairs:
            behind = scenes.random_layout(pairs, self._torch, 0.42, 0.7, flips=True)
            before = scenes.random_layout(pairs, self._torch, 0.42, 0.7, flips=True)
            angle = 2 * torch.pi * torch.rand(pairs, generator=self._torch)
            apart = 0.36 + 0.16 * torch.rand(pairs, generator=self._torch)
            for part, sign in ((behind, 1.0), (before, -1.0)):
                part.x.copy_(sign * apart * torch.cos(angle))
                part.y.copy_(sign * apart * torch.sin(angle))
            second = scenes.place(self._drawings[rows[n:]], behind, side)
            ground[:pairs] = scenes.over(second, ground[:pairs])
            for name in ("x", "y", "size", "angle", "flip"):
                getattr(layout, name)[:pairs] = getattr(before, name)
        layers = scenes.place(self._drawings[rows[:n]], layout, side)
        if colours:
            picked = list(colours)
            layers[picked] = scenes.tint(layers[picked], list(colours.values()), self._torch)
        return soften(scenes.wear(scenes.over(layers, ground), self._torch), self._torch)


def soften(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Blur some of [n, 3, h, w] in 0..1 by a Gaussian of 0.5 to 1.4 pixels, changed in place."""
    chosen = (torch.rand(len(pictures), generator=random) < SHARE_SOFT).nonzero().flatten()
    for part in chosen.tensor_split(3):
        if len(part):
            deviation = 0.5 + 0.9 * torch.rand(1, generator=random)
            kernel = torch.exp(-(torch.arange(-4.0, 5.0) ** 2) / (2 * deviation**2))
            kernel = (kernel / kernel.sum()).view(1, 1, 1, 9)
            flat = F.pad(pictures[part], (4, 4, 4, 4), mode="replicate").flatten(0, 1)[:, None]
            flat = F.conv2d(F.conv2d(flat, kernel), kernel.transpose(2, 3))
            pictures[part] = flat.view(len(part), 3, *pictures.shape[2:])
    return pictures


def with_families(descriptions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The descriptions with the words of `FAMILIES` among the keywords of things."""
    result = []
    for d in descriptions:
        english, italian = FAMILIES.get(d["subgroup"], ((), ())) if d["thing"] else ((), ())
        keywords = {
            "keywords_en": [*d["keywords_en"], *english],
            "keywords_it": [*d["keywords_it"], *italian],
        }
        result.append({**d, **keywords})
    return result


def learnt(descriptions: Sequence[dict[str, Any]]) -> Iterator[int]:
    """Which pictures the judge may see: named ones of all styles but icons, held-out and test-only ones."""
    for i, d in enumerate(descriptions):
        if d["code"] and d["split"] != "test_only" and d["style"] not in ICON_STYLES | {*HELD_OUT_STYLES}:
            yield i


def row_weight(description: dict[str, Any]) -> float:
    """How often a picture is drawn: what people ask for first, then other things, then faces and symbols."""
    if not description["thing"]:
        return 0.15
    return 2.5 if POPULAR & set(description["concept"].split("-")) else 1.0
