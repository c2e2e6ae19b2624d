"""A critic for the end of the pocket generator's training: it tells drawings from what the network makes.

What is uncertain in a drawing, errors alone draw as the mean of all that it may be: soft. The critic sees
patches of some 60 px (Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks",
2017), is kept smooth by spectral norm (Miyato et al., "Spectral Normalization for Generative Adversarial
Networks", 2018), and learns by the hinge loss.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

RATE = 1e-3  # ten times the generator's: it begins from nothing
HEAD_START = 25  # steps before anyone listens to it


class Critic(nn.Module):
    """Scores [B, 1, H / 8, W / 8] of pictures [B, 3, H, W] in -1..1: above 0 for drawings, below for ours."""

    seen: Tensor

    def __init__(self, seed: int, width: int = 32) -> None:
        super().__init__()
        shapes = (
            (3, width, 5, 2),
            (width, 2 * width, 3, 2),
            (2 * width, 3 * width, 3, 1),
            (3 * width, 4 * width, 3, 2),
            (4 * width, 4 * width, 3, 1),
            (4 * width, 1, 3, 1),
        )  # channels in and out, side of the kernel, stride
        layers: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # first values and the norms' first vectors
            for count_in, count_out, side, stride in shapes:
                layers += [
                    spectral_norm(nn.Conv2d(count_in, count_out, side, stride, side // 2)),
                    nn.LeakyReLU(0.2),
                ]
        self.layers = nn.Sequential(*layers[:-1]).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.register_buffer("seen", torch.tensor(0))  # steps that it has learnt
        self.optimiser = torch.optim.Adam(self.parameters(), RATE, betas=(0.5, 0.98))

    def forward(self, pictures: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            scores: Tensor = self.layers(pictures.contiguous(memory_format=torch.channels_last))
        return scores.float()

    def learn(self, drawings: Tensor, ours: Tensor) -> float:
        """One step on as many drawings as pictures of ours, [B, 3, H, W] each. Returns the hinge loss, 0 and
        more: 2 where it cannot tell them apart."""
        real, made = self(torch.cat((drawings, ours.detach()))).chunk(2)
        loss = F.relu(1 - real).mean() + F.relu(1 + made).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.seen += 1
        return float(loss.item())

    def pull(self, ours: Tensor) -> Tensor:
        """The gradient [B, 3, H, W], to be descended, of how far our pictures are from drawings; zeros while
        it knows nothing yet."""
        if self.seen < HEAD_START:
            return torch.zeros_like(ours)
        leaf = ours.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(-self(leaf).mean(), leaf)
        return gradient
