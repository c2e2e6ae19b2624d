"""The meaning that training gives to the pocket generator's latents."""

import pytest
import torch

from engine.pocket import latents_map
from engine.pocket.latents_map import STYLES


def rows(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, latents_map.USED, generator=torch.Generator().manual_seed(seed))


def test_every_draw_stands_for_a_style_and_the_three_richest_come_most_often() -> None:
    counts = torch.bincount(latents_map.style_index(rows(8000)), minlength=len(STYLES)) / 8000
    expected = torch.tensor([0.25, 0.125, 0.125, 0.25, 0.25])
    assert (counts - expected).abs().max() < 0.02


def test_a_row_that_is_given_a_style_stands_for_it_and_keeps_its_other_coordinates() -> None:
    z = rows(600)
    wanted = torch.arange(600) % len(STYLES)
    given = latents_map.with_style(z, wanted)
    assert torch.equal(latents_map.style_index(given), wanted)
    assert torch.equal(given[:, 3:], z[:, 3:])
    assert (given[:, :2].abs() >= latents_map.MARGIN).all()


def test_natural_colours_stay_inside_the_radius_and_outside_the_hue_wins() -> None:
    grey = torch.full((3, 3, 2, 2), 0.5)
    z = torch.zeros(3, latents_map.USED)
    z[0, 3] = latents_map.TINT_FROM - 0.01
    z[1, 3] = 3.0  # angle 0: red
    z[2, 3:5] = torch.tensor([-1.5, -2.6])  # angle 240: blue
    shown = latents_map.tint(grey, torch.ones(3, 1, 2, 2), z)
    assert torch.equal(shown[0], grey[0])
    assert (shown[1, 0] > shown[1, 1] + 0.5).all() and (shown[1, 0] > shown[1, 2] + 0.5).all()
    assert (shown[2, 2] > shown[2, 0] + 0.5).all() and (shown[2, 2] > shown[2, 1] + 0.4).all()


def test_tinted_colours_stay_colours() -> None:
    colours = torch.rand(200, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    dark = colours * torch.linspace(0, 1, 200)[:, None, None, None]
    for some in (colours, dark):
        shown = latents_map.tint(some, torch.ones(200, 1, 4, 4), rows(200) * 2)
        assert shown.min() >= -1e-6 and shown.max() <= 1 + 1e-6


def test_a_dark_thing_that_is_tinted_yellow_is_yellow_whatever_is_around_it() -> None:
    thing = torch.zeros(1, 3, 4, 4)
    thing[:, :, :, :2] = 0.15
    cover = torch.zeros(1, 1, 4, 4)
    cover[..., :2] = 1
    z = torch.zeros(1, latents_map.USED)
    z[0, 3:5] = torch.tensor([1.5, 2.6])  # 60 degrees
    red, green, blue = latents_map.tint(thing, cover, z)[0, :, 0, 0].tolist()
    assert red > 0.65 and green > 0.65 and blue < 0.2


def test_three_quarters_of_draws_keep_natural_colours() -> None:
    z = rows(8000)
    natural = torch.hypot(z[:, 3], z[:, 4]) <= latents_map.TINT_FROM
    assert 0.73 < natural.float().mean() < 0.79


def test_half_of_the_backgrounds_are_pale_and_all_are_colours() -> None:
    painted = latents_map.background(rows(4000), 16)  # [4000, 3, 16, 1]
    assert painted.min() >= 0 and painted.max() <= 1
    pale = painted.mean((1, 2, 3)) > 0.75
    assert 0.4 < pale.float().mean() < 0.8


def test_the_background_leans_the_way_its_slope_says() -> None:
    z = torch.zeros(2, latents_map.USED)
    z[:, latents_map.BACKGROUND_SLOPE] = torch.tensor([2.0, -2.0])
    painted = latents_map.background(z, 32).mean(1)[..., 0]  # [2, 32]
    assert painted[0, 0] > painted[0, -1] + 0.1
    assert painted[1, -1] > painted[1, 0] + 0.1


def test_ink_draws_the_outline_dark_and_the_inside_bolder() -> None:
    colours = torch.tensor([0.78, 0.35, 0.35])[None, :, None, None].expand(1, 3, 128, 128)
    cover = torch.zeros(1, 1, 128, 128)
    cover[..., 30:90, 20:100] = 1
    inked = latents_map.ink(colours, cover)
    assert inked[0, :, 31, 50].max() < 0.28
    assert inked[0, 0, 60, 60] - inked[0, 1, 60, 60] > 0.43  # it was exactly that


def test_a_third_of_the_draws_are_inked_and_one_in_nine_wholly() -> None:
    strength = latents_map.inking(rows(8000))
    assert strength.min() == 0 and strength.max() == 1
    assert abs(float((strength > 0).float().mean()) - 0.31) < 0.02
    assert abs(float((strength == 1).float().mean()) - 0.115) < 0.02


def test_the_ground_is_a_background_of_its_own() -> None:
    z = torch.randn(8000, 16, generator=torch.Generator().manual_seed(4))
    below, shown = latents_map.ground(z)
    assert 0.3 < (shown > 0).float().mean() < 0.38 and shown.min() >= 0 and shown.max() <= 1
    assert torch.equal(below[:, latents_map.INKING], z[:, latents_map.INKING])
    assert bool((below[:, latents_map.BACKGROUND_SLOPE] == 0).all())
    painted = latents_map.background(below[:, : latents_map.USED], 4)[:, :, 0, 0]
    for wanted in (
        (0.35, 0.65, 0.3),
        (0.9, 0.85, 0.65),
        (0.97, 0.97, 0.97),
        (0.4, 0.4, 0.45),
        (0.3, 0.45, 0.8),
    ):
        assert (painted - torch.tensor(wanted)).norm(dim=1).min() < 0.15, wanted


def test_the_horizon_is_two_thirds_down_at_every_size() -> None:
    for size in (4, 32, 64, 128):
        down = latents_map.below_horizon(size)
        assert float(down.mean()) == pytest.approx(1 - latents_map.HORIZON, abs=0.01)
        assert bool((down.diff() >= 0).all()) and down[0] == 0 and down[-1] == 1
