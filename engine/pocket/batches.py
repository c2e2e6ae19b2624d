"""Batches for the perceptor's training: pictures made on the fly, captions, and what fits what."""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.pocket import scenes
from engine.pocket.captions import COLOUR_NAMES, OPPOSITE, Caption, Captions, tinted

SIDE = 64  # pixels
SHARE_TINTED = 0.1
SHARE_PAIRS = 0.11
SHARE_RELATIONS = 0.5  # of the pairs: those whose caption says where things stand
SHARE_NOISE_WORDS = 0.12  # captions with a word in them that means nothing
USUAL_TOKENS, ALL_TOKENS = 18, 32  # short texts train fast; one batch in LONG_EVERY teaches the long ones
LONG_EVERY = 12


@dataclass(frozen=True)
class Batch:
    """n pictures with n captions, then the captions that are wrong for some of them."""

    pictures: Tensor  # float [n, 3, 64, 64] in 0..1
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
        self._share = weights / weights.sum()
        self._captions = captions
        self._tokenizer = tokenizer
        slugs = {slug: i for i, slug in enumerate(captions.slugs)}
        self._concept = np.array([slugs[d["concept"]] for d in descriptions])
        self._random = np.random.default_rng(seed)
        self._torch = torch.Generator().manual_seed(seed)
        self._made = 0

    def make(self, count: int) -> Batch:
        """One batch of `count` pictures."""
        self._made += 1
        most = ALL_TOKENS if self._made % LONG_EVERY == 0 else USUAL_TOKENS
        pairs = round(count * SHARE_PAIRS)
        tints = round(count * SHARE_TINTED)
        rows = self._random.choice(len(self._share), count + pairs, p=self._share)
        one, two = rows[:count], rows[count:]
        pictures, relations, colours = self._pictures(one, two, tints)
        captions: list[Caption] = []
        wrong: list[tuple[int, str]] = []
        for i in range(count):
            concept = int(self._concept[one[i]])
            if i < pairs:
                _, swapped, caption = self._captions.pair(
                    concept, int(self._concept[two[i]]), relations[i], self._random
                )
                if relations[i] is not None:
                    wrong.append((i, swapped))
            else:
                colour = colours.get(i)
                caption = self._captions.single(concept, colour, self._random)
                if colour is not None:
                    others = [c for c in COLOUR_NAMES if c != colour]
                    words, language, _ = self._captions.words(concept, self._random)
                    wrong.append((i, tinted(words, str(self._random.choice(others)), language)))
            captions.append(caption)
        tokens = self._tokenizer(
            [c.text for c in captions] + [text for _, text in wrong],
            padding=True, truncation=True, max_length=most, return_tensors="pt",
        )  # fmt: skip
        ids = self._with_noise_words(tokens["input_ids"], tokens["attention_mask"], most)
        picture_target, text_target = self._targets(one, two, captions, pairs)
        return Batch(
            pictures,
            *ids,
            torch.tensor([i for i, _ in wrong], dtype=torch.int64),
            picture_target,
            text_target,
            self._excused(picture_target, captions, pairs, tints),
        )

    def _pictures(
        self, one: np.ndarray, two: np.ndarray, tints: int
    ) -> tuple[Tensor, list[str | None], dict[int, str]]:
        n, pairs = len(one), len(two)
        ground = scenes.backgrounds(n, SIDE, self._torch)
        first = self._drawings[one]
        layout = scenes.random_layout(n, self._torch, 0.62, 1.4, flips=True)
        relations: list[str | None] = []
        second_layout = scenes.random_layout(pairs, self._torch, 0.42, 0.68, flips=False)
        x, y, size, flip = layout.x.clone(), layout.y.clone(), layout.size.clone(), layout.flip.clone()
        x2, y2 = second_layout.x.clone(), second_layout.y.clone()
        size[:pairs] = second_layout.size * (0.85 + 0.3 * torch.rand(pairs, generator=self._torch))
        flip[:pairs] = 1.0
        for i in range(pairs):
            relation = str(self._random.choice(list(OPPOSITE)))
            apart = 0.42 + 0.12 * self._random.random()
            across, along = self._random.uniform(-0.22, 0.22, 2)
            sign = -1.0 if relation in ("left", "above") else 1.0
            if relation in ("left", "right"):
                x[i], x2[i], y[i], y2[i] = sign * apart, -sign * apart, across, along
            else:
                y[i], y2[i], x[i], x2[i] = sign * apart, -sign * apart, across, along
            relations.append(relation if self._random.random() < SHARE_RELATIONS else None)
        layers = scenes.place(first, scenes.Layout(x, y, size, layout.angle, flip), SIDE)
        if pairs:
            behind = scenes.Layout(x2, y2, second_layout.size, second_layout.angle, second_layout.flip)
            ground[:pairs] = scenes.over(scenes.place(self._drawings[two], behind, SIDE), ground[:pairs])
        picked = [i for i in range(pairs, n) if self._captions.tintable[int(self._concept[one[i]])]][:tints]
        colours = {i: str(self._random.choice(COLOUR_NAMES)) for i in picked}
        if picked:
            layers[picked] = scenes.tint(layers[picked], list(colours.values()), self._torch)
        return scenes.wear(scenes.over(layers, ground), self._torch), relations, colours

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

    def _targets(
        self, one: np.ndarray, two: np.ndarray, captions: list[Caption], pairs: int
    ) -> tuple[Tensor, Tensor]:
        size = len(self._captions.slugs)
        rows = torch.arange(len(one))
        picture = torch.zeros(len(one), size)
        picture[rows, torch.from_numpy(self._concept[one])] = 1.0
        picture[rows[:pairs]] *= 0.5
        picture[rows[:pairs], torch.from_numpy(self._concept[two])] += 0.5
        text = torch.zeros(len(one), size)
        for i, caption in enumerate(captions):
            text[i].index_add_(0, torch.from_numpy(caption.concepts), torch.from_numpy(caption.weights))
        return picture, text

    def _excused(self, picture: Tensor, captions: list[Caption], pairs: int, tints: int) -> Tensor:
        """A caption of one plain thing excuses the pictures that show what it can mean."""
        fits = torch.zeros_like(picture)
        for j, caption in enumerate(captions):
            fits[j, torch.from_numpy(caption.concepts)] = 1.0
        excused = (picture > 0).float() @ fits.T > 0  # [pictures, texts]
        excused[:, :pairs] = False  # 'A and B' is wrong for A alone
        excused.fill_diagonal_(False)
        return excused


def prefetched(maker: BatchMaker, count: int, depth: int = 2) -> Iterator[Batch]:
    """Batches without end, made by one thread ahead of their use."""
    ready: queue.Queue[Batch | BaseException] = queue.Queue(depth)

    def work() -> None:
        try:
            while True:
                ready.put(maker.make(count))
        except BaseException as error:  # noqa: BLE001  # handed over and raised in the thread that waits
            ready.put(error)

    threading.Thread(target=work, name="batches", daemon=True).start()
    while True:
        batch = ready.get()
        if isinstance(batch, BaseException):
            raise batch
        yield batch
