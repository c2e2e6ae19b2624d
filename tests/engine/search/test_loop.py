from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise

import pytest
import torch

from engine.models.generator import BakedBigGAN, OnePanel
from engine.models.perceptor import Perceptor
from engine.search import atlas
from engine.search.latents import Basis
from engine.search.loop import Collapsed, Step, dream
from engine.search.objective import Target
from engine.search.recipes import RECIPES, DreamSettings
from engine.search.search import Search
from engine.search.state import State

CPU = torch.device("cpu")
QUICK = DreamSettings(steps=30, cutouts=8, ema_decay=0.8, look_every=5)


def search(perceptor: Perceptor, settings: DreamSettings = QUICK, seed: int = 1) -> Search:
    return Search(([Target(perceptor.encode_texts(["a bowl of cherries"])[0])],), seed, settings)


def steps(
    generator: BakedBigGAN, perceptor: Perceptor, seed: int = 1, settings: DreamSettings = QUICK
) -> list[Step]:
    ranks = atlas.make(generator, perceptor, CPU) if settings.start == "atlas" else None
    return list(dream(generator, perceptor, search(perceptor, settings, seed), CPU, ranks))


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
    some = list(islice(dream(tiny_generator, tiny_perceptor, search(tiny_perceptor, endless), CPU), 3))
    assert [step.step for step in some] == [1, 2, 3]


class Runaway(OnePanel):
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
    some = list(dream(Runaway(tiny_generator, 4), tiny_perceptor, search(tiny_perceptor), CPU))
    assert len(some) == 3  # step 1 renders twice: once to learn, once to look
    assert bool(some[-1].best.picture.isfinite().all())


GUARDED = replace(QUICK, guard="on", learning_rate=0.03)


class Broken(Runaway):
    """The tiny generator, but between two calls it draws something else."""

    def __init__(self, generator: BakedBigGAN, first: int, last: int, drawn: float) -> None:
        super().__init__(generator, 10**9)
        self._calls, self._first, self._last, self._drawn = 0, first, last, drawn

    def __call__(self, z: torch.Tensor, class_weights: torch.Tensor) -> torch.Tensor:
        self._calls += 1
        picture = super().__call__(z, class_weights)
        broken = self._first <= self._calls <= self._last
        return picture * 0 + self._drawn if broken else picture


def test_a_guarded_search_goes_back_where_numbers_run_away_and_finishes(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    broken = Broken(tiny_generator, 9, 10, float("nan"))
    some = list(dream(broken, tiny_perceptor, search(tiny_perceptor, GUARDED), CPU))
    assert some[-1].step == GUARDED.steps
    assert some[-1].notes and "the numbers ran away after step" in some[-1].notes[0]
    assert bool(some[-1].best.picture.isfinite().all())


def test_a_guarded_search_goes_back_when_the_picture_goes_dark(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    settings = replace(GUARDED, look_every=2, steps=20)
    dark = Broken(tiny_generator, 12, 20, -1.0)
    some = list(dream(dark, tiny_perceptor, search(tiny_perceptor, settings), CPU))
    through = list(dream(tiny_generator, tiny_perceptor, search(tiny_perceptor, settings), CPU))
    assert some[-1].step == settings.steps and not through[-1].notes
    assert any("the score broke down" in note for note in some[-1].notes)
    assert some[-1].best.picture.std() > 0.05 and some[-1].best.score > some[0].best.score


def test_a_search_that_cannot_be_saved_ends_early_with_its_best(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    lost = Broken(tiny_generator, 9, 10**9, float("nan"))
    some = list(dream(lost, tiny_perceptor, search(tiny_perceptor, GUARDED), CPU))
    assert some[-1].step < GUARDED.steps and bool(some[-1].best.picture.isfinite().all())


class Wrapped:
    """The tiny perceptor with something done around its encoding."""

    def __init__(self, perceptor: Perceptor) -> None:
        self.name, self.size, self._perceptor = perceptor.name, perceptor.size, perceptor
        self.seen: list[int] = []

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return self._perceptor.encode_texts(texts)

    def fitting(self, text: str) -> str:
        return self._perceptor.fitting(text)

    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(images))
        return self._perceptor.encode_images(images)


class Cramped(Wrapped):
    """It has room for so many views of a step at once, and says so as torch does."""

    room = 3
    error: type[Exception] = torch.OutOfMemoryError

    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        if images.requires_grad and len(images) > self.room:
            raise self.error("DefaultCPUAllocator: can't allocate memory")
        return super().encode_images(images)


def test_chunks_give_the_same_picture_up_to_rounding(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    settings = replace(QUICK, steps=2, augment="smooth", filter="triangle")
    ends = []
    for chunk in (0, 1, 3, 8):
        watched = Wrapped(tiny_perceptor)
        steps = list(dream(tiny_generator, watched, search(tiny_perceptor, settings), CPU, chunk=chunk))
        ends.append(steps[-1].best)
        assert max(watched.seen) == max(chunk or settings.cutouts, 6)  # a look has 6 views
    assert all(torch.allclose(end.picture, ends[0].picture, atol=1e-3) for end in ends)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_where_memory_runs_out_the_chunk_is_halved_and_the_search_goes_on(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor, error: type[Exception]
) -> None:
    settings = replace(QUICK, steps=3)
    cramped = Cramped(tiny_perceptor)
    cramped.error = error
    end = list(dream(tiny_generator, cramped, search(tiny_perceptor, settings), CPU))[-1]
    roomy = list(dream(tiny_generator, tiny_perceptor, search(tiny_perceptor, settings), CPU))[-1]
    assert end.step == 3 and torch.allclose(end.best.picture, roomy.best.picture, atol=1e-2)
    assert end.notes == (
        "Memory ran out after step 0; I went on with 4 views at once.",
        "Memory ran out after step 0; I went on with 2 views at once.",
    )


def test_memory_for_not_even_one_view_is_an_error(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    cramped = Cramped(tiny_perceptor)
    cramped.room = 0
    with pytest.raises(torch.OutOfMemoryError):
        list(dream(tiny_generator, cramped, search(tiny_perceptor), CPU))


def test_another_fault_is_not_taken_for_a_lack_of_memory(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    class Faulty(Wrapped):
        def encode_images(self, images: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="multiplied"):
        list(dream(tiny_generator, Faulty(tiny_perceptor), search(tiny_perceptor), CPU))


class Overflowing(Wrapped):
    """In half precision its numbers overflow."""

    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        features = super().encode_images(images)
        return features * float("inf") if torch.is_autocast_enabled("cpu") else features


def test_a_step_that_leaves_half_precision_is_repeated_in_full_and_told(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    settings = replace(QUICK, steps=4, precision="bf16")
    end = list(dream(tiny_generator, Overflowing(tiny_perceptor), search(tiny_perceptor, settings), CPU))
    full = replace(settings, precision="fp32")
    same = list(dream(tiny_generator, tiny_perceptor, search(tiny_perceptor, full), CPU))
    assert torch.equal(end[-1].best.picture, same[-1].best.picture)
    assert end[-1].notes == ("After step 0 the numbers left half precision; I went on in full.",)
    half = list(dream(tiny_generator, tiny_perceptor, search(tiny_perceptor, settings), CPU))
    assert not half[-1].notes and abs(half[-1].best.score - same[-1].best.score) < 1


def test_fusedream_mixes_its_samples_within_the_limit_and_the_score_rises(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    settings = replace(
        RECIPES["fusedream"], steps=30, candidates=20, basis=5, cutouts=8, look_every=5, learning_rate=0.05
    )
    all_steps = list(dream(tiny_generator, tiny_perceptor, search(tiny_perceptor, settings), CPU))
    end = all_steps[-1]
    assert isinstance(end.kept.latents, Basis) and end.kept.latents.z.abs().max() <= 2
    assert end.best.score > all_steps[0].latest.score + 0.5
    assert end.kept is end.latest and end.kept.step == 30  # the paper keeps the last
    saved = list(islice(dream(tiny_generator, tiny_perceptor, search(tiny_perceptor, settings), CPU), 9))
    state = State.from_bytes(saved[-1].state().to_bytes())
    resumed = list(
        dream(tiny_generator, tiny_perceptor, replace(search(tiny_perceptor, settings), begin=state), CPU)
    )
    assert torch.equal(resumed[-1].kept.picture, end.kept.picture)


def test_few_classes_stay_few(tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor) -> None:
    for start in ("blind", "atlas"):
        settings = replace(QUICK, start=start, steps=3, max_classes=2)
        end = steps(tiny_generator, tiny_perceptor, settings=settings)[-1]
        _, weights = end.best.latents()
        assert bool(((weights > 0).sum(dim=1) == 2).all())


def test_a_cooling_search_moves_less_and_less(tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor) -> None:
    settings = replace(QUICK, steps=20, ema_decay=0.0, look_every=1, schedule="cosine", terms=0.0)
    zs = [step.latest.latents()[0] for step in steps(tiny_generator, tiny_perceptor, settings=settings)]
    moved = [float((b - a).detach().abs().mean()) for a, b in pairwise(zs)]
    assert moved[-1] < 0.25 * moved[1]


def test_numbers_that_run_away_at_once_are_one_clear_sentence(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    with pytest.raises(Collapsed, match="another seed"):
        list(dream(Runaway(tiny_generator, 0), tiny_perceptor, search(tiny_perceptor), CPU))
