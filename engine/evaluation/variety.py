"""How much dreams of the same words differ: by the judge's features and by pixels, each pair of seeds."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

from torch import Tensor

from engine.evaluation.verdict import Dreamt, Verdict, apart, difference, markdown

PROMPTS = Path(__file__).with_suffix(".txt")
SEEDS = 8  # dreams a prompt, for which nobody names a number


@dataclass(frozen=True)
class Variety:
    """How far the dreams of one prompt lie apart; distances as `verdict.apart` has them."""

    prompt: str
    seeds: int  # dreams that have a picture
    judge: float  # mean distance of two dreams
    nearest: float  # distance of the two that are most alike
    pixels: float  # mean difference of two dreams, in % of the full range
    first: float  # share that the judge ranks first, 0..1


def of(rows: Sequence[tuple[Dreamt, Verdict]], pictures: Sequence[Tensor | None]) -> list[Variety]:
    """Of each prompt with two pictures or more; `pictures` as `verdict.small` gives them, in that order."""
    found = []
    for prompt in dict.fromkeys(dreamt.prompt for dreamt, _ in rows):
        mine = [(v, shown) for (d, v), shown in zip(rows, pictures, strict=True) if d.prompt == prompt]
        features = [verdict.features for verdict, shown in mine if shown is not None]
        distances = apart(features)
        pixels = difference([shown for _, shown in mine if shown is not None])
        if pixels is None:
            continue
        first = mean(verdict.rank == 1 for verdict, _ in mine)
        found.append(Variety(prompt, len(features), mean(distances), min(distances), pixels, first))
    return found


def table(varieties: Sequence[Variety]) -> str:
    """One line of Markdown a prompt, and the means of all."""
    head = ["prompt", "dreams", "judge: mean distance", "of the nearest two", "pixels", "right first"]
    lines = [markdown(head), markdown(["---"] * len(head))]
    lines += [_line(one, one.prompt) for one in varieties]
    if len(varieties) > 1:
        lines.append(_line(_mean(varieties), "all"))
    return "\n".join(lines) + "\n"


def write(path: Path, varieties: Sequence[Variety], **about: str | int) -> None:
    """All of it as JSON, with what else there is to say `about` it. Raises `OSError`."""
    values = {
        **about,
        "mean": asdict(_mean(varieties)) if varieties else None,
        "prompts": [asdict(one) for one in varieties],
    }
    path.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _mean(varieties: Sequence[Variety]) -> Variety:
    """The mean of each column; of `seeds` the sum."""
    columns = (
        mean(getattr(one, name) for one in varieties) for name in ("judge", "nearest", "pixels", "first")
    )
    return Variety("", sum(one.seeds for one in varieties), *columns)


def _line(one: Variety, name: str) -> str:
    numbers = (f"{one.judge:.1f}", f"{one.nearest:.1f}", f"{one.pixels:.1f} %", f"{one.first:.0%}")
    return markdown([name, str(one.seeds), *numbers])
