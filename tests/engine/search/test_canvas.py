"""How a canvas shows two things in one picture, and that a search of it moves both."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch.nn import functional as F

from engine.models.generator import BakedBigGAN
from engine.models.perceptor import Perceptor
from engine.pocket.abilities import LATENT_MAP
from engine.pocket.latents import GROUND, GROUND_ROW, POSTURE, POSTURE_ROW, ROWS, STYLE_ROW
from engine.pocket.posture import ACROSS, MIRROR, TILT
from engine.search import canvas, cutouts
from engine.search.canvas import (
    LAYOUTS,
    Canvas,
    Layout,
    Spot,
    filled,
    settled,
)
from engine.search.latents import Latents
from engine.search.loop import Step, best_latents, dream
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Search
from engine.search.state import State
from engine.words.scene import Scene
from tests.engine.search.painter import BLUE, COLOUR_ROW, RED, WHITE, Painter, latents

CPU = torch.device("cpu")
SIZE = 64  # of a picture of `Painter`


def shown(place: str, z: torch.Tensor, painter: Painter | None = None) -> torch.Tensor:
    two = Canvas(painter or Painter(), Scene("a", place, "b"))
    return two(z, torch.rand(1, two.rows, two.classes))[0]  # [3, 64, 64]


def layout(place: str, since: int = 8, until: int = 56) -> Layout:
    """Where it shows a painter's squares."""
    there = torch.zeros(2, SIZE, SIZE, dtype=torch.bool)
    there[:, 8:56, since:until] = True
    return filled(settled(LAYOUTS[place], there), there)


def middle(spot: Spot) -> tuple[int, int]:
    return int(SIZE * (spot.top + spot.side / 2)), int(SIZE * (spot.left + spot.side / 2))


@pytest.mark.parametrize("place", list(LAYOUTS))
def test_each_thing_is_shown_at_its_spot_and_the_ground_around(place: str) -> None:
    found, picture = layout(place), shown(place, latents(RED, BLUE))
    red, blue = picture[0] - picture[2] > 1.5, picture[2] - picture[0] > 1.5
    front = (red[middle(found.first)],) if found.front == 0 else (blue[middle(s)] for s in found.second)
    assert all(front)
    whole = [(0.75 * SIZE * spot.side) ** 2 for spot in (found.first, *found.second)]
    assert 0.25 * whole[0] < red.sum() < 1.05 * whole[0]
    assert 0.25 * sum(whole[1:]) < blue.sum() < 1.05 * sum(whole[1:])
    assert (picture[:, :2, :2] > 0.99).all() and (picture[:, -2:, -2:] > 0.99).all()


def test_around_what_is_in_front_one_sees_what_is_behind() -> None:
    z = latents(RED, BLUE)
    whole, half = (shown("glasses", z, Painter(since)) for since in (8, 40))  # the right part alone is there
    spot = layout("glasses").second[0]
    y, x = middle(spot)
    assert whole[2, y, x - 4] > 0.9 and half[2, y, x - 4] < -0.9 and half[0, y, x - 4] > 0.9
    assert half[2, y, x + 8] > 0.9


def test_twins_are_each_others_mirror_image() -> None:
    picture = shown("wings", latents(RED, BLUE), Painter(since=30))
    assert float((picture - picture.flip(-1)).abs().mean()) < 0.1  # but for a pixel at an edge
    assert not torch.allclose(picture[..., : SIZE // 2], picture[..., SIZE // 2 :], atol=0.5)


@pytest.mark.parametrize("ground", [WHITE, -WHITE, BLUE])
@pytest.mark.parametrize("colour", [RED, WHITE, -WHITE])
def test_things_are_shown_on_one_ground_whatever_its_and_their_colours(
    ground: torch.Tensor, colour: torch.Tensor
) -> None:
    z = latents(colour, colour, ground=ground)
    z[:, ROWS + GROUND_ROW, GROUND.start : GROUND.start + 3] = (
        RED  # of the second panel, where nobody sees it
    )
    picture = shown("left", z)
    first, second = (middle(spot) for spot in (layout("left").first, layout("left").second[0]))
    for y, x in (first, second):
        assert torch.allclose(picture[:, y, x], torch.tanh(colour), atol=1e-3)
    around = torch.cat((picture[:, :12].flatten(1), picture[:, -12:].flatten(1)), 1)
    assert torch.allclose(around, torch.tanh(ground)[:, None], atol=1e-3)


def test_through_what_covers_a_half_one_sees_the_ground() -> None:
    picture = shown("left", latents(RED, RED, ground=-WHITE), Painter(cover=0.5))
    y, x = middle(layout("left").first)
    seen = (torch.tanh(RED) + torch.tanh(-WHITE)) / 2
    assert torch.allclose(picture[:, y, x], seen, atol=0.02)


def test_on_a_canvas_things_stand_still_mirrored_or_not() -> None:
    base, z = Painter(), latents(RED, BLUE)
    still = shown("left", z, base)
    for panel in (0, ROWS):
        z[:, panel + POSTURE_ROW, POSTURE] = 1.5
        z[:, panel + POSTURE_ROW, POSTURE.start + MIRROR] = -1
    assert torch.equal(shown("left", z, base), still)
    posture = base.z[:, POSTURE_ROW, POSTURE]
    assert posture[:, MIRROR].tolist() == [-1, -1] and not posture[:, [TILT, ACROSS]].any()
    moved = base(z[:, :ROWS], torch.rand(1, ROWS, 12))
    assert not torch.equal(moved, base(latents(RED), torch.rand(1, ROWS, 12)))  # elsewhere they do not


def test_where_nothing_is_cut_out_panels_are_whole_squares(tiny_generator: BakedBigGAN) -> None:
    two = Canvas(tiny_generator, Scene("a", "left", "b"))
    rng = torch.Generator().manual_seed(1)
    z = torch.randn(1, two.rows, two.z_dim, generator=rng)
    weights = torch.rand(1, two.rows, two.classes, generator=rng)
    picture, sheet = two(z, weights)[0], two.sheet(z, weights)[0]
    everywhere = torch.ones(2, 32, 32, dtype=torch.bool)
    spot, panel = filled(LAYOUTS["left"], everywhere).first, sheet[:, :32, :32]
    top, left, side = (round(32 * at) for at in (spot.top, spot.left, spot.side))
    small = F.interpolate(panel[None], (side, side), mode="bicubic", antialias=True)[0].clamp(-1, 1)
    assert torch.allclose(picture[:, top : top + side, left : left + side], small, atol=1e-4)
    above = picture[:, :top]
    assert torch.equal(above, above[..., :1].expand_as(above))  # the ground: the same all along a row


def test_the_sheet_shows_each_thing_alone_and_its_gradient_reaches_both_and_their_ground() -> None:
    z = latents(RED, BLUE, ground=torch.zeros(3)).requires_grad_()
    two = Canvas(Painter(), Scene("a", "hat", "b"))
    sheet = two.sheet(z, torch.rand(1, two.rows, 12))
    assert sheet.shape == (1, 3, 128, 128)
    for colour, left in ((RED, 8), (BLUE, 72)):
        square = torch.tanh(colour)[:, None, None].expand(-1, 48, 48)
        assert torch.allclose(sheet[0, :, 8:56, left : left + 48], square, atol=1e-5)
    assert not sheet[:, :, 64:].any()
    (sheet + 0.1).square().sum().backward()
    assert z.grad is not None
    moved = z.grad.abs().sum(2)[0] > 0
    assert moved.nonzero()[:, 0].tolist() == [COLOUR_ROW, GROUND_ROW, ROWS + COLOUR_ROW]


def test_two_things_share_style_and_background() -> None:
    base = Painter()
    two = Canvas(base, Scene("", "left", ""))
    z = torch.randn(1, two.rows, two.z_dim)
    two.sheet(z, torch.rand(1, two.rows, 12))
    first, second = base.z
    assert (first == second).all(1).nonzero()[:, 0].tolist() == [STYLE_ROW, GROUND_ROW]
    assert torch.equal(first, LATENT_MAP.standing(z[:, :ROWS])[0])


def test_views_look_at_either_thing_and_mirrored_ones_at_both() -> None:
    views = cutouts.draw(32, cutouts.Sizes(), "smooth", torch.Generator().manual_seed(1))
    two = Canvas(Painter(), Scene("a", "wings", "b"))
    aimed = canvas.aimed(views, 2)
    assert aimed.panel is not None and aimed.mirrored is not None
    seen = cutouts.see(
        two.sheet(latents(RED, BLUE), torch.rand(1, two.rows, 12)), replace(aimed, colour=None), 8, "triangle"
    )
    for panel, missing in enumerate((2, 0)):  # no blue in what is red, no red in what is blue
        own = aimed.panel == panel
        assert (seen[own][:, missing, 4, 4] < 0.1).all() and (seen[own][:, 2 - missing, 4, 4] > 0.9).all()
        assert aimed.mirrored[own].float().mean() == 0.5
    assert [len(part.panel) for part in aimed.split(20) if part.panel is not None] == [20, 12]
    boxes, panels = canvas.at_each(cutouts.fixed_boxes(), 2)
    assert panels.tolist() == [0] * 6 + [1] * 6
    assert [value[6].item() for value in boxes] == [0.5, 0, 0.5]


def test_latents_of_one_thing_fit_two_and_back() -> None:
    one = Latents.blind(4, 3, 5, torch.Generator().manual_seed(1))
    two = canvas.fitted(one, 8)
    assert torch.equal(two.z, torch.cat((one.z, one.z))) and canvas.fitted(two, 8) is two
    assert torch.equal(canvas.fitted(two, 4).class_logits, one.class_logits)


def test_a_search_of_two_rises_in_both_and_goes_on_from_its_state(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    settings = DreamSettings(steps=20, cutouts=8, ema_decay=0.8, look_every=5)
    first, second = (
        [Target(vector)] for vector in tiny_perceptor.encode_texts(["a bowl of cherries", "a green tree"])
    )
    two = Canvas(tiny_generator, Scene("cherries", "left", "tree"))

    def search(begin: State | None = None) -> Iterator[Step]:
        return dream(two, tiny_perceptor, Search((first, second), 1, settings, begin), CPU)

    steps = list(search())
    assert steps[-1].best.score > steps[0].latest.score + 1
    assert steps[-1].best.picture.shape == (3, 32, 32)
    state = State.from_bytes(replace(list(islice(search(), 9))[-1].state()).to_bytes())
    assert torch.equal(list(search(state))[-1].best.picture, steps[-1].best.picture)
    assert best_latents(state, tiny_generator).z.shape[0] == 2 * tiny_generator.rows


def test_spots_lie_within_the_canvas() -> None:
    for layout in LAYOUTS.values():
        for spot in (layout.first, *layout.second):
            assert min(spot.left, spot.top) >= 0 and max(spot.left, spot.top) + spot.side <= 1 + 1e-9


@pytest.mark.parametrize("place", [place for place, layout in LAYOUTS.items() if layout.overlap is not None])
def test_things_are_moved_until_they_meet(place: str) -> None:
    there = torch.zeros(2, 64, 64, dtype=torch.bool)
    there[0, 10:40, 8:56] = there[1, 30:50, 20:44] = True  # neither fills its panel
    layout = LAYOUTS[place]
    found = settled(layout, there)
    first = (found.first.top + found.first.side * 10 / 64, found.first.top + found.first.side * 40 / 64)
    spot = found.second[0]
    second = (spot.top + spot.side * 30 / 64, spot.top + spot.side * 50 / 64)
    upper, lower = (second, first) if place == "hat" else (first, second)
    assert layout.overlap is not None
    assert upper[1] - lower[0] == pytest.approx(layout.overlap * (upper[1] - upper[0]))
    assert upper[0] + max(lower[1], upper[1]) == pytest.approx(1)  # in the middle
    assert settled(layout, torch.zeros_like(there)) == layout


def test_a_hat_sits_on_the_head_that_juts_out() -> None:
    there = torch.zeros(2, 64, 64, dtype=torch.bool)
    there[0, 30:60, 8:56] = there[0, 8:40, 10:18] = True  # a long neck at the left
    there[1, 10:50, 10:54] = True
    found = settled(LAYOUTS["hat"], there)
    hat = found.second[0]
    assert hat.left + hat.side / 2 == pytest.approx(found.first.left + found.first.side * 14 / 64)
    assert hat.top + hat.side * 50 / 64 > found.first.top + found.first.side * 8 / 64


def test_a_hat_hides_no_eyes_that_bulge() -> None:
    there = torch.zeros(2, 64, 64, dtype=torch.bool)
    there[0, 20:58, 4:60] = True
    there[0, 8:20, 12:24] = there[0, 8:20, 40:52] = True  # a frog's
    there[1, 10:50, 4:60] = True
    found = settled(LAYOUTS["hat"], there)
    hat, eyes = found.second[0], found.first.top + found.first.side * 8 / 64
    assert hat.top + hat.side * 50 / 64 < eyes + 0.13 * hat.side


@pytest.mark.parametrize("place", list(LAYOUTS))
def test_small_things_fill_the_canvas_together_and_stay_within_it(place: str) -> None:
    there = torch.zeros(2, 64, 64, dtype=torch.bool)
    there[:, 16:48, 16:48] = True
    before = settled(LAYOUTS[place], there)
    found = filled(before, there)
    ends = []
    for spot in (found.first, *found.second):
        ends += [(spot.left + spot.side * at, spot.top + spot.side * at) for at in (0.25, 0.75)]
    low, high = (torch.tensor(ends).amin(0), torch.tensor(ends).amax(0))
    assert float(low.min()) > 0 and float(high.max()) < 1
    assert torch.allclose(low + high, torch.ones(2))  # in the middle
    assert float((high - low).max()) > 0.9 or found.first.side > 1.3 * before.first.side
    assert filled(before, torch.zeros_like(there)) == before
