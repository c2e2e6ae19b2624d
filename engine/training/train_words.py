"""A stage of words alone: the small CLIP's text tower learns by heart where the things that they name lie.

Texts cost a tenth of what pictures cost, and beside pictures there is no time to hear each name often enough.
Only the text tower learns; words joined to colours and to one another move as their things do.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.captions import COLOUR_NAMES, Captions, fill, tinted
from engine.pocket.clip import PocketClip
from engine.training import loop
from engine.training.space import Space
from engine.training.teacher import Class

STEPS, RATE = 600, 2e-3
SHARES = (0.08, 0.10, 0.03, 0.08, 0.30, 0.31, 0.02, 0.04, 0.04)  # of `teacher.KINDS`: names above all
LESSONS, JOINED = 384, 96  # texts a step: names, keywords, phrases; and names with colours and in pairs
CLOSE = 4.0  # how much being at the right place counts beside which concepts are near


def settle(
    model: PocketClip, space: Space, school: Class, captions: Captions, tokenizer: Any, seed: int,
    steps: int = STEPS,
) -> None:  # fmt: skip
    """Train the text tower of `model` itself, on the CPU; about six minutes of one core."""
    before = copy.deepcopy(model).eval().requires_grad_(False)
    learnt = [p for name, p in model.named_parameters() if is_of_texts(name)]
    for parameter in learnt:
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(learnt, lr=RATE, betas=(0.9, 0.98))
    with torch.no_grad():
        places = space.vectors()[0]  # [concepts + 1, dimension]
        scale = float(space.class_scale.exp())
    random = np.random.default_rng(seed)

    def measure() -> tuple[Tensor, dict[str, float]]:
        ids, mask, meant, nearness = school.draw(LESSONS)
        target = space.lesson(meant, nearness, places)
        said = encode_by_length(model, ids, mask)
        texts, parts = joined(captions, JOINED, random)
        alone = [word for some in parts for word, _ in some]
        with torch.no_grad():
            old = encoded(before, tokenizer, texts)
            mine = torch.tensor([i for i, some in enumerate(parts) for _ in some])
            things = places[[concept for some in parts for _, concept in some]]
            moved = (things - encoded(before, tokenizer, alone)) / torch.bincount(mine)[mine, None]
            kept = F.normalize(old.index_add(0, mine, moved), dim=1)
            both = F.normalize(torch.zeros_like(kept).index_add(0, mine, things), dim=1)
            two = (torch.bincount(mine) == 2)[:, None]
            kept = torch.where(two, F.normalize(kept + both, dim=1), kept)
        said = torch.cat([said, encoded(model, tokenizer, texts)])
        target = torch.cat([target, kept])
        with torch.autocast("cpu", torch.bfloat16):
            near, wanted = scale * (said @ places.T).float(), scale * (target @ places.T).float()
        loss = CLOSE * (1 - (said * target).sum(1)).mean() + F.cross_entropy(near, wanted.softmax(1))
        alike = (said * target).sum(1).detach()
        lessons, together = (float(part.mean()) for part in alike.split([LESSONS, JOINED]))
        return loss, {"lessons at a cosine of": lessons, "joined ones": together}

    loop.stage("words", optimiser, steps, measure, warm_up=20)
    for parameter in learnt:
        parameter.requires_grad_(False)


@torch.no_grad()
def heard(model: PocketClip, captions: Captions, tokenizer: Any) -> Tensor:
    """[concepts, d]: where the text tower has each concept's names, and its keywords, in both languages."""
    texts, concepts, of_names = [], [], []
    for concept, both in enumerate(zip(captions.names, captions.keywords, strict=True)):
        for kind, words in enumerate(both):
            some = [fill("{a}", word, language) for language, them in words.items() for word in them]
            texts += some
            concepts += [concept] * len(some)
            of_names += [kind == 0] * len(some)
    said = encoded(model, tokenizer, texts)
    total = torch.zeros(len(captions.slugs), said.shape[1])
    for kind in (True, False):
        rows = torch.tensor([i for i, is_name in enumerate(of_names) if is_name == kind], dtype=torch.int64)
        mine = torch.tensor(concepts)[rows]
        total += F.normalize(torch.zeros_like(total).index_add(0, mine, said[rows]), dim=1)
    return total


def encoded(model: PocketClip, tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """[n, d]: what the text tower makes of any number of texts."""
    parts = [texts[start : start + 512] for start in range(0, len(texts), 512)]
    return torch.cat([encode_by_length(model, *_tokens(tokenizer, part)) for part in parts])


def encode_by_length(model: PocketClip, ids: Tensor, mask: Tensor) -> Tensor:
    """`encode_text` without padding short texts to the longest: texts of like lengths go together."""
    lengths = mask.sum(1)
    order = lengths.argsort()
    parts = []
    for part in order.tensor_split([len(order) // 3, 2 * len(order) // 3, 8 * len(order) // 9]):
        if not len(part):
            continue
        longest = int(lengths[part].max())
        parts.append(model.encode_text(ids[part, :longest], mask[part, :longest]))
    return torch.cat(parts)[order.argsort()]


def is_of_texts(name: str) -> bool:
    """Whether a weight of `PocketClip` is the text tower's."""
    return name.startswith(("token", "text_"))


def joined(
    captions: Captions, count: int, random: np.random.Generator
) -> tuple[list[str], list[list[tuple[str, int]]]]:
    """`count` texts of a name with a colour or of two names; of each the names alone and their concepts."""
    emoji = [i for i, slug in enumerate(captions.slugs) if not slug.startswith("clip-")]
    texts, parts = [], []
    for number in range(count):
        language = "it" if random.random() < 0.4 else "en"
        chosen = [int(i) for i in random.choice(emoji, 2)]
        names = [(captions.names[i][language] or captions.names[i]["en"])[0] for i in chosen]
        alone = [(fill("{a}", name, language), concept) for name, concept in zip(names, chosen, strict=True)]
        colours = [str(c) for c in random.choice(COLOUR_NAMES, 2)]
        word = "and" if language == "en" else "e"
        if number % 2 and captions.tintable[chosen[0]]:
            texts.append(tinted(names[0], colours[0], language))
            parts.append(alone[:1])
        elif number % 6 == 0:
            texts.append(
                f" {word} ".join(tinted(n, c, language) for n, c in zip(names, colours, strict=True))
            )
            parts.append(alone)
        else:
            texts.append(f"{alone[0][0]} {word} {alone[1][0]}")
            parts.append(alone)
    return texts, parts


def _tokens(tokenizer: Any, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    found = tokenizer(list(texts), padding=True, truncation=True, max_length=32, return_tensors="pt")
    return found["input_ids"], found["attention_mask"]
