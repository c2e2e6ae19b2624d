from collections.abc import Sequence

import pytest
import torch
from torch.nn.functional import normalize

from engine.models.generator import BakedBigGAN
from engine.models.perceptor import Perceptor
from engine.pocket.abilities import LATENT_MAP
from engine.pocket.latents import BANDS, MATERIAL_ROW, made
from engine.search import atlas, start
from engine.search.latents import Basis, Latents
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Form, Mixed, Search
from engine.words import mixtures
from tests.engine.search.painter import Painter

CPU = torch.device("cpu")


def search(text: torch.Tensor, **settings: float) -> Search:
    return Search(([Target(text)],), 1, DreamSettings(**settings))


def test_a_scored_start_scores_higher_than_a_random_class(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    ranks = atlas.make(tiny_generator, tiny_perceptor, CPU)
    text = tiny_perceptor.encode_texts(["a bowl of cherries"])[0]
    rng = torch.Generator().manual_seed(0)
    begin = start.scored_start(tiny_generator, tiny_perceptor, search(text, candidates=96), ranks, rng, CPU)
    assert begin.z.shape == (tiny_generator.rows, tiny_generator.z_dim)
    z = torch.randn(60, tiny_generator.z_dim, generator=rng)
    classes = torch.arange(60) % tiny_generator.classes
    random = atlas.seen(tiny_generator, tiny_perceptor, z, classes, CPU) @ text
    with torch.no_grad():
        z, weights = begin()
    score = atlas.seen_rows(tiny_generator, tiny_perceptor, z[None], weights[None], CPU) @ text
    assert score > random.quantile(0.9)


def test_one_class_or_two_are_on_and_the_others_are_off(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    ranks = atlas.make(tiny_generator, tiny_perceptor, CPU)
    text = tiny_perceptor.encode_texts(["a house"])[0]
    rng = torch.Generator().manual_seed(0)
    begin = start.scored_start(tiny_generator, tiny_perceptor, search(text, candidates=96), ranks, rng, CPU)
    _, weights = begin()
    on = weights > 0.05
    assert bool((on.sum(dim=1) <= 2).all()) and on.any(dim=0).sum() <= 2
    assert bool((weights.sum(dim=1) > 0.85).all())


def test_more_candidates_find_a_better_start(tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor) -> None:
    ranks = atlas.make(tiny_generator, tiny_perceptor, CPU)
    text = tiny_perceptor.encode_texts(["a house"])[0]

    def score(candidates: int) -> float:
        wanted, found = search(text, candidates=candidates), []
        for seed in range(4):
            rng = torch.Generator().manual_seed(seed)
            begin = start.scored_start(tiny_generator, tiny_perceptor, wanted, ranks, rng, CPU)
            with torch.no_grad():
                z, weights = begin()
            found.append(atlas.seen_rows(tiny_generator, tiny_perceptor, z[None], weights[None], CPU) @ text)
        return float(torch.cat(found).mean())

    assert score(1) < score(24) < score(200)


def test_samples_give_a_basis_of_the_best_within_the_limit(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    text = tiny_perceptor.encode_texts(["a house"])[0]
    rng = torch.Generator().manual_seed(0)
    basis = start.sampled_start(
        tiny_generator, tiny_perceptor, search(text, candidates=40, basis=5, z_limit=2.0), rng, CPU
    )
    assert isinstance(basis, Basis)
    assert basis.z.shape == (5, tiny_generator.z_dim) and basis.z.abs().max() <= 2
    assert bool((basis.class_weights.sum(dim=1) == 1).all())
    z, weights = basis()
    assert z.shape == (tiny_generator.rows, tiny_generator.z_dim)
    assert weights.shape == (tiny_generator.rows, tiny_generator.classes)
    assert torch.allclose(weights.sum(dim=1), torch.ones(tiny_generator.rows))
    one = start.sampled_start(tiny_generator, tiny_perceptor, search(text, candidates=40), rng, CPU)
    assert isinstance(one, Latents) and bool((one()[1] > 0.5).sum(dim=1).eq(1).all())


def begun(seed: int, towards: torch.Tensor, perceptor: Perceptor, form: Form | None = None) -> Latents:
    """Where a search of a painter's pictures starts whose atlas is the first axes."""
    rng = torch.Generator().manual_seed(seed)
    wanted = Search(([Target(towards)],), seed, DreamSettings(candidates=48), forms=(form,) if form else ())
    return start.scored_start(Painter(), perceptor, wanted, torch.eye(12, 24), rng, CPU)


def towards(*axes: int) -> torch.Tensor:
    """The direction to these classes of that atlas, as much to one as to the other."""
    return normalize(torch.eye(24)[list(axes)].sum(0), dim=0)


def nearly(axis: int, other: int) -> torch.Tensor:
    """The direction to a class of that atlas in other words."""
    return normalize(towards(axis) + 0.3 * towards(other), dim=0)


def test_a_thing_stands_in_the_seed_s_manner_and_another_thing_or_seed_in_another(
    tiny_perceptor: Perceptor,
) -> None:
    """Half of the candidates are bred, so that a manner which children lost would hardly be the winner's."""
    manner = list(LATENT_MAP.manner)
    shared, apart = [], []
    for seed in (1, 2):
        for axis in range(3):
            same = [begun(seed, nearly(axis, other), tiny_perceptor).z for other in (5, 6, 7)]
            some = torch.stack(same)[:, manner]  # [3, rows, z_dim]
            shared.append((some[:, None] == some).all(3).float().mean())
            other_seed, other_thing = (
                begun(3 - seed, towards(axis), tiny_perceptor).z[manner],
                begun(seed, towards(9), tiny_perceptor).z[manner],
            )
            assert not bool((other_seed == some).all(2).any())
            apart.append((other_thing == some).all(2).float().mean())
    # What is not in the seed's manner is the same noise for all that it dreams.
    assert sum(shared) / len(shared) > 0.6 and sum(apart) / len(apart) < 0.3


def test_a_generator_of_unknown_latents_draws_no_number_for_a_manner(tiny_generator: BakedBigGAN) -> None:
    rng = torch.Generator().manual_seed(3)
    before = rng.get_state()
    assert start._manner(tiny_generator, rng, 3) is None
    assert torch.equal(rng.get_state(), before)
    assert start._manner(Painter(), rng, 3) is not None
    assert not torch.equal(rng.get_state(), before)


def suggested(towards: torch.Tensor) -> tuple[list[set[int]], list[float]]:
    """The classes that are on in each suggestion for a painter, and what the atlas says of it."""
    rng = torch.Generator().manual_seed(0)
    suggestions = start._Suggestions(Painter(), torch.eye(12, 24), towards, rng)
    logits, prior = suggestions.single()
    return [set((one > -2).any(0).nonzero()[:, 0].tolist()) for one in logits], prior.tolist()


def test_two_classes_are_tried_together_where_both_together_are_closer_to_the_words() -> None:
    classes, prior = suggested(towards(3, 7))
    pairs = [index for index, some in enumerate(classes) if len(some) == 2]
    assert pairs and all(classes[index] == {3, 7} for index in pairs)
    assert classes[0] in ({3}, {7})  # the nearest come first
    single = {next(iter(some)): score for some, score in zip(classes, prior, strict=True) if len(some) == 1}
    assert all(prior[index] == pytest.approx((single[3] + single[7]) / 2) for index in pairs)


@pytest.mark.parametrize("words", [towards(3), normalize(10 * towards(3) + towards(7), dim=0)])
def test_one_class_that_says_it_all_is_tried_alone(words: torch.Tensor) -> None:
    classes, _ = suggested(words)
    assert all(len(some) == 1 for some in classes) and classes[0] == {3}


def rows_on(logits: torch.Tensor, number: int) -> list[int]:
    return (logits[:, number] > -2).nonzero()[:, 0].tolist()


def is_promised(logits: torch.Tensor, ways: Sequence[tuple[Sequence[int], Sequence[int]]]) -> bool:
    """Whether class 3 and class 7 are on in the rows that one of the ways has for them, and no other is."""
    others = torch.cat((logits[:, :3], logits[:, 4:7], logits[:, 8:]), 1)
    found = rows_on(logits, 3), rows_on(logits, 7)
    return bool((others < -4).all()) and found in [(list(one), list(other)) for one, other in ways]


@pytest.mark.parametrize("kind", mixtures.KINDS)
def test_one_being_of_two_things_has_either_class_in_the_promised_rows(
    kind: str, tiny_perceptor: Perceptor
) -> None:
    mixed = Mixed(kind, torch.stack((towards(3), towards(7))))
    found = begun(1, towards(3, 7), tiny_perceptor, Form(mixed))
    ways = LATENT_MAP.mixed(kind)
    assert is_promised(found.class_logits.detach(), ways)
    bands = set(range(BANDS))
    for one, other in ways:
        if kind == "made":
            assert set(one) == bands and set(other) == {MATERIAL_ROW}
        else:
            assert set(one) | set(other) == bands
            assert kind == "blend" or max(one) < min(other)  # the first above, the second below
    assert bool(made(found.z[None].detach()) == 1) == (kind == "made")


def test_which_way_to_mix_two_things_wins_is_the_picture_s_choice(tiny_perceptor: Perceptor) -> None:
    mixed = Form(Mixed("halves", torch.stack((towards(3), towards(7)))))
    won = {
        tuple(rows_on(begun(seed, towards(3, 7), tiny_perceptor, mixed).class_logits.detach(), 3))
        for seed in range(12)
    }
    assert len(won) > 1
