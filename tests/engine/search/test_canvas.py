"""How a canvas shows two things in one picture, and that a search of it moves both."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
import torch

from engine.models.generator import BakedBigGAN, OnePanel
from engine.models.perceptor import Perceptor
from engine.pocket.abilities import LATENT_MAP
from engine.pocket.latents_map import (
    BACKGROUND_DEPTH,
    BACKGROUND_HUE,
    BACKGROUND_ROW,
    GROUND,
    GROUND_DEPTH,
    GROUND_HUE,
    background,
    below_horizon,
    contrasting,
    ground,
)
from engine.search import canvas, cutouts
from engine.search.canvas import (
    LAYOUTS,
    Canvas,
    Spot,
    cut_out,
    settled,
)
from engine.search.latents import Latents
from engine.search.loop import Step, best_latents, dream
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Search
from engine.search.state import State
from engine.words.scene import Scene

CPU = torch.device("cpu")
LAND = below_horizon(64)
COLOUR_ROW = 1
RED, BLUE, WHITE = (torch.tensor(colour) for colour in ((2.0, -2, -2), (-2.0, -2, 2), (4.0, 4, 4)))


class Painter(OnePanel):
    """Paints a square of the colour that row 1 says on the background that the background row says.

    Columns before `since` of the second panel's things are missing.
    """

    name, size, rows, z_dim, classes = "painter", 64, 10, 16, 2
    latent_map, abilities = LATENT_MAP, frozenset()

    def __init__(self, since: int = 8) -> None:
        self.since = since

    def __call__(self, z: torch.Tensor, class_weights: torch.Tensor) -> torch.Tensor:
        self.z = z
        below, share = ground(z[:, BACKGROUND_ROW])
        sky, land = (2 * background(row, 64) - 1 for row in (z[:, BACKGROUND_ROW], below))
        share = share[:, None, None, None] * below_horizon(64)[:, None]
        pictures = torch.lerp(sky, land, share).expand(-1, -1, -1, 64).clone()
        colours = torch.tanh(z[:, COLOUR_ROW, :3])[..., None, None]
        pictures[..., 8:56, 8:56] = colours
        pictures[1::2, ..., 8 : self.since] = pictures[1::2, ..., :1]
        return pictures


def latents(
    first: torch.Tensor, second: torch.Tensor, depth: float = -1.0, land: float | None = None
) -> torch.Tensor:
    """Rows [1, 20, 16] of two things on a plain background: white unless `depth` makes it dark; below the
    horizon as `land` says, if it does."""
    z = torch.zeros(1, 20, 16)
    z[:, COLOUR_ROW, :3], z[:, 10 + COLOUR_ROW, :3] = first, second
    z[:, BACKGROUND_ROW, BACKGROUND_DEPTH] = depth
    z[:, BACKGROUND_ROW, GROUND] = -1 if land is None else 1
    z[:, BACKGROUND_ROW, GROUND_DEPTH] = land or 0
    return z


def shown(place: str, z: torch.Tensor, since: int = 8) -> torch.Tensor:
    return Canvas(Painter(since), Scene("a", place, "b"))(z, torch.rand(1, 20, 2))[0]  # [3, 128, 128]


def middle(spot: Spot) -> tuple[int, int]:
    return int(128 * (spot.top + spot.side / 2)), int(128 * (spot.left + spot.side / 2))


@pytest.mark.parametrize("place", list(LAYOUTS))
def test_each_thing_is_shown_at_its_spot_and_the_ground_around(place: str) -> None:
    layout, picture = LAYOUTS[place], shown(place, latents(RED, BLUE))
    red, blue = picture[0] - picture[2] > 1.5, picture[2] - picture[0] > 1.5
    front = (red[middle(layout.first)],) if layout.front == 0 else (blue[middle(s)] for s in layout.second)
    assert all(front)
    whole = [(0.75 * 128 * spot.side) ** 2 for spot in (layout.first, *layout.second)]
    assert 0.25 * whole[0] < red.sum() < 1.05 * whole[0]
    assert 0.25 * sum(whole[1:]) < blue.sum() < 1.05 * sum(whole[1:])
    assert (picture[:, :2, :2] > 0.99).all() and (picture[:, -2:, -2:] > 0.99).all()


def test_around_what_is_in_front_one_sees_what_is_behind() -> None:
    z = latents(RED, BLUE)
    whole, half = (
        shown("glasses", z),
        shown("glasses", z, since=40),
    )  # of the other only the right part is there
    spot = LAYOUTS["glasses"].second[0]
    y, x = middle(spot)
    assert whole[2, y, x - 4] > 0.9 and half[2, y, x - 4] < -0.9 and half[0, y, x - 4] > 0.9
    assert half[2, y, x + 12] > 0.9


def test_twins_are_each_others_mirror_image() -> None:
    picture = shown("wings", latents(RED, BLUE), since=30)
    assert torch.allclose(picture, picture.flip(-1), atol=1e-4)
    assert not torch.allclose(picture[..., :64], picture[..., 64:], atol=0.5)


@pytest.mark.parametrize(("depth", "land"), [(-1.0, None), (2.4, None), (-1.0, 2.0), (2.4, -2.0), (2.4, 2.0)])
@pytest.mark.parametrize("colour", [RED, WHITE, -WHITE])
def test_a_thing_is_cut_out_whatever_its_and_the_backgrounds_colour(
    depth: float, land: float | None, colour: torch.Tensor
) -> None:
    z = latents(colour, colour, depth, land)[:, :10]
    paint = Painter()
    panels = paint(z, torch.rand(1, 10, 2))
    cover, things, clear = cut_out(panels, paint(contrasting(z), torch.rand(1, 10, 2)), LAND)
    thing = torch.zeros(64, 64)
    thing[8:56, 8:56] = 1
    assert torch.allclose(cover[0, 0], thing, atol=1e-4)
    assert torch.allclose(things[0, :, 8:56, 8:56], torch.tanh(colour)[:, None, None].expand(-1, 48, 48))
    assert (clear[0, 0] * thing < 1e-5).all() and clear[0, 0, 4, 4] == 1


def test_a_half_covered_pixel_has_its_things_own_colour() -> None:
    red = torch.tensor([0.8, -0.8, -0.8])[None, :, None, None].expand(1, 3, 64, 64)
    white, dark = torch.ones(1, 3, 64, 64), -0.5 * torch.ones(1, 3, 64, 64)
    share = torch.zeros(1, 1, 64, 64)
    share[..., 20:40, 20:40] = 0.5
    cover, things, _ = cut_out(torch.lerp(white, red, share), torch.lerp(dark, red, share), LAND)
    assert torch.allclose(cover, share, atol=1e-3)
    assert torch.allclose(things[..., 20:40, 20:40], red[..., 20:40, 20:40], atol=1e-3)


def test_a_thing_as_wide_as_its_panel_is_no_background() -> None:
    red = torch.tensor([0.8, -0.8, -0.8])[None, :, None, None]
    panels, other = torch.ones(2, 3, 64, 64), -0.5 * torch.ones(2, 3, 64, 64)
    panels[..., 20:40, :] = other[..., 20:40, :] = red
    cover, _, clear = cut_out(panels, other, LAND)
    assert (cover[..., 20:40, 2:-2] == 1).all() and (cover[..., :18, :] == 0).all()
    ground = canvas.common_ground(panels[None], clear[None], LAND)
    assert torch.allclose(ground, torch.ones(1, 3, 64, 1), atol=1e-3)


def test_the_canvas_has_one_horizon() -> None:
    picture = shown("left", latents(RED, BLUE, land=2.0))
    top, bottom = picture[:, :80, :2], picture[:, 90:, :2]
    assert (top > 0.95).all() and (bottom < 0).all()
    assert (picture[:, :20] > 0.99).all()  # and no panel's own


def test_where_no_background_is_known_panels_are_whole() -> None:
    picture = torch.rand(1, 3, 64, 64)
    cover, things, _ = cut_out(picture, picture, LAND)
    assert (cover[..., 2:-2, 2:-2] == 1).all()
    assert torch.allclose(things, picture)
    z = torch.randn(2, 6, 16)
    assert torch.equal(contrasting(z), z)


def test_the_sheet_shows_each_thing_alone_and_its_gradient_reaches_both_and_their_ground() -> None:
    z = latents(RED, BLUE, depth=1.0)
    z[..., [BACKGROUND_HUE[0], GROUND_HUE[0]]] = 1.0  # at 0, 0 an angle has no gradient
    z.requires_grad_()
    sheet = Canvas(Painter(), Scene("a", "hat", "b")).sheet(z, torch.rand(1, 20, 2))
    assert sheet.shape == (1, 3, 128, 128)
    red, blue = (torch.tanh(colour)[:, None, None].expand(-1, 48, 48) for colour in (RED, BLUE))
    assert torch.equal(sheet[0, :, 8:56, 8:56], red) and torch.equal(sheet[0, :, 8:56, 72:120], blue)
    sheet.square().sum().backward()
    assert z.grad is not None
    moved = z.grad.abs().sum(2)[0] > 0
    assert moved.nonzero()[:, 0].tolist() == [COLOUR_ROW, BACKGROUND_ROW, 10 + COLOUR_ROW]


def test_two_things_share_style_and_background() -> None:
    base = Painter()
    z = torch.randn(1, 20, 16)
    Canvas(base, Scene("", "left", "")).sheet(z, torch.rand(1, 20, 2))
    first, second = base.z
    assert (first == second).all(1).nonzero()[:, 0].tolist() == [0, BACKGROUND_ROW]
    assert torch.equal(first, z[0, :10])


def test_views_look_at_either_thing_and_mirrored_ones_at_both() -> None:
    views = cutouts.draw(32, cutouts.Sizes(), "smooth", torch.Generator().manual_seed(1))
    two = Canvas(Painter(), Scene("a", "wings", "b"))
    aimed = canvas.aimed(views, 2)
    assert aimed.panel is not None and aimed.mirrored is not None
    seen = cutouts.see(
        two.sheet(latents(RED, BLUE), torch.rand(1, 20, 2)), replace(aimed, colour=None), 8, "triangle"
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
    assert steps[-1].best.picture.shape == (3, 64, 64)
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
