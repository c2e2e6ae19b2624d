"""What stands in painted grounds, drawn once: stars, clouds, flowers, waves, trees, houses, drops of rain.

A sheet is two pictures wide and a quarter taller than one, so that a picture's window on it may move; its
horizon, if it has one, lies at `HORIZON` pictures from its top. Each channel is a coverage or a colour in
0..1; which, says the function that draws it. Sheets are the same in every process: their chance is seeded.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

WIDE, TALL = 2.0, 1.25  # pictures
HORIZON = 0.85  # of a picture, from the top of a sheet
DRAWN = 256  # pixels of a picture's side at which sheets of up to this size are drawn, then made smaller

Colour = tuple[float, float, float]
Array = npt.NDArray[np.floating[Any]]


@functools.lru_cache(maxsize=64)
def sheet(name: str, size: int) -> Tensor:
    """The sheet [channels, TALL × size, WIDE × size] of this name for pictures of so many pixels a side."""
    if size >= DRAWN:
        return torch.from_numpy(_SHEETS[name](size))
    drawn = sheet(name, DRAWN)
    return F.adaptive_avg_pool2d(drawn[None], (math.ceil(TALL * size), math.ceil(WIDE * size)))[0]


class _Canvas:
    """A sheet while it is drawn: shapes with edges one pixel soft, in pictures from its top left corner."""

    def __init__(self, channels: int, side: int, seed: int) -> None:
        self.side = side
        self.pixels = np.zeros((channels, math.ceil(TALL * side), math.ceil(WIDE * side)), np.float32)
        self._random = np.random.default_rng(seed)

    def any(self, low: float, high: float) -> float:
        """A number between the two."""
        return low + (high - low) * self._random.random()

    def field(self, rows: int, columns: int) -> Array:
        """Soft noise 0..1, [height, width], of so many hills."""
        noise = torch.from_numpy(self._random.random((1, 1, rows, columns), np.float32))
        height, width = self.pixels.shape[1:]
        return F.interpolate(noise, (height, width), mode="bicubic", align_corners=True)[0, 0].numpy()

    def lines(self) -> tuple[Array, Array]:
        """Where each pixel lies: across [1, width] and down [height, 1]."""
        _, height, width = self.pixels.shape
        return (np.arange(width, dtype=np.float32)[None] + 0.5) / self.side, (
            np.arange(height, dtype=np.float32)[:, None] + 0.5
        ) / self.side

    def disc(
        self, values: dict[int, float], x: float, y: float, wide: float, tall: float = 0, turn: float = 0,
        soft: float = 0,
    ) -> None:  # fmt: skip
        """An ellipse about (x, y) of these radii, turned by radians, its edge this share of it soft."""
        tall = tall or wide
        reach = max(wide, tall) + 2 / self.side
        window, across, down = self._window(x - reach, y - reach, x + reach, y + reach)
        across, down = across - x, down - y
        if turn:
            cos, sin = math.cos(turn), math.sin(turn)
            across, down = across * cos + down * sin, down * cos - across * sin
        far = np.sqrt((across / max(wide, 1e-4)) ** 2 + (down / max(tall, 1e-4)) ** 2)
        edge = max(soft, 1 / (self.side * max(min(wide, tall), 0.5 / self.side)))
        self._put(window, np.clip((1 - far) / edge + (0.5 if not soft else 0), 0, 1), values)

    def shape(self, values: dict[int, float], corners: Sequence[tuple[float, float]]) -> None:
        """A convex shape of these corners, clockwise as seen."""
        xs, ys = zip(*corners, strict=True)
        window, across, down = self._window(min(xs), min(ys), max(xs), max(ys))
        cover: Array = np.ones((1, 1), np.float32)
        for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
            length = max(math.hypot(x1 - x0, y1 - y0), 1e-6)
            inside = ((x1 - x0) * (down - y0) - (y1 - y0) * (across - x0)) / length
            cover = np.minimum(cover, np.clip(inside * self.side + 0.5, 0, 1))
        self._put(window, cover, values)

    def stroke(
        self, values: dict[int, float], start: tuple[float, float], end: tuple[float, float],
        wide: float, thin: float | None = None,
    ) -> None:  # fmt: skip
        """A line of this width, with round ends, getting as wide as `thin` at its end."""
        (x0, y0), (x1, y1) = start, end
        thin = wide if thin is None else thin
        reach = max(wide, thin) + 1 / self.side
        window, across, down = self._window(
            min(x0, x1) - reach, min(y0, y1) - reach, max(x0, x1) + reach, max(y0, y1) + reach
        )
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        along = np.clip(((across - x0) * (x1 - x0) + (down - y0) * (y1 - y0)) / length, 0, 1)
        far = np.hypot(across - x0 - along * (x1 - x0), down - y0 - along * (y1 - y0))
        half = (wide + (thin - wide) * along) / 2
        cover = np.clip((half - far) * self.side + 0.5, 0, 1)
        self._put(window, cover * np.minimum(2 * half * self.side, 1), values)

    def below(self, values: dict[int, float], line: Array) -> None:
        """All that lies below `line` [1, width], in pictures from the top."""
        _, down = self.lines()
        everything = (slice(None), slice(None))
        self._put(everything, np.clip((down - line) * self.side + 0.5, 0, 1), values)

    def _window(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[tuple[slice, slice], Array, Array]:
        """The part of the sheet within these sides, and where its pixels lie across and down."""
        _, height, width = self.pixels.shape
        x0, y0 = (max(int(edge * self.side) - 1, 0) for edge in (left, top))
        x1, y1 = int(right * self.side) + 2, int(bottom * self.side) + 2
        window = (slice(y0, max(min(y1, height), y0)), slice(x0, max(min(x1, width), x0)))
        across = (np.arange(x0, max(min(x1, width), x0), dtype=np.float32)[None] + 0.5) / self.side
        return (
            window,
            across,
            (np.arange(y0, max(min(y1, height), y0), dtype=np.float32)[:, None] + 0.5) / self.side,
        )

    def _put(self, window: tuple[slice, slice], cover: Array, values: dict[int, float]) -> None:
        for channel, value in values.items():
            there = self.pixels[(channel, *window)]
            there += cover * (value - there)


def _stars(side: int) -> Array:
    """Coverage of [some stars, many more, a soft band of light]."""
    canvas = _Canvas(3, side, 1)
    for i in range(300):
        x, y, large = canvas.any(0, WIDE), canvas.any(0, TALL), canvas.any(0, 1) ** 3
        radius, bright = 0.0025 + 0.0055 * large, canvas.any(0.5, 1)
        channel = int(i >= 130)
        canvas.disc({channel: bright * 0.35}, x, y, 3.2 * radius, soft=1)
        canvas.disc({channel: bright}, x, y, radius)
        if i < 12:  # some that twinkle
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                canvas.stroke({0: 0.9}, (x, y), (x + dx * 0.028, y + dy * 0.028), 0.006, 0.0)
    across, down = canvas.lines()
    band = np.maximum(1 - ((down - 0.25 - 0.3 * (across - 0.4)) / 0.28) ** 2, 0)
    canvas.pixels[2] = band * np.clip(0.3 + 0.7 * canvas.field(9, 14), 0, 1)
    return canvas.pixels


def _clouds(side: int) -> Array:
    """[coverage of clouds, their shade]."""
    canvas = _Canvas(2, side, 2)
    for x, y, scale in (
        (0.14, 0.2, 1.0), (0.62, 0.1, 0.6), (0.93, 0.3, 0.85), (1.22, 0.14, 1.1), (1.62, 0.26, 0.8),
        (1.88, 0.1, 0.9), (0.4, 0.5, 0.45), (1.1, 0.58, 0.5), (1.75, 0.55, 0.5), (0.08, 0.62, 0.4),
    ):  # fmt: skip
        puffs = [(-0.12, 0, 0.05), (-0.065, -0.035, 0.065), (0.01, -0.055, 0.075), (0.085, -0.02, 0.06),
                 (0.14, 0.005, 0.04)]  # fmt: skip
        for dx, dy, r in puffs:
            dx, dy = dx + canvas.any(-0.015, 0.015), dy + canvas.any(-0.012, 0.012)
            canvas.disc(
                {0: 1.0}, x + scale * dx, y + scale * dy, 1.15 * scale * r, 0.95 * scale * r, soft=0.45
            )
        canvas.disc({0: 1.0}, x + 0.005, y + 0.02 * scale, 0.165 * scale, 0.032 * scale, soft=0.5)
    down = side // 24
    canvas.pixels[1, :-down] = canvas.pixels[0, down:]  # where there is cloud further below, it is lit
    return canvas.pixels


def _meadow(side: int) -> Array:
    """[far hills, near land, blades of grass, flowers: red, green, blue, coverage]."""
    canvas = _Canvas(7, side, 3)
    across, _ = canvas.lines()
    canvas.below({0: 1.0}, HORIZON - 0.05 + 0.035 * np.sin(4.4 * across + 1) + 0.016 * np.sin(11 * across))
    canvas.below({1: 1.0}, HORIZON + 0.014 * np.sin(5.5 * across + 3) + 0.004 * np.sin(17 * across))
    for i in range(420):
        near = (i / 420) ** 1.6
        x, y = canvas.any(0, WIDE), HORIZON + 0.03 + 0.4 * near
        tall, lean = 0.014 + 0.05 * near, canvas.any(-0.4, 0.4)
        canvas.stroke({2: canvas.any(0.4, 1)}, (x, y), (x + lean * tall, y - tall), 0.002 + 0.005 * near, 0.0)
    petals: tuple[Colour, ...] = (
        (1, 1, 1),
        (0.95, 0.3, 0.3),
        (1, 0.8, 0.2),
        (0.98, 0.6, 0.8),
        (0.75, 0.6, 0.98),
    )
    for i in range(110):
        near = (i / 110) ** 1.2
        x, y, radius = canvas.any(0, WIDE), HORIZON + 0.03 + 0.37 * near, 0.004 + 0.009 * near
        _flower(canvas, 3, (x, y), radius, petals[int(canvas.any(0, 4.99))])
    return canvas.pixels


def _flower(canvas: _Canvas, channel: int, at: tuple[float, float], radius: float, petals: Colour) -> None:
    def colour(red: float, green: float, blue: float) -> dict[int, float]:
        return {channel: red, channel + 1: green, channel + 2: blue, channel + 3: 1.0}

    turned = canvas.any(0, 1)
    for k in range(5):
        angle = turned + 2 * math.pi * k / 5
        canvas.disc(
            colour(*petals),
            at[0] + radius * math.cos(angle),
            at[1] + 0.8 * radius * math.sin(angle),
            0.75 * radius,
        )
    canvas.disc(colour(0.98, 0.75, 0.15), *at, 0.55 * radius)


def _sea(side: int) -> Array:
    """[water, light crests, dark troughs]."""
    canvas = _Canvas(3, side, 4)
    across, _ = canvas.lines()
    canvas.below({0: 1.0}, HORIZON + 0 * across)
    for i in range(170):
        near = (i / 170) ** 1.5
        x, y = canvas.any(-0.1, WIDE), HORIZON + 0.012 + 0.4 * near
        long, tall = canvas.any(0.03, 0.06) * (0.5 + 2.2 * near), 0.003 + 0.010 * near
        canvas.disc({2: 0.8}, x, y + 1.4 * tall, 1.1 * long, tall, soft=0.8)
        canvas.disc({1: canvas.any(0.5, 1)}, x, y, long, 0.7 * tall, soft=0.5)
        canvas.disc({1: 0.0}, x + 0.1 * long, y + 0.75 * tall, 0.9 * long, 0.7 * tall, soft=0.4)
    return canvas.pixels


def _beach(side: int) -> Array:
    """[sea, sand, foam, what lies on the sand: darker specks, palm leaves at the left]."""
    canvas = _Canvas(5, side, 5)
    across, _ = canvas.lines()
    edge = HORIZON + 0.085 + 0.012 * np.sin(5 * across) + 0.006 * np.sin(13 * across + 1)
    canvas.below({0: 1.0}, HORIZON + 0 * across)
    canvas.below({2: 1.0}, edge - 0.016)
    canvas.below({2: 0.0, 1: 1.0}, edge)
    canvas.below({2: 0.6}, edge + 0.012)
    canvas.below({2: 0.0}, edge + 0.02)
    for i in range(40):  # crests
        x, y = canvas.any(0, WIDE), HORIZON + 0.01 + 0.06 * (i / 40)
        canvas.disc({2: 0.55}, x, y, 0.03, 0.0025, soft=0.5)
    for i in range(160):
        near = (i / 160) ** 1.2
        x, y = canvas.any(0, WIDE), HORIZON + 0.14 + 0.27 * near
        canvas.disc({3: canvas.any(0.2, 0.7)}, x, y, 0.002 + 0.004 * near, 0.0015 + 0.002 * near)
    for x in (0.03, 1.02, 1.97):
        for k in range(7):
            angle = -0.5 + 0.55 * k
            for step in range(10):
                at = (step + 1) / 10
                reach, droop = 0.30 * at, 0.16 * at * at
                px, py = x + reach * math.cos(angle), 0.13 + 0.6 * reach * math.sin(angle) + droop
                canvas.disc(
                    {4: 1.0}, px, py, 0.034, 0.030 * (1.1 - at) + 0.006, turn=math.atan2(droop * 2, 0.3)
                )
    return canvas.pixels


def _snow(side: int) -> Array:
    """[far firs, hills, nearer snow, flakes small, flakes large]."""
    canvas = _Canvas(5, side, 6)
    across, _ = canvas.lines()
    far = HORIZON - 0.035 + 0.02 * np.sin(5.1 * across)
    for i in range(46):
        x = WIDE * (i + canvas.any(0, 1)) / 46
        foot, tall = HORIZON - 0.005, canvas.any(0.06, 0.15)
        for k in range(3):
            top, half = foot - tall * (1 - 0.27 * k), tall * (0.13 + 0.07 * k)
            canvas.shape({0: 1.0}, [(x, top), (x + half, top + 0.45 * tall), (x - half, top + 0.45 * tall)])
    canvas.below({1: 1.0}, far + 0.02)
    canvas.below({2: 1.0}, HORIZON + 0.05 + 0.025 * np.sin(3.7 * across + 2))
    for i in range(260):
        x, y = canvas.any(0, WIDE), canvas.any(0, TALL)
        large = i >= 200
        radius = canvas.any(0.009, 0.016) if large else canvas.any(0.003, 0.0065)
        canvas.disc({4 if large else 3: canvas.any(0.6, 1)}, x, y, radius, soft=0.6)
    return canvas.pixels


def _desert(side: int) -> Array:
    """[far dune, its shade, near dune, its shade, ripples]."""
    canvas = _Canvas(5, side, 7)
    across, down = canvas.lines()
    for channel, base, high, period, phase in (
        (0, HORIZON - 0.02, 0.10, 1.0, 0.1),
        (2, HORIZON + 0.12, 0.09, 1.25, 0.75),
    ):
        at = (across / period + phase) % 1
        crest = np.where(at < 0.62, at / 0.62, (1 - at) / 0.38)
        crest = crest * crest * (3 - 2 * crest)
        canvas.below({channel: 1.0}, base - high * crest)
        lee = np.clip((at - 0.62) / 0.38, 0, 1)  # the steep side, in the shade from the crest downwards
        slope = (down - (base - high * crest)) / 0.24
        shade = (lee > 0) * np.clip(1 - slope, 0, 1) * np.clip(1 - lee, 0, 1) ** 0.5
        canvas.pixels[channel + 1] = shade * canvas.pixels[channel]
    wavy = down + 0.012 * np.sin(9 * across) + 0.006 * np.sin(23 * across + 2)
    ripples = np.maximum(np.sin(2 * math.pi * 26 * wavy * (1.6 - 0.6 * down)), 0) ** 2
    canvas.pixels[4] = ripples * canvas.pixels[2] * np.clip((down - HORIZON - 0.1) / 0.3, 0, 1)
    return canvas.pixels


def _underwater(side: int) -> Array:
    """[rays of light, bubbles, weeds, sand]."""
    canvas = _Canvas(4, side, 8)
    across, down = canvas.lines()
    slanting = across - 0.35 * down
    rays = (np.sin(9 * slanting) + np.sin(23 * slanting + 1) * 0.6 + np.sin(41 * slanting) * 0.3) / 1.9
    canvas.pixels[0] = np.maximum(rays, 0) * np.maximum(1 - down / 1.0, 0)
    for _ in range(46):
        x, y, radius = canvas.any(0, WIDE), canvas.any(0, 1.1), 0.005 + 0.020 * canvas.any(0, 1) ** 2
        canvas.disc({1: 0.75}, x, y, radius)
        canvas.disc({1: 0.22}, x, y, 0.78 * radius)
        canvas.disc({1: 1.0}, x - 0.35 * radius, y - 0.35 * radius, 0.25 * radius)
    canvas.below({3: 1.0}, HORIZON + 0.12 + 0.02 * np.sin(6 * across))
    for i in range(26):
        x, foot, tall = WIDE * (i + canvas.any(0, 1)) / 26, HORIZON + 0.2, canvas.any(0.12, 0.34)
        swing, wide = canvas.any(4, 9), canvas.any(0.010, 0.018)
        for step in range(18):
            t, u = step / 18, (step + 1) / 18
            start = (x + 0.018 * math.sin(swing * t), foot - tall * t)
            end = (x + 0.018 * math.sin(swing * u), foot - tall * u)
            canvas.stroke({2: 1.0}, start, end, wide * (1 - 0.85 * t), wide * (1 - 0.85 * u))
    return canvas.pixels


def _space(side: int) -> Array:
    """[nebula, another nebula, planet: coverage, light, ring]."""
    canvas = _Canvas(5, side, 9)
    for channel in (0, 1):
        noise = 0.55 * canvas.field(5, 8) + 0.3 * canvas.field(10, 16) + 0.15 * canvas.field(24, 40)
        canvas.pixels[channel] = np.clip((noise - 0.42) * 3, 0, 1)
    across, down = canvas.lines()
    for x, y, radius in ((0.17, 0.24, 0.10), (0.98, 0.32, 0.065), (1.5, 0.2, 0.12), (1.92, 0.4, 0.05)):
        canvas.disc({2: 1.0}, x, y, radius)
        lit = 1 - np.hypot(across - x + 0.35 * radius, down - y + 0.35 * radius) / (1.5 * radius)
        inside = np.hypot(across - x, down - y) < 1.2 * radius
        bands = 0.9 + 0.1 * np.sin((down - y + 0.3 * (across - x)) / radius * 9)
        canvas.pixels[3] = np.where(inside, np.clip(lit, 0, 1) * bands, canvas.pixels[3])
        tilted, along = (down - y) + 0.3 * (across - x), (across - x) - 0.3 * (down - y)
        far = np.hypot(along / 2.0, tilted / 0.42) / radius
        ring = np.clip((0.11 - np.abs(far - 0.84)) * 30 * radius / 0.1, 0, 1)
        hidden = (tilted < 0) & (np.hypot(across - x, down - y) < radius)
        if radius > 0.09:
            canvas.pixels[4] = np.maximum(canvas.pixels[4], ring * ~hidden)
    return canvas.pixels


def _forest(side: int) -> Array:
    """[farthest trunks, farther ones, near trunks, leaves above, floor, ferns]."""
    canvas = _Canvas(6, side, 10)
    across, _ = canvas.lines()
    for channel, count, wide, foot in ((0, 44, 0.013, 0.0), (1, 26, 0.028, 0.05), (2, 9, 0.065, 0.13)):
        for i in range(count):
            x = WIDE * (i + canvas.any(0.1, 0.9)) / count
            half, lean, end = wide * canvas.any(0.4, 0.65), canvas.any(-0.03, 0.03), HORIZON + foot
            canvas.shape(
                {channel: 1.0},
                [(x + lean - 0.8 * half, -0.02), (x + lean + 0.8 * half, -0.02), (x + 1.3 * half, end),
                 (x - 1.3 * half, end)],
            )  # fmt: skip
            canvas.disc({channel: 1.0}, x, end, 2.2 * half, 0.35 * half)
    for _ in range(230):
        x, y = canvas.any(0, WIDE), 0.36 * canvas.any(0, 1) ** 1.6
        canvas.disc(
            {3: canvas.any(0.55, 1)}, x, y, canvas.any(0.02, 0.055), canvas.any(0.018, 0.04), soft=0.25
        )
    canvas.below({4: 1.0}, HORIZON + 0.012 * np.sin(7 * across))
    for i in range(60):
        near = i / 60
        x, y, tall = canvas.any(0, WIDE), HORIZON + 0.06 + 0.34 * near, 0.02 + 0.05 * near
        for k in range(5):
            lean = (k - 2) * 0.5
            canvas.stroke(
                {5: 0.9}, (x, y), (x + lean * tall, y - tall * (1 - 0.1 * lean * lean)), 0.3 * tall, 0.0
            )
    return canvas.pixels


def _street(side: int) -> Array:
    """[houses: red, green, blue, coverage, farther houses, road, pavement, marks on the road]."""
    canvas = _Canvas(8, side, 11)
    across, down = canvas.lines()
    x = 0.0
    while x < WIDE:
        wide, tall = canvas.any(0.07, 0.15), canvas.any(0.22, 0.52)
        canvas.shape({4: 1.0}, [(x, HORIZON - tall), (x + wide, HORIZON - tall), (x + wide, 1), (x, 1)])
        x += wide
    walls: tuple[Colour, ...] = (
        (0.72, 0.60, 0.54), (0.66, 0.66, 0.66), (0.78, 0.70, 0.58), (0.58, 0.55, 0.58), (0.64, 0.52, 0.48)
    )  # fmt: skip
    x, number = 0.0, 0
    while x < WIDE:
        wide, tall = canvas.any(0.16, 0.24), canvas.any(0.18, 0.42)
        _house(canvas, x, wide, tall, walls[number % len(walls)])
        x, number = x + wide + (0.02 if canvas.any(0, 1) < 0.4 else 0.0), number + 1
    canvas.below({5: 1.0, 3: 0.0, 0: 0.0, 1: 0.0, 2: 0.0}, HORIZON + 0.045 + 0 * across)
    canvas.below({6: 1.0, 3: 0.0, 0: 0.0, 1: 0.0, 2: 0.0}, HORIZON + 0 * across)
    canvas.below({6: 0.0}, HORIZON + 0.045 + 0 * across)
    dash = (((across - 0.5 * down) * 4) % 1 < 0.55) & (np.abs(down - HORIZON - 0.22) < 0.011)
    canvas.pixels[7] = dash.astype(np.float32)
    return canvas.pixels


def _house(canvas: _Canvas, x: float, wide: float, tall: float, wall: Colour) -> None:
    def colour(red: float, green: float, blue: float) -> dict[int, float]:
        return {0: red, 1: green, 2: blue, 3: 1.0}

    top = HORIZON - tall
    canvas.shape(colour(*wall), [(x, top), (x + wide, top), (x + wide, HORIZON), (x, HORIZON)])
    roof = canvas.any(0.03, 0.08)
    dark: Colour = (0.45, 0.28, 0.26) if canvas.any(0, 1) < 0.6 else (0.36, 0.36, 0.42)
    canvas.shape(
        colour(*dark),
        [
            (x + 0.25 * wide, top - roof),
            (x + 0.75 * wide, top - roof),
            (x + wide + 0.008, top),
            (x - 0.008, top),
        ],
    )
    columns, rows = 3, max(int(tall / 0.09), 1)
    for row in range(rows):
        for column in range(columns):
            left = x + wide * (column + 0.5) / columns - 0.017
            upper = top + 0.025 + row * (tall - 0.03) / rows
            if row == rows - 1 and column == 1:
                canvas.shape(
                    colour(0.36, 0.26, 0.22),
                    [(left, upper), (left + 0.034, upper), (left + 0.034, HORIZON), (left, HORIZON)],
                )
                continue
            lit = canvas.any(0, 1) < 0.25
            pane = colour(0.98, 0.88, 0.60) if lit else colour(0.80, 0.86, 0.92)
            corners = [
                (left, upper),
                (left + 0.034, upper),
                (left + 0.034, upper + 0.045),
                (left, upper + 0.045),
            ]
            canvas.shape(colour(0.94, 0.92, 0.88), corners)
            inner = [
                (a + 0.005 * (1 if a == left else -1), b + 0.005 * (1 if b == upper else -1))
                for a, b in corners
            ]
            canvas.shape(pane, inner)
            canvas.stroke(
                colour(0.94, 0.92, 0.88), (left + 0.017, upper), (left + 0.017, upper + 0.045), 0.004
            )


def _mountains(side: int) -> Array:
    """[far range, its snow, near range, its snow, its shade, firs, meadow]."""
    canvas = _Canvas(7, side, 12)
    across, down = canvas.lines()
    far = ((0.1, 0.40), (0.42, 0.34), (0.8, 0.46), (1.15, 0.36), (1.5, 0.44), (1.85, 0.38))
    near = ((-0.05, 0.30), (0.26, 0.40), (0.62, 0.22), (0.98, 0.42), (1.36, 0.24), (1.68, 0.40), (2.05, 0.3))
    for channel, peaks, steep in ((0, far, 1.1), (2, near, 1.25)):
        jag = 0.012 * np.sin(37 * across) + 0.008 * np.sin(71 * across + 1) + 0.005 * np.sin(131 * across)
        for x, tall in peaks:
            line = HORIZON - tall + steep * np.abs(across - x) + jag
            canvas.below({channel: 1.0}, line)
            zigzag = 0.014 * np.sin(60 * across + x) + 0.010 * np.sin(103 * across)
            cap = np.clip((HORIZON - tall + 0.36 * tall + zigzag - down) * canvas.side + 0.5, 0, 1)
            own = np.clip((down - line) * canvas.side + 0.5, 0, 1)
            snow = canvas.pixels[channel + 1]
            snow += own * (cap - snow)
            if channel == 2:
                lee = np.clip((across - x + 0.10 * (down - HORIZON + tall)) * canvas.side + 0.5, 0, 1)
                shade = canvas.pixels[4]
                shade += own * (lee - shade)
    canvas.below({6: 1.0}, HORIZON + 0.02 * np.sin(4 * across) + 0.008 * np.sin(13 * across))
    for i in range(64):
        x, tall = WIDE * (i + canvas.any(0, 1)) / 64, canvas.any(0.035, 0.085)
        foot = HORIZON + 0.02 + canvas.any(0, 0.012)
        for k in range(3):
            top, half = foot - tall * (1 - 0.27 * k), tall * (0.13 + 0.07 * k)
            canvas.shape({5: 1.0}, [(x, top), (x + half, top + 0.46 * tall), (x - half, top + 0.46 * tall)])
    return canvas.pixels


def _rain(side: int) -> Array:
    """[fine streaks, larger ones, rings on puddles, dark clouds]."""
    canvas = _Canvas(4, side, 13)
    for i in range(330):
        x, y, large = canvas.any(-0.05, WIDE), canvas.any(-0.1, TALL), i >= 250
        long = canvas.any(0.05, 0.08) if large else canvas.any(0.025, 0.045)
        canvas.stroke(
            {int(large): canvas.any(0.5, 1)},
            (x + 0.22 * long, y),
            (x, y + long),
            0.002,
            0.009 if large else 0.005,
        )
    for i in range(46):
        near = i / 46
        x, y, wide = (
            canvas.any(0, WIDE),
            HORIZON + 0.05 + 0.33 * near,
            canvas.any(0.012, 0.025) * (0.6 + near),
        )
        canvas.disc({2: 0.9}, x, y, wide, 0.3 * wide)
        canvas.disc({2: 0.0}, x, y + 0.004 * near, wide - 0.005, 0.3 * wide - 0.0035)
    for _ in range(60):
        x, y = canvas.any(0, WIDE), 0.05 + 0.24 * canvas.any(0, 1) ** 2
        canvas.disc({3: canvas.any(0.4, 1)}, x, y, canvas.any(0.08, 0.16), canvas.any(0.04, 0.07), soft=0.6)
    return canvas.pixels


def _room(side: int) -> Array:
    """[floor, its joints, skirting, window: frame, glass, curtains, picture: frame, inside, wallpaper]."""
    canvas = _Canvas(9, side, 14)
    across, _ = canvas.lines()
    canvas.pixels[8] = (np.abs((across * 14) % 1 - 0.5) < 0.25).astype(np.float32)
    canvas.below({2: 1.0}, HORIZON - 0.03 + 0 * across)
    canvas.below({2: 0.0, 0: 1.0}, HORIZON + 0 * across)
    for i in range(-30, 60):
        x = 1.0 + (i - 15) * 0.09
        canvas.stroke({1: 0.8}, (x, HORIZON), (1.0 + (x - 1.0) * 2.6, HORIZON + 0.4), 0.002, 0.006)
    for y in (0.03, 0.09, 0.18, 0.3):
        canvas.stroke({1: 0.5}, (0, HORIZON + y), (WIDE, HORIZON + y), 0.003)
    canvas.pixels[1] *= canvas.pixels[0]

    def box(values: dict[int, float], left: float, top: float, right: float, bottom: float) -> None:
        canvas.shape(values, [(left, top), (right, top), (right, bottom), (left, bottom)])

    for x in (0.06, 1.0, 1.94):
        box({3: 1.0}, x - 0.02, 0.19, x + 0.30, 0.57)
        for column in (0, 1):
            for row in (0, 1):
                left, top = x + 0.145 * column, 0.21 + 0.175 * row
                box({4: 1.0, 3: 0.0}, left, top, left + 0.135, top + 0.165)
        box({3: 1.0}, x - 0.05, 0.57, x + 0.33, 0.595)
        for left, right in ((x - 0.09, x - 0.005), (x + 0.285, x + 0.37)):
            box({5: 1.0}, left, 0.155, right, 0.66)
            for k in range(4):
                at = left + (right - left) * (k + 0.7) / 4
                canvas.stroke({5: 0.6}, (at, 0.17), (at, 0.66), 0.006)
        box({5: 0.75}, x - 0.12, 0.14, x + 0.40, 0.16)
    for x in (0.72, 1.62):
        box({6: 1.0}, x - 0.01, 0.25, x + 0.19, 0.45)
        box({7: 1.0, 6: 0.0}, x + 0.01, 0.27, x + 0.17, 0.43)
    return canvas.pixels


_SHEETS: dict[str, Callable[[int], Array]] = {
    "stars": _stars, "clouds": _clouds, "meadow": _meadow, "sea": _sea, "beach": _beach, "snow": _snow,
    "desert": _desert, "underwater": _underwater, "space": _space, "forest": _forest, "street": _street,
    "mountains": _mountains, "rain": _rain, "room": _room,
}  # fmt: skip
