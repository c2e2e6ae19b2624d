"""A picture of several shows as many of a thing as were asked for."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.models.generator import BakedBigGAN
from engine.models.perceptor import Perceptor
from engine.pocket.latents import POSTURE, POSTURE_ROW
from engine.search.latents import Latents
from engine.search.loop import dream
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Search
from engine.search.several import MOST, Several, spots
from engine.search.state import State
from engine.words import counts
from tests.engine.search.painter import BLUE, RED, Painter, latents

CPU = torch.device("cpu")
COUNTS = range(2, MOST + 1)


def components(there: Tensor) -> list[Tensor]:
    """The connected parts of what is true in [s, s]."""
    left, found = there.clone(), []
    while left.any():
        part = torch.zeros_like(left)
        part.view(-1)[int(left.view(-1).int().argmax())] = True
        before = 0
        while int(part.sum()) > before:
            before = int(part.sum())
            grown = F.max_pool2d(part[None, None].float(), 3, 1, 1)[0, 0] > 0
            part = grown & there
        found.append(part)
        left &= ~part
    return found


def shown(count: int, painter: Painter, z: Tensor) -> Tensor:
    """Whether each pixel [64, 64] of a picture of red things on blue is red."""
    picture = Several(painter, count)(z, torch.rand(1, painter.rows, painter.classes))[0]
    return picture[0] > picture[2]


def test_as_many_can_be_shown_as_words_can_ask_for() -> None:
    assert counts.MOST == MOST


@pytest.mark.parametrize("count", COUNTS)
def test_there_are_as_many_as_were_asked_for_and_all_about_as_large(count: int) -> None:
    parts = components(shown(count, Painter(margin=18), latents(RED, ground=BLUE)))
    assert len(parts) == count
    sizes = [float(part.sum()) for part in parts]
    assert min(sizes) > 0.3 * max(sizes) and sum(sizes) > 0.06 * 64 * 64


@pytest.mark.parametrize("count", COUNTS)
def test_all_stand_within_the_picture_those_in_front_last_lower_and_larger(count: int) -> None:
    found = spots(count)
    assert len(found) == count
    for spot in found:
        assert min(spot.left, spot.top) >= 0 and max(spot.left, spot.top) + spot.side <= 1
    for behind, front in pairwise(found):
        if front.left <= behind.left:  # the next row
            assert front.top + front.side > behind.top + behind.side and front.side >= behind.side
    middle = sum(spot.left + spot.side / 2 for spot in found) / count
    assert middle == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("count", COUNTS)
def test_neighbours_look_at_each_other(count: int) -> None:
    found = spots(count)
    for one, next_one in pairwise(found):
        if next_one.left > one.left:  # in the same row
            assert one.mirrored != next_one.mirrored


def test_a_mirrored_one_is_the_mirror_image() -> None:
    class Corner(Painter):
        def cut_out(self, z: Tensor, class_weights: Tensor, size: int) -> tuple[Tensor, Tensor]:
            things, ground = super().cut_out(z, class_weights, size)
            things[..., 16:, 16:] = 0
            return things, ground

    def at(part: Tensor) -> float:
        """Where its middle is, across."""
        return float(part.float().sum(0) @ (torch.arange(64) / 64) / part.sum())

    parts = sorted(components(shown(2, Corner(), latents(RED, ground=BLUE))), key=at)
    for part, spot in zip(parts, spots(2), strict=True):
        middle = spot.left + spot.side / 2
        assert (at(part) > middle) == spot.mirrored
    assert len({int(part.any(0).sum()) for part in parts}) == 1  # as wide


@pytest.mark.parametrize("margin", [8, 18, 26])
def test_they_are_as_large_as_they_can_be_however_small_the_thing_is_drawn(margin: int) -> None:
    two = shown(2, Painter(margin=margin), latents(RED, ground=BLUE))
    columns = two.any(0).nonzero()[:, 0]
    assert int(columns[-1] - columns[0]) > 0.9 * 64


def test_a_slim_thing_is_shown_larger_than_a_broad_one() -> None:
    for broad, slim in zip(spots(3), spots(3, wide=0.6), strict=True):
        assert slim.side >= broad.side
    assert spots(2, wide=0.6)[0].side > 1.3 * spots(2)[0].side


def test_they_stand_still_and_what_is_looked_at_is_the_one_thing() -> None:
    painter, z = Painter(), latents(RED, ground=BLUE)
    still = shown(3, painter, z)
    z[:, POSTURE_ROW, POSTURE] = 1.5
    assert torch.equal(shown(3, painter, z), still)
    several, weights = Several(painter, 3), torch.rand(1, painter.rows, painter.classes)
    z.requires_grad_()
    sheet = several.sheet(z, weights)
    assert sheet.shape[-1] == several.sheet_size == painter.sheet_size
    assert torch.equal(sheet, painter.sheet(z, weights))
    sheet.square().sum().backward()
    assert z.grad is not None and bool(z.grad.any())
    assert not several.whole and several.panels == 1 and several.panel is several


def test_a_search_of_several_goes_on_from_its_state_which_one_thing_has_too(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    settings = DreamSettings(steps=8, cutouts=8, look_every=4)
    target = Target(tiny_perceptor.encode_texts(["a green tree"])[0])
    four = Several(tiny_generator, 4)
    steps = list(dream(four, tiny_perceptor, Search(([target],), 1, settings), CPU))
    state = State.from_bytes(steps[4].state().to_bytes())
    resumed = list(dream(four, tiny_perceptor, Search(([target],), 1, settings, state), CPU))
    assert torch.equal(resumed[-1].best.picture, steps[-1].best.picture)
    one = list(dream(tiny_generator, tiny_perceptor, Search(([target],), 1, settings), CPU))
    assert one[-1].best.score == steps[-1].best.score  # what is looked at is the same
    assert not torch.equal(one[-1].best.picture, steps[-1].best.picture)
    blind = Latents.blind(four.rows, four.z_dim, four.classes, torch.Generator().manual_seed(1))
    with torch.no_grad():
        z, weights = blind()
        assert four(z[None], weights[None]).shape == tiny_generator(z[None], weights[None]).shape
