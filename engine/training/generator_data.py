"""What the pocket generator learns to draw: its classes, and one picture for each class and style."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.pocket.latents_map import INKED, STYLES
from engine.training import lists

# Where a style has no picture of a concept, the nearest relative draws instead, so that every latent works.
RELATIVES = {
    "fluent-3d": ("fluent", "fluent-flat", "noto", "twemoji"),
    "fluent": ("fluent-3d", "fluent-flat", "noto", "twemoji"),
    "fluent-flat": ("fluent", "fluent-3d", "twemoji", "noto"),
    "noto": ("fluent-3d", "twemoji", "fluent", "fluent-flat"),
    "twemoji": ("fluent-flat", "noto", "fluent", "fluent-3d"),
}
FEWEST_STYLES = 3  # a concept with fewer drawings is left out

LEFT_OUT = frozenset(lists.words("left out of the generator"))

FAMILIAR = frozenset(lists.words("familiar"))
SHOWN_FIRST = lists.words("shown first")

ASKED_OFTEN = frozenset(lists.words("asked often"))


@dataclass(frozen=True)
class Drawings:
    """Everything the training shows: `pictures` uint8 [N, 128, 128, 4] straight RGBA, `coarse` float16
    [N, 4, 32, 32] premultiplied, `index` [classes, styles] into both, `weights` [classes], the classes."""

    pictures: Tensor
    coarse: Tensor
    index: Tensor
    weights: Tensor
    classes: list[dict[str, Any]]


def read_drawings(folder: Path, limit: int | None = None) -> Drawings:
    """Picks the classes and their pictures out of `folder`/pictures.npy and .jsonl (from the data step)."""
    lines = (folder / "pictures.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    found: dict[str, dict[str, int]] = {}
    for row, record in enumerate(records):
        if record["thing"] and record["style"] in STYLES and record["concept"] not in LEFT_OUT:
            found.setdefault(record["concept"], {}).setdefault(record["style"], row)
    concepts = sorted(name for name, styles in found.items() if len(styles) >= FEWEST_STYLES)
    if limit is not None:
        concepts = sorted(concepts, key=lambda name: -familiarity(name))[:limit]
    store = np.load(folder / "pictures.npy", mmap_mode="r")
    rows: list[int] = []
    index = torch.zeros(len(concepts), len(STYLES), dtype=torch.long)
    classes = []
    for number, concept in enumerate(concepts):
        place: dict[str, int] = {}
        for style, row in found[concept].items():
            place[style] = len(rows)
            rows.append(row)
        for column, style in enumerate(STYLES):
            drawn = next(name for name in (style, *RELATIVES[style]) if name in place)
            index[number, column] = place[drawn]
        record = records[next(iter(found[concept].values()))]
        classes.append(
            {
                "id": concept,
                "name_en": record["name_en"],
                "name_it": record["name_it"],
                "keywords_en": record["keywords_en"],
                "keywords_it": record["keywords_it"],
                "styles": [*(style for style in STYLES if style in found[concept]), INKED],
            }
        )
    pictures = torch.from_numpy(np.stack([store[row] for row in rows]))  # [drawn, 128, 128, 4]
    coarse = torch.cat([shrink(part) for part in pictures.split(256)])
    weights = torch.tensor([familiarity(name) for name in concepts])
    return Drawings(pictures, coarse, index, weights, classes)


def familiarity(concept: str) -> float:
    """How often a concept is shown, relative to the rest."""
    if concept in SHOWN_FIRST or concept in ASKED_OFTEN:
        return 6.0
    return 3.0 if concept in FAMILIAR else 1.0


def shrink(pictures: Tensor) -> Tensor:
    """Premultiplied float16 [B, 4, 32, 32] of straight uint8 [B, 128, 128, 4], by area."""
    colours, cover = straight(pictures)
    full = torch.cat((colours * cover, cover), dim=1)  # [B, 4, 128, 128]
    return torch.nn.functional.avg_pool2d(full, 4).half()


def straight(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Colour [B, 3, H, W] and coverage [B, 1, H, W], both 0..1, of uint8 RGBA [B, H, W, 4]."""
    values = pictures.permute(0, 3, 1, 2).float() / 255
    return values[:, :3], values[:, 3:]
