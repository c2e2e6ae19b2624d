"""Which tints of the small BigGAN's things show the colour that a dream's words name.

A search hardly moves a tint, and of random ones few are strong and fewer of one hue: *a blue bird* would stay
red. So where the words name a colour, half of a start's candidates wear it.
"""

import re

import torch
from torch import Tensor

from engine.pocket.captions import COLOURS

HUES = {  # degrees of `latents_map.TINT`; of black, white, grey and brown there is no tint
    "red": 0.0, "orange": 30.0, "yellow": 55.0, "green": 120.0, "blue": 230.0, "purple": 285.0, "pink": 325.0,
}  # fmt: skip
_PLURALS = {
    "rossi": "red", "rosse": "red", "gialli": "yellow", "gialle": "yellow", "verdi": "green",
    "arancioni": "orange",
}  # fmt: skip
_HUE_OF = {word: HUES.get(name) for name, (words, _) in COLOURS.items() for word in words} | {
    word: HUES[name] for word, name in _PLURALS.items()
}
_FLOWER = re.compile(r"\b(?:una|la|di|della) rosa\b")  # Italian's rose is its pink
STRENGTH, SPREAD = 3.0, 0.2  # radius, from which on tints are whole; deviation of the angle, in radians


def named(words: str) -> float | None:
    """The hue, in degrees, of the one colour that English or Italian `words` name; None for none or several,
    and for those without a hue."""
    found = {_HUE_OF[word] for word in re.findall(r"\w+", _FLOWER.sub("", words.lower())) if word in _HUE_OF}
    return found.pop() if len(found) == 1 else None


def points(hue: float, count: int, rng: torch.Generator) -> Tensor:
    """Tints [count, 2] of about this hue (degrees), as `latents_map.TINT` has them."""
    angle = torch.deg2rad(torch.tensor(hue)) + SPREAD * torch.randn(count, generator=rng)
    return STRENGTH * torch.stack((angle.cos(), angle.sin()), 1)
