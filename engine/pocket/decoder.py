"""The upper part of the pocket generator: a code, which is a small map, in; a drawing, cut out, out."""

import itertools

import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS, SIDE = 16, 16  # of a code
WIDTHS = (128, 64, 32)  # at 16, 32 and 64 px
PAIRS = (2, 1, 1)  # residual blocks at each of these
LAST_WIDTH = 16  # at 128 px
SIZE = 256  # of a drawing, in pixels


class Residual(nn.Module):
    """Two convolutions whose result is added (He et al. 2016, arXiv 1603.05027)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[n, width, h, w] -> the same shape."""
        y: Tensor = self.second(F.relu(self.first(F.relu(x))))
        return x + y


class Decoder(nn.Module):
    """Codes [n, 16, 16, 16] in -1..1 -> drawings [n, 4, 256, 256], 0..1: colours times coverage, coverage.

    A code's first four numbers are the drawing's mean in each cell, so that the network adds but the details.
    Its two last steps rearrange channels into pixels (Shi et al. 2016, arXiv 1609.05158).
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(CHANNELS, WIDTHS[0], 3, padding=1)
        self.stages = nn.ModuleList(
            nn.Sequential(*(Residual(width) for _ in range(pairs)))
            for width, pairs in zip(WIDTHS, PAIRS, strict=True)
        )
        self.rises = nn.ModuleList(
            nn.Conv2d(below, above, 3, padding=1) for below, above in itertools.pairwise(WIDTHS)
        )
        self.to_128 = nn.Conv2d(WIDTHS[-1], 4 * LAST_WIDTH, 3, padding=1)
        self.last = nn.Conv2d(LAST_WIDTH, LAST_WIDTH, 3, padding=1)
        self.to_256 = nn.Conv2d(LAST_WIDTH, 16, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        """As the class says."""
        x = self.first(codes)
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index < len(self.rises):
                x = self.rises[index](F.relu(x))
                x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        x = F.pixel_shuffle(self.to_128(F.relu(x)), 2)  # [n, 16, 128, 128]
        x = x + self.last(F.relu(x))
        mean = F.interpolate(codes[:, :4] / 2 + 0.5, (SIZE, SIZE), mode="bilinear", align_corners=False)
        return mean + F.pixel_shuffle(self.to_256(F.relu(x)), 2)
