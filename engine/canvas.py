"""A canvas: one picture made of two, each thing of a `Scene` in a panel of its own.

A generator that draws one thing a picture blends two that are asked for into neither. So the search moves two
sets of latents, a half of the rows each, and its views look into the one panel or the other. What makes a
picture one, its drawing style and its background, is shared.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.cutouts import Boxes, Views
from engine.generator import Generator
from engine.latents import Latents
from engine.pocket.latents_map import BACKGROUND_ROW, STYLE_ROW
from engine.scene import Scene

PANEL = 0.5  # side of a panel, in units of the canvas's
# Left and top of the first and of the second panel, by where the first thing stands.
CORNERS = {
    "left": ((0.0, 0.25), (0.5, 0.25)),
    "right": ((0.5, 0.25), (0.0, 0.25)),
    "above": ((0.25, 0.0), (0.25, 0.5)),
    "below": ((0.25, 0.5), (0.25, 0.0)),
}
ANY = Scene("", "left", "")  # a canvas whose latents alone matter


class Canvas:
    """A `Generator` whose pictures hold two of another one's, at full size, on their common ground.

    The first half of its rows is the first panel's, the second half the second's, whose style and background
    are the first's.
    """

    def __init__(self, generator: Generator, scene: Scene) -> None:
        self.base = generator
        self.name = generator.name
        self.size = int(generator.size / PANEL)
        self.rows = 2 * generator.rows
        self.z_dim = generator.z_dim
        self.classes = generator.classes
        self.corners = torch.tensor(CORNERS[scene.place])  # [2, 2]: left and top of each panel
        shared = torch.arange(generator.rows)[:, None]
        self._shared = (shared == STYLE_ROW) | (shared == BACKGROUND_ROW)  # [rows / 2, 1]

    def __call__(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.__call__` says."""
        z = z.unflatten(1, (2, -1))  # [n, 2, rows / 2, z_dim]
        z = torch.where(self._shared.to(z.device), z[:, :1], z)
        panels = self.base(z.flatten(0, 1), class_weights.unflatten(1, (2, -1)).flatten(0, 1))
        return self._laid(panels.unflatten(0, (-1, 2)))

    def _laid(self, panels: Tensor) -> Tensor:
        """Panels [n, 2, 3, s, s], fading at their edges, on the ground that goes on where they end ->
        [n, 3, size, size]."""
        side = panels.shape[-1]
        fade = max(side // 16, 1)
        within = torch.arange(side, device=panels.device)
        ramp = ((torch.minimum(within, side - 1 - within) + 0.5) / fade).clamp(max=1)  # [s]
        mask = torch.minimum(ramp[:, None], ramp)  # [s, s]: 1 inside, near 0 at the edge
        # The thing itself seldom reaches into the corners.
        sides = torch.cat((within[fade // 2 : fade], within[-fade : -fade // 2]))
        corners = panels[..., sides]  # [n, 2, 3, s, few]
        top, bottom = (
            corners[..., rows, :].mean((1, 3, 4))[..., None, None]
            for rows in (slice(fade // 2, fade), slice(-fade, -fade // 2))
        )  # [n, 3, 1, 1] each
        upper, lower = self.corners[:, 1].min().item(), self.corners[:, 1].max().item() + PANEL
        down = torch.linspace(0, 1, self.size, device=panels.device)[:, None]
        down = ((down - upper) / (lower - upper)).clamp(0, 1)  # over the height that the panels take
        picture = (top + (bottom - top) * down).expand(-1, -1, -1, self.size)
        for panel, (x, y) in zip(panels.unbind(1), (self.corners * self.size).int().tolist(), strict=True):
            around = (x, self.size - side - x, y, self.size - side - y)
            picture = torch.lerp(picture, F.pad(panel, around), F.pad(mask, around))
        return picture

    def aimed(self, views: Views) -> Views:
        """These views, made for a whole picture, each into one of the panels: two by two in turn."""
        panel = torch.arange(len(views)) // 2 % 2  # neighbours differ in being mirrored
        return replace(views, boxes=self._within(views.boxes, panel), panel=panel)

    def boxes(self, boxes: Boxes) -> tuple[Boxes, Tensor]:
        """All of the `boxes` [n] in the first panel, then all in the second; and whose each is [2 n]."""
        n = len(boxes[0])
        panel = torch.arange(2).repeat_interleave(n)
        left, top, side = (values.repeat(2) for values in boxes)
        return self._within((left, top, side), panel), panel

    def _within(self, boxes: Boxes, panel: Tensor) -> Boxes:
        """Boxes [n] of a whole picture, each in its `panel` [n] of the canvas."""
        left, top, side = boxes
        x, y = self.corners[panel].unbind(1)
        return x + PANEL * left, y + PANEL * top, PANEL * side


def joined(latents: Sequence[Latents]) -> Latents:
    """Two panels' latents, all on one device, as a canvas's."""
    first, second = latents
    return Latents(
        torch.cat((first.z, second.z)).detach(), torch.cat((first.class_logits, second.class_logits)).detach()
    )


def fitted(latents: Latents, rows: int) -> Latents:
    """`latents` with so many rows: one thing's twice for a canvas of two, the first of two things alone."""
    if len(latents.z) == rows:
        return latents
    if 2 * len(latents.z) == rows:
        return joined((latents, latents))
    return Latents(latents.z[:rows].detach(), latents.class_logits[:rows].detach())
