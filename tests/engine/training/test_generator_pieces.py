"""The parts of the pocket generator's training: what is shown how often, norm, optimiser, codes."""

import torch

from engine.pocket.latents_map import STYLES
from engine.training.generator_data import (
    ASKED_OFTEN,
    SHOWN_FIRST,
    Drawings,
    familiarity,
    shrink,
)
from engine.training.generator_net import (
    TRUNK,
    TrainedGenerator,
    configuration,
    norm_relu,
)
from engine.training.generator_optimiser import Muon, orthogonal
from engine.training.train_generator import class_codes


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


def test_a_norm_s_statistics_follow_what_it_sees_and_open_what_was_shut() -> None:
    rng = torch.Generator().manual_seed(5)
    model = TrainedGenerator(configuration(5, width=16), rng)
    z = torch.randn(16, 10, 128, generator=rng)
    e = torch.randn(16, 10, 243, generator=rng)
    block = model.blocks[TRUNK - 1]
    shown: list[torch.Tensor] = []
    block.conv_3.register_forward_pre_hook(lambda _, x: shown.append((x[0] > 0).float().mean((0, 2, 3))))
    with torch.no_grad():
        model.trunk(z, e, measure=1.0)
        block.bn_3.running_means += 50  # nothing gets over this
        model.trunk(z, e)
        assert not shown[-1].any()
        for _ in range(20):
            model.trunk(z, e, measure=0.2)
    assert (shown[-1] > 0.05).float().mean() > 0.7


def test_the_channels_in_which_the_top_began_as_a_picture_keep_their_statistics() -> None:
    rng = torch.Generator().manual_seed(6)
    model = TrainedGenerator(configuration(5, width=16), rng)
    z = torch.randn(16, 10, 128, generator=rng)
    e = torch.randn(16, 10, 243, generator=rng)
    first, last = model.blocks[TRUNK], model.net.generator.bn
    with torch.no_grad():
        model.trunk(z, e, measure=1.0)
        model.start_top(z, e)
        before = {name: value.clone() for name, value in model.state_dict().items() if "running" in name}
        model.top(3 * model.trunk(z, e), z, e, measure=0.5)
    names = {id(value): name for name, value in model.named_buffers()}
    for bn, held in (
        (first.bn_0, slice(None)),
        (first.bn_1, slice(0, 4)),
        (first.bn_3, slice(0, 7)),
        (last, model.quiet),
    ):
        old = before[names[id(bn.running_means)]]
        assert torch.equal(bn.running_means[:, held], old[:, held])
    assert not torch.equal(first.bn_1.running_vars, before[names[id(first.bn_1.running_vars)]])


def test_classes_that_look_alike_begin_alike() -> None:
    pictures = torch.zeros(4, 128, 128, 4, dtype=torch.uint8)
    for number, (edge, colour) in enumerate(((40, 0), (42, 0), (40, 2), (10, 1))):
        pictures[number, edge : 128 - edge, edge : 128 - edge, colour] = 220
        pictures[number, edge : 128 - edge, edge : 128 - edge, 3] = 255
    index = torch.arange(4)[:, None].expand(4, len(STYLES)).contiguous()
    codes = class_codes(Drawings(pictures, shrink(pictures), index, torch.ones(4), []), 8).t()
    assert codes.shape == (4, 8) and codes.isfinite().all()
    assert abs(float(codes.square().mean()) - 1) < 1e-4
    apart = torch.cdist(codes, codes)
    assert apart[0, 1] < apart[0, 2] and apart[0, 1] < apart[0, 3]
