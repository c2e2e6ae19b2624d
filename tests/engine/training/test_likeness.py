"""Likeness: the same is at a distance of nothing, and a missing eye weighs more than as many wrong pixels."""

import torch
from torch import Tensor

from engine.training.likeness import Likeness


def faces() -> Tensor:
    """Four round faces [4, 3, 128, 128] in -1..1 with two dark eyes, of different colours."""
    down, across = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    face = ((down - 64) ** 2 + (across - 64) ** 2) < 50**2
    eyes = sum((((down - 50) ** 2 + (across - x) ** 2) < 8**2) for x in (44, 84)).bool()
    colours = torch.tensor([[0.9, 0.7, -0.6], [0.2, 0.8, -0.2], [0.9, 0.1, 0.1], [0.1, 0.3, 0.9]])
    pictures = torch.ones(4, 3, 128, 128)
    for picture, colour in zip(pictures, colours, strict=True):
        picture[:, face] = colour[:, None]
        picture[:, eyes] = -0.9
    return pictures


def test_a_picture_is_like_itself_and_less_like_one_without_eyes_than_one_a_little_paler() -> None:
    likeness = Likeness.load()
    wanted = faces()
    blind = wanted.clone()
    eyes = wanted.amax(1, keepdim=True) == -0.9
    blind = torch.where(eyes, wanted[:, :, 64:65, 64:65], wanted)
    error = (blind - wanted).square().mean()
    covered = wanted.amin(1, keepdim=True) < 1
    paler = wanted + covered * (error / covered.float().mean()).sqrt()  # the same squared error, all over
    assert torch.isclose((paler - wanted).square().mean(), error, rtol=0.02)
    rng = torch.Generator()
    same, less, more = (
        float(likeness(some, wanted, rng.manual_seed(1)).detach()) for some in (wanted, paler, blind)
    )
    assert same == 0
    assert more > 1.2 * less > 0


def test_its_gradient_reaches_the_picture_and_its_weights_stay() -> None:
    likeness = Likeness.load()
    wanted = faces()
    shown = (0.8 * wanted).requires_grad_()
    likeness(shown, wanted, torch.Generator().manual_seed(1)).backward()
    assert shown.grad is not None and bool(shown.grad.isfinite().all()) and bool(shown.grad.any())
    assert all(parameter.grad is None for parameter in likeness.parameters())
