"""What the pocket generator's codes are found with: an encoder, which does not ship, before the decoder."""

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.pocket.codes import LEVELS
from engine.pocket.decoder import CHANNELS, SIDE, Decoder, Residual

WIDTHS = (64, 128)  # at 32 and 16 px
STEEP = 8.0  # of a seam: from one drawing to the other within some four cells


class Encoder(nn.Module):
    """Drawings [n, 4, 256, 256] in 0..1, as `Decoder` makes them -> codes [n, 16, 16, 16] in -1..1."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(4)]
        before = 64
        for width in WIDTHS:
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), Residual(width)]
            before = width
        self.layers = nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(before, CHANNELS - 4, 1))

    def forward(self, drawings: Tensor) -> Tensor:
        """As the class says."""
        mean = F.avg_pool2d(drawings, drawings.shape[-1] // SIDE) * 2 - 1
        return torch.cat((mean, torch.tanh(self.layers(drawings))), dim=1)


class Autoencoder(nn.Module):
    """Both parts, as they learn together."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, drawings: Tensor) -> Tensor:
        """The codes of drawings, as `Encoder` says."""
        return cast(Tensor, self.encoder(drawings))


def roughened(codes: Tensor, rng: torch.Generator) -> Tensor:
    """Codes with the error that rounding to `LEVELS` will bring, twice over."""
    return codes + ((torch.rand(codes.shape, generator=rng) * 2 - 1) / LEVELS).to(codes)


def rounded(codes: Tensor) -> Tensor:
    """Codes as a file keeps them: int8, -127..127."""
    return (codes * LEVELS).round().to(torch.int8).contiguous()


def seams(count: int, rng: torch.Generator) -> Tensor:
    """How much of the first of two drawings each cell has, [count, 1, 16, 16] in 0..1, at random angles."""
    angle = torch.rand(count, 1, 1, generator=rng) * 2 * math.pi
    at = torch.linspace(-1, 1, SIDE)
    side = at * angle.cos() + at[:, None] * angle.sin()
    aside = (torch.rand(count, 1, 1, generator=rng) - 0.5) * 0.8
    return torch.sigmoid(STEEP * (side + aside))[:, None]


def mixed(drawings: Tensor, codes: Tensor, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Drawings and codes of which the first `count` are halved with as many that follow, both in the same
    places, so that codes of several things can stand beside each other."""
    share = seams(count, rng).to(codes)
    wide = F.interpolate(share, size=drawings.shape[2:], mode="bilinear", align_corners=False)
    first, second, rest = drawings[:count], drawings[count : 2 * count], drawings[count:]
    drawings = torch.cat((torch.lerp(second, first, wide), rest))
    return drawings, torch.cat((torch.lerp(codes[count : 2 * count], codes[:count], share), codes[count:]))


def error(shown: Tensor, wanted: Tensor) -> Tensor:
    """The mean L1 of drawings [n, 4, h, w] at three sizes, each half the one before: a scalar.

    At two of them that of the differences of neighbours is added."""
    total = torch.zeros((), device=shown.device)
    for level in range(3):
        if level:
            shown, wanted = F.avg_pool2d(shown, 2), F.avg_pool2d(wanted, 2)
        total = total + (shown - wanted).abs().mean() / (1 if level == 0 else 2)
        if level < 2:
            for one, other in zip(_differences(shown), _differences(wanted), strict=True):
                total = total + (one - other).abs().mean()
    return total


def squared(shown: Tensor, wanted: Tensor) -> Tensor:
    """The mean squared error at half the size, a scalar: L1 alone stays brown for long, the median of all."""
    return (F.avg_pool2d(shown, 2) - F.avg_pool2d(wanted, 2)).square().mean()


def _differences(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
