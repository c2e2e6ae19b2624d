"""One thing made of another: its own outline and features, the stuff's colours."""

import torch
from torch import Tensor

from engine.pocket import material

SIZE = 64


def thing() -> Tensor:
    """A dark grey disc with two white eyes, premultiplied [1, 4, 64, 64]."""
    at = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
    cover = ((0.7 - (at.square()[:, None] + at.square()).sqrt()) * 32 + 0.5).clamp(0, 1)
    light = torch.full((SIZE, SIZE), 0.35)
    light[24:30, 22:28] = light[24:30, 36:42] = 1.0
    return torch.cat(((light * cover).expand(3, -1, -1), cover[None]))[None]


def stuff() -> Tensor:
    """A square of red and yellow checks, with a hole in its middle."""
    found = torch.zeros(1, 4, SIZE, SIZE)
    check = (torch.arange(SIZE) // 8 % 2)[:, None] == (torch.arange(SIZE) // 8 % 2)
    found[:, :3] = torch.where(
        check, torch.tensor([0.9, 0.1, 0.1])[:, None, None], torch.tensor([0.9, 0.8, 0.1])[:, None, None]
    )
    found[:, 3] = 1
    found[..., :8], found[..., -8:] = 0, 0
    found[..., :8, :], found[..., -8:, :] = 0, 0
    found[..., 30:34, 30:34] = 0
    return found


def share(value: float) -> Tensor:
    return torch.tensor([value])


def test_a_share_of_nothing_changes_nothing() -> None:
    assert torch.allclose(material.made_of(thing(), stuff(), share(0.0)), thing(), atol=1e-6)


def test_the_outline_stays_and_the_colours_become_the_stuff_s() -> None:
    before, after = thing(), material.made_of(thing(), stuff(), share(1.0))
    assert torch.equal(after[:, 3], before[:, 3])
    assert float(after.min()) >= 0 and float((after[:, :3] - after[:, 3:]).max()) <= 1e-6
    colours = material.straight(after)[0][:, before[0, 3] > 0.99]  # [3, pixels]
    red, green, blue = colours.mean(1)
    assert red > green + 0.15 and green > blue + 0.1  # grey was all the same
    assert colours[1].std() > 0.1  # checks


def test_what_is_dark_or_light_in_a_thing_is_so_in_the_stuff() -> None:
    plain = torch.ones(1, 4, SIZE, SIZE)
    plain[:, :3] = torch.tensor([0.6, 0.4, 0.2])[:, None, None]
    after = material.straight(material.made_of(thing(), plain, share(1.0)))[0].mean(0)
    assert float(after[25:29, 23:27].mean()) > float(after[40:44, 30:34].mean()) + 0.1  # an eye


def test_half_of_a_share_is_half_way() -> None:
    none, half, whole = (material.made_of(thing(), stuff(), share(value)) for value in (0.0, 0.5, 1.0))
    assert torch.allclose(half, (none + whole) / 2, atol=1e-5)


def test_each_of_several_is_made_of_its_own_stuff_by_its_own_share() -> None:
    things, stuffs = thing().expand(2, -1, -1, -1), torch.cat((stuff(), stuff().flip(1).roll(-1, 1)))
    both = material.made_of(things, stuffs, torch.tensor([1.0, 0.0]))
    assert torch.allclose(both[0], material.made_of(thing(), stuff(), share(1.0))[0], atol=1e-6)
    assert torch.allclose(both[1], thing()[0], atol=1e-6)


def test_gradients_reach_thing_stuff_and_share_and_nothing_at_all_is_no_fault() -> None:
    given = thing().requires_grad_(), stuff().requires_grad_(), share(0.7).requires_grad_()
    material.made_of(*given).square().sum().backward()
    for part in given:
        assert part.grad is not None and bool(part.grad.isfinite().all()) and bool(part.grad.any())
    empty = torch.zeros(1, 4, SIZE, SIZE)
    for some in ((empty, stuff()), (thing(), empty), (empty, empty)):
        assert bool(material.made_of(*some, share(1.0)).isfinite().all())
