"""The loop: BigSleep, one small value a step. Knows nobody: whoever listens shows, saves, or stops asking.

The algorithm is Ryan Murdock's (2021) as in lucidrains/big-sleep 0.9.1: the latents of BigGAN are moved by
Adam so that random cutouts of the picture come closer to the text in CLIP's space; an exponential moving
average of the latents makes the picture that is shown.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import torch
from torch import Tensor

from engine import cutouts, search
from engine.errors import DreamError, FailureKind
from engine.generator import Generator
from engine.latents import LatentAverage, Latents
from engine.objective import class_term, cosine_score, latent_term
from engine.perceptor import Perceptor


@dataclass(frozen=True)
class DreamSettings:
    """The constants of a search; the defaults are BigSleep's own, where it has them."""

    steps: int = 500  # its notebook ran on for ever; beyond some 500 steps its users saw collapse
    learning_rate: float = 0.07
    cutouts: int = 128  # a step
    ema_decay: float = 0.99
    look_every: int = 10  # steps between scored pictures of the average (BigSleep: 50, unscored)
    filter: Literal["nearest", "triangle"] = "nearest"
    start: Literal["blind", "scored"] = "blind"

    def recorded(self) -> dict[str, float | str]:
        """What a recipe records beside the steps."""
        return {key: value for key, value in asdict(self).items() if key != "steps"}


class Collapsed(DreamError):
    """The numbers of this dream ran away before it had a picture; another seed will do better."""

    kind = FailureKind.COLLAPSE


@dataclass(frozen=True)
class Look:
    """A shown picture and its score on fixed views, which the optimiser never draws."""

    step: int
    picture: Tensor  # [3, h, w], -1..1, detached
    score: float  # 100 × mean cosine, -100..100


@dataclass(frozen=True)
class Step:
    """One step done."""

    step: int  # 1..steps
    latest: Look
    best: Look  # the highest score so far


def dream(
    generator: Generator,
    perceptor: Perceptor,
    prompt: str,
    seed: int,
    settings: DreamSettings,
    device: torch.device,
    atlas: Tensor | None = None,
) -> Iterator[Step]:
    """Search for the picture of `prompt`: finds the start, then returns steps, `settings.steps` at most.

    All randomness is one CPU generator seeded with `seed` (0..2**32 - 1). `atlas` [classes, d] of
    `engine.atlas.make` is needed for the scored start. When a number stops being finite the search ends with
    what it has; raises `Collapsed` if that is nothing.
    """
    rng = torch.Generator().manual_seed(seed)
    text = perceptor.encode_texts([prompt])[0]  # [d]
    if settings.start == "scored":
        if atlas is None:
            raise ValueError("A scored start needs the atlas.")
        latents = search.scored_start(generator, perceptor, text, atlas, rng, device)
    else:
        latents = Latents.blind(generator.rows, generator.z_dim, generator.classes, rng)
    return _search(generator, perceptor, text, latents.to(device), rng, settings)


def _search(
    generator: Generator,
    perceptor: Perceptor,
    text: Tensor,
    latents: Latents,
    rng: torch.Generator,
    settings: DreamSettings,
) -> Iterator[Step]:
    """One step after the other from `latents`, on their device, towards `text` [d]."""
    average = LatentAverage(latents, settings.ema_decay)
    optimizer = torch.optim.Adam(latents.parameters(), lr=settings.learning_rate)
    latest = best = None

    for step in range(1, settings.steps + 1):
        z, class_weights = latents()
        picture = generator(z[None], class_weights[None])  # [1, 3, h, w], -1..1
        boxes = cutouts.random_boxes(settings.cutouts, rng)
        views = cutouts.cut((picture + 1) / 2, boxes, perceptor.size, settings.filter)  # [cutouts, 3, s, s]
        likeness = cosine_score(text, perceptor.encode_images(views)).mean()
        loss = -likeness + latent_term(z) + class_term(class_weights)
        if not bool(loss.isfinite()):
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(latents)

        if latest is None or step % settings.look_every == 0 or step == settings.steps:
            latest = _look(generator, perceptor, text, average, step)
            if best is None or latest.score > best.score:
                best = latest
        assert best is not None
        yield Step(step, latest, best)
    if best is None:
        raise Collapsed


@torch.no_grad()
def _look(
    generator: Generator, perceptor: Perceptor, text: Tensor, average: LatentAverage, step: int
) -> Look:
    z, class_weights = average()
    picture = generator(z[None], class_weights[None])  # [1, 3, h, w]
    views = cutouts.cut((picture + 1) / 2, cutouts.fixed_boxes(), perceptor.size, "triangle")
    score = cosine_score(text, perceptor.encode_images(views)).mean()
    return Look(step, picture[0], float(score))
