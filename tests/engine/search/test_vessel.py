"""A picture of a vessel shows it, and above its rim what lies in it."""

import pytest
import torch
from torch import Tensor

from engine.pocket.latents import ROWS
from engine.search import vessel
from engine.search.vessel import Vessel
from tests.engine.search.painter import BLUE, COLOUR, COLOUR_ROW, RED, WHITE, Painter, latents


class Two(Painter):
    """Paints class 7 white and as wide as two of what it paints else."""

    def cut_out(self, z: Tensor, class_weights: Tensor, size: int) -> tuple[Tensor, Tensor]:
        if bool((class_weights[:, 0].argmax(1) == 7).all()):
            z = z.clone()
            z[:, COLOUR_ROW, COLOUR] = WHITE
        return super().cut_out(z, class_weights, size)


def shown(count: int) -> Tensor:
    """A picture [3, 64, 64] in 0..1 of red things in a white vessel on blue."""
    weights = torch.zeros(1, ROWS, Painter.classes)
    weights[:, :, 2] = 0.9
    picture = Vessel(Two(), 7, count)(latents(RED, ground=BLUE), weights)
    return (picture[0] + 1) / 2


@pytest.mark.parametrize("count", [1, 3])
def test_things_look_out_of_their_vessel(count: int) -> None:
    red, green, blue = shown(count)
    things, walls = (red > 0.8) & (green < 0.3), (red > 0.8) & (green > 0.8) & (blue > 0.8)
    assert 0.05 < things.float().mean() < 0.5 and 0.1 < walls.float().mean() < 0.7
    assert int(things.any(1).int().argmax()) < int(walls.any(1).int().argmax())  # they stand out above
    lowest = [int(some.any(1).nonzero()[-1]) for some in (things, walls)]
    assert lowest[0] < lowest[1]  # it hides where they end
    assert not bool(things[0].any() or things[:, 0].any() or walls[-1].any())  # all is within the picture


def test_more_things_are_each_smaller_and_apart() -> None:
    one, three = (vessel.placed(count, (0.8, 0.6), 0.1, (0.7, 0.7)) for count in (1, 3))
    assert len(one) == 2 and len(three) == 4
    assert max(spot.side for spot in three[1:]) < one[1].side
    assert len({(spot.left, spot.top) for spot in three[1:]}) == 3


def test_a_rim_is_below_what_a_vessel_is_held_by() -> None:
    basket = torch.zeros(4, 64, 64)
    basket[3, 10:30, 20:22] = basket[3, 10:30, 42:44] = 1  # a handle
    basket[3, 30:60, 8:56] = 1
    assert vessel._rim(basket) == 30 / 64


def test_what_fills_a_picture_is_in_its_middle() -> None:
    extents = [(0.8, 0.6), (0.7, 0.7)]
    spots = vessel.fitted(vessel.placed(1, extents[0], 0.1, extents[1]), extents)
    ends = [
        (spot.top + spot.side * (1 - tall) / 2, spot.top + spot.side * (1 + tall) / 2)
        for spot, (_, tall) in zip(spots, extents, strict=True)
    ]
    top, bottom = min(end[0] for end in ends), max(end[1] for end in ends)
    assert top + bottom == pytest.approx(1, abs=1e-5) and bottom - top <= vessel.FILLED + 1e-5


def test_the_search_looks_at_one_of_the_things(tiny: None = None) -> None:
    painter = Two()
    weights = torch.zeros(1, ROWS, Painter.classes)
    z = latents(RED, ground=BLUE)
    assert torch.equal(Vessel(painter, 7, 3).sheet(z, weights), painter.sheet(z, weights))
