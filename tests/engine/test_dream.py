from dataclasses import replace
from itertools import islice

import pytest
import torch

from engine import atlas
from engine.dream import Collapsed, Step, dream
from engine.generator import BakedBigGAN
from engine.objective import Target
from engine.perceptor import Perceptor
from engine.recipes import DreamSettings

CPU = torch.device("cpu")
QUICK = DreamSettings(steps=30, cutouts=8, ema_decay=0.8, look_every=5)


def targets(perceptor: Perceptor, text: str = "a bowl of cherries") -> list[Target]:
    return [Target(perceptor.encode_texts([text])[0])]


def steps(
    generator: BakedBigGAN, perceptor: Perceptor, seed: int = 1, settings: DreamSettings = QUICK
) -> list[Step]:
    ranks = atlas.make(generator, perceptor, CPU) if settings.start == "atlas" else None
    return list(dream(generator, perceptor, targets(perceptor), seed, settings, CPU, ranks))


@pytest.mark.parametrize(("start", "least"), [("blind", 1.0), ("atlas", 0.5)])  # the latter begins higher
def test_the_score_rises(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor, start: str, least: float
) -> None:
    settings = replace(QUICK, start=start)
    for seed in (1, 2, 3):
        all_steps = steps(tiny_generator, tiny_perceptor, seed, settings)
        assert all_steps[-1].best.score > all_steps[0].latest.score + least


@pytest.mark.parametrize("start", ["blind", "atlas"])
def test_the_same_seed_gives_the_same_picture_and_another_seed_another(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor, start: str
) -> None:
    settings = replace(QUICK, start=start, steps=8)
    torch.manual_seed(1)
    one = steps(tiny_generator, tiny_perceptor, 7, settings)[-1].best.picture
    torch.manual_seed(2)
    two = steps(tiny_generator, tiny_perceptor, 7, settings)[-1].best.picture
    assert torch.equal(one, two)
    other = steps(tiny_generator, tiny_perceptor, 8, settings)[-1].best.picture
    assert not torch.equal(one, other)


def test_a_value_comes_each_step_and_the_best_never_falls(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    all_steps = steps(tiny_generator, tiny_perceptor)
    assert [step.step for step in all_steps] == list(range(1, QUICK.steps + 1))
    best = [step.best.score for step in all_steps]
    assert best == sorted(best)
    assert all(
        step.best.score == max(s.latest.score for s in all_steps[: i + 1]) for i, step in enumerate(all_steps)
    )
    assert all_steps[-1].latest.step == QUICK.steps  # the end is always looked at


def test_looks_are_taken_as_often_as_told(tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor) -> None:
    looks = [step.latest.step for step in steps(tiny_generator, tiny_perceptor)]
    assert sorted(set(looks)) == [1, 5, 10, 15, 20, 25, 30]


def test_a_picture_is_finite_and_within_its_range(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    picture = steps(tiny_generator, tiny_perceptor)[-1].best.picture
    assert picture.shape == (3, 32, 32) and not picture.requires_grad
    assert bool(picture.isfinite().all()) and picture.abs().max() <= 1


def test_stopping_to_ask_is_enough_to_stop(tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor) -> None:
    endless = replace(QUICK, steps=5000)
    some = list(islice(dream(tiny_generator, tiny_perceptor, targets(tiny_perceptor), 1, endless, CPU), 3))
    assert [step.step for step in some] == [1, 2, 3]


class Runaway:
    """The tiny generator until its third call, then pictures that are no numbers."""

    def __init__(self, generator: BakedBigGAN, good_calls: int) -> None:
        self._generator, self._left = generator, good_calls
        self.name, self.size, self.rows = generator.name, generator.size, generator.rows
        self.z_dim, self.classes = generator.z_dim, generator.classes

    def __call__(self, z: torch.Tensor, class_weights: torch.Tensor) -> torch.Tensor:
        self._left -= 1
        picture = self._generator(z, class_weights)
        return picture if self._left >= 0 else picture * float("nan")


def test_numbers_that_run_away_end_the_dream_with_the_best_so_far(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    some = list(dream(Runaway(tiny_generator, 4), tiny_perceptor, targets(tiny_perceptor), 1, QUICK, CPU))
    assert len(some) == 3  # step 1 renders twice: once to learn, once to look
    assert bool(some[-1].best.picture.isfinite().all())


def test_numbers_that_run_away_at_once_are_one_clear_sentence(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    with pytest.raises(Collapsed, match="another seed"):
        list(dream(Runaway(tiny_generator, 0), tiny_perceptor, targets(tiny_perceptor), 1, QUICK, CPU))
