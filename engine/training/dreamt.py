"""The shipped generator's own pictures as drawings, so that the perceptor knows what a dream looks like."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from engine.models import generator, registry
from engine.pocket.latents import TINT, TINT_ROW
from engine.training.data import DEFAULT_FOLDER, load_descriptions
from engine.training.scenes import DREAMT, STORED

FILE = "dreamt.npz"
EACH = 4  # pictures a class
WEIGHTS = registry.POCKET / "generator"


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training dreamt`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training dreamt", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the pictures")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="a generator's folder")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    classes = json.loads((options.weights / "classes.json").read_text(encoding="utf-8"))
    names = [each["id"] for each in classes]
    pictures = render(generator.load(options.weights, "pocket", torch.device("cpu")), EACH)
    partial = options.data / (FILE + ".new.npz")
    np.savez(partial, pictures=pictures, concepts=np.array(names * EACH))
    partial.replace(options.data / FILE)
    print(f"{options.data / FILE}: {len(pictures)} pictures")
    return 0


@torch.no_grad()
def render(model: generator.Generator, each: int) -> np.ndarray:
    """uint8 [each x classes, 3, 96, 96]: every class `each` times, natural colours, any style and ground."""
    random = torch.Generator().manual_seed(0)
    result = []
    for _ in tqdm(range(each), unit="round", file=sys.stderr):
        for classes in torch.arange(model.classes).split(16):
            n = len(classes)
            z = torch.randn(n, model.rows, model.z_dim, generator=random)
            z[:, TINT_ROW, TINT] = 0
            registry = F.one_hot(classes, model.classes).float()[:, None].expand(-1, model.rows, -1)
            picture = (model.sheet(z, registry) + 1) / 2
            small = F.interpolate(picture, STORED, mode="bilinear", antialias=True, align_corners=False)
            result.append((small * 255).round().clamp(0, 255).to(torch.uint8).numpy())
    return np.concatenate(result)


def load(data: Path) -> tuple[list[dict[str, Any]], torch.Tensor]:
    """Descriptions and uint8 [n, 4, 96, 96] (opaque), as drawings have them; nothing where none were made."""
    path = data / FILE
    if not path.exists():
        return [], torch.empty(0, 4, STORED, STORED, dtype=torch.uint8)
    with np.load(path) as kept:
        pictures, concepts = torch.from_numpy(kept["pictures"]), kept["concepts"].tolist()
    known = {d["concept"]: d for d in load_descriptions(data) if d["split"] != "test_only"}
    rows = [i for i, concept in enumerate(concepts) if concept in known]
    opaque = torch.full((len(rows), 1, STORED, STORED), 255, dtype=torch.uint8)
    described = [
        {**d, "style": DREAMT, "glyph": False, "split": "unseen_concept" if d["held_out"] else "train"}
        for d in (known[concepts[i]] for i in rows)
    ]
    return described, torch.cat([pictures[rows], opaque], 1)
