import pytest
import torch

from engine.errors import BadRequest
from engine.search.objective import (
    Target,
    class_term,
    cosine_score,
    direction,
    latent_term,
)


def bigsleep_latent_loss(latents: torch.Tensor) -> torch.Tensor:
    """As written, row by row, in lucidrains/big-sleep 0.9.1."""
    loss = (
        torch.abs(1 - torch.std(latents, dim=1)).mean()
        + torch.abs(torch.mean(latents, dim=1)).mean()
        + 4 * torch.max(torch.square(latents).mean(), torch.tensor(1.0))
    )
    for row in latents:
        diffs = row - row.mean()
        z = diffs / diffs.square().mean().sqrt()
        loss = (
            loss + torch.abs(z.pow(4).mean() - 3) / len(latents) + torch.abs(z.pow(3).mean()) / len(latents)
        )
    return loss


def test_the_latent_term_is_bigsleep_s() -> None:
    rng = torch.Generator().manual_seed(0)
    for scale, shift in ((1, 0), (0.5, 0.2), (2, -1)):
        z = scale * torch.randn(11, 128, generator=rng) + shift
        assert torch.allclose(latent_term(z), bigsleep_latent_loss(z), rtol=1e-4)


def test_the_class_term_spares_only_the_largest_of_each_row() -> None:
    assert class_term(torch.eye(4)) == 0
    weights = torch.tensor([[0.9, 0.2, 0.0], [0.0, 0.1, 0.8]])
    expected = (50**2) * (0.2**2 + 0.1**2) / 4
    assert torch.allclose(class_term(weights), torch.tensor(expected))
    assert class_term(torch.ones(3, 1)) == 0


def test_the_score_is_a_hundred_times_the_cosine() -> None:
    text = torch.tensor([1.0, 0.0])
    views = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8]])
    assert torch.allclose(cosine_score(text, views), torch.tensor([100.0, 0.0, -100.0, 60.0]))


ONE, OTHER = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])


def test_targets_pull_by_weight_and_what_is_avoided_counts_against_the_picture() -> None:
    assert torch.equal(direction([Target(ONE)]), ONE)
    assert torch.equal(direction([Target(ONE, 7.0)]), ONE)  # one phrase's weight changes nothing
    assert torch.allclose(direction([Target(ONE, 3.0), Target(OTHER, 1.0)]), torch.tensor([0.75, 0.25]))
    assert torch.allclose(direction([Target(ONE), Target(OTHER, -0.5)]), torch.tensor([1.0, -0.5]))


@pytest.mark.parametrize(
    "weights", [[], [0.0], [0.0, 0.0], [-1.0], [0.0, -2.0], [float("nan"), 1], [float("inf")]]
)
def test_weights_that_leave_nothing_to_dream_of_are_refused(weights: list[float]) -> None:
    with pytest.raises(BadRequest, match="weight"):
        direction([Target(ONE, weight) for weight in weights])
