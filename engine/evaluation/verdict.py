"""What a judge says of dreams: how like their words they are, and whether it would have guessed the words.

The judge is a perceptor that the search never used. R-precision (Xu et al. 2018, AttnGAN, arXiv 1711.10485)
is the share of pictures that are more like their own prompt than like any other of the list.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean, median

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from engine.models.perceptor import Perceptor
from engine.search import cutouts

SMALL = 32  # pixels, each side, at which pictures of two seeds are compared


@dataclass(frozen=True)
class Dreamt:
    """One dream of an evaluation: a line of its `dreams.jsonl`."""

    recipe: str
    prompt: str
    group: str
    seed: int
    model: str
    steps: int  # that were asked for
    picture: str  # file name in the evaluation's folder
    collapsed: bool  # then there is no picture
    score: float  # by the perceptor that searched, -100..100
    views: int  # pictures that the perceptor looked at: cutouts, looks, and what the start took
    seconds: float  # of the search


@dataclass(frozen=True)
class Verdict:
    """What the judge says of one dream."""

    score: float  # 100 × cosine with its own prompt
    rank: int  # of its own prompt among all of the list, 1 is best
    taken_for: str  # the prompt that the judge likes best
    features: Tensor  # [d], of unit length


@torch.no_grad()
def seen(judge: Perceptor, image: Image.Image, device: torch.device) -> Tensor:
    """The judge's unit vector [d] of a picture: the mean of the whole picture and its mirror image."""
    pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255
    whole = (torch.zeros(1), torch.zeros(1), torch.ones(1))
    view = cutouts.cut(pixels[None], whole, judge.size, "triangle").to(device)  # [1, 3, s, s]
    return normalize(judge.encode_images(torch.cat([view, view.flip(3)])).mean(0), dim=0).cpu()


def verdicts(
    features: Sequence[Tensor | None], own: Sequence[int], texts: Tensor, prompts: Sequence[str]
) -> list[Verdict]:
    """For pictures as `seen` gives them, and the numbers of their prompts in `texts` [prompts, d].

    A collapsed dream (None) ranks last, with the score 0.
    """
    result = []
    for feature, number in zip(features, own, strict=True):
        if feature is None:
            result.append(Verdict(0.0, len(prompts), "nothing", torch.zeros(texts.shape[1])))
            continue
        likeness = texts @ feature  # [prompts]
        rank = 1 + int((likeness > likeness[number]).sum())
        result.append(Verdict(100 * float(likeness[number]), rank, prompts[int(likeness.argmax())], feature))
    return result


def small(image: Image.Image) -> Tensor:
    """A picture as float [3, SMALL, SMALL] in 0..1, for `differences`."""
    reduced = image.convert("RGB").resize((SMALL, SMALL), Image.Resampling.BOX)
    return torch.from_numpy(np.array(reduced)).permute(2, 0, 1).float() / 255


def difference(pictures: Sequence[Tensor]) -> float | None:
    """The mean over all pairs of the root mean square difference, in % of the full range; None for one."""
    distances = [
        float((one - two).square().mean().sqrt())
        for i, one in enumerate(pictures)
        for two in pictures[i + 1 :]
    ]
    return 100 * mean(distances) if distances else None


def apart(features: Sequence[Tensor]) -> list[float]:
    """Of every pair 100 - 100 × cosine, by the judge: 0 for the same, about 100 where nothing is alike."""
    return [100 - 100 * float(one @ two) for one, two in combinations(features, 2)]


def unlikeness(features: Sequence[Tensor]) -> float | None:
    """The mean of all pairs, as `apart` has them; None for one."""
    distances = apart(features)
    return mean(distances) if distances else None


def table(
    rows: Sequence[tuple[Dreamt, Verdict]], pictures: Sequence[Tensor | None], groups: Sequence[str]
) -> str:
    """One line of Markdown a recipe; `pictures` as `small` gives them, in the rows' order."""
    head = [
        "recipe",
        "dreams",
        "steps",
        "views a dream",
        "judge's score",
        "right first",
        *groups,
        "among five",
    ]
    head += ["seeds differ by", "median s"]
    lines = [markdown(head), markdown(["---"] * len(head))]
    for recipe in dict.fromkeys(dreamt.recipe for dreamt, _ in rows):
        mine = [(*row, shown) for row, shown in zip(rows, pictures, strict=True) if row[0].recipe == recipe]
        ranks = [verdict.rank for _, verdict, _ in mine]
        by_group = [[v.rank for d, v, _ in mine if d.group == group] for group in groups]
        seeds: dict[str, list[tuple[Tensor, Tensor]]] = {}
        for dreamt, verdict, shown in mine:
            if shown is not None:
                seeds.setdefault(dreamt.prompt, []).append((shown, verdict.features))
        pixels = [d for s in seeds.values() if (d := difference([p for p, _ in s])) is not None]
        unlike = [d for s in seeds.values() if (d := unlikeness([f for _, f in s])) is not None]
        cells = [
            recipe,
            str(len(mine)),
            "/".join(str(steps) for steps in sorted({d.steps for d, _, _ in mine})),
            f"{mean(d.views for d, _, _ in mine):.0f}",
            f"{mean(v.score for _, v, _ in mine):.1f}",
            _share(ranks, 1),
            *(_share(some, 1) for some in by_group),
            _share(ranks, 5),
            f"{mean(pixels):.1f} % of the pixels' range, judge {mean(unlike):.0f}" if pixels else "–",
            f"{median(d.seconds for d, _, _ in mine):.1f}",
        ]
        lines.append(markdown(cells))
    return "\n".join(lines) + "\n"


def prompt_table(rows: Sequence[tuple[Dreamt, Verdict]]) -> str:
    """One line of Markdown a prompt: for each recipe the ranks of its seeds and what it was taken for."""
    recipes = list(dict.fromkeys(dreamt.recipe for dreamt, _ in rows))
    lines = [markdown(["prompt", "group", *recipes]), markdown(["---"] * (2 + len(recipes)))]
    for prompt, group in dict.fromkeys((dreamt.prompt, dreamt.group) for dreamt, _ in rows):
        cells = [prompt, group]
        for recipe in recipes:
            mine = [v for d, v in rows if d.recipe == recipe and d.prompt == prompt]
            wrong = Counter(v.taken_for for v in mine if v.rank > 1).most_common(1)
            ranks = ", ".join(str(v.rank) for v in mine)
            cells.append(ranks + (f" ({wrong[0][0]})" if wrong else ""))
        lines.append(markdown(cells))
    return "\n".join(lines) + "\n"


def _share(ranks: Sequence[int], most: int) -> str:
    return f"{100 * mean(rank <= most for rank in ranks):.0f} %" if ranks else "–"


def markdown(cells: Sequence[str]) -> str:
    """A line of a table in Markdown."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
