"""The critic of the pocket generator's last minutes: it learns to tell, and points towards drawings."""

import torch

from engine.training.critic import HEAD_START, Critic


def sharp_and_soft(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Squares [count, 3, 64, 64] at random places, and the same blurred."""
    random = torch.Generator().manual_seed(seed)
    sharp = torch.ones(count, 3, 64, 64)
    for picture in sharp:
        x, y = torch.randint(8, 28, (2,), generator=random).tolist()
        picture[:, y : y + 24, x : x + 24] = -0.5
    return sharp, torch.nn.functional.avg_pool2d(sharp, 7, 1, 3, count_include_pad=False)


def test_the_critic_learns_to_tell_sharp_from_soft_and_pulls_towards_sharp() -> None:
    critic = Critic(seed=1, width=8)
    assert not critic.pull(sharp_and_soft(4, 0)[1]).any()  # it knows nothing yet
    losses = [critic.learn(*sharp_and_soft(8, step)) for step in range(60)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    assert critic.seen == 60 > HEAD_START
    sharp, soft = sharp_and_soft(8, 1000)
    assert critic(sharp).mean() > critic(soft).mean()
    pull = critic.pull(soft)
    moved = soft - 0.5 * pull / pull.abs().max()
    assert critic(moved).mean() > critic(soft).mean()


def test_a_critic_of_the_same_seed_is_the_same_and_leaves_others_randomness_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, second = Critic(seed=5, width=8), Critic(seed=5, width=8)
    assert torch.equal(torch.rand(1), expected)
    picture = sharp_and_soft(1, 0)[0]
    assert torch.equal(first.eval()(picture), second.eval()(picture))
