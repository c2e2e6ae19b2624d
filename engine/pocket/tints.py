"""Tints of drawings, and which of them show the colour that a dream's words name.

A search hardly moves a tint, and of random ones few are strong and fewer of one hue: *a blue bird* would stay
red. So where the words name a colour, half of a start's candidates wear it.
"""

import math

import torch
from torch import Tensor

from engine.pocket.latents import smoothstep
from engine.words.colours import Tint

# Coordinates [n, 3] of a tint: (x, y) is a point of the plane whose angle is the hue, z says how light.
# Near the origin colours stay natural; outside `FROM` the tint sets in. Near the axis of z there is no hue:
# black below, grey a little above, white from `WHITE` on. Else z makes a hue dark (brown) or pale (pink).
FROM, FULL = 2.0, 2.7  # radii: 26 % and 6 % of random draws lie outside
NEUTRAL, PURE = 0.7, 1.5  # distances from the axis: no hue within, all of it outside
GREY, WHITE = 2.9, 4.3  # heights above the origin: grey up to here, white from there on
RADIUS = 3.2  # of a hue that words name
NEARLY = 2.6  # height of black and grey that words name: not so far that a search feels no slope


def placed(tint: Tint, count: int, rng: torch.Generator) -> Tensor:
    """Coordinates [count, 3] of about this tint."""
    noise = torch.randn(count, 3, generator=rng)
    if tint.hue is None:
        height = WHITE - 0.3 if tint.light > 0 else -NEARLY if tint.light < 0 else NEARLY
        return torch.tensor((0.0, 0.0, height)) + 0.12 * noise
    angle = torch.deg2rad(torch.tensor(tint.hue)) + 0.12 * noise[:, 0]
    up = (tint.light + 0.06 * noise[:, 1]).clamp(-0.8, 0.8)
    flat = (1 - up * up).sqrt()
    return RADIUS * torch.stack((flat * angle.cos(), flat * angle.sin(), up), 1)


def tinted(drawing: Tensor, tints: Tensor) -> Tensor:
    """Drawings, premultiplied RGBA [n, 4, s, s] in 0..1, tinted as the coordinates `tints` [n, 3] say.

    What is dark, middling and light by its luminance (Rec. 601) gets a tone each, mixed in by the radius; the
    mean is brought to the middle first. Differentiable in both.
    """
    cover = drawing[:, 3:]
    colour = (drawing[:, :3] / cover.clamp(min=1e-2)).clamp(0, 1)
    x, y, z = tints.unbind(1)
    far = (x * x + y * y + 1e-8).sqrt()
    radius = (far * far + z * z).sqrt()
    strength = 0.93 * smoothstep(radius, FROM, FULL)[:, None, None, None]
    weights = torch.tensor([0.299, 0.587, 0.114]).to(drawing)[:, None, None]
    light = (colour * weights).sum(1, keepdim=True)
    mean = (light * cover).sum((2, 3), keepdim=True) / cover.sum((2, 3), keepdim=True).clamp(min=1e-3)
    light = (light + 0.8 * (0.5 - mean)).clamp(0, 1)
    dark, middle, pale = tones(x, y, z, far, radius)
    lower = torch.lerp(dark, middle, (2 * light).clamp(max=1))
    toned = lower + (pale - middle) * (2 * light - 1).clamp(min=0)
    colour = torch.lerp(colour, toned.clamp(0, 1), strength)
    return torch.cat((colour * cover, cover), 1)


def tones(x: Tensor, y: Tensor, z: Tensor, far: Tensor, radius: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The tones [n, 3, 1, 1] of what is dark, middling and light, at coordinates [n] each."""
    hue = hue_colour(x, y, 0.62)
    yellow = (hue[:, :2].amin(1, keepdim=True) - hue[:, 2:]).clamp(min=0)  # [n, 1]
    hue = hue * (1 + yellow * (1 / hue.amax(1, keepdim=True) - 1))  # yellow is as bright as red
    warm = torch.cat((torch.ones_like(yellow), 1 - 0.55 * yellow, torch.ones_like(yellow)), 1)
    up = (z / radius)[:, None]
    paler, darker = up.clamp(min=0), (-up).clamp(min=0)
    hued = (
        hue * warm * (0.30 * paler + 0.10 + 0.35 * yellow) * (1 - darker),  # its shade is brown, not olive
        torch.lerp(hue, torch.ones_like(x[:1]), 0.9 * paler) * (1 - 0.95 * darker)
        + 0.22 * darker * (1 - hue),
        torch.lerp(0.25 + 0.7 * hue, torch.ones_like(x[:1]), 0.6 + 0.4 * paler) * (1 - 0.35 * darker),
    )
    white, black = smoothstep(z, GREY, WHITE), smoothstep(-z, 0.0, FROM)
    plain = tuple(
        (grey + (lifted - grey) * white + (deep - grey) * black)[:, None].expand(-1, 3)
        for grey, lifted, deep in ((0.10, 0.50, 0.02), (0.54, 0.92, 0.17), (0.88, 1.0, 0.68))
    )
    share = smoothstep(far, NEUTRAL, PURE)[:, None]
    dark, middle, pale = (torch.lerp(a, b, share)[:, :, None, None] for a, b in zip(plain, hued, strict=True))
    return dark, middle, pale


def hue_colour(x: Tensor, y: Tensor, swing: float) -> Tensor:
    """RGB [n, 3] in 0..1 of the angle of (x, y) [n] each: red at 0, green at 120, blue at 240 degrees."""
    angle = torch.atan2(y, x)[:, None]  # [n, 1]
    phases = torch.tensor([0.0, 2 * math.pi / 3, 4 * math.pi / 3]).to(angle)
    return (0.5 + swing * torch.cos(angle - phases)).clamp(0, 1)
