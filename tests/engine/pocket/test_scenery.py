"""Backgrounds for a named ground: found among those that the latents can paint, where one is asked for."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.generator import Generator
from engine.pocket import grounds, latents_map, scenery
from engine.pocket.grounds import GROUNDS
from engine.pocket.perceptor import PocketPerceptor
from engine.search import start
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Search

CPU = torch.device("cpu")
THING = F.normalize(torch.randn(256, generator=torch.Generator().manual_seed(0)), dim=0)


@pytest.mark.parametrize("ground", ["night", "sea", "street"])
def test_a_direction_with_a_ground_names_it_and_a_bare_thing_none(ground: str) -> None:
    number = GROUNDS.index(ground)
    there = grounds.composed(THING[None], torch.eye(len(GROUNDS))[number : number + 1])[0]
    assert scenery.named(there, len(GROUNDS)) == number
    assert scenery.named(THING, len(GROUNDS)) is None
    assert scenery.named(there, number) is None  # one that these weights do not know
    assert scenery.named(there, 0) is None


def by_colour(pictures: Tensor) -> Tensor:
    """Sees a night in what is dark and blue, a sky in the light and blue, a meadow in what is green below."""
    red, green, blue = pictures.unbind(1)
    light, below = pictures.mean((1, 2, 3)), slice(-pictures.shape[-1] // 4, None)
    found = torch.zeros(len(pictures), len(GROUNDS))
    found[:, GROUNDS.index("night")] = (blue - red).mean((1, 2)) - light
    found[:, GROUNDS.index("sky")] = (blue - red).mean((1, 2)) + light
    found[:, GROUNDS.index("meadow")] = (green - red)[:, below].mean((1, 2))
    return found


def painted(ground: str, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The rows that are found for a ground, and what they paint [n, 3, 32]."""
    rng = torch.Generator().manual_seed(seed)
    rows = scenery.backgrounds(by_colour, GROUNDS.index(ground), rng)
    z = torch.zeros(len(rows), latents_map.GROUND_DEPTH + 1)
    z[:, scenery.COORDINATES] = rows
    return rows, latents_map.scenery(z, 32)[..., 0]


def test_backgrounds_show_what_is_asked_for() -> None:
    (_, night), (_, sky), (_, meadow) = (painted(ground) for ground in ("night", "sky", "meadow"))
    assert float(night.mean((1, 2)).max()) < 0.4
    assert float(sky.mean((1, 2)).min()) > 0.6
    assert bool((sky[:, 2].mean(1) > sky[:, 0].mean(1)).all())
    assert bool((meadow[:, 1, -4:] > meadow[:, 0, -4:] + 0.1).all())


def test_a_ground_with_land_has_a_horizon_and_a_sky_may_have_none() -> None:
    rows, meadow = painted("meadow")
    at = latents_map.GROUND - latents_map.BACKGROUND_HUE[0]
    assert bool((rows[:, at] >= latents_map.GROUND_FULL).all())
    assert bool(((meadow[:, :, 16] - meadow[:, :, -2]).abs().amax(1) > 0.05).any())
    assert bool((painted("sky")[0][:, at] < latents_map.GROUND_FULL).any())


def test_backgrounds_differ_and_are_the_same_for_the_same_seed() -> None:
    rows, _ = painted("night")
    assert rows.shape[0] == scenery.LIKED
    assert len(rows.unique(dim=0)) == scenery.LIKED
    assert float(rows.abs().max()) <= scenery.FARTHEST + 1e-6
    assert torch.equal(rows, painted("night")[0])
    assert not torch.equal(rows, painted("night", 1)[0])


@pytest.mark.parametrize(
    ("words", "ground"), [("a cat at night", "night"), ("una casa sulla spiaggia", "beach"), ("a cat", None)]
)
def test_embedded_models_begin_a_dream_on_the_ground_that_its_words_name(
    words: str, ground: str | None, embedded: tuple[Generator, PocketPerceptor, torch.Tensor]
) -> None:
    generate, perceive, ranks = embedded
    target = Target(perceive.encode_texts([words])[0])
    search = Search(([target],), 1, DreamSettings(candidates=40))
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        z, classes = start.scored_start(generate, perceive, search, ranks, rng, CPU)()
        assert perceive.grounds is not None
        seen = perceive.grounds((generate(z[None], classes[None]) + 1) / 2)[0]
    if ground is None:
        assert float(seen.sum()) < 0.5
    else:
        assert float(seen[GROUNDS.index(ground)]) > 0.5
