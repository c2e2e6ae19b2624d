import torch

from engine.models.generator import BakedBigGAN
from engine.models.perceptor import Perceptor
from engine.search import atlas, start
from engine.search.latents import Basis, Latents
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Search

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
