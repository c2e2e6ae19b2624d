"""What the latents of the pocket generator mean: each number in one row alone, the rest by choice."""

import torch
from torch import Tensor

from engine.pocket import finishes, grounds_painted, latents, posture, tints
from engine.pocket.abilities import LATENT_MAP
from engine.search.start import WIDE
from engine.training.sources import STYLES
from engine.words.colours import TINTS

MEANINGS = (
    (latents.STYLE_ROW, latents.STYLE),
    (latents.FINISH_ROW, latents.FINISH),
    (latents.POSTURE_ROW, latents.POSTURE),
    (latents.TINT_ROW, latents.TINT),
    (latents.MATERIAL_ROW, slice(latents.MADE, latents.MADE + 1)),
    (latents.GROUND_ROW, latents.GROUND),
)


def draws(count: int, seed: int = 0) -> Tensor:
    """z [count, rows, Z_DIM]"""
    return torch.randn(count, latents.ROWS, latents.Z_DIM, generator=torch.Generator().manual_seed(seed))


def test_each_number_means_one_thing_and_all_fit() -> None:
    taken = [number for _, some in MEANINGS for number in range(some.start, some.stop)]
    assert len(set(taken)) == len(taken) and max(taken) < latents.Z_DIM
    rows = [row for row, _ in MEANINGS]
    assert len(set(rows)) == len(rows) and max(rows) < latents.ROWS


def test_each_part_has_as_many_numbers_as_it_takes() -> None:
    length = {row: some.stop - some.start for row, some in MEANINGS}
    assert length[latents.STYLE_ROW] == len(STYLES)
    assert length[latents.FINISH_ROW] == len(finishes.FINISHES)
    assert length[latents.POSTURE_ROW] == posture.NUMBERS
    assert length[latents.GROUND_ROW] == grounds_painted.NUMBERS


def test_about_half_of_all_draws_have_no_finish_and_each_finish_comes_about_as_often() -> None:
    count = len(finishes.FINISHES)
    found = latents.finishes(draws(8000), count)
    assert found.shape == (8000, count) and found.min() == 0 and found.max() == 1
    assert 0.48 < float((found.sum(1) == 0).float().mean()) < 0.6
    seen = found[found.amax(1) > 0.5].argmax(1).bincount(minlength=count) / 8000
    assert seen.min() > 0.7 * seen.max()


def test_the_finish_with_the_highest_score_is_seen_alone_and_sets_in_slowly() -> None:
    z = draws(500)
    z[:, latents.FINISH_ROW, latents.FINISH] += 2  # most have several high scores
    found = latents.finishes(z, len(finishes.FINISHES))
    assert bool(((found > 0).sum(1) <= 1).all())
    best = z[:, latents.FINISH_ROW, latents.FINISH].argmax(1)
    assert bool((found.argmax(1) == best)[found.amax(1) > 0].all())
    one = torch.zeros(1, latents.ROWS, latents.Z_DIM)
    one[:, latents.FINISH_ROW, latents.FINISH.start + 3] = (latents.FINISH_FROM + latents.FINISH_FULL) / 2
    one.requires_grad_()
    half = latents.finishes(one, len(finishes.FINISHES))
    assert 0.4 < float(half[0, 3].detach()) < 0.6
    half.sum().backward()
    assert one.grad is not None and int((one.grad != 0).sum()) == 1


def test_chance_makes_nothing_of_another_thing_and_words_do_wholly() -> None:
    z = draws(40_000)
    assert float((latents.made(z) > 0).float().mean()) < 0.001
    assert float((latents.made(WIDE * z) > 0).float().mean()) < 0.03  # of what a start draws wide
    asked = LATENT_MAP.made(z[:50])
    assert not asked[:, latents.TINT_ROW, latents.TINT].any()  # in its stuff's own colours
    asked[:, latents.MATERIAL_ROW, latents.MADE] -= 1.2  # as far as a search goes back
    assert torch.equal(latents.made(asked), torch.ones(50))
    changed = (asked != z[:50]).nonzero()
    tint = [[latents.TINT_ROW, at] for at in range(latents.TINT.start, latents.TINT.stop)]
    assert changed[:, 1:].unique(dim=0).tolist() == [*tint, [latents.MATERIAL_ROW, latents.MADE]]


def test_plain_things_are_calm_and_in_natural_colours_and_yet_no_two_are_alike() -> None:
    z = LATENT_MAP.plain(draws(2000))
    assert float((latents.finishes(z, len(finishes.FINISHES)) > 0).any(1).float().mean()) < 0.02
    ground = z[:, latents.GROUND_ROW, latents.GROUND]
    assert float((grounds_painted.calm(ground) < 1).float().mean()) < 0.05
    tint = latents.NATURAL * z[:, latents.TINT_ROW, latents.TINT]
    assert float((tint.norm(dim=1) > tints.FROM).float().mean()) < 0.02
    styles = z[:, latents.STYLE_ROW, latents.STYLE].argmax(1).bincount(minlength=len(STYLES))
    assert styles.min() > 0.7 * styles.max() and bool((z.std((0, 1)) > 0.4).all())


def test_what_is_sober_has_a_finish_or_a_motif_and_not_both() -> None:
    z = draws(2000)
    sober = LATENT_MAP.sober(z)

    def bold(some: Tensor) -> tuple[Tensor, Tensor]:
        finish = (latents.finishes(some, len(finishes.FINISHES)) > 0).any(1)
        return finish, grounds_painted.calm(some[:, latents.GROUND_ROW, latents.GROUND]) < 1

    finish, motif = bold(z)
    kept_finish, kept_motif = bold(sober)
    assert bool((finish & motif).any()) and not bool((kept_finish & kept_motif).any())
    assert torch.equal(kept_finish | kept_motif, finish | motif)
    assert torch.equal(sober[~(finish & motif)], z[~(finish & motif)])
    both = finish & motif
    assert 0.2 < float(kept_finish[both].float().mean()) < 0.8  # neither rules alone
    many_finish, many_motif = bold(LATENT_MAP.sober(z, alone=False))
    assert torch.equal(many_finish, finish) and not bool(many_motif.any())


def test_a_canvas_a_ground_and_a_colour_change_no_other_row() -> None:
    z, rng = draws(6), torch.Generator().manual_seed(1)
    which = torch.tensor([True, False] * 3)[:, None]
    numbers = grounds_painted.near("night", rng, 6)
    for row, some, found in (
        (latents.POSTURE_ROW, latents.POSTURE, LATENT_MAP.standing(z)),
        (latents.GROUND_ROW, latents.GROUND, LATENT_MAP.on(z, numbers)),
        (latents.TINT_ROW, latents.TINT, LATENT_MAP.tinted(z, TINTS["green"], which, rng)),
    ):
        moved = (found != z).nonzero()
        assert set(moved[:, 1].tolist()) == {row}
        assert set(moved[:, 2].tolist()) <= set(range(some.start, some.stop))
    tinted = LATENT_MAP.tinted(z, TINTS["green"], which, rng)
    assert (tinted != z).flatten(1).any(1).tolist() == [True, False] * 3
    assert torch.equal(LATENT_MAP.on(z, numbers)[:, latents.GROUND_ROW, latents.GROUND], numbers)


def test_rows_that_a_picture_shares_or_a_seed_chooses_are_those_that_say_no_thing() -> None:
    things = {latents.MATERIAL_ROW, latents.TINT_ROW}
    for rows in (LATENT_MAP.shared, LATENT_MAP.manner):
        assert len(set(rows)) == len(rows) and not things & set(rows) and set(rows) < set(range(latents.ROWS))
    assert LATENT_MAP.background == latents.GROUND_ROW
    assert {latents.STYLE_ROW, latents.GROUND_ROW} <= set(LATENT_MAP.shared)
