"""The embedded generator: a code for each class and style, decoded, posed, finished, on a painted ground.

What is BigGAN's (Brock et al. 2018, arXiv 1809.11096) is how it is asked: latents and class weights in rows,
of which the class weights mix an embedding. The embedding is ours: not a vector but a map for each class and
drawing style, so that no detail needs to be guessed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import ModelError
from engine.models import contents
from engine.models.files import read_config, read_tensors
from engine.models.generator import Ability, OnePanel
from engine.pocket import finishes, grounds_painted, latents, material, posture, seams, tints
from engine.pocket.abilities import LATENT_MAP
from engine.pocket.blur import box, halved
from engine.pocket.codes import Codes
from engine.pocket.decoder import CHANNELS, SIDE, SIZE, Decoder
from engine.pocket.latents import BANDS, GROUND, GROUND_ROW, POSTURE, POSTURE_ROW, TINT, TINT_ROW

KIND = "pocket-generator"  # `model_type` of config.json
SHOWN = 512  # side of what is shown, in pixels; the search looks at `SIZE`
CRISP = 1.8  # how much steeper an outline is that is enlarged
SHARP = 0.6  # of what differs from its surroundings, added where a drawing is enlarged
SHADOW = 0.22  # how dark, at most, below a thing


class PocketGenerator(OnePanel, nn.Module):
    """A frozen generator whose latents mean what `engine.pocket.latents` says."""

    sheet_size = SIZE

    def __init__(self, decoder: Decoder, codes: Codes, name: str) -> None:
        super().__init__()
        self.name, self.size = name, SHOWN
        self.rows, self.z_dim, self.classes = latents.ROWS, latents.Z_DIM, codes.classes
        self.latent_map = LATENT_MAP
        self.abilities = frozenset[Ability](("grounds", "tints"))
        self.decoder, self.codes = decoder, codes
        self.eval().requires_grad_(False)

    def forward(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.__call__` says."""
        return self._picture(z, class_weights, SHOWN)

    def sheet(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.sheet` says: the picture [n, 3, 256, 256]."""
        return self._picture(z, class_weights, SIZE)

    def cut_out(self, z: Tensor, class_weights: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """As `Panel.cut_out` says."""
        return self._things(z, class_weights, self.size), self._ground(z, size)

    def drawings(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """The things alone, as they are drawn, [n, 4, 256, 256] in 0..1: colours times coverage, coverage."""
        styles = z[:, latents.STYLE_ROW, latents.STYLE]
        drawing = self._shapes(class_weights[:, :BANDS], styles)
        made = latents.made(z)
        if bool((made > 0).any()):
            stuff = class_weights[:, latents.MATERIAL_ROW :].expand(-1, BANDS, -1)
            drawing = material.made_of(drawing, self._decoded(stuff, styles), made)
        drawing = tints.tinted(drawing, latents.NATURAL * z[:, TINT_ROW, TINT])
        return finishes.finished(drawing, latents.finishes(z, len(finishes.FINISHES)))

    def _shapes(self, weights: Tensor, styles: Tensor) -> Tensor:
        """What stands in the bands of `weights` [n, 8, classes]: one thing, or one above another."""
        cut, at = seams.seam(weights)
        if not bool(cut.any()):
            return self._decoded(weights, styles)
        upper, lower = (
            self._decoded(weights[:, end].expand(-1, BANDS, -1), styles)
            for end in (slice(1), slice(-1, None))
        )
        both = seams.joined(upper, lower, at)
        if bool(cut.all()):
            return both
        return torch.where(cut[:, None, None, None], both, self._decoded(weights, styles))

    def _decoded(self, weights: Tensor, styles: Tensor) -> Tensor:
        return cast(Tensor, self.decoder(self.codes(weights, styles[:, : self.codes.styles]))).clamp(0, 1)

    def _things(self, z: Tensor, class_weights: Tensor, size: int) -> Tensor:
        """The things in their postures, [n, 4, size, size]."""
        thing = posture.posed(self.drawings(z, class_weights), z[:, POSTURE_ROW, POSTURE], size)
        return sharpened(thing) if size > SIZE else thing

    def _ground(self, z: Tensor, size: int) -> Tensor:
        return grounds_painted.paint(z[:, GROUND_ROW, GROUND], size)

    def _picture(self, z: Tensor, class_weights: Tensor, size: int) -> Tensor:
        thing, ground = self._things(z, class_weights, size), self._ground(z, size)
        cover = thing[:, 3:]
        ground = ground * (1 - SHADOW * shadow(cover))
        return (thing[:, :3] + (1 - cover) * ground) * 2 - 1


def sharpened(drawing: Tensor) -> Tensor:
    """Enlarged drawings [n, 4, s, s], premultiplied, with crisp outlines and lines, in 0..1."""
    colour, cover = material.straight(drawing), drawing[:, 3:].clamp(0, 1)
    around = box(drawing[:, :3], 2) / box(cover, 2).clamp(min=0.05)
    colour = (colour + SHARP * (colour - around)).clamp(0, 1)
    cover = ((cover - 0.5) * CRISP + 0.5).clamp(0, 1)
    return torch.cat((colour * cover, cover), dim=1)


def shadow(cover: Tensor) -> Tensor:
    """Where things that cover [n, 1, s, s] throw a soft shadow on what is behind them: 0..1, that shape."""
    side = cover.shape[-1] // 4
    down = F.pad(halved(cover, 4), (0, 0, side // 32, 0))[:, :, :side]
    down = box(box(down, 2), 2)
    return F.interpolate(down, size=cover.shape[2:], mode="bilinear", align_corners=False)


def load(folder: Path, name: str, device: torch.device) -> PocketGenerator:
    """Read the generator in `folder` and move it to the device. Raises `ModelError`."""
    config = read_config(folder, ("model_type", "num_classes", "styles"))
    contents.check(folder)
    tensors = read_tensors(folder)
    codes, number = (tensors.pop(key, torch.empty(0)) for key in ("codes", "number"))
    try:
        table = Codes(*_checked(codes, number, config))
        decoder = Decoder()
        decoder.load_state_dict({key: value.float() for key, value in tensors.items()})
    except (RuntimeError, ValueError, TypeError) as error:
        raise ModelError(
            f"The weights in {folder} do not fit their config.json: {contents.remedy(folder)}."
        ) from error
    if not all(bool(value.isfinite().all()) for value in decoder.state_dict().values()):
        raise ModelError(
            f"The weights in {folder} hold numbers that are not finite; {contents.remedy(folder)}."
        )
    return PocketGenerator(decoder, table, name).to(device)


def _checked(codes: Tensor, number: Tensor, config: Mapping[str, object]) -> tuple[Tensor, Tensor]:
    """Both, as they are. Raises `ValueError` unless they are what `config` says."""
    styles, classes = config["styles"], config["num_classes"]
    if not (
        isinstance(styles, list)
        and 0 < len(styles) <= latents.STYLE.stop
        and codes.dtype == torch.int8
        and codes.shape[1:] == (CHANNELS, SIDE, SIDE)
        and number.dtype == torch.int16
        and number.shape == (classes, len(styles))
        and bool((number < len(codes)).all())
        and bool((number >= 0).any(1).all())
    ):
        raise ValueError("the codes are not those of the classes and styles")
    return codes, number
