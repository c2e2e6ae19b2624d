"""Backgrounds for a named ground: some that paint it, of which the perceptor sees it best."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.generator import Generator
from engine.pocket import grounds, grounds_painted, scenery
from engine.pocket.grounds import GROUNDS
from engine.pocket.perceptor import PocketPerceptor
from engine.search import start
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Search
from engine.words.grounds import PAINTED

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


def painted(ground: str, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The numbers that are found for a ground without a perceptor, and what they paint [n, 3, 32, 32]."""
    rng = torch.Generator().manual_seed(seed)
    numbers = scenery.backgrounds(None, ground, rng)
    return numbers, grounds_painted.paint(numbers, 32)


@pytest.mark.parametrize("ground", [*GROUNDS, *PAINTED])
def test_every_ground_that_words_name_is_painted(ground: str) -> None:
    numbers, _ = painted(ground)
    assert numbers.shape == (scenery.LIKED, grounds_painted.NUMBERS)
    shares = grounds_painted.motifs(numbers)
    assert bool((grounds_painted.calm(numbers) == 0).all())
    full = [name for name, share in shares.items() if bool((share == 1).all())]
    assert len(full) == 1 and ground.replace(" ", "") == full[0]


def test_backgrounds_look_like_what_is_asked_for() -> None:
    (_, night), (_, sky), (_, meadow) = (painted(ground) for ground in ("night", "sky", "meadow"))
    assert float(night.mean((1, 2, 3)).max()) < 0.4
    assert float(sky.mean((1, 2, 3)).min()) > 0.6
    assert bool((sky[:, 2].mean((1, 2)) > sky[:, 0].mean((1, 2))).all())
    assert bool((meadow[:, 1, -4:].mean((1, 2)) > meadow[:, 0, -4:].mean((1, 2))).all())


def test_those_are_taken_that_the_perceptor_sees_best() -> None:
    looked: list[Tensor] = []

    def by_light(pictures: Tensor) -> Tensor:
        looked.append(pictures)
        return pictures.mean((1, 2, 3))[:, None].expand(-1, len(GROUNDS))

    found = scenery.backgrounds(by_light, "sea", torch.Generator().manual_seed(0))
    (seen,) = looked
    assert seen.shape == (scenery.DRAWN, 3, scenery.SEEN, scenery.SEEN)
    light = grounds_painted.paint(found, scenery.SEEN).mean((1, 2, 3))
    best = seen.mean((1, 2, 3)).topk(scenery.LIKED).values
    assert torch.allclose(light.sort(descending=True).values, best, atol=1e-5)


def test_backgrounds_differ_and_are_the_same_for_the_same_seed() -> None:
    numbers, pictures = painted("night")
    assert len(numbers.unique(dim=0)) == scenery.LIKED
    apart = torch.cdist(pictures.flatten(1), pictures.flatten(1), p=1)[~torch.eye(len(pictures)).bool()]
    assert float(apart.min()) / pictures[0].numel() > 0.005
    assert torch.equal(numbers, painted("night")[0])
    assert not torch.equal(numbers, painted("night", 1)[0])


@pytest.mark.parametrize(
    ("words", "ground"), [("a cat at night", "night"), ("una casa sulla spiaggia", "beach")]
)
def test_embedded_models_begin_a_dream_on_the_ground_that_its_words_name(
    words: str, ground: str, embedded: tuple[Generator, PocketPerceptor, torch.Tensor]
) -> None:
    generate, perceive, ranks = embedded
    target = Target(perceive.encode_texts([words])[0])
    search = Search(([target],), 1, DreamSettings(candidates=32))
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        z, classes = start.scored_start(generate, perceive, search, ranks, rng, CPU)()
        assert perceive.grounds is not None
        seen = perceive.grounds((generate.sheet(z[None], classes[None]) + 1) / 2)[0]
    assert float(seen[GROUNDS.index(ground)]) > 0.5
    bare = perceive.encode_texts(["a cat"])[0]
    assert perceive.grounds.named(target.vector) == GROUNDS.index(ground)
    assert perceive.grounds.named(bare) is None
