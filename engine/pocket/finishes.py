"""Finishes: a drawing cut out, restyled as ink, pencil, pixels, embroidery, watercolour, glass, neon, …

Drawings are premultiplied RGBA [n, 4, s, s] in 0..1 and stay so. Each finish is made of a handful of pooling
and mixing steps on the whole picture and is (nearly) differentiable: where it rounds, the gradient passes as
if it did not. Lengths are in 256ths of a side, so that a finish looks alike at any size. What does not depend
on the drawing, such as threads, grain and leads, is made once a size.
"""

import functools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.blur import blurred
from engine.pocket.latents import smoothstep

LUMINANCE = (0.299, 0.587, 0.114)  # Rec. 601
CELLS = 32  # a side of pixel art
PANES = 11  # panes of glass a side, about


def finished(drawing: Tensor, weights: Tensor) -> Tensor:
    """`drawing` [n, 4, s, s], premultiplied RGBA, each of `FINISHES` mixed in by `weights` [n, finishes].

    Weights are 0..1; one of several finishes is applied to what those before it made. A finish that no row
    asks for costs nothing.
    """
    there = (weights.detach() > 0).t()  # [finishes, n]
    for index, (finish, some) in enumerate(zip(FINISHES.values(), there.sum(1).tolist(), strict=True)):
        if some == len(drawing):  # as in a search, whose steps have one; to index it takes longer than this
            drawing = torch.lerp(drawing, finish(drawing), weights[:, index].view(-1, 1, 1, 1))
        elif some:
            rows = there[index].nonzero().flatten()
            before = drawing[rows]
            after = torch.lerp(before, finish(before), weights[rows, index].view(-1, 1, 1, 1))
            drawing = drawing.index_copy(0, rows, after)
    return drawing


def ink(drawing: Tensor) -> Tensor:
    """Bold colours in steps, dark contours and lines, printer's dots in the shade."""
    colour, cover = _straight(drawing)
    side = drawing.shape[-1]
    light = _light(colour)
    bold = ((colour - light) * 1.35 + (light - 0.5) * 1.25 + 0.56).clamp(0, 1)
    bold = 0.25 * bold + 0.75 * _stepped(bold, 4)
    shade = ((0.42 - light) * 2.2).clamp(0, 0.55)
    dots = ((_dots(side) - 1 + shade) * 6 + 0.5).clamp(0, 1) * (shade * 8).clamp(max=1)
    bold = bold * (1 - 0.38 * dots)
    line = ((_jump(light * cover + 1 - cover, _px(side, 1.0)) - 0.13) * 4.5).clamp(0, 1)
    line = torch.maximum(0.92 * line, _band(cover, _px(side, 3.2)))
    return _premultiplied(torch.lerp(bold, _rgb(0.10, 0.08, 0.16), line), cover)


def pencil(drawing: Tensor) -> Tensor:
    """Coloured pencil: hatching that is denser where it is dark, on paper, with a sketched contour."""
    colour, cover = _straight(drawing)
    side = drawing.shape[-1]
    light = _light(colour)
    one, other, grain = _hatching(side)
    vivid = ((colour - light) * 1.25 + light * 0.86).clamp(0, 1)
    dark = 1 - light
    strokes = ((0.35 + 0.75 * dark - 0.8 * one) * 2.0).clamp(0, 1)
    crossed = ((1.3 * dark - 0.28 - 0.8 * other) * 2.2).clamp(0, 1)
    saturation = (colour.amax(1, keepdim=True) - colour.amin(1, keepdim=True)).clamp(0, 1)
    much = (0.30 + 0.35 * saturation + 0.5 * dark).clamp(max=0.95)
    pigment = (much * (0.45 * strokes + 0.30) + 0.45 * crossed * dark) * (0.72 + 0.5 * grain)
    paper = _rgb(0.985, 0.975, 0.945) * (0.975 + 0.05 * grain)
    result = torch.lerp(paper, vivid, (1.25 * pigment).clamp(0, 1))
    jump = ((_jump(light * cover + 1 - cover, _px(side, 1.0)) - 0.10) * 3.2).clamp(0, 1)
    line = torch.maximum(0.75 * jump, 0.9 * _band(cover, _px(side, 2.2))) * (0.55 + 0.55 * grain)
    result = torch.lerp(result.clamp(0, 1), _rgb(0.22, 0.21, 0.24), line.clamp(0, 1))
    return _premultiplied(result, cover)


def pixels(drawing: Tensor) -> Tensor:
    """Pixel art: CELLS a side, few colours, a dark outline."""
    side = drawing.shape[-1]
    small = F.adaptive_avg_pool2d(drawing, CELLS)
    colour, cover = _straight(small)
    colour = colour + 0.8 * (colour - F.avg_pool2d(F.pad(colour, (1, 1, 1, 1), mode="replicate"), 3, 1))
    light = _light(colour)
    colour = ((colour - light) * 1.25 + (light - 0.5) * 1.12 + 0.52).clamp(0, 1)
    colour = _stepped(colour, 6)
    solid = _hard(cover - 0.45)
    around = F.max_pool2d(solid, (3, 1), 1, (1, 0)).maximum(F.max_pool2d(solid, (1, 3), 1, (0, 1)))
    dark = 0.25 * F.max_pool2d(colour * solid, 3, 1, 1) * _rgb(0.9, 0.75, 1.0) + 0.02
    result = torch.cat((colour * solid + dark * (around - solid), around), 1)
    return F.interpolate(result, (side, side), mode="nearest")


def embroidery(drawing: Tensor) -> Tensor:
    """Satin stitches: threads along the drawing's own lines, shining, with a stitched border."""
    colour, cover = _straight(drawing)
    side = drawing.shape[-1]
    light = _light(colour)
    threads, ends = _threads(side)
    along = _directions(light * cover + 0.6 * (1 - cover), across=False)
    border = _band(cover, _px(side, 8.0))
    stitched = torch.lerp(along, _directions(cover, across=True), border)
    height = (stitched * threads).sum(1, keepdim=True)
    gap = (stitched * ends).sum(1, keepdim=True)
    flat = _stepped(F.avg_pool2d(colour, 3, 1, 1), 7)
    vivid = ((flat - _light(flat)) * 1.2 + _light(flat) * 0.96 + 0.03).clamp(0, 1)
    vivid = vivid * (1 - 0.30 * border)
    groove = 1 - border * (1 - _band(cover, _px(side, 6.8))) * 0.5
    result = vivid * (0.68 + 0.38 * height) * (1 - 0.16 * gap) * groove + 0.20 * (height - 0.55).clamp(min=0)
    result = result * (1 - _features(light, cover))
    rough = _sharpened(cover, 0.35 * (height - 0.6))
    return _premultiplied(result.clamp(0, 1), rough)


def watercolour(drawing: Tensor) -> Tensor:
    """Washes of thin paint with soft dark edges, blooms and grain, a little beside the lines."""
    side = drawing.shape[-1]
    grid, bloom, grain = _wet(side)
    moved = F.grid_sample(drawing, grid.expand(len(drawing), -1, -1, -1), align_corners=False)
    colour, cover = _straight(moved)
    soft = blurred(torch.cat((colour * cover, cover), 1), _px(side, 3.0))
    wash = soft[:, :3] / soft[:, 3:].clamp(min=0.05)
    light = _light(colour)
    pigment = 0.62 * wash + 0.38 * colour
    rim = (cover - soft[:, 3:]).clamp(min=0) * 1.5
    inner = (blurred(light, _px(side, 4.0)) - light).clamp(0, 0.3)
    density = 0.58 + 0.42 * bloom + 1.5 * rim + 1.3 * inner + 0.26 * (grain - 0.5)
    paper = _rgb(1.0, 0.99, 0.97)
    result = paper - (paper - pigment.clamp(0.03, 1)) * density
    thin = 1 - 0.18 * (1 - density).clamp(0, 1)
    return _premultiplied(result.clamp(0, 1), _sharpened(cover, 0.3 * (grain - 0.5)) * thin)


def glass(drawing: Tensor) -> Tensor:
    """Stained glass: panes of glowing colour, held by leads."""
    colour, cover = _straight(drawing)
    side = drawing.shape[-1]
    pane, lead, glow = _panes(side)
    count = int(pane.max()) + 1
    flat = torch.cat((colour * cover, cover), 1).flatten(2)  # [n, 4, s × s]
    sums = flat.new_zeros(len(flat), 4, count).index_add(2, pane.flatten(), flat)
    mean = (sums[:, :3] / sums[:, 3:].clamp(min=1e-3)).index_select(2, pane.flatten()).view_as(colour)
    light = _light(colour)
    mixed = torch.lerp(colour, mean, 0.3)
    bright = ((mixed - _light(mixed)) * 1.7 + _light(mixed) * 0.9 + 0.08).clamp(0, 1)
    bright = bright * (0.72 + 0.50 * glow) * (1 - _features(light, cover))
    jump = ((_jump(light * cover + 1 - cover, _px(side, 1.4)) - 0.22) * 5).clamp(0, 1)
    leads = torch.maximum(torch.maximum(jump, lead), _band(cover, _px(side, 5.0)))
    shine = 0.10 * (1 - leads)
    result = torch.lerp(bright, _rgb(0.09, 0.09, 0.11), leads) + shine * glow
    return _premultiplied(result.clamp(0, 1), cover)


def neon(drawing: Tensor) -> Tensor:
    """Tubes of coloured light along the lines, on a dark body."""
    colour, cover = _straight(drawing)
    side = drawing.shape[-1]
    light = _light(colour)
    warm = 0.6 * (colour[:, :1] - colour[:, 2:])  # for edges between two hues as light
    jump = torch.maximum(_jump(light * cover, _px(side, 1.2)), _jump(warm * cover, _px(side, 1.2)))
    jump = ((jump - 0.08) * 3.5).clamp(0, 1)
    tube = torch.maximum(jump, _band(cover, _px(side, 4.4))) * cover
    pure = (colour - colour.amin(1, keepdim=True)) / (
        colour.amax(1, keepdim=True) - colour.amin(1, keepdim=True) + 0.12
    )
    pure = (0.12 + pure + 0.25 * light).clamp(0, 1)
    lit = pure * tube
    halo = blurred(torch.cat((lit, tube), 1), _px(side, 9.0))
    around = (1.7 * halo[:, 3:]).clamp(0, 1)
    body = _rgb(0.04, 0.03, 0.08) * cover + 0.62 * colour * cover
    glow = 1.9 * halo[:, :3]
    core = ((tube - 0.55) * 1.6).clamp(0, 1) * 0.55
    shown = body + glow + lit + core * cover
    out = torch.maximum(cover, 0.75 * around)
    return torch.cat((torch.minimum(shown.clamp(0, 1), out), out), 1)


def balloon(drawing: Tensor) -> Tensor:
    """Blown up and glossy: round towards the edges, lit from the upper left."""
    colour, cover = _straight(drawing)
    side = drawing.shape[-1]
    soft = blurred(torch.cat((colour * cover, cover), 1), _px(side, 2.0))
    smooth = soft[:, :3] / soft[:, 3:].clamp(min=0.05)
    wide = blurred(cover, _px(side, 22.0))
    narrow = blurred(cover, _px(side, 7.0))
    light = blurred(_light(colour) * cover, _px(side, 3.0))
    height = (2 * (wide - 0.45)).clamp(min=1e-3).sqrt() + 0.9 * (2 * (narrow - 0.5)).clamp(min=1e-3).sqrt()
    height = height + 0.35 * light
    steep = side / 14.0
    across, down = _slopes(height)
    length = torch.sqrt(1 + (steep * across) ** 2 + (steep * down) ** 2)
    facing = (0.80 + 0.42 * steep * across + 0.50 * steep * down) / length
    shine = (facing - 0.86).clamp(min=0) * 5.5
    vivid = ((smooth - _light(smooth)) * 1.3 + _light(smooth)).clamp(0, 1)
    result = vivid * (0.52 + 0.58 * facing.clamp(min=0)) + (0.85 * shine * shine).clamp(max=0.8)
    return _premultiplied(result.clamp(0, 1), cover)


def sticker(drawing: Tensor) -> Tensor:
    """A white border and a soft shadow."""
    side = drawing.shape[-1]
    cover = drawing[:, 3:]
    border = ((blurred(cover, _px(side, 7.0)) - 0.10) * 9).clamp(0, 1)
    border = torch.maximum(border, cover)
    off = round(side * 4 / 256)
    shadow = 0.38 * blurred(F.pad(border, (off, -off, off + off // 2, -off - off // 2)), _px(side, 5.0))
    back = torch.cat((border.expand(-1, 3, -1, -1) * 0.985, border), 1)
    result = drawing + back * (1 - cover)
    below = torch.cat((shadow.expand(-1, 3, -1, -1) * 0.05, shadow), 1)
    return (result + below * (1 - result[:, 3:])).clamp(0, 1)


FINISHES: dict[str, Callable[[Tensor], Tensor]] = {
    "ink": ink, "pencil": pencil, "pixels": pixels, "embroidery": embroidery, "watercolour": watercolour,
    "glass": glass, "neon": neon, "balloon": balloon, "sticker": sticker,
}  # fmt: skip


def _features(light: Tensor, cover: Tensor) -> Tensor:
    """How much darker than what is around it each place is, 0..0.8, [n, 1, s, s]: eyes, mouths, windows."""
    side = light.shape[-1]
    small = F.avg_pool2d(torch.cat((light * cover, cover), 1), max(side // 64, 1))
    small = blurred(small, _px(small.shape[-1], 12.0))
    around = small[:, :1] / small[:, 1:].clamp(min=1e-2)
    around = F.interpolate(around, (side, side), mode="bilinear", align_corners=False)
    return (2.2 * (around - light) - 0.15).clamp(0, 0.8)


def _px(side: int, length: float) -> int:
    """So many 256ths of a side in whole pixels, 1 at least."""
    return max(round(length * side / 256), 1)


def _rgb(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor((red, green, blue)).view(1, 3, 1, 1)


def _straight(drawing: Tensor) -> tuple[Tensor, Tensor]:
    """Straight colour [n, 3, s, s], 0 where there is nothing, and coverage [n, 1, s, s]."""
    cover = drawing[:, 3:]
    return (drawing[:, :3] / cover.clamp(min=1e-2)).clamp(0, 1), cover


def _premultiplied(colour: Tensor, cover: Tensor) -> Tensor:
    return torch.cat((colour * cover, cover), 1)


def _light(colour: Tensor) -> Tensor:
    red, green, blue = colour.split(1, 1)
    return LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue


def _stepped(values: Tensor, steps: int) -> Tensor:
    """`values` rounded to so many steps; the gradient passes through."""
    return values + ((values * steps).round() / steps - values).detach()


def _hard(values: Tensor) -> Tensor:
    """1 above zero, 0 below; the gradient is that of a soft step."""
    soft = (2 * values + 0.5).clamp(0, 1)
    return soft + ((values > 0).to(values.dtype) - soft).detach()


def _sharpened(cover: Tensor, moved: Tensor) -> Tensor:
    """`cover` with its edge moved outwards by `moved`, in shares of the edge's width."""
    return ((cover - 0.5) * 1.6 + 0.5 + moved * (4 * cover * (1 - cover)).clamp(0, 1)).clamp(0, 1)


def _largest(values: Tensor, radius: int) -> Tensor:
    """The largest within a square of this radius."""
    across = F.max_pool2d(values, (1, 2 * radius + 1), 1, (0, radius))
    return F.max_pool2d(across, (2 * radius + 1, 1), 1, (radius, 0))


def _jump(light: Tensor, radius: int) -> Tensor:
    """The range of brightness within a square of this radius."""
    both = _largest(torch.cat((light, -light), 1), radius)
    return both[:, :1] + both[:, 1:]


def _band(cover: Tensor, width: int) -> Tensor:
    """1 within `width` pixels of the edge of `cover`, inside; 0 farther in; a picture's own edge is none."""
    inner = -_largest(-F.pad(cover, (width,) * 4, mode="replicate"), width)[..., width:-width, width:-width]
    return (1 - inner).clamp(0, 1)


def _slopes(height: Tensor) -> tuple[Tensor, Tensor]:
    """How fast `height` rises a pixel to the right and downwards, [n, 1, s, s] each."""
    padded = F.pad(height, (1, 1, 1, 1), mode="replicate")
    across = 0.5 * (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2])
    down = 0.5 * (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1])
    return across, down


def _directions(values: Tensor, across: bool) -> Tensor:
    """How much [n, 4, s, s], together 1, threads run at 0, 45, 90 and 135 degrees: along the lines of
    `values` [n, 1, s, s], or across them. Nearly one of them everywhere; by the structure tensor."""
    side = values.shape[-1]
    factor = max(side // 64, 1)
    right, down = _slopes(F.avg_pool2d(values, factor))
    tensor = torch.cat((right * right - down * down, 2 * right * down), 1)  # at twice the angle
    for _ in range(3 if not across else 2):
        tensor = F.avg_pool2d(F.pad(tensor, (2, 2, 2, 2), mode="replicate"), 5, 1)
    x, y = tensor.split(1, 1)
    if not across:
        x, y = -x, -y
    strength = torch.sqrt(x * x + y * y + 1e-10)
    x, y = x / strength, y / strength
    likely = torch.cat((x, -y, -x, y), 1)  # thread at 45 degrees rises to the right: y grows downwards
    likely = likely + torch.tensor((0.0, 0.15, 0.0, 0.0)).view(1, 4, 1, 1)
    shares = (likely * 9).softmax(1)
    return F.interpolate(shares, (side, side), mode="bilinear", align_corners=False)


def _places(side: int) -> tuple[Tensor, Tensor]:
    """Where each pixel lies, in 256ths of a side: down [side, 1], across [1, side]."""
    at = (torch.arange(side) + 0.5) * (256 / side)
    return at[:, None], at[None]


def _noise(side: int, cells: int, seed: int) -> Tensor:
    """Soft noise in 0..1, [1, 1, side, side], of so many hills a side."""
    values = torch.rand(1, 1, cells, cells, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(values, (side, side), mode="bicubic", align_corners=True).clamp(0, 1)


@functools.lru_cache(maxsize=8)
def _dots(side: int) -> Tensor:
    """[1, 1, side, side]: 1 at the middle of printer's dots, 0 between them."""
    down, across = _places(side)
    turn = math.pi / 3.4
    return (0.5 + 0.25 * (torch.cos(turn * (across + down)) + torch.cos(turn * (across - down))))[None, None]


@functools.lru_cache(maxsize=8)
def _hatching(side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Strokes one way and another, and the paper's grain: [1, 1, side, side] in 0..1 each."""
    down, across = _places(side)
    found = []
    for seed, (x, y) in ((31, (0.80, 0.60)), (32, (0.5, -0.87))):
        wobble = 5 * _noise(side, 7, seed)[0, 0] + 1.2 * _noise(side, 24, seed + 5)[0, 0]
        over = x * across + y * down + wobble
        strength = 0.65 + 0.7 * (_noise(side, 40, seed + 9)[0, 0] - 0.5)
        found.append((0.5 + strength * 0.5 * torch.sin(2 * math.pi * over / 4.6)).clamp(0, 1)[None, None])
    return found[0], found[1], 0.5 * _noise(side, 128, 33) + 0.5 * _noise(side, 60, 34)


@functools.lru_cache(maxsize=8)
def _threads(side: int) -> tuple[Tensor, Tensor]:
    """Threads at 0, 45, 90 and 135 degrees: their heights and where stitches end, [1, 4, side, side] each."""
    down, across = _places(side)
    heights, ends = [], []
    for i, degrees in enumerate((0, 45, 90, 135)):
        angle = math.radians(degrees)
        along = across * math.cos(angle) - down * math.sin(angle)
        over = (
            across * math.sin(angle) + down * math.cos(angle) + 0.5 * (_noise(side, 40, 50 + i)[0, 0] - 0.5)
        )
        thread = (over / 3.6).floor()
        within = over / 3.6 - thread  # 0..1 across a thread
        shift = torch.frac(torch.sin(thread * 12.9898) * 437.58).abs()  # each begins elsewhere
        heights.append(torch.sin(math.pi * within).clamp(min=0).sqrt() * (0.86 + 0.14 * shift))
        at = torch.frac(along / 26 + shift + 8)
        ends.append(((0.055 - (at - 0.5).abs()) * 30).clamp(0, 1))
    return torch.stack(heights)[None], torch.stack(ends)[None]


@functools.lru_cache(maxsize=8)
def _wet(side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where paint runs to, a grid [1, side, side, 2]; blooms and grain, [1, 1, side, side] in 0..1 each."""
    down, across = _places(side)
    x = (across - 128 + 9 * (_noise(side, 14, 61)[0, 0] - 0.5) + 3 * (_noise(side, 40, 62)[0, 0] - 0.5)) / 128
    y = (down - 128 + 9 * (_noise(side, 14, 63)[0, 0] - 0.5) + 3 * (_noise(side, 40, 64)[0, 0] - 0.5)) / 128
    bloom = 0.6 * _noise(side, 6, 65) + 0.4 * _noise(side, 16, 66)
    grain = 0.6 * _noise(side, 128, 67) + 0.4 * _noise(side, 72, 68)
    return torch.stack((x, y), -1)[None], (1.5 * bloom - 0.2).clamp(0, 1), grain


@functools.lru_cache(maxsize=8)
def _panes(side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Panes of glass: their numbers int64 [side, side], the leads between them and their glow
    [1, 1, side, side] in 0..1 each. After Worley 1996: the nearest of points, one a cell of a grid."""
    down, across = _places(side)
    jitter = torch.rand(2, PANES, PANES, generator=torch.Generator().manual_seed(71))
    step = 256 / PANES
    cells = torch.arange(PANES)
    x = ((cells[None] + 0.1 + 0.8 * jitter[0]) * step).flatten()
    y = ((cells[:, None] + 0.1 + 0.8 * jitter[1]) * step).flatten()
    far = torch.hypot(across[..., None] - x, down[..., None] - y)  # [side, side, panes]
    nearest = far.topk(2, largest=False)
    between = nearest.values[..., 1] - nearest.values[..., 0]
    lead = ((2.2 - between) * side / 256 * 0.7 + 0.5).clamp(0, 1)[None, None]
    own = torch.frac(nearest.indices[..., 0] * 0.618)
    glow = 0.45 * own + 0.35 * _noise(side, 30, 72)[0, 0] + 0.35 * smoothstep(between, 0, 14)
    return nearest.indices[..., 0], lead, glow[None, None].clamp(0, 1)
