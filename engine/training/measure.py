"""Measures how well the generator redraws the drawings that it learnt: by their pixels, and as they look."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from engine.models import registry
from engine.pocket import generator, latents
from engine.pocket.generator import PocketGenerator
from engine.training.data import DEFAULT_FOLDER, DRAWINGS, load_descriptions, load_pictures
from engine.training.generator_data import familiarity
from engine.training.perceptual import Perceptual
from engine.training.sources import STYLES

WEIGHTS = registry.POCKET / "generator"
SIDE = 128  # pixels, at which pictures and drawings are compared where nobody asks for another side
BATCH = 32


@dataclass(frozen=True)
class Wanted:
    """A drawing that the generator learnt."""

    row: int  # of `drawings.npy`
    number: int  # of its class
    concept: str
    style: str


@dataclass(frozen=True)
class Redrawn:
    """How far the generator's picture is from a drawing, both on white."""

    concept: str
    style: str
    l1: float  # mean absolute difference of the pixels, of a range of 2
    perceptual: float  # as `Perceptual.distance` says


def draw(generate: PocketGenerator, classes: Tensor, styles: Sequence[str]) -> Tensor:
    """Each class [n] in its style, untinted and as it is, on white: [n, 3, 256, 256] in -1..1."""
    n = len(classes)
    z = torch.zeros(n, generate.rows, generate.z_dim)
    scores = torch.tensor([latents.STYLE.start + STYLES.index(style) for style in styles])
    z[torch.arange(n), latents.STYLE_ROW, scores] = 1  # the others are 0
    weights = torch.zeros(n, generate.rows, generate.classes)
    weights[torch.arange(n), :, classes] = 1
    with torch.no_grad():
        drawn = generate.drawings(z, weights)  # [n, 4, 256, 256], premultiplied
    return (drawn[:, :3] + 1 - drawn[:, 3:]) * 2 - 1


def wanted(descriptions: Sequence[dict[str, Any]], classes: Sequence[dict[str, Any]]) -> list[Wanted]:
    """The drawings among `descriptions` of a generator's `classes`, in the styles that each was learnt in."""
    learnt = {(c["id"], style): number for number, c in enumerate(classes) for style in c["styles"]}
    found: dict[tuple[str, str], Wanted] = {}
    for row, d in enumerate(descriptions):
        key = (d["concept"], d["style"])
        if key in learnt and key not in found:
            found[key] = Wanted(row, learnt[key], *key)
    return list(found.values())


def on_white(pictures: np.ndarray) -> Tensor:
    """Straight RGBA uint8 [n, s, s, 4] on white: float [n, 3, s, s] in -1..1."""
    values = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
    cover = values[:, 3:]
    return (values[:, :3] * cover + 1 - cover) * 2 - 1


def resized(pictures: Tensor, side: int) -> Tensor:
    """[n, 3, s, s] → [n, 3, side, side]; of larger pictures the mean of each area."""
    larger = pictures.shape[-1] >= side
    return F.interpolate(pictures, (side, side), mode="area" if larger else "bilinear")


def measure(
    drawings: Sequence[Wanted],
    pictures: np.ndarray,
    drawn: Callable[[Sequence[Wanted], Tensor], Tensor],
    perceptual: Perceptual,
    side: int = SIDE,
) -> Iterator[Redrawn]:
    """Compares drawings, rows of `pictures` as `load_pictures` gives them, with what `drawn` makes of them.

    It gets some of `drawings` and what they look like on white, [n, 3, side, side] in -1..1.
    """
    for start in tqdm(range(0, len(drawings), BATCH), unit="batch"):
        some = drawings[start : start + BATCH]
        meant = resized(on_white(pictures[[one.row for one in some]]), side)
        shown = resized(drawn(some, meant), side)
        l1 = (shown - meant).abs().mean((1, 2, 3)).tolist()
        looks = perceptual.distance(shown, meant).tolist()
        for one, *far in zip(some, l1, looks, strict=True):
            yield Redrawn(one.concept, one.style, *far)


def by_generator(generate: PocketGenerator) -> Callable[[Sequence[Wanted], Tensor], Tensor]:
    """What a generator draws, for `measure`."""
    return lambda some, _: draw(generate, torch.tensor([d.number for d in some]), [d.style for d in some])


def softened(_: Sequence[Wanted], meant: Tensor) -> Tensor:
    """A yardstick: the drawings themselves, shrunk to a quarter and enlarged again."""
    side = meant.shape[-1]
    return resized(resized(meant, side // 4), side)


def mistaken(_: Sequence[Wanted], meant: Tensor) -> Tensor:
    """A yardstick: for each drawing another one."""
    return meant.roll(1, 0)


def rows(found: Sequence[Redrawn]) -> dict[str, list[Redrawn]]:
    """All of them, those of things that a training shows more often, and those of each style."""
    styles = dict.fromkeys(one.style for one in found)
    return {
        "all": list(found),
        "familiar": [one for one in found if familiarity(one.concept) > 1],
        **{style: [one for one in found if one.style == style] for style in styles},
    }


def table(named: dict[str, list[Redrawn]], before: Sequence[Redrawn] = ()) -> str:
    """A line of Markdown for each name: how many drawings, and the mean distances.

    `before`: an earlier measurement; then only what both have is counted, and each distance is also told as a
    share of the earlier one.
    """
    earlier = {(one.concept, one.style): one for one in before}
    lines = ["| drawings | how many | L1, of 2 | perceptual |", "|---|---|---|---|"]
    for name, found in named.items():
        shared = [one for one in found if not before or (one.concept, one.style) in earlier]
        if not shared:
            continue
        old = [earlier[one.concept, one.style] for one in shared] if before else []
        cells = [
            _cell([one.l1 for one in shared], [one.l1 for one in old]),
            _cell([one.perceptual for one in shared], [one.perceptual for one in old]),
        ]
        lines.append(f"| {name} | {len(shared)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def read(path: Path) -> list[Redrawn]:
    """An earlier measurement, as `--out` writes it. Raises `FileNotFoundError`."""
    return [Redrawn(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training measure`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training measure", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the drawings")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="a generator's folder")
    parser.add_argument("--side", type=int, default=SIDE, help="pixels at which to compare (%(default)s)")
    parser.add_argument("--limit", type=int, help="only about so many drawings, evenly spread")
    parser.add_argument("--out", type=Path, help="writes each drawing's distances, a JSON object a line")
    parser.add_argument("--against", type=Path, help="an earlier --out, to compare with")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    options = parser.parse_args(argv)
    if options.side < 16 or options.side % 16:
        parser.error("--side must be a multiple of 16.")
    torch.set_num_threads(options.threads)
    before = read(options.against) if options.against else []
    classes = json.loads((options.weights / "classes.json").read_text(encoding="utf-8"))
    drawings = wanted(load_descriptions(options.data, DRAWINGS), classes)
    if options.limit:
        drawings = drawings[:: max(1, len(drawings) // options.limit)]
    pictures, perceptual = load_pictures(options.data, DRAWINGS), Perceptual.load()
    generate = generator.load(options.weights, "generator", torch.device("cpu"))
    found = list(measure(drawings, pictures, by_generator(generate), perceptual, options.side))
    if options.out:
        lines = [json.dumps(asdict(one)) for one in found]
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(table(rows(found), before))
    every = drawings[:: max(1, len(drawings) // 512)]
    for name, drawn in (("softened", softened), ("another drawing", mistaken)):
        compared = list(measure(every, pictures, drawn, perceptual, options.side))
        print(table({f"to compare: {name}": compared}).splitlines()[-1])
    return 0


def _cell(values: Sequence[float], before: Sequence[float]) -> str:
    share = f" ({mean(values) / mean(before):.0%} of {mean(before):.4f})" if before else ""
    return f"{mean(values):.4f}{share}"
