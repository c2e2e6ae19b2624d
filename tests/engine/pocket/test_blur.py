"""Soft pictures: means of squares, and their gradients, are those of torch's slower pooling."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.blur import box


def pooled(values: Tensor, reach: int) -> Tensor:
    return F.avg_pool2d(values, 2 * reach + 1, 1, reach, count_include_pad=True)


@pytest.mark.parametrize("reach", [1, 2, 5])
def test_each_square_has_its_mean_and_the_gradient_goes_back_to_all_that_is_in_it(reach: int) -> None:
    rng = torch.Generator().manual_seed(0)
    values, slope = torch.rand(2, 2, 3, 12, 16, generator=rng)
    mine, theirs = (values.clone().requires_grad_() for _ in range(2))
    found, wanted = box(mine, reach), pooled(theirs, reach)
    torch.testing.assert_close(found, wanted)
    (found * slope).sum().backward()
    (wanted * slope).sum().backward()
    torch.testing.assert_close(mine.grad, theirs.grad)
