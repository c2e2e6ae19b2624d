"""Grounds painted from a few numbers: calm ones, and scenes from a night sky to a room with a window.

`NUMBERS` numbers, each about N(0, 1) when drawn at random, say what is behind a thing. Each of the first nine
fades one motif in above `FROM` and another one below -`FROM`; between, there is neither: half of all draws
are calm. The others say hue, lightness, and where and how much of it all there is. Everything is
differentiable, so that a search can move it, and looks the same at any size. What stands in the scenes is in
`ground_sheets`.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from engine.pocket import ground_sheets
from engine.pocket.ground_sheets import HORIZON, TALL, WIDE, Colour
from engine.pocket.latents import smoothstep
from engine.pocket.tints import hue_colour

# The motifs that each of the first numbers fades in: above zero, below zero.
MOTIFS = (
    ("night", "sunset"), ("sky", "space"), ("meadow", "desert"), ("sea", "beach"), ("snow", "underwater"),
    ("forest", "street"), ("mountains", "room"), ("rain", "rays"), ("dots", "stripes"),
)  # fmt: skip
HUE = (9, 10)  # a point of the plane: its angle is the hue, its radius the strength
DEPTH = 11  # of calm grounds: below 0.4 pale, above darker; of scenes: from dark to light
SLOPE = 12  # calm grounds: above zero darker towards the bottom, below towards the edges
LEVEL = 13  # how low the horizon lies
ACROSS = 14  # which part of a scene is seen
AMOUNT = 15  # how many stars, flowers, flakes, drops
MOOD = 16  # from cool to warm
NUMBERS = 17
FROM, FULL = 1.5, 2.1  # no motif below, all of it above; at random 52 % of draws have a motif half or more
NEAR = 2.6  # the number of a motif that is named
SHIFTS = 0.3  # of a picture's height that a horizon may move: lowest 0.85, highest 0.55 of it

Range = tuple[Colour, Colour]
_DAY_TOP: Range = ((0.28, 0.54, 0.88), (0.56, 0.80, 0.99))
_DAY_LOW: Range = ((0.66, 0.84, 0.96), (0.88, 0.96, 1.0))
_PALE: Colour = (0.86, 0.92, 0.97)


def paint(numbers: Tensor, size: int) -> Tensor:
    """Grounds of `numbers` [n, NUMBERS] → [n, 3, size, size] in 0..1; differentiable, the same every time."""
    picture = _calm(numbers, size).expand(-1, -1, -1, size)
    shares = motifs(numbers)
    there = torch.stack([shares[name] for name in _ORDER]).detach() > 0  # [motifs, n]
    for name, some, seen in zip(_ORDER, there, there.any(1).tolist(), strict=True):
        if seen:
            picture = _painted(name, picture, numbers, shares, some)
    return picture.clamp(0, 1)


def _painted(name: str, picture: Tensor, numbers: Tensor, shares: dict[str, Tensor], there: Tensor) -> Tensor:
    """The picture [n, 3, size, size] with the motif of this name over it, where `there` [n] says so."""
    size = picture.shape[-1]
    if bool(there.all()):  # as in a search, whose steps have one picture; to index it takes longer than this
        return _faded_in(name, _View(numbers, size, shares), picture)
    rows = there.nonzero().flatten()
    view = _View(numbers[rows], size, {other: part[rows] for other, part in shares.items()})
    return picture.index_copy(0, rows, _faded_in(name, view, picture[rows]))


def _faded_in(name: str, view: "_View", before: Tensor) -> Tensor:
    return torch.lerp(before, _PAINTERS[name](view, before), view.shares[name].view(-1, 1, 1, 1))


def motifs(numbers: Tensor) -> dict[str, Tensor]:
    """How much [n], 0..1, of each motif there is in grounds of `numbers` [n, NUMBERS]."""
    ways = numbers[:, : len(MOTIFS)]
    above, below = (smoothstep(one, FROM, FULL).unbind(1) for one in (ways, -ways))
    shares = (share for both in zip(above, below, strict=True) for share in both)
    return dict(zip((name for pair in MOTIFS for name in pair), shares, strict=True))


def calm(numbers: Tensor) -> Tensor:
    """How calm [n], 0..1, grounds of `numbers` [n, NUMBERS] are: 1 where there is no motif at all."""
    return 1 - torch.stack(list(motifs(numbers).values())).amax(0)


def near(name: str, rng: torch.Generator, count: int) -> Tensor:
    """Numbers [count, NUMBERS] that paint the motif of this name, or "calm" ones, each time otherwise.

    Raises `KeyError` for a name that no motif has.
    """
    numbers = torch.randn(count, NUMBERS, generator=rng).clamp(-2.2, 2.2)
    numbers[:, : len(MOTIFS)] = numbers[:, : len(MOTIFS)].clamp(-1.2, 1.2)
    if name != "calm":
        column, sign = _WHERE[name]
        numbers[:, column] = sign * (NEAR + 0.2 * numbers[:, column])
    return numbers


def calmed(numbers: Tensor) -> Tensor:
    """Grounds of the same hue and lightness as those of `numbers` [n, NUMBERS], without any motif."""
    return torch.cat((numbers[:, : len(MOTIFS)].clamp(-FROM, FROM), numbers[:, len(MOTIFS) :]), 1)


_WHERE = {name: (i, 1 - 2 * k) for i, pair in enumerate(MOTIFS) for k, name in enumerate(pair)}


class _View:
    """What painters of scenes look at: some grounds' numbers [m, NUMBERS], and a window on the sheets."""

    def __init__(self, numbers: Tensor, size: int, shares: dict[str, Tensor]) -> None:
        self.numbers, self.size, self.shares = numbers, size, shares
        self._asked: dict[int, Tensor] = {}

    def number(self, which: int) -> Tensor:
        """[m, 1, 1, 1] in about -1..1."""
        if which not in self._asked:
            self._asked[which] = torch.tanh(0.7 * self.numbers[:, which]).view(-1, 1, 1, 1)
        return self._asked[which]

    @cached_property
    def down(self) -> Tensor:
        """[1, 1, size, 1] in 0..1."""
        return ((torch.arange(self.size) + 0.5) / self.size).view(1, 1, -1, 1)

    @cached_property
    def across(self) -> Tensor:
        """[1, 1, 1, size] in 0..1."""
        return self.down.transpose(2, 3)

    @cached_property
    def lift(self) -> Tensor:
        """[m, 1, 1, 1]: how far the window lies below the top of its sheet, in pictures."""
        return (TALL - 1 - 0.001) * (0.5 - 0.5 * self.number(LEVEL))

    @cached_property
    def near(self) -> Tensor:
        """[m, 1, size, 1]: 0 at the horizon and above, 1 at the bottom."""
        horizon = HORIZON - self.lift
        return ((self.down - horizon) / (1 - horizon)).clamp(0, 1)

    @cached_property
    def high(self) -> Tensor:
        """[m, 1, size, 1]: 1 at the top, 0 at the horizon and below."""
        return (1 - self.down / (HORIZON - self.lift)).clamp(0, 1)

    @cached_property
    def middle(self) -> Tensor:
        """[1, 1, 1, size]: 1 where things stand, 0 at the sides."""
        return 1 - smoothstep((self.across - 0.5).abs(), 0.14, 0.42)

    def sheet(self, name: str, far: float = 1.0) -> tuple[Tensor, ...]:
        """The channels of this sheet, [m, 1, size, size] each, as the window shows them.

        `far`: how much of the window's way up and down it takes part in; the horizon moves with the window.
        """
        whole = ground_sheets.sheet(name, self.size)
        left = (WIDE - 1 - 0.01) * (0.5 + 0.5 * self.number(ACROSS)) * self.size
        top = self.lift * far * self.size
        parts = [_window(whole, x, y, self.size) for x, y in zip(left.flatten(), top.flatten(), strict=True)]
        return (parts[0][None] if len(parts) == 1 else torch.stack(parts)).split(1, 1)

    def colour(self, colours: Range, which: int = DEPTH) -> Tensor:
        """[m, 3, 1, 1] between the two, as one number and a little of the hue and the mood say."""
        low, high = (torch.tensor(one).view(1, 3, 1, 1) for one in colours)
        way = 0.5 + 0.5 * self.number(which)
        mood = torch.tensor((0.18, 0.0, -0.18)).view(1, 3, 1, 1) * self.number(MOOD)
        return torch.lerp(low, high, (way + mood).clamp(0, 1))

    @cached_property
    def hue(self) -> Tensor:
        """[m, 3, 1, 1] in 0..1: the pure hue."""
        x, y = self.numbers[:, HUE[0]], self.numbers[:, HUE[1]]
        return hue_colour(x, y, 0.5)[:, :, None, None]

    def above(self, own: Tensor, picture: Tensor) -> Tensor:
        """The sky over a land: its `own`, or as much of the picture's as is night, sunset, sky or space."""
        share = torch.stack([self.shares[name] for name in _SKIES]).amax(0).view(-1, 1, 1, 1)
        if not bool(share.any()):
            return own.expand(-1, -1, -1, self.size)
        return torch.lerp(own.expand(-1, -1, -1, self.size), picture, share)

    def light(self, colour: Tensor) -> Tensor:
        """`colour` as it looks at night or at sunset."""
        for name, dimmed in (("night", (0.22, 0.27, 0.46)), ("sunset", (0.80, 0.58, 0.55))):
            share = self.shares[name].view(-1, 1, 1, 1)
            if bool(share.any()):
                colour = colour * (1 - share * (1 - torch.tensor(dimmed).view(1, 3, 1, 1)))
        return colour


def _window(sheet: Tensor, left: Tensor, top: Tensor, size: int) -> Tensor:
    """`size` × `size` pixels of `sheet` [c, h, w] from (left, top) on, linear between: [c, size, size]."""
    x, y = int(left.detach()), int(top.detach())
    part = sheet[:, y : y + size + 1, x : x + size + 1]
    part = torch.lerp(part[:, :-1], part[:, 1:], top - y)
    return torch.lerp(part[..., :-1], part[..., 1:], left - x)


def _over(picture: Tensor, colour: Tensor | float, cover: Tensor) -> Tensor:
    """`colour` over the picture [m, 3, size, size] where `cover` [m, 1, size, size] says."""
    if isinstance(colour, Tensor):
        return torch.lerp(picture, colour, cover)
    return picture + (colour - picture) * cover


def _calm(numbers: Tensor, size: int) -> Tensor:
    """White, pale or coloured grounds [n, 3, size, size], plain, graded or darker towards the edges."""
    x, y = numbers[:, HUE[0]], numbers[:, HUE[1]]
    strength = 0.62 * smoothstep(torch.hypot(x, y), 0.7, 2.2)[:, None]
    lightness = 1 - 0.75 * smoothstep(numbers[:, DEPTH], 0.4, 2.4)[:, None]
    flat = (lightness * (1 - strength * (1 - hue_colour(x, y, 0.5))))[:, :, None, None]
    middle = ((torch.arange(size) + 0.5) / size - 0.5).view(1, 1, -1, 1)
    slope = numbers[:, SLOPE].view(-1, 1, 1, 1)
    graded = 0.22 * torch.tanh(slope.clamp(min=0)) * (0.5 + middle)
    edges = 0.5 * torch.tanh((-slope - 0.3).clamp(min=0)) * (middle**2 + middle.transpose(2, 3) ** 2)
    return flat * (1 - graded) * (1 - edges)


def _night(view: _View, picture: Tensor) -> Tensor:
    top = view.colour(((0.02, 0.03, 0.14), (0.12, 0.13, 0.36)))
    low = view.colour(((0.09, 0.10, 0.28), (0.26, 0.25, 0.54)))
    some, more, _ = view.sheet("stars")
    sky = torch.lerp(low, top, view.high.sqrt())
    land = smoothstep(view.near, 0.0, 0.01)
    ground = view.colour(((0.03, 0.05, 0.09), (0.10, 0.14, 0.20)))
    sky = torch.lerp(sky, ground * (1 - 0.3 * view.near), land).expand(-1, -1, -1, view.size)
    cover = (some + more * (0.5 + 0.5 * view.number(AMOUNT))) * (0.35 + 0.65 * view.high) * (1 - land)
    return _moon(view, _over(sky, 1.0, cover))


def _moon(view: _View, picture: Tensor) -> Tensor:
    """A moon in the upper right, full or a crescent."""
    x, y = 0.80 + 0.06 * view.number(ACROSS), 0.19 + 0.03 * view.number(LEVEL)
    far = torch.sqrt((view.across - x) ** 2 + (view.down - y) ** 2 + 1e-8)
    disc = ((0.085 - far) * view.size + 0.5).clamp(0, 1)
    away = 0.035 + 0.12 * (0.5 + 0.5 * view.number(SLOPE))
    bite = torch.sqrt((view.across - x + away) ** 2 + (view.down - y + 0.3 * away) ** 2 + 1e-8)
    disc = disc * ((bite - 0.085) * view.size + 0.5).clamp(0, 1)
    glow = 0.30 * (1 - far / 0.26).clamp(min=0) ** 2
    cover = torch.maximum(disc, glow)
    return _over(picture, torch.tensor((1.0, 0.96, 0.80)).view(1, 3, 1, 1), cover)


def _sunset(view: _View, picture: Tensor) -> Tensor:
    top = view.colour(((0.46, 0.24, 0.44), (0.86, 0.50, 0.54)))
    middle = view.colour(((0.94, 0.46, 0.26), (0.99, 0.62, 0.40)))
    low = view.colour(((0.98, 0.66, 0.30), (1.0, 0.82, 0.50)))
    sky = torch.lerp(
        torch.lerp(low, middle, (2 * view.high).clamp(max=1)), top, (2 * view.high - 1).clamp(min=0)
    )
    x, y = 0.5 + 0.3 * view.number(ACROSS), HORIZON - view.lift - 0.09 - 0.05 * view.number(SLOPE)
    far = torch.sqrt((view.across - x) ** 2 + (view.down - y) ** 2 + 1e-8)
    sun = ((0.10 - far) * view.size + 0.5).clamp(0, 1)
    glow = 0.55 * (1 - far / 0.42).clamp(min=0) ** 2
    result = _over(sky, torch.tensor((1.0, 0.92, 0.66)).view(1, 3, 1, 1), torch.maximum(sun * 0.95, glow))
    clouds, _ = view.sheet("clouds", 0.3)
    result = _over(
        result, view.colour(((0.80, 0.36, 0.42), (1.0, 0.62, 0.55))), 0.45 * clouds * view.high.sqrt()
    )
    dark = view.colour(((0.22, 0.12, 0.18), (0.46, 0.28, 0.30)))
    hills = view.sheet("meadow")
    result = _over(result, torch.lerp(dark, middle, 0.45), hills[0])
    return _over(result, dark * (1 - 0.3 * view.near), hills[1])


def _sky(view: _View, picture: Tensor) -> Tensor:
    top, low = view.colour(((0.22, 0.50, 0.88), (0.48, 0.76, 0.99))), view.colour(_DAY_LOW)
    sky = torch.lerp(top, low, view.down.clamp(0, 1) ** 1.2).expand(-1, -1, -1, view.size)
    return _clouded(view, sky, 1.0)


def _clouded(view: _View, sky: Tensor, much: float) -> Tensor:
    cover, shade = view.sheet("clouds", 0.6)
    sky_there = 0.80 + 0.20 * shade
    return _over(sky, 1.0 * sky_there, much * (0.75 + 0.25 * view.number(AMOUNT)) * cover)


def _day(view: _View) -> Tensor:
    """A sky of the day [m, 3, size, 1], hazy at the horizon."""
    return torch.lerp(view.colour(_DAY_LOW), view.colour(_DAY_TOP), view.high)


def _space(view: _View, picture: Tensor) -> Tensor:
    dark = view.colour(((0.0, 0.0, 0.01), (0.07, 0.05, 0.07)))
    one, other, planet, light, ring = view.sheet("space", 0.5)
    some, more, band = view.sheet("stars")
    result = _over(
        dark.expand(-1, -1, view.size, view.size),
        0.26 * view.hue + torch.tensor((0.22, 0.07, 0.14)).view(1, 3, 1, 1),
        0.55 * one,
    )
    result = _over(result, 0.30 * view.hue.roll(1, 1) + 0.1, 0.35 * other * band)
    result = _over(result, 1.0, some + more * (0.5 + 0.5 * view.number(AMOUNT)))
    own = 0.45 + 0.5 * view.hue.roll(2, 1)
    result = _over(result, own * (0.12 + 0.88 * light), planet)
    return _over(result, 0.55 + 0.35 * own, 0.8 * ring)


def _meadow(view: _View, picture: Tensor) -> Tensor:
    far, land, blades, red, green, blue, flowers = view.sheet("meadow")
    sky = view.above(_clouded(view, _day(view).expand(-1, -1, -1, view.size), 0.8), picture)
    near = view.colour(((0.26, 0.56, 0.12), (0.48, 0.76, 0.26)))
    hazy = torch.lerp(near, torch.tensor((0.78, 0.90, 0.74)).view(1, 3, 1, 1), 0.55)
    result = _over(sky, view.light(torch.lerp(hazy, near, 0.15)), far)
    result = _over(result, view.light(torch.lerp(hazy, near, view.near.sqrt())), land)
    result = _over(result, view.light(0.72 * near), 0.6 * blades)
    petals = view.light(torch.cat((red, green, blue), 1))
    return result + (petals - result * flowers) * (0.55 + 0.45 * view.number(AMOUNT))


def _desert(view: _View, picture: Tensor) -> Tensor:
    far, far_shade, near, shade, ripples = view.sheet("desert")
    low, top = (
        view.colour(((0.97, 0.88, 0.68), (1.0, 0.95, 0.82))),
        view.colour(((0.92, 0.80, 0.58), (0.98, 0.90, 0.74))),
    )
    sky = view.above(torch.lerp(low, top, view.high), picture)
    sand = view.colour(((0.80, 0.52, 0.24), (0.92, 0.68, 0.40)))
    hazy = torch.lerp(sand, low, 0.4)
    result = _over(sky, view.light(hazy) * (1 - 0.16 * far_shade), far)
    return _over(result, view.light(sand) * (1 - 0.30 * shade - 0.10 * ripples), near)


def _sea(view: _View, picture: Tensor) -> Tensor:
    water, crests, troughs = view.sheet("sea")
    sky = view.above(_clouded(view, _day(view).expand(-1, -1, -1, view.size), 0.6), picture)
    deep = view.colour(((0.02, 0.24, 0.54), (0.14, 0.44, 0.76)))
    hazy = torch.lerp(deep, view.colour(_DAY_LOW), 0.35)
    result = _over(sky, view.light(torch.lerp(hazy, deep, view.near.sqrt())), water)
    result = _over(result, view.light(0.72 * deep), 0.7 * troughs)
    return _over(result, view.light(0.25 * deep + 0.74), (0.5 + 0.25 * view.number(AMOUNT)) * crests)


def _beach(view: _View, picture: Tensor) -> Tensor:
    sea, sand, foam, specks, palm = view.sheet("beach")
    sky = view.above(_clouded(view, _day(view).expand(-1, -1, -1, view.size), 0.7), picture)
    water = view.colour(((0.10, 0.50, 0.70), (0.28, 0.70, 0.82)))
    bright = view.colour(((0.92, 0.82, 0.56), (0.99, 0.91, 0.72)))
    result = _over(sky, view.light(torch.lerp(0.85 * water, water, view.near)), sea)
    result = _over(result, view.light(bright * (1 - 0.06 * view.near)), sand)
    result = _over(result, view.light(0.78 * bright), specks)
    result = _over(result, view.light(torch.ones(1, 3, 1, 1)), 0.9 * foam)
    return _over(result, view.light(view.colour(((0.12, 0.38, 0.18), (0.30, 0.58, 0.26)))), palm)


def _snow(view: _View, picture: Tensor) -> Tensor:
    firs, hills, land, small, large = view.sheet("snow")
    top, low = (
        view.colour(((0.58, 0.68, 0.80), (0.76, 0.85, 0.94))),
        view.colour(((0.78, 0.85, 0.92), (0.91, 0.95, 0.98))),
    )
    sky = view.above(torch.lerp(low, top, view.high), picture)
    result = _over(
        sky, view.light(torch.lerp(torch.tensor((0.36, 0.50, 0.56)).view(1, 3, 1, 1), low, 0.35)), 0.85 * firs
    )
    white = view.colour(((0.92, 0.95, 0.98), (0.98, 0.99, 1.0)))
    result = _over(result, view.light(0.955 * white), hills)
    result = _over(result, view.light(white * (1 - 0.03 * view.near)), land)
    return _over(result, 1.0, (0.65 + 0.35 * view.number(AMOUNT)) * torch.maximum(small, 0.85 * large))


def _underwater(view: _View, picture: Tensor) -> Tensor:
    rays, bubbles, weeds, sand = view.sheet("underwater")
    top, low = (
        view.colour(((0.10, 0.58, 0.70), (0.32, 0.78, 0.84))),
        view.colour(((0.01, 0.20, 0.40), (0.08, 0.38, 0.56))),
    )
    water = torch.lerp(top, low, view.down**0.85).expand(-1, -1, -1, view.size)
    result = _over(water, torch.tensor((0.75, 0.97, 0.96)).view(1, 3, 1, 1), 0.24 * rays)
    result = _over(result, torch.lerp(low, torch.tensor((0.62, 0.68, 0.52)).view(1, 3, 1, 1), 0.32), sand)
    green = torch.lerp(low, torch.tensor((0.08, 0.48, 0.36)).view(1, 3, 1, 1), 0.6)
    result = _over(result, green, weeds * (1 - 0.8 * view.middle))
    much = (0.55 + 0.3 * view.number(AMOUNT)) * (1 - 0.6 * view.middle)
    return _over(result, torch.tensor((0.88, 0.98, 0.99)).view(1, 3, 1, 1), much * bubbles)


def _forest(view: _View, picture: Tensor) -> Tensor:
    farthest, farther, near, leaves, floor, ferns = view.sheet("forest")
    glow, dark = (
        view.colour(((0.26, 0.42, 0.22), (0.42, 0.58, 0.34))),
        view.colour(((0.06, 0.20, 0.08), (0.16, 0.34, 0.16))),
    )
    light = torch.lerp(dark, glow, 0.45 + 0.55 * view.middle * (1 - 0.5 * view.high))
    bark = view.colour(((0.13, 0.10, 0.06), (0.26, 0.20, 0.13)))
    result = _over(
        view.light(light).expand(-1, -1, view.size, -1), view.light(torch.lerp(bark, glow, 0.72)), farthest
    )
    earth = view.colour(((0.12, 0.20, 0.07), (0.28, 0.34, 0.16)))
    result = _over(
        result, view.light(torch.lerp(torch.lerp(earth, glow, 0.4), earth, view.near.sqrt())), floor
    )
    result = _over(result, view.light(torch.lerp(bark, glow, 0.40)), farther * (1 - 0.75 * view.middle))
    result = _over(result, view.light(bark), near * (1 - view.middle))
    result = _over(result, view.light(torch.lerp(dark, glow, 0.5)), 0.8 * ferns * (1 - 0.6 * view.middle))
    return _over(result, view.light(0.85 * dark), 0.92 * leaves)


def _street(view: _View, picture: Tensor) -> Tensor:
    red, green, blue, houses, farther, road, pavement, marks = view.sheet("street")
    low, top = (
        view.colour(((0.78, 0.83, 0.88), (0.92, 0.95, 0.97))),
        view.colour(((0.56, 0.68, 0.80), (0.78, 0.86, 0.94))),
    )
    sky = view.above(torch.lerp(low, top, view.high), picture)
    result = _over(
        sky, view.light(torch.lerp(low, torch.tensor((0.52, 0.55, 0.62)).view(1, 3, 1, 1), 0.45)), farther
    )
    seen = 1 - 0.55 * view.middle
    walls = view.light(torch.cat((red, green, blue), 1))
    result = result + (walls - result * houses) * seen
    grey = view.colour(((0.33, 0.33, 0.36), (0.48, 0.48, 0.51)))
    result = _over(result, view.light(1.45 * grey).clamp(max=0.75), pavement)
    result = _over(result, view.light(grey * (1 - 0.15 * view.near)), road)
    return _over(result, view.light(torch.tensor((0.92, 0.91, 0.86)).view(1, 3, 1, 1)), 0.75 * marks)


def _mountains(view: _View, picture: Tensor) -> Tensor:
    far, far_snow, near, snow, shade, firs, land = view.sheet("mountains")
    low = view.colour(_DAY_LOW)
    sky = view.above(_clouded(view, _day(view).expand(-1, -1, -1, view.size), 0.7), picture)
    rock = view.colour(((0.38, 0.42, 0.54), (0.56, 0.56, 0.64)))
    result = _over(sky, view.light(torch.lerp(rock, low, 0.55)), far)
    result = _over(result, view.light(torch.lerp(torch.ones(1, 3, 1, 1), low, 0.3)), 0.9 * far_snow)
    result = _over(result, view.light(rock), near)
    result = _over(result, view.light(torch.tensor((0.97, 0.98, 1.0)).view(1, 3, 1, 1)), snow)
    result = _over(result, view.light(0.72 * rock), 0.38 * shade * near)
    result = _over(result, view.light(low), 0.45 * near * smoothstep(1 - view.high, 0.55, 1.0))
    green = view.colour(((0.30, 0.52, 0.26), (0.50, 0.68, 0.38)))
    result = _over(result, view.light(torch.lerp(0.5 * green, low, 0.15)), 0.9 * firs)
    return _over(result, view.light(green * (1.1 - 0.2 * view.near)).clamp(max=1), land)


def _rain(view: _View, picture: Tensor) -> Tensor:
    fine, large, rings, clouds = view.sheet("rain")
    low, top = (
        view.colour(((0.62, 0.67, 0.73), (0.78, 0.82, 0.86))),
        view.colour(((0.40, 0.46, 0.54), (0.58, 0.64, 0.71))),
    )
    other = 1 - (1 - torch.stack([view.shares[name] for name in _LANDS + _SKIES])).prod(0)
    other = other.view(-1, 1, 1, 1)
    own = torch.lerp(low, top, view.high).expand(-1, -1, -1, view.size)
    own = _over(own, 0.86 * top, 0.7 * clouds)
    wet = view.colour(((0.36, 0.41, 0.47), (0.50, 0.55, 0.61)))
    land = smoothstep(view.near, 0.0, 0.04)
    own = torch.lerp(own, torch.lerp(low, wet, 0.35 + 0.65 * view.near.sqrt()), land)
    own = _over(own, 0.35 + 0.6 * low, 0.6 * rings * land)
    result = torch.lerp(own, 0.78 * picture + 0.10, other)
    much = 0.85 + 0.15 * view.number(AMOUNT)
    return _over(
        result, torch.tensor((0.90, 0.95, 1.0)).view(1, 3, 1, 1), much * torch.maximum(0.8 * fine, large)
    )


def _room(view: _View, picture: Tensor) -> Tensor:
    floor, joints, skirting, frame, glass, curtains, border, inside, paper = view.sheet("room")
    wall = view.colour(((0.80, 0.72, 0.60), (0.96, 0.93, 0.86)))
    wall = torch.lerp(wall, 0.55 + 0.45 * view.hue, 0.45)
    result = wall * (1 - 0.035 * paper) * (1 - 0.18 * (view.across - 0.4) ** 2)
    wood = view.colour(((0.50, 0.33, 0.20), (0.76, 0.56, 0.38)))
    result = _over(result, wood * (0.9 + 0.15 * view.near), floor)
    result = _over(result, 0.72 * wood, 0.5 * joints)
    white = torch.tensor((0.97, 0.96, 0.93)).view(1, 3, 1, 1)
    result = _over(result, white, torch.maximum(skirting, frame))
    day = torch.lerp(
        torch.tensor((0.62, 0.83, 0.98)).view(1, 3, 1, 1),
        torch.tensor((0.92, 0.97, 1.0)).view(1, 3, 1, 1),
        (2 * view.down - 0.4).clamp(0, 1),
    )
    result = _over(result, view.light(day), glass)
    result = _over(result, 0.35 + 0.6 * view.hue.roll(1, 1), 0.92 * curtains)
    result = _over(result, 0.6 * wood, border)
    return _over(result, 0.5 + 0.45 * view.hue.roll(2, 1), inside)


def _two_tones(view: _View, picture: Tensor) -> tuple[Tensor, Tensor]:
    """Two quiet tones of the ground's hue [m, 3, 1, 1]: the lighter, the darker."""
    pastel = 0.62 + 0.38 * view.hue
    depth = view.colour(((0.86, 0.86, 0.86), (1.0, 1.0, 1.0)))
    light = torch.lerp(pastel, torch.ones(1, 3, 1, 1), 0.55) * depth
    return light, pastel * depth * 0.95


def _rays(view: _View, picture: Tensor) -> Tensor:
    light, dark = _two_tones(view, picture)
    x, y = view.across - 0.5, view.down - 0.62
    angle = torch.atan2(y, x) + 0.6 * view.number(ACROSS)
    far = torch.sqrt(x * x + y * y + 1e-6)
    wave = torch.sin(12 * angle)
    edge = (wave * view.size * far / 12 + 0.5).clamp(0, 1)
    return torch.lerp(light, dark, edge * smoothstep(far, 0.1, 0.5))


def _dots(view: _View, picture: Tensor) -> Tensor:
    light, dark = _two_tones(view, picture)
    count = 8 - 2 * view.number(AMOUNT)
    x, y = (view.across - 0.5) * count, (view.down - 0.5) * count
    cos = torch.cos(math.pi * (x + y)) * torch.cos(math.pi * (x - y))  # 1 at the centres of a slanted grid
    edge = ((cos - 0.52 - 0.1 * view.number(SLOPE)) * view.size / (2.2 * count) + 0.5).clamp(0, 1)
    return torch.lerp(light, dark, edge)


def _stripes(view: _View, picture: Tensor) -> Tensor:
    light, dark = _two_tones(view, picture)
    angle = 0.8 * view.number(ACROSS)
    count = 9 - 3 * view.number(AMOUNT)
    along = (view.across - 0.5) * torch.cos(angle) + (view.down - 0.5) * torch.sin(angle)
    edge = (torch.sin(2 * math.pi * count * along) * view.size / (6.3 * count) + 0.5).clamp(0, 1)
    return torch.lerp(light, dark, edge)


_SKIES = ("night", "sunset", "sky", "space")
_LANDS = ("meadow", "desert", "sea", "beach", "snow", "forest", "street", "mountains", "room", "underwater")
_PAINTERS: dict[str, Callable[[_View, Tensor], Tensor]] = {
    "rays": _rays, "dots": _dots, "stripes": _stripes, "sky": _sky, "sunset": _sunset, "night": _night,
    "space": _space, "mountains": _mountains, "desert": _desert, "sea": _sea, "beach": _beach,
    "meadow": _meadow, "snow": _snow, "forest": _forest, "street": _street, "underwater": _underwater,
    "room": _room, "rain": _rain,
}  # fmt: skip
_ORDER: Sequence[str] = tuple(_PAINTERS)  # what comes later covers what came before
