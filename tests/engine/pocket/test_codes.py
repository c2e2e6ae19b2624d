"""The class embedding that is a map: bands of cells, a drawing for each class and style, mixed by weights."""

import pytest
import torch
from torch import Tensor

from engine.pocket.codes import BANDS, FAINT, LEVELS, Codes
from engine.pocket.decoder import CHANNELS, SIDE

NUMBER = torch.tensor([[0, 1, 2], [3, -1, 4], [-1, 5, -1]], dtype=torch.int16)  # 3 classes, 3 styles
STYLES = NUMBER.shape[1]


@pytest.fixture(scope="module")
def drawings() -> Tensor:
    shape = (6, CHANNELS, SIDE, SIDE)
    rng = torch.Generator().manual_seed(0)
    return torch.randint(-LEVELS, LEVELS + 1, shape, dtype=torch.int8, generator=rng)


@pytest.fixture(scope="module")
def codes(drawings: Tensor) -> Codes:
    return Codes(drawings, NUMBER)


def weights(*bands: dict[int, float]) -> Tensor:
    """Class weights [1, 8, 3] of one band after the other, the last for all that follow."""
    found = torch.zeros(1, BANDS, len(NUMBER))
    for band in range(BANDS):
        for number, weight in bands[min(band, len(bands) - 1)].items():
            found[0, band, number] = weight
    return found


def style(number: int) -> Tensor:
    """Scores [1, styles] of which this one's is the highest."""
    scores = torch.zeros(1, STYLES)
    scores[0, number] = 1
    return scores


@pytest.mark.parametrize(("which", "drawn_in", "drawing"), [(0, 0, 0), (0, 2, 2), (1, 2, 4), (2, 1, 5)])
def test_one_class_in_one_style_is_its_drawing_whatever_its_weight(
    which: int, drawn_in: int, drawing: int, codes: Codes, drawings: Tensor
) -> None:
    for weight in (1.0, 0.3):
        found = codes(weights({which: weight}), style(drawn_in))
        assert torch.allclose(found[0], drawings[drawing].float() / LEVELS, atol=1e-6)
    assert found.abs().max() <= 1


def test_each_row_chooses_what_stands_in_its_band_of_cells(codes: Codes, drawings: Tensor) -> None:
    found = codes(weights({0: 1.0}, {0: 1.0}, {1: 1.0}), style(0))[0] * LEVELS
    cut = 2 * SIDE // BANDS
    assert torch.allclose(found[:, :cut], drawings[0, :, :cut].float(), atol=1e-3)
    assert torch.allclose(found[:, cut:], drawings[3, :, cut:].float(), atol=1e-3)


def test_where_a_class_has_no_drawing_of_a_style_the_best_that_it_has_takes_its_place(
    codes: Codes, drawings: Tensor
) -> None:
    scores = torch.tensor([[0.1, 2.0, 0.9]])  # the second style, then the third
    assert torch.allclose(codes(weights({1: 1.0}), scores)[0] * LEVELS, drawings[4].float(), atol=1e-3)
    for scores in torch.randn(8, 1, STYLES, generator=torch.Generator().manual_seed(1)):
        found = codes(weights({2: 1.0}), scores)[0]
        assert torch.allclose(found * LEVELS, drawings[5].float(), atol=1e-3)


def test_a_style_is_one_alone_and_its_gradient_a_soft_choice(codes: Codes, drawings: Tensor) -> None:
    scores = torch.tensor([[0.2, 0.3, 0.1]]).requires_grad_()  # hardly apart, and yet no mixture
    found = codes(weights({0: 1.0}), scores)
    assert torch.allclose(found[0] * LEVELS, drawings[1].float(), atol=1e-3)
    towards = drawings[2].float() / LEVELS  # what the third style would draw
    (found[0] - towards).square().sum().backward()
    assert scores.grad is not None and bool((scores.grad != 0).all())
    assert scores.grad[0, 2] < 0  # down the slope its score rises


def test_classes_count_by_the_squares_of_their_weights(codes: Codes, drawings: Tensor) -> None:
    found = codes(weights({0: 0.8, 1: 0.4}), style(0))[0] * LEVELS
    expected = 0.8 * drawings[0].float() + 0.2 * drawings[3].float()
    assert torch.allclose(found, expected, atol=1e-3)
    half = codes(weights({0: 0.5, 1: 0.5}), style(0))[0] * LEVELS
    assert torch.allclose(half, (drawings[0].float() + drawings[3].float()) / 2, atol=1e-3)


def test_hundreds_of_faint_classes_are_left_out_and_a_fainter_share_costs_no_gradient(
    drawings: Tensor,
) -> None:
    many = Codes(drawings, NUMBER[:1].expand(500, -1).clone().index_fill(0, torch.tensor([499]), 3))
    some = torch.full((1, BANDS, 500), 0.0025)
    some[..., 499] = 0.9
    some.requires_grad_()
    found = many(some, style(0))
    assert torch.allclose(found[0] * LEVELS, drawings[3].float(), atol=0.5)
    found.square().sum().backward()
    assert some.grad is not None
    faint = float((0.0025 / 0.9) ** 2)
    assert faint < FAINT  # what the start of a search leaves to all other classes
    blurred = (1 - faint * 499) * drawings[3].float() + faint * 499 * drawings[0].float()
    assert (blurred - drawings[3].float()).abs().max() < 2  # of 127: nobody sees them


def test_a_gradient_reaches_the_weights_of_all_classes_that_count(codes: Codes) -> None:
    some = weights({0: 0.7, 1: 0.2, 2: 0.05}).requires_grad_()
    scores = style(0).requires_grad_()
    codes(some, scores).square().sum().backward()
    assert some.grad is not None and bool((some.grad != 0).all())


def test_no_class_at_all_is_no_drawing_rather_than_no_number(codes: Codes) -> None:
    found = codes(torch.zeros(1, BANDS, 3), style(0))
    assert bool(found.isfinite().all()) and not found.any()
