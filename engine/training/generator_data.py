"""What the pocket generator draws: its classes, and a drawing for each class and style that has one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.training import lists
from engine.training.data import DRAWINGS, load_descriptions, load_pictures
from engine.training.sources import STYLES

FEWEST_STYLES = 3  # a concept with fewer drawings is left out

LEFT_OUT = frozenset(lists.words("left out of the generator"))
FAMILIAR = frozenset(lists.words("familiar"))
ASKED_OFTEN = frozenset((*lists.words("shown first"), *lists.words("asked often")))


@dataclass(frozen=True)
class Drawings:
    """Everything that is learnt: `pictures` uint8 [N, 256, 256, 4] straight RGBA, `number` int16 [classes,
    styles] into them, -1 where there is none, `weights` [N], how often each is shown, and the classes."""

    pictures: np.ndarray
    number: Tensor
    weights: Tensor
    classes: list[dict[str, Any]]

    def read(self, which: Tensor) -> Tensor:
        """The drawings of these numbers [n] as `premultiplied` says."""
        return premultiplied(torch.from_numpy(self.pictures[which.numpy()]))


def read_drawings(folder: Path, limit: int | None = None) -> Drawings:
    """Picks the classes, and their drawings out of what the data step left in `folder`.

    `limit`: only so many classes, the most familiar ones. Raises `FileNotFoundError`.
    """
    records = load_descriptions(folder, DRAWINGS)
    found: dict[str, dict[str, int]] = {}
    for row, record in enumerate(records):
        if record["thing"] and record["style"] in STYLES and record["concept"] not in LEFT_OUT:
            found.setdefault(record["concept"], {}).setdefault(record["style"], row)
    concepts = sorted(name for name, styles in found.items() if len(styles) >= FEWEST_STYLES)
    if limit is not None:
        concepts = sorted(sorted(concepts, key=lambda name: -familiarity(name))[:limit])
    rows: list[int] = []
    number = torch.full((len(concepts), len(STYLES)), -1, dtype=torch.int16)
    for index, concept in enumerate(concepts):
        for style, row in found[concept].items():
            number[index, STYLES.index(style)] = len(rows)
            rows.append(row)
    classes = [_described(name, records[next(iter(found[name].values()))], found[name]) for name in concepts]
    weights = torch.tensor([familiarity(records[row]["concept"]) for row in rows])
    return Drawings(load_pictures(folder, DRAWINGS)[rows], number, weights, classes)


def _described(concept: str, record: dict[str, Any], styles: dict[str, int]) -> dict[str, Any]:
    """A line of classes.json."""
    words = {key: record[key] for key in ("name_en", "name_it", "keywords_en", "keywords_it")}
    return {"id": concept, **words, "styles": [style for style in STYLES if style in styles]}


def familiarity(concept: str) -> float:
    """How often a concept is shown, relative to the rest."""
    if concept in ASKED_OFTEN:
        return 2.0
    return 1.5 if concept in FAMILIAR else 1.0


def premultiplied(pictures: Tensor) -> Tensor:
    """Drawings [n, 4, h, w] in 0..1, colours times coverage and coverage, of straight uint8 [n, h, w, 4]."""
    values = pictures.permute(0, 3, 1, 2).float() / 255
    return torch.cat((values[:, :3] * values[:, 3:], values[:, 3:]), dim=1)


def write_json(path: Path, values: list[Any]) -> None:
    """One entry a line, so that a change shows as a line."""
    lines = ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
