"""What the pocket generator was taught to do with its latents: style, tint, background and ink.

The search draws every latent row z ~ N(0, 1), one row per generator layer. Training gives three of those
rows a fixed meaning, so that any draw is a good picture and every direction that matters is easy to find:
row 0 picks the drawing style, one middle row tints the thing, one late row paints the background and inks the
thing's lines. Only the first `USED` coordinates of a row mean anything; the others have no weight at all.

Four more coordinates of that late row the network does not know: the engine reads them (`ground`) and paints
what is below the horizon with a background of its own. And from `CLASS_TAIL` on a row is no noise at all:
there the engine puts the second half of the class's vector, for which the package has no other room.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

STYLES = ("fluent-3d", "fluent", "fluent-flat", "noto", "twemoji")
INKED = "inked"  # the sixth style: any of these, redrawn by `ink`
STYLE = (0, 1, 2)  # coordinates whose signs walk a small tree to one of STYLES
TINT = (3, 4)  # a point of the plane: its angle is the hue, its radius the strength
BACKGROUND_HUE = (5, 6)  # likewise for the background
BACKGROUND_DEPTH = 7  # below 0.4 pale, above it darker and darker
BACKGROUND_SLOPE = 8  # positive: darker towards the bottom, negative: towards the top
INKING = 2  # how far the drawing is redrawn with dark lines
GROUND = 9  # above 0.4 a ground fades in below the horizon
GROUND_HUE = (10, 11)  # as for the background
GROUND_DEPTH = 12
HORIZON = 0.68  # of the picture's height; the ground lies below
STYLE_ROW = 0  # the latent row of each meaning
TINT_ROW = 6  # feeds block 5, at 16 px
BACKGROUND_ROW = 8  # feeds block 7, at 64 px; the ink is in it, too
USED = 9  # coordinates 0..8 of a row
CLASS_TAIL = 13  # the coordinate from which on a row belongs to the class

TINT_FROM, TINT_FULL = 1.7, 2.4  # radii: natural colours inside, fully tinted outside; 24 % and 6 % of draws
TINT_LIGHT = 0.45  # the luminance that a tinted thing has in the mean, at least; at 0.5 its hue is purest
GROUND_FROM, GROUND_FULL = 0.4, 0.9  # no ground below, all of it above; 34 % and 18 % of draws
INK_FROM, INK_FULL = 0.5, 1.2  # no ink below, all of it above; 31 % and 12 % of draws
INK_COLOUR = (0.16, 0.13, 0.22)
MARGIN = 0.25  # training keeps the style's coordinates this far from zero: the borders are blends


def smoothstep(x: Tensor, low: float, high: float) -> Tensor:
    """Hermite step: 0 below low, 1 above high, smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def style_index(z: Tensor) -> Tensor:
    """Index into STYLES that row 0 `z` [..., >= 3] stands for: fluent-3d, noto and twemoji 1/4 each, the
    other two 1/8."""
    fluent, rich, shaded = z[..., 0] > 0, z[..., 1] > 0, z[..., 2] > 0
    plain = torch.where(shaded, 1, 2)
    return torch.where(fluent, torch.where(rich, torch.zeros_like(plain), plain), torch.where(rich, 3, 4))


def with_style(z: Tensor, style: Tensor) -> Tensor:
    """Row 0 `z` [B, n] with the signs of its style coordinates set to mean `style` [B], MARGIN off zero."""
    signs = torch.tensor([[1, 1, 0], [1, -1, 1], [1, -1, -1], [-1, 1, 0], [-1, -1, 0]])[style]
    head = z[:, :3]
    away = head.abs() + MARGIN
    decided = torch.where(
        signs == 0, head, away * signs
    )  # [B, 3]; the third is free where it decides nothing
    return torch.cat((decided, z[:, 3:]), dim=1)


def hue_colour(x: Tensor, y: Tensor, swing: float) -> Tensor:
    """RGB [B, 3] in 0..1 of the angle of (x, y): red at 0, green at 120, blue at 240 degrees."""
    angle = torch.atan2(y, x)[:, None]  # [B, 1]
    phases = torch.tensor([0.0, 2 * math.pi / 3, 4 * math.pi / 3])
    return (0.5 + swing * torch.cos(angle - phases)).clamp(0, 1)


def tint(colour: Tensor, cover: Tensor, z: Tensor) -> Tensor:
    """Straight RGB `colour` [B, 3, H, W] in 0..1 of things with coverage `cover` [B, 1, H, W], tinted as the
    tint row `z` [B, >= 5] says: a duotone of the luminance (Rec. 601 weights), black to the hue to white,
    mixed in by the radius. What is dark in the mean is lit first, for a yellow that is dark is an olive."""
    x, y = z[:, TINT[0]], z[:, TINT[1]]
    strength = 0.9 * smoothstep(torch.hypot(x, y), TINT_FROM, TINT_FULL)[:, None, None, None]
    hue = hue_colour(x, y, 0.62)[:, :, None, None]  # [B, 3, 1, 1]
    luminance = (colour * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    mean = (luminance * cover).sum((2, 3), keepdim=True) / cover.sum((2, 3), keepdim=True).clamp(min=1e-3)
    luminance = (luminance + (TINT_LIGHT - mean).clamp(min=0)).clamp(max=1)
    duotone = hue * (2 * luminance).clamp(max=1) + (1 - hue) * 0.9 * (2 * luminance - 1).clamp(min=0)
    return colour + strength * (duotone - colour)


def inking(z: Tensor) -> Tensor:
    """How far, 0..1, things are redrawn by `ink` where the background row is `z` [..., >= 1]."""
    return smoothstep(z[..., INKING], INK_FROM, INK_FULL)


def ink(colours: Tensor, cover: Tensor) -> Tensor:
    """Straight RGB [B, 3, H, W] in 0..1 of drawings `colours` with coverage `cover` [B, 1, H, W], inked: the
    colours stronger and in steps, dark lines where the brightness jumps and inside the edge of the whole."""
    bold = ((colours - 0.5) * 1.3 + 0.54).clamp(0, 1)
    bold = 0.5 * bold + 0.5 * (bold * 4).round() / 4
    light = (colours * cover + 1 - cover).mean(1, keepdim=True)
    jump = grow(light, 1) + grow(-light, 1)  # the range of brightness within 1 px
    line = ((jump - 0.2) / 0.25).clamp(0, 1) * 0.85
    inner = -grow(-F.pad(cover, (3, 3, 3, 3)), 3)[..., 3:-3, 3:-3]  # cover, 3 px smaller
    line = torch.maximum(line, 1 - inner)
    return bold * (1 - line) + torch.tensor(INK_COLOUR)[:, None, None] * line


def grow(values: Tensor, radius: int) -> Tensor:
    """The largest of `values` [B, 1, H, W] within an octagon of about `radius` pixels."""
    for step in range(radius):
        if step % 2:
            values = F.max_pool2d(values, 3, 1, 1)
        else:
            across, down = F.max_pool2d(values, (1, 3), 1, (0, 1)), F.max_pool2d(values, (3, 1), 1, (1, 0))
            values = torch.maximum(across, down)
    return values


def background(z: Tensor, size: int) -> Tensor:
    """Background [B, 3, size, 1] in 0..1 that the background row `z` [B, >= 9] paints: half of all draws
    near white or pale, the rest pastel to dark, with a light vertical gradient."""
    x, y = z[:, BACKGROUND_HUE[0]], z[:, BACKGROUND_HUE[1]]
    saturation = 0.6 * smoothstep(torch.hypot(x, y), 0.7, 2.2)[:, None]
    lightness = 1 - 0.75 * smoothstep(z[:, BACKGROUND_DEPTH], 0.4, 2.4)[:, None]
    flat = lightness * (1 - saturation * (1 - hue_colour(x, y, 0.5)))  # [B, 3]
    down = torch.linspace(0, 1, size)[None, None, :, None]  # [1, 1, size, 1]
    slope = 0.2 * torch.tanh(z[:, BACKGROUND_SLOPE])[:, None, None, None]
    shade = 1 - slope.clamp(min=0) * down + slope.clamp(max=0) * (1 - down)
    return flat[:, :, None, None] * shade


def ground(z: Tensor) -> tuple[Tensor, Tensor]:
    """The background row that paints what is below the horizon, [..., z_dim], and how much of it is seen
    there, [...] in 0..1, of the background row `z` [..., z_dim]. Grounds are mostly stronger in colour and
    darker than skies."""
    below = z.clone()
    below[..., BACKGROUND_HUE[0]] = 1.5 * z[..., GROUND_HUE[0]]
    below[..., BACKGROUND_HUE[1]] = 1.5 * z[..., GROUND_HUE[1]]
    below[..., BACKGROUND_DEPTH] = 1.2 * z[..., GROUND_DEPTH] + 0.4
    below[..., BACKGROUND_SLOPE] = 0
    return below, smoothstep(z[..., GROUND], GROUND_FROM, GROUND_FULL)


def scenery(z: Tensor, size: int) -> Tensor:
    """All that the background row `z` [B, z_dim] paints, [B, 3, size, 1] in 0..1: the background and, where
    one is seen, the ground below the horizon."""
    row, seen = ground(z)
    share = seen[:, None] * below_horizon(size)  # [B, size]
    return background(z, size).lerp(background(row, size), share[:, None, :, None])


def below_horizon(size: int) -> Tensor:
    """Where the ground lies [size], 0..1, from the top to the bottom of a picture of so many pixels."""
    down = (torch.arange(size) + 0.5) / size
    return ((down - HORIZON) * size + 0.5).clamp(0, 1)


# Hue, twice, and depth of plain backgrounds: dark, white, three bright ones.
_PLAIN = ((0.0, 0.0, 2.4), (0.0, 0.0, -1.0), (2.2, 0.0, -1.0), (-1.1, 1.9, -1.0), (-1.1, -1.9, -1.0))


@torch.no_grad()
def contrasting(z: Tensor) -> Tensor:
    """Latents [B, rows, z_dim] of the same pictures on another background, plain, of the colour that is
    farthest from all between sky and ground. Unchanged where there is no background row."""
    z = z.clone()
    if z.shape[1] <= BACKGROUND_ROW:
        return z
    own = z[:, BACKGROUND_ROW].cpu()
    below, share = ground(own)
    sky, land = (background(row, 2).mean((2, 3)) for row in (own, below))  # [B, 3] each
    seen = torch.stack([torch.lerp(sky, land, part * share[:, None]) for part in (0, 0.25, 0.5, 0.75, 1)])
    where = [*BACKGROUND_HUE, BACKGROUND_DEPTH]
    plain = own.new_zeros(len(_PLAIN), own.shape[1])
    plain[:, where] = torch.tensor(_PLAIN)
    apart = (seen[:, :, None] - background(plain, 2).mean((2, 3))).norm(dim=3).amin(0)  # [B, plain]
    z[:, BACKGROUND_ROW, where] = plain[apart.argmax(1)][:, where].to(z)
    z[:, BACKGROUND_ROW, BACKGROUND_SLOPE] = 0
    z[:, BACKGROUND_ROW, GROUND] = -1
    return z
