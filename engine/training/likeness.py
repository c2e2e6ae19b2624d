"""How like a drawing a picture looks to the perceptor: small marks count there that pixels hardly notice.

An eye of an owl is a hundredth of its pixels and half of what makes it an owl. So what the first layers of
the picture tower make of both is compared (Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style
Transfer and Super-Resolution", 2016), beside the errors of the pixels and a critic (Dosovitskiy and Brox,
"Generating Images with Perceptual Similarity Metrics based on Deep Networks", 2016).
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.models import registry
from engine.pocket.clip import PocketClip

WEIGHTS = registry.POCKET / "perceptor"
QUIET = 0.05  # added to a channel's spread, so that one that hardly moves does not shout


class Likeness(nn.Module):
    """The distance of pictures from the drawings that are meant, 0 and more; differentiable."""

    def __init__(self, tower: PocketClip) -> None:
        """`tower`: the perceptor, of which nothing is changed."""
        super().__init__()
        self.side = tower.config.image_size  # pixels
        self.layers = tower.image_layers.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> "Likeness":
        """Of the perceptor in `folder`. Raises `ModelError`."""
        return cls(PocketClip.load(folder))

    def forward(self, shown: Tensor, wanted: Tensor, rng: torch.Generator) -> Tensor:
        """The mean difference of all channels' activations, relative to their spread: a scalar.

        `shown` and `wanted`: [B, 3, s, s] in -1..1 with s a multiple of 64. Each is seen as a whole and in a
        window of 64 px at its own size, which `rng` places.
        """
        corners = torch.randint(0, wanted.shape[-1] - self.side + 1, (len(wanted), 2), generator=rng).tolist()
        with torch.autocast(wanted.device.type, torch.bfloat16):
            mine = self._activations(self._views(shown, corners))
            with torch.no_grad():
                theirs = self._activations(self._views(wanted, corners))
        total = torch.zeros((), device=wanted.device)
        for one, other in zip(mine, theirs, strict=True):
            spread = other.float().std((0, 2, 3), keepdim=True) + QUIET
            total = total + ((one.float() - other.float()).abs() / spread).mean()
        return total

    def _views(self, pictures: Tensor, corners: list[list[int]]) -> Tensor:
        """[2 B, 3, side, side] in 0..1."""
        pictures = pictures / 2 + 0.5
        whole = F.avg_pool2d(pictures, pictures.shape[-1] // self.side)
        windows = [
            picture[:, y : y + self.side, x : x + self.side]
            for picture, (y, x) in zip(pictures, corners, strict=True)
        ]
        return torch.cat((whole, torch.stack(windows)))

    def _activations(self, views: Tensor) -> list[Tensor]:
        """What stands behind each activation function of the tower's first layers."""
        x, found = views.contiguous(memory_format=torch.channels_last) * 4 - 2, []
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, nn.SiLU):
                found.append(x)
        return found
