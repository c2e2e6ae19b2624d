"""Measures the judge on real drawings in styles that it never saw: how far its word can be trusted."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.evaluation import prompt_list
from engine.models import perceptor, registry
from engine.models.perceptor import Perceptor
from engine.pocket.captions import fill
from engine.training import lists, scenes
from engine.training.data import DEFAULT_FOLDER, load_descriptions, load_pictures
from engine.training.judge_batches import HELD_OUT_STYLES

STYLES = (*HELD_OUT_STYLES, "openmoji")

# What shows a prompt of `prompts.txt`: concepts, any one of which will do; `concept:colour` is tinted,
# `a + b` are side by side.
DRAWINGS = {
    prompt: tuple(shown) for prompt, *shown in (line.split(" | ") for line in lists.lines("drawings"))
}


class Gallery:
    """Drawings by concept and style, placed on white as [1, 3, side, side] in 0..1."""

    def __init__(self, descriptions: Sequence[dict[str, Any]], pictures: np.ndarray, side: int) -> None:
        self._rows = {(d["concept"], d["style"]): i for i, d in enumerate(descriptions)}
        self._pictures = pictures
        self._side = side
        self._random = torch.Generator().manual_seed(0)

    def show(self, drawing: str, style: str) -> Tensor | None:
        """What `DRAWINGS` writes as `drawing`, in one style; None where the style lacks it."""
        parts = drawing.split(" + ")
        names = [part.split(":") for part in parts]
        if any((name[0], style) not in self._rows for name in names):
            return None
        picture = torch.ones(1, 3, self._side, self._side)
        for place, (concept, *colour) in zip(
            (-0.46, 0.46) if len(parts) == 2 else (0.0,), names, strict=True
        ):
            layers = self.place([self._rows[concept, style]], 0.55 if len(parts) == 2 else 0.9, place)
            if colour:
                layers = scenes.tint(layers, colour, self._random)
            picture = scenes.over(layers, picture)
        return picture

    def place(self, rows: Sequence[int], size: float, x: float = 0.0) -> Tensor:
        """The drawings of these rows, [n, 4, side, side]."""
        return scenes.upright(self._pictures, np.array(rows), self._side, size, x)

    def on_white(self, rows: Sequence[int]) -> Tensor:
        """[n, 3, side, side]."""
        layers = self.place(rows, 0.9)
        return scenes.over(layers, torch.ones(len(rows), 3, self._side, self._side))


@torch.no_grad()
def ranks(
    judge: Perceptor, gallery: Gallery, prompts: Sequence[str], style: str
) -> dict[str, list[tuple[int, str]]]:
    """Prompt → for each of its drawings in this style the rank of its words, and the words ranked first."""
    texts = judge.encode_texts(prompts)  # [prompts, d]
    result: dict[str, list[tuple[int, str]]] = {}
    for number, prompt in enumerate(prompts):
        for drawing in DRAWINGS.get(prompt, ()):
            picture = gallery.show(drawing, style)
            if picture is not None:
                likeness = texts @ judge.encode_images(torch.cat([picture, picture.flip(3)])).mean(0)
                rank = 1 + int((likeness > likeness[number]).sum())
                result.setdefault(prompt, []).append((rank, prompts[int(likeness.argmax())]))
    return result


@torch.no_grad()
def naming(
    judge: Perceptor, gallery: Gallery, descriptions: Sequence[dict[str, Any]], style: str, language: str
) -> tuple[int, float, float]:
    """Drawings of things → their names: among how many, share right first, and among the first five."""
    names = {
        d["concept"]: fill("{a}", d[f"name_{language}"].lower(), language)
        for d in descriptions
        if d["thing"] and d["code"] and d[f"name_{language}"]
    }
    slugs = list(names)
    rows = [i for i, d in enumerate(descriptions) if d["style"] == style and d["concept"] in names]
    right = torch.tensor([slugs.index(descriptions[i]["concept"]) for i in rows])
    seen = torch.cat(
        [judge.encode_images(gallery.on_white(rows[i : i + 128])) for i in range(0, len(rows), 128)]
    )
    likeness = seen @ judge.encode_texts(list(names.values())).T
    rank = (likeness > likeness.gather(1, right[:, None])).sum(1)
    return len(names), float((rank == 0).float().mean()), float((rank < 5).float().mean())


def fooled(
    searching: Perceptor, judge: Perceptor, prompts: Sequence[str], every: int = 4, steps: int = 80
) -> list[tuple[float, float]]:
    """Raw pixels moved until `searching` likes them, without a generator: who takes them for their words?

    For each `every`th prompt, `steps` steps of Adam from grey noise. Returns for `searching` and `judge` the
    share of these pictures whose words rank first among all `prompts`, and the mean cosine with them.
    """
    random = torch.Generator().manual_seed(0)
    own = torch.arange(0, len(prompts), every)
    texts = searching.encode_texts(prompts)[own]
    pixels = (
        0.5 + 0.1 * torch.randn(len(own), 3, searching.size, searching.size, generator=random)
    ).requires_grad_()
    optimiser = torch.optim.Adam([pixels], lr=0.03)
    for _ in range(steps):
        shaken = (pixels + 0.05 * torch.randn(pixels.shape, generator=random)).clamp(0, 1)
        loss = -(searching.encode_images(shaken) * texts).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        pixels.data.clamp_(0, 1)
    result = []
    for one in (searching, judge):
        with torch.no_grad():
            shown = F.interpolate(pixels, (one.size, one.size), mode="bilinear", antialias=True)
            likeness = one.encode_images(shown) @ one.encode_texts(prompts).T
        mine = likeness[torch.arange(len(own)), own]
        first = (likeness > mine[:, None]).sum(1) == 0
        result.append((float(first.float().mean()), float(mine.mean())))
    return result


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training evaluate-judge`. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m engine.training evaluate-judge", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of the pictures")
    parser.add_argument(
        "--weights", type=Path, default=registry.POCKET / "judge", help="a perceptor's folder"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    descriptions = load_descriptions(options.data)
    judge = perceptor.load(options.weights, "judge", torch.device("cpu"))
    gallery = Gallery(descriptions, load_pictures(options.data), judge.size)
    listed = prompt_list.read()
    groups = list(dict.fromkeys(one.group for one in listed))
    print("| real drawings | prompts | right first | " + " | ".join(groups) + " |")
    print("|---" * (3 + len(groups)) + "|")
    wrong: list[str] = []
    for style in STYLES:
        found = ranks(judge, gallery, [one.prompt for one in listed], style)
        cells = [_share(found, [one.prompt for one in listed])]
        cells += [_share(found, [one.prompt for one in listed if one.group == group]) for group in groups]
        print(f"| {style} | {len(found)} | " + " | ".join(cells) + " |")
        for prompt, several in found.items():
            wrong += [f"{style}: {prompt} at {rank}, after {first}" for rank, first in several if rank > 1]
    print("\n| drawings → names | among | first | first five |\n|---|---|---|---|")
    for style in STYLES:
        if all(d["style"] != style for d in descriptions):
            continue
        for language, title in (("en", "English"), ("it", "Italian")):
            among, first, five = naming(judge, gallery, descriptions, style, language)
            print(f"| {style}, {title} | {among} | {first:.1%} | {five:.1%} |")
    print("\n| raw pixels moved to please the perceptor | right first | cosine |\n|---|---|---|")
    searching = perceptor.load(registry.POCKET / "perceptor", "perceptor", torch.device("cpu"))
    both = fooled(searching, judge, [one.prompt for one in listed])
    for title, (first, cosine) in zip(("by the perceptor", "by the judge"), both, strict=True):
        print(f"| {title} | {first:.0%} | {cosine:.2f} |")
    print(*["", "Taken for something else:", *wrong], sep="\n")
    return 0


def _share(found: dict[str, list[tuple[int, str]]], prompts: Sequence[str]) -> str:
    shares = [mean(rank == 1 for rank, _ in found[prompt]) for prompt in prompts if prompt in found]
    return f"{100 * mean(shares):.0f} %" if shares else "–"
