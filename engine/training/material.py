"""What the small CLIP learns pictures from: drawings in memory, how often each is drawn, their captions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.pocket.captions import Captions
from engine.training import scenes
from engine.training.batches import BatchMaker
from engine.training.data import load_descriptions, load_pictures
from engine.training.dreamt import load as load_dreamt
from engine.training.sources import ICON_STYLES


@dataclass(frozen=True)
class Material:
    """The drawings of a training and what is known of them."""

    descriptions: list[dict[str, Any]]
    drawings: Tensor  # uint8 [n, 4, 96, 96], as `scenes.load_drawings` gives them
    captions: Captions
    kept_out: frozenset[str]  # slugs of the concepts that are held out at first
    weights: np.ndarray  # float [n]: how often each is drawn

    @classmethod
    def read(cls, folder: Path) -> "Material":
        """From a folder as `python -m engine.training data` and `dreamt` leave it."""
        described = load_descriptions(folder)
        captions = Captions([d for d in described if d["split"] != "test_only"])
        rows = np.array([i for i, d in enumerate(described) if d["split"] in ("train", "unseen_concept")])
        dreamt, dreamt_pictures = load_dreamt(folder)
        descriptions = [*(described[i] for i in rows), *dreamt]
        drawings = torch.cat([scenes.load_drawings(load_pictures(folder), rows), dreamt_pictures])
        kept_out = frozenset(d["concept"] for d in described if d["held_out"])
        return cls(descriptions, drawings, captions, kept_out, row_weights(descriptions))

    @property
    def early(self) -> np.ndarray:
        """As `weights`, but none for what is held out at first."""
        return np.where([d["concept"] in self.kept_out for d in self.descriptions], 0.0, self.weights)

    def maker(self, weights: np.ndarray, tokenizer: Any, seed: int) -> BatchMaker:
        """Batches of these drawings by `weights`."""
        return BatchMaker(self.descriptions, self.drawings, weights, self.captions, tokenizer, seed)


def row_weights(descriptions: Sequence[dict[str, Any]]) -> np.ndarray:
    """How often each picture is drawn, float [n]: many drawings of what is no emoji share their weight."""
    drawings = Counter(d["concept"] for d in descriptions)
    return np.array([row_weight(d, drawings[d["concept"]]) for d in descriptions])


def row_weight(description: dict[str, Any], drawings: int = 1) -> float:
    """How often a picture is drawn: concrete things of many styles before what is no emoji."""
    if description["style"] == scenes.DREAMT:
        return 0.12
    if not description["code"]:
        return (1.2 if description["thing"] else 0.4) / drawings**0.5
    if description["style"] in ICON_STYLES:
        return 0.5 if description["thing"] else 0.1
    if not description["thing"]:
        return 0.2
    return 1.8 if description["held_out"] else 1.0  # those come late, once their figure is taken
