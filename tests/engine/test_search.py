import torch

from engine import atlas, search
from engine.generator import BakedBigGAN
from engine.perceptor import Perceptor

CPU = torch.device("cpu")


def test_a_scored_start_scores_higher_than_a_random_class(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    ranks = atlas.make(tiny_generator, tiny_perceptor, CPU)
    text = tiny_perceptor.encode_texts(["a bowl of cherries"])[0]
    rng = torch.Generator().manual_seed(0)
    start = search.scored_start(tiny_generator, tiny_perceptor, text, ranks, rng, CPU)
    assert start.z.shape == (tiny_generator.rows, tiny_generator.z_dim)
    assert bool((start.z == start.z[0]).all())  # all rows begin alike
    z = torch.randn(60, tiny_generator.z_dim, generator=rng)
    classes = torch.arange(60) % tiny_generator.classes
    random = atlas.seen(tiny_generator, tiny_perceptor, z, classes, CPU) @ text
    chosen = start.class_logits[0].argmax()[None]
    score = atlas.seen(tiny_generator, tiny_perceptor, start.z[:1].detach(), chosen, CPU) @ text
    assert score > random.quantile(0.9)


def test_one_class_is_on_and_the_others_are_off(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    ranks = atlas.make(tiny_generator, tiny_perceptor, CPU)
    text = tiny_perceptor.encode_texts(["a house"])[0]
    start = search.scored_start(
        tiny_generator, tiny_perceptor, text, ranks, torch.Generator().manual_seed(0), CPU
    )
    _, weights = start()
    assert bool(((weights > 0.5).sum(dim=1) == 1).all())
    assert weights.sort(dim=1).values[:, -2].max() < 0.05
