"""The parts of the pocket generator's training: weights of things, norm, optimiser and idle channels."""

import torch

from engine.pocket.generator_data import ASKED_OFTEN, SHOWN_FIRST, familiarity
from engine.pocket.generator_net import TRUNK, TrainedGenerator, configuration, norm_relu
from engine.pocket.generator_optimiser import Muon, orthogonal


def test_what_is_asked_often_is_shown_most_and_what_is_familiar_more_than_the_rest() -> None:
    assert not ASKED_OFTEN & set(SHOWN_FIRST)
    assert familiarity("cherries") == familiarity("owl") > familiarity("coral") > familiarity("abacus") > 0


def test_the_norm_has_the_gradients_of_the_formula() -> None:
    rng = torch.Generator().manual_seed(3)
    x = torch.randn(2, 3, 5, 5, generator=rng, dtype=torch.float64).requires_grad_()
    for batch in (2, 1):
        scale = torch.randn(batch, 3, 1, 1, generator=rng, dtype=torch.float64).requires_grad_()
        offset = torch.randn(batch, 3, 1, 1, generator=rng, dtype=torch.float64).requires_grad_()
        assert torch.equal(norm_relu(x, scale, offset), (x * scale + offset).relu())
        assert torch.autograd.gradcheck(norm_relu, (x, scale, offset))


def test_muon_steps_as_far_along_a_weak_direction_as_along_a_strong_one() -> None:
    rng = torch.Generator().manual_seed(4)
    lopsided = torch.randn(8, 40, generator=rng) * torch.logspace(0, -2, 8)[:, None]
    values = torch.linalg.svdvals(orthogonal(lopsided))
    assert values.max() < 1.3 and values.min() > 0.4
    assert not orthogonal(torch.zeros(4, 6)).any()
    kernel = torch.randn(8, 4, 3, 3, generator=rng).requires_grad_()
    start = float(kernel.detach().square().sum())
    muon = Muon([{"params": [kernel]}], 0.05)
    for _ in range(20):
        muon.zero_grad()
        kernel.square().sum().backward()
        muon.step()
    assert kernel.detach().square().sum() < 0.8 * start


def test_channels_that_a_norm_has_shut_are_woken_and_the_others_stay() -> None:
    rng = torch.Generator().manual_seed(5)
    model = TrainedGenerator(configuration(5, width=16), rng)
    z = torch.randn(16, 10, 128, generator=rng)
    e = torch.randn(16, 10, 128, generator=rng)
    with torch.no_grad():
        model.trunk(z, e, measure=True)
        model.revive(z, e, rng)  # a random network has a few of its own
        block = model.blocks[TRUNK - 1]
        block.bn_3.running_means[:, :5] += 50  # nothing gets over this
        shut = []
        block.conv_3.register_forward_pre_hook(lambda _, x: shut.append((x[0] > 0).float().mean((0, 2, 3))))
        before = model.trunk(z, e)
        kept = block.conv_3.weight[:, 5:].clone()
        assert not shut[-1][:5].any()
        assert model.revive(z, e, rng) == 5
        after = model.trunk(z, e)
    assert (shut[-1][:5] > 0.2).all()
    assert torch.equal(block.conv_3.weight[:, 5:], kept)
    assert (after - before).abs().mean() < 0.3 * before.std()
