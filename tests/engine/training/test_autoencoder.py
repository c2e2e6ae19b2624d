"""What the pocket generator's codes are found with: an encoder, seams between drawings, errors that count."""

import torch
from torch import Tensor

from engine.pocket.codes import LEVELS
from engine.pocket.decoder import CHANNELS, SIDE, SIZE
from engine.training.autoencoder import Autoencoder, error, mixed, roughened, rounded, seams, squared


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def squares(count: int) -> Tensor:
    """Premultiplied squares [count, 4, 256, 256] of random colours on nothing."""
    found = torch.zeros(count, 4, SIZE, SIZE)
    found[:, 3, 64:192, 64:192] = 1
    found[:, :3, 64:192, 64:192] = torch.rand(count, 3, 1, 1, generator=seeded(0))
    return found


def test_a_drawing_s_code_begins_with_the_means_of_its_cells_and_fits_eight_bits() -> None:
    model, given = Autoencoder(1), squares(2)
    with torch.no_grad():
        codes = model(given)
        shown = model.decoder(codes)
    assert codes.shape == (2, CHANNELS, SIDE, SIZE // 16) and codes.abs().max() <= 1
    assert shown.shape == given.shape
    inside, outside = codes[:, :4, 8, 8] / 2 + 0.5, codes[:, :4, 1, 1] / 2 + 0.5
    assert torch.allclose(inside, given[:, :, 136, 136], atol=1e-5) and not outside.any()


def test_the_same_seed_begins_with_the_same_weights_and_leaves_other_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = Autoencoder(1), Autoencoder(1), Autoencoder(2)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_codes_are_learnt_with_more_error_than_a_file_brings() -> None:
    codes = torch.rand(4, CHANNELS, SIDE, SIDE, generator=seeded(0)) * 2 - 1
    kept = rounded(codes)
    assert kept.dtype == torch.int8 and int(kept.abs().max()) <= LEVELS
    assert torch.equal(
        rounded(torch.tensor([-1.0, 0.0, 1.0])).int(), torch.tensor([-LEVELS, 0, LEVELS]).int()
    )
    by_file = (kept.float() / LEVELS - codes).abs().max()
    by_training = (roughened(codes, seeded(1)) - codes).abs()
    assert 0.4 / LEVELS < by_file < 0.51 / LEVELS
    assert by_training.max() < 1.01 / LEVELS and by_training.max() > 1.9 * by_file


def test_seams_are_halves_at_random_angles() -> None:
    share = seams(400, seeded(0))
    assert share.shape == (400, 1, SIDE, SIDE) and share.min() >= 0 and share.max() <= 1
    assert abs(float(share.mean()) - 0.5) < 0.05
    assert float(share.mean((1, 2, 3)).min()) > 0.1 and float(share.mean((1, 2, 3)).max()) < 0.9
    assert float(((share < 0.1) | (share > 0.9)).float().mean()) > 0.6  # one or the other in most cells
    corners = share[:, 0][:, [0, 0, -1, -1], [0, -1, 0, -1]]  # [400, 4]
    assert bool(((corners > 0.5).float().mean(0) - 0.5).abs().max() < 0.1)


def test_halves_of_two_drawings_have_the_codes_of_either_in_the_same_places() -> None:
    drawings, rng = squares(6), seeded(2)
    codes = torch.arange(6).float()[:, None, None, None].expand(-1, CHANNELS, SIDE, SIDE)
    shown, both = mixed(drawings, codes, 2, rng)
    assert torch.equal(shown[2:], drawings[2:]) and torch.equal(both[2:], codes[2:])
    for index in (0, 1):
        share = (both[index, 0] - codes[index + 2, 0]) / (codes[index, 0] - codes[index + 2, 0])  # [16, 16]
        assert share.min() < 0.1 and share.max() > 0.9
        for y, x in ((5, 5), (5, 10), (10, 5), (10, 10)):
            cell = shown[index, :, 16 * y + 8, 16 * x + 8]
            expected = torch.lerp(drawings[index + 2, :, 128, 128], drawings[index, :, 128, 128], share[y, x])
            assert torch.allclose(cell, expected, atol=0.05)


def test_a_blurred_edge_costs_more_than_as_much_error_all_over() -> None:
    given = squares(2)
    assert error(given, given) == 0 == squared(given, given)
    blurred = torch.nn.functional.avg_pool2d(given, 9, 1, 4)
    even = given + (blurred - given).abs().mean()
    assert error(blurred, given) > 1.2 * error(even, given) > 0
    assert squared(given * 0.5, given) > 0


def test_errors_give_gradients_that_lead_to_the_drawing() -> None:
    given = squares(1)
    shown = torch.full_like(given, 0.3).requires_grad_()
    before = (shown.detach() - given).abs().mean()
    optimiser = torch.optim.Adam([shown], lr=0.03)
    for _ in range(12):
        optimiser.zero_grad()
        (error(shown, given) + squared(shown, given)).backward()
        optimiser.step()
    assert (shown.detach() - given).abs().mean() < 0.5 * before
