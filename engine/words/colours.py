"""Words for colours in English and Italian, and the hues that they name. Loads no library."""

import re
from dataclasses import dataclass

COLOURS: dict[str, tuple[tuple[str, str, str], tuple[float, float, float]]] = {
    "red": (("red", "rosso", "rossa"), (0.87, 0.10, 0.12)),
    "orange": (("orange", "arancione", "arancione"), (0.98, 0.55, 0.08)),
    "yellow": (("yellow", "giallo", "gialla"), (0.98, 0.87, 0.15)),
    "green": (("green", "verde", "verde"), (0.15, 0.68, 0.20)),
    "blue": (("blue", "blu", "blu"), (0.12, 0.35, 0.90)),
    "purple": (("purple", "viola", "viola"), (0.52, 0.18, 0.75)),
    "pink": (("pink", "rosa", "rosa"), (0.98, 0.50, 0.75)),
    "brown": (("brown", "marrone", "marrone"), (0.48, 0.28, 0.14)),
    "black": (("black", "nero", "nera"), (0.10, 0.10, 0.11)),
    "white": (("white", "bianco", "bianca"), (0.96, 0.96, 0.96)),
    "grey": (("grey", "grigio", "grigia"), (0.52, 0.53, 0.54)),
}

HUES = {  # degrees
    "red": 0.0, "orange": 30.0, "yellow": 52.0, "green": 120.0, "blue": 230.0, "purple": 285.0, "pink": 325.0,
}  # fmt: skip
_PLURALS = {
    "rossi": "red", "rosse": "red", "gialli": "yellow", "gialle": "yellow", "verdi": "green",
    "arancioni": "orange",
}  # fmt: skip


@dataclass(frozen=True)
class Tint:
    """What a colour word asks a thing to be."""

    hue: float | None  # degrees; None: neither red nor blue nor any other
    light: float = 0.0  # -1..1: of a hue its dark, pure or pale tones; without one black, grey, white


TINTS = {name: Tint(degrees) for name, degrees in HUES.items()} | {
    "pink": Tint(325.0, 0.5), "brown": Tint(25.0, -0.5),
    "white": Tint(None, 1.0), "grey": Tint(None), "black": Tint(None, -1.0),
}  # fmt: skip
_ALSO = {
    "gray": "grey", "neri": "black", "nere": "black", "bianchi": "white", "bianche": "white",
    "grigi": "grey", "grigie": "grey", "marroni": "brown",
}  # fmt: skip
_TINT_OF = (
    {word: TINTS[name] for name, (words, _) in COLOURS.items() for word in words}
    | {word: TINTS[name] for word, name in _PLURALS.items()}
    | {word: TINTS[name] for word, name in _ALSO.items()}
)
# What stuffs look like whose drawings show something else: a wrapped bar, a medal, a snowman.
_STUFFS = {
    "brown": "chocolate cacao cocoa gingerbread cioccolato cioccolata",
    "yellow": "gold oro",
    "grey": "silver iron steel metal argento ferro acciaio metallo",
    "white": "snow paper cotton sugar neve carta cotone zucchero",
}
_COLOUR_OF = {stuff: TINTS[name] for name, stuffs in _STUFFS.items() for stuff in stuffs.split()}
_FLOWER = re.compile(r"\b(?:una|la|di|della) rosa\b")  # Italian's rose is its pink


def tint(words: str) -> Tint | None:
    """What the one colour that English or Italian `words` name asks for; None for none or several of them."""
    found = {
        _TINT_OF[word] for word in re.findall(r"\w+", _FLOWER.sub("", words.lower())) if word in _TINT_OF
    }
    return found.pop() if len(found) == 1 else None


def of_stuff(words: str) -> Tint | None:
    """The colour of the stuff that English or Italian `words` name, where it is said to have one: brown of
    chocolate, white of snow."""
    named = (word for word in re.findall(r"\w+", words.lower()) if word in _COLOUR_OF)
    return _COLOUR_OF.get(next(named, ""))
