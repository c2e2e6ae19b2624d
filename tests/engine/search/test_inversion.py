"""A dream that begins at a picture, with the embedded models."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.dreaming import wishes
from engine.models import generator, perceptor, registry
from engine.pictures import images
from engine.search import atlas, inversion
from engine.search.latents import Latents
from engine.search.start import CLASS_OFF, CLASS_ON

CPU = torch.device("cpu")


@pytest.mark.timeout(300)
def test_a_picture_of_the_generator_s_own_is_found_again(tmp_path: Path) -> None:
    pair = registry.pair("pocket", tmp_path)
    generate = generator.load(pair.generator, pair.generator_name, CPU)
    perceive = perceptor.load_all(pair.perceptors, pair.perceptor_names, CPU)
    ranks = atlas.read(pair.generator.parent / atlas.FILE, registry.fingerprint(pair))
    assert ranks is not None
    rng = torch.Generator().manual_seed(7)  # a droplet; a tinted heart could be any of the hearts
    kind = int(torch.randint(generate.classes, (1,), generator=rng))
    logits = torch.full((1, generate.classes), CLASS_OFF)
    logits[0, kind] = CLASS_ON
    z = generate.latent_map.plain(torch.randn(1, generate.z_dim, generator=rng))  # a scene has no way back
    rows = (generate.rows, -1)
    hidden = drawn(generate, Latents(z.expand(rows), logits.expand(rows)))

    seen = wishes.seen(images.to_image(hidden), perceive, CPU)
    found = inversion.closest(generate, perceive, hidden, seen, ranks, torch.Generator().manual_seed(1), CPU)
    assert int(found.class_logits.mean(0).argmax()) == kind
    assert likeness(drawn(generate, found), hidden) > 21, "decibels; other samples of the class have about 17"


@torch.no_grad()
def drawn(generate: generator.Generator, latents: Latents) -> Tensor:
    z, class_weights = latents()
    return generate(z[None], class_weights[None])[0]


def likeness(one: Tensor, other: Tensor) -> float:
    """Peak signal-to-noise ratio in decibels of pictures in -1..1."""
    return 10 * math.log10(4 / float((one - other).square().mean()))
