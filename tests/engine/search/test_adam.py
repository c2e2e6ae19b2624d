"""Adam moves as torch's does, to the last bit, and keeps what a state needs."""

import torch

from engine.search.adam import Adam


def test_it_moves_as_torch_s_does() -> None:
    torch.manual_seed(1)
    start = [torch.randn(13, 48), torch.randn(5)]
    ours, theirs = ([one.clone().requires_grad_() for one in start] for _ in range(2))
    mine, other = Adam(ours, 0.07), torch.optim.Adam(theirs, lr=0.07)
    for step in range(30):
        mine.rate = other.param_groups[0]["lr"] = 0.07 / (1 + step)
        for parameters, optimizer in ((ours, mine), (theirs, other)):
            optimizer.zero_grad()  # type: ignore[attr-defined]
            sum((one.sin() * (index + 1)).sum() for index, one in enumerate(parameters)).backward()  # type: ignore[union-attr]
            optimizer.step()  # type: ignore[attr-defined]
    for own, other_one in zip(ours, theirs, strict=True):
        assert torch.equal(own, other_one)
        assert torch.equal(mine.moments[own].second, other.state[other_one]["exp_avg_sq"])


def test_what_has_no_gradient_stays() -> None:
    moved, stays = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    adam = Adam([moved, stays], 0.1)
    moved.sum().backward()
    adam.step()
    assert torch.equal(stays, torch.ones(2)) and stays not in adam.moments
    assert torch.allclose(moved, torch.full((2,), 0.9))
