"""Batches for the perceptor's training: pictures made on the fly, captions, and what fits what."""

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from engine.pocket.captions import COLOUR_NAMES, OPPOSITE, Caption, Captions, tinted
from engine.training import scenes

SIDE = 64  # pixels
SHARE_TINTED = 0.14
SHARE_PAIRS = 0.22
SHARE_RELATIONS = 0.55  # of the pairs: twins, the same two things with places changed, captions saying which
SHARE_LONE = 0.3  # of the twins: one thing alone, at a side of the picture
SHARE_COLOURED = 0.2  # of the pairs: each of the two in a colour of its own
SHARE_OUTLINED = 0.06  # of the single drawings: as lines without colours
SHARE_NOISE_WORDS = 0.12  # captions with a word in them that means nothing
USUAL_TOKENS, ALL_TOKENS = 18, 32  # short texts train fast; one batch in LONG_EVERY teaches the long ones
LONG_EVERY = 12

Made = TypeVar("Made")


@dataclass(frozen=True)
class Batch:
    """n pictures with n captions, then the captions that are wrong for some of them."""

    pictures: Tensor  # float [n, 3, 64, 64] in 0..1
    texts: tuple[str, ...]  # n + k, as people would write them
    ids: Tensor  # int64 [n + k, m]
    mask: Tensor  # int64 [n + k, m]
    wrong_for: Tensor  # int64 [k]: the picture for which text n + i is wrong
    picture_target: Tensor  # float [n, concepts], rows sum to 1
    text_target: Tensor  # float [n, concepts], rows sum to 1
    excused: Tensor  # bool [n, n]: text j may well fit picture i, though made for another


class BatchMaker:
    """Draws batches out of the pictures of `rows`; all randomness comes from `seed`."""

    def __init__(
        self,
        descriptions: Sequence[dict[str, Any]],
        drawings: Tensor,
        weights: np.ndarray,
        captions: Captions,
        tokenizer: Any,
        seed: int,
    ) -> None:
        """`drawings` uint8 [rows, 4, 96, 96] and `weights` float [rows] go with `descriptions`."""
        self._drawings = drawings
        self._whole = np.array([d["style"] == scenes.DREAMT for d in descriptions])  # bring their own ground
        self._glyph = np.array([d.get("glyph", False) for d in descriptions])
        self.weigh(weights)
        self._captions = captions
        self._tokenizer = tokenizer
        slugs = {slug: i for i, slug in enumerate(captions.slugs)}
        self._concept = np.array([slugs[d["concept"]] for d in descriptions])
        self._random = np.random.default_rng(seed)
        self._torch = torch.Generator().manual_seed(seed)
        self._made = 0

    def weigh(self, weights: np.ndarray) -> None:
        """From now on draw pictures by these `weights`, float [rows]; dreamt ones never stand in pairs."""
        placeable = np.where(self._whole, 0.0, weights)
        self._share, self._pair_share = weights / weights.sum(), placeable / placeable.sum()

    def make(self, count: int) -> Batch:
        """One batch of `count` pictures."""
        self._made += 1
        most = ALL_TOKENS if self._made % LONG_EVERY == 0 else USUAL_TOKENS
        pairs = round(count * SHARE_PAIRS)
        twins = 2 * round(pairs * SHARE_RELATIONS / 2)
        lone = 2 * round(twins * SHARE_LONE / 2)  # the first of the twins
        one = self._random.choice(len(self._share), count, p=self._share)
        one[:pairs] = self._random.choice(len(self._share), pairs, p=self._pair_share)
        two = self._partners(one[:pairs])
        one[1:twins:2], two[1:twins:2] = one[0:twins:2], two[0:twins:2]
        colours = self._colours(one, two, twins, round(pairs * SHARE_COLOURED), round(count * SHARE_TINTED))
        pictures, relations = self._pictures(one, two, lone, twins, colours)
        captions: list[Caption] = []
        wrong: list[tuple[int, str]] = []
        for i in range(count):
            concept, chosen = int(self._concept[one[i]]), colours.get(i)
            if i >= pairs:
                caption = self._captions.single(concept, chosen[0] if chosen else None, self._random)
                if chosen:
                    wrong.append((i, self._wrongly_tinted(concept, chosen[0])))
            else:
                other = int(self._concept[two[i]])
                if i < lone:
                    text, swapped, caption = self._captions.placed(concept, relations[i], self._random)
                elif chosen:
                    text, swapped, caption = self._captions.coloured_pair(
                        concept, other, (chosen[0], chosen[1]), self._random
                    )
                else:
                    text, swapped, caption = self._captions.pair(
                        concept, other, relations.get(i), self._random
                    )
                if swapped != text:
                    wrong.append((i, swapped))
            captions.append(caption)
        texts = (*(c.text for c in captions), *(text for _, text in wrong))
        tokens = self._tokenizer(
            list(texts),
            padding=True, truncation=True, max_length=most, return_tensors="pt",
        )  # fmt: skip
        ids = self._with_noise_words(tokens["input_ids"], tokens["attention_mask"], most)
        first, second = self._concept[one], self._concept[two[lone:]]
        picture_target, text_target = targets(
            first, second, captions, slice(lone, pairs), len(self._captions.slugs)
        )
        return Batch(
            pictures,
            texts,
            *ids,
            torch.tensor([i for i, _ in wrong], dtype=torch.int64),
            picture_target,
            text_target,
            fitting(picture_target, captions, pairs),
        )

    def couples(self, count: int, ground: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, list[str]]:
        """Twins without words: pictures [n, 3, 64, 64], both things' concepts [n], where the first stands.

        On `ground` [n, 3, 64, 64] where given, else on a random one.
        """
        one = self._random.choice(len(self._share), count, p=self._pair_share)
        two = self._partners(one)
        one[1::2], two[1::2] = one[0 : count // 2 * 2 : 2], two[0 : count // 2 * 2 : 2]
        pictures, relations = self._pictures(one, two, 0, count, {}, ground)
        first, second = (torch.from_numpy(self._concept[side]) for side in (one, two))
        return pictures, first, second, list(relations.values())

    def singles(self, count: int, ground: Tensor | None = None) -> Tensor:
        """Pictures of one thing each, no words: [n, 3, 64, 64].

        On `ground` [n, 3, 64, 64] where given, each then small enough to leave much of it; else on a random
        one.
        """
        share = self._share if ground is None else self._pair_share
        one = self._random.choice(len(share), count, p=share)
        return self._pictures(one, one[:0], 0, 0, {}, ground)[0]

    def _partners(self, one: np.ndarray) -> np.ndarray:
        """A second drawing for each of `one`, of another concept where there is any."""
        two = self._random.choice(len(self._share), len(one), p=self._pair_share)
        for _ in range(4):
            alike = self._concept[one] == self._concept[two]
            two[alike] = self._random.choice(len(self._share), int(alike.sum()), p=self._pair_share)
        return two

    def _colours(
        self, one: np.ndarray, two: np.ndarray, twins: int, coloured: int, tints: int
    ) -> dict[int, tuple[str, ...]]:
        """Picture → its colour, or its two things' colours; never where a name says another colour."""
        can = np.array(self._captions.tintable)
        first = can[self._concept[one]] & ~self._whole[one]
        both = [i for i in range(twins, len(two)) if first[i] and can[self._concept[two[i]]]][:coloured]
        alone = [i for i in range(len(two), len(one)) if first[i]][:tints]
        chosen = {i: tuple(self._random.choice(COLOUR_NAMES, 2, replace=False).tolist()) for i in both}
        return chosen | {i: (str(self._random.choice(COLOUR_NAMES)),) for i in alone}

    def _wrongly_tinted(self, concept: int, colour: str) -> str:
        """The same thing in another colour, or another thing in the same colour."""
        if self._random.random() < 0.6:
            colour = str(self._random.choice([c for c in COLOUR_NAMES if c != colour]))
        else:
            row = self._partners(np.array([np.flatnonzero(self._concept == concept)[0]]))[0]
            concept = int(self._concept[row])
        words, language, _ = self._captions.words(concept, self._random)
        return tinted(words, colour, language)

    def _pictures(
        self, one: np.ndarray, two: np.ndarray, lone: int, twins: int, colours: dict[int, tuple[str, ...]],
        ground: Tensor | None = None,
    ) -> tuple[Tensor, dict[int, str]]:  # fmt: skip
        """Pictures [n, 3, 64, 64], and for the twins where their first thing stands."""
        n, pairs, random = len(one), len(two), self._torch
        sizes = (0.62, 1.4) if ground is None else (0.4, 1.05)
        ground = scenes.backgrounds(n, SIDE, random) if ground is None else ground.clone()
        layout = scenes.random_layout(n, random, *sizes, flips=True)
        second = scenes.random_layout(pairs, random, 0.42, 0.68, flips=True)
        whole = torch.from_numpy(self._whole[one])
        if whole.any():  # these fill the picture, so that their edge is never seen
            layout.size[whole] = 1.08 + 0.4 * torch.rand(int(whole.sum()), generator=random)
            layout.angle[whole] *= 0.2
            for centre in (layout.x, layout.y):
                centre[whole] = (2 * torch.rand(int(whole.sum()), generator=random) - 1) * (
                    layout.size[whole] - 1.06
                )
        layout.size[:pairs] = second.size * (0.85 + 0.3 * torch.rand(pairs, generator=random))
        relations: dict[int, str] = {}
        for i in range(pairs):
            relation = str(self._random.choice(list(OPPOSITE)))
            if i < twins:
                relation = relations[i] = OPPOSITE[relations[i - 1]] if i % 2 else relation
            apart = 0.42 + 0.12 * self._random.random()
            across, along = self._random.uniform(-0.22, 0.22, 2)
            sign = -1.0 if relation in ("left", "above") else 1.0
            first, other = (sign * apart, across), (-sign * apart, along)
            if relation in ("above", "below"):
                first, other = first[::-1], other[::-1]
            layout.x[i], layout.y[i] = first
            second.x[i], second.y[i] = other
        layers = scenes.place(self._drawings[one], layout, SIDE, scenes.bends(n, SIDE, random))
        alone = [i for i, some in colours.items() if i >= pairs]
        plain = np.setdiff1d(np.arange(pairs, n), [*alone, *np.flatnonzero(self._glyph[one])])
        plain = plain[np.array(self._captions.tintable)[self._concept[one[plain]]] & ~self._whole[one[plain]]]
        lines = plain[self._random.random(len(plain)) < SHARE_OUTLINED]
        if len(lines):
            layers[lines] = scenes.outlined(layers[lines])
        self._ink(layers, one, ground, colours)
        if colours:
            layers[list(colours)] = scenes.tint(
                layers[list(colours)], [c[0] for c in colours.values()], random
            )
        if pairs:
            behind = scenes.place(self._drawings[two], second, SIDE, scenes.bends(pairs, SIDE, random))
            self._ink(behind, two, ground[:pairs], colours)
            both = [i for i in colours if i < pairs]
            if both:
                behind[both] = scenes.tint(behind[both], [colours[i][1] for i in both], random)
            ground[lone:pairs] = scenes.over(behind[lone:], ground[lone:pairs])
        return scenes.wear(scenes.over(layers, ground), random), relations

    def _ink(self, layers: Tensor, rows: np.ndarray, ground: Tensor, colours: dict[int, Any]) -> None:
        """Give the glyphs among `rows` colours, those left out that `colours` will tint."""
        chosen = [i for i in np.flatnonzero(self._glyph[rows]).tolist() if i not in colours]
        if chosen:
            layers[chosen] = scenes.inked(layers[chosen], ground[chosen], self._torch)

    def _with_noise_words(self, ids: Tensor, mask: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """Puts random word pieces somewhere into some of the texts: one or two, many into long ones."""
        n, length = ids.shape
        room = most - length
        if room <= 0:
            return ids, mask
        room = room if most == ALL_TOKENS else min(room, 2)
        end = int(self._tokenizer.eos_token_id)
        wide = torch.cat([ids, torch.full((n, room), end)], 1)
        wide_mask = torch.cat([mask, torch.zeros(n, room, dtype=mask.dtype)], 1)
        for row in np.flatnonzero(self._random.random(n) < SHARE_NOISE_WORDS):
            used = int(mask[row].sum())
            extra = int(self._random.integers(1, room + 1))
            at = int(self._random.integers(1, used))  # between the start and the end
            pieces = torch.from_numpy(self._random.integers(512, end - 1, extra))
            wide[row, : used + extra] = torch.cat([ids[row, :at], pieces, ids[row, at:used]])
            wide_mask[row, : used + extra] = 1
        return wide, wide_mask


def targets(
    one: np.ndarray, two: np.ndarray, captions: Sequence[Caption], whole: slice, concepts: int
) -> tuple[Tensor, Tensor]:
    """What pictures of the concepts `one` [n] show, and what `captions` [m] mean: rows over all `concepts`.

    The pictures `whole` show the concepts `two`, one for each, as much as their own.
    """
    rows = torch.arange(len(one))
    picture = torch.zeros(len(one), concepts)
    picture[rows, torch.from_numpy(one)] = 1.0
    picture[rows[whole]] *= 0.5
    picture[rows[whole], torch.from_numpy(two)] += 0.5
    text = torch.zeros(len(captions), concepts)
    for i, caption in enumerate(captions):
        text[i].index_add_(0, torch.from_numpy(caption.concepts), torch.from_numpy(caption.weights))
    return picture, text


def fitting(picture: Tensor, captions: Sequence[Caption], pairs: int) -> Tensor:
    """bool [n, n]: caption j may well fit picture i, though made for another; the first `pairs` fit no other.

    A caption of one plain thing fits the pictures that show what it can mean.
    """
    fits = torch.zeros_like(picture)
    for j, caption in enumerate(captions):
        fits[j, torch.from_numpy(caption.concepts)] = 1.0
    found = (picture > 0).float() @ fits.T > 0  # [pictures, texts]
    found[:, :pairs] = False  # 'A and B' is wrong for A alone
    return found.fill_diagonal_(False)


def prefetched(make: Callable[[int], Made], count: int, depth: int = 2) -> Generator[Made, None, None]:
    """Batches of `count` without end, made by one thread ahead of their use; it ends with the generator."""
    ready: queue.Queue[Made | BaseException] = queue.Queue(depth)
    over = threading.Event()

    def work() -> None:
        try:
            while not over.is_set():
                ready.put(make(count))
        except BaseException as error:  # noqa: BLE001  # handed over and raised in the thread that waits
            ready.put(error)

    worker = threading.Thread(target=work, name="batches", daemon=True)
    worker.start()
    try:
        while True:
            batch = ready.get()
            if isinstance(batch, BaseException):
                raise batch
            yield batch
    finally:  # a thread that is still at work when the interpreter ends aborts the process
        over.set()
        while worker.is_alive():
            with contextlib.suppress(queue.Empty):
                ready.get(timeout=0.1)
