"""The class embedding of the pocket generator: not a vector, but a map for each class and drawing style."""

import torch
from torch import Tensor, nn

from engine.pocket.decoder import CHANNELS, SIDE

BANDS = 8  # of two rows of cells each: a row of class weights chooses what stands in one
LEVELS = 127  # of a code's number on each side of 0, as a file keeps it
FAINT = 1e-4  # of a band: what has less of it is left out


class Codes(nn.Module):
    """All drawings' codes, mixed as class weights and styles say.

    They stay as small as their file has them: a picture needs a few of thousands.
    """

    drawings: Tensor
    number: Tensor

    def __init__(self, codes: Tensor, number: Tensor) -> None:
        """`codes` int8 [drawings, 16, 16, 16]; `number` int16 [classes, styles] into them, -1 for none."""
        super().__init__()
        self.register_buffer("drawings", codes)
        self.register_buffer("number", number.long())
        self.classes, self.styles = number.shape

    def forward(self, weights: Tensor, styles: Tensor) -> Tensor:
        """Codes [n, 16, 16, 16] of class weights [n, 8, classes], a row a band, and styles [n, styles].

        Classes count by the squares of their weights, so that hundreds of small ones do not blur a large one.
        Where a class has no drawing of a style, the best of those that it has takes its place.
        """
        share = weights.square()
        share = share / share.sum(2, keepdim=True).clamp(min=1e-12)  # [n, 8, classes]
        chosen = self._chosen(styles)  # [n, classes, styles]
        active = (share.detach().amax((0, 1)) > FAINT).nonzero()[:, 0]  # of the classes
        drawn = self.number[active]  # [active, styles]
        there = drawn >= 0
        each = (share[:, :, active, None] * chosen[:, None, active])[:, :, there]  # [n, 8, drawings]
        mixed = torch.einsum("nbd,bdk->nbk", each, self._bands(drawn[there]))  # [n, 8, 512]
        return mixed.unflatten(2, (CHANNELS, -1)).transpose(1, 2).reshape(-1, CHANNELS, SIDE, SIDE)

    def _bands(self, which: Tensor) -> Tensor:
        """The numbers of these drawings, band by band: [8, len(which), 512] in -1..1."""
        bands = self.drawings[which].float().div(LEVELS).unflatten(2, (BANDS, -1))  # [drawings, 16, 8, 2, 16]
        return bands.permute(2, 0, 1, 3, 4).flatten(2).contiguous()

    def _chosen(self, styles: Tensor) -> Tensor:
        """How much of each class is drawn in each style [n, classes, styles]: all in one, as the forward pass
        sees it; softly, as gradients do (straight through, Bengio et al. 2013, arXiv 1308.3432)."""
        there = self.number >= 0
        scores = styles[:, None].masked_fill(~there, -torch.inf)  # [n, classes, styles]
        soft = scores.softmax(2)
        hard = torch.zeros_like(soft).scatter(2, scores.argmax(2, keepdim=True), 1.0)
        return hard + soft - soft.detach()
