"""Words that name two things, and how the two stand. How they are shown, `engine.canvas` knows."""

import re
from dataclasses import dataclass

from engine.pocket import places
from engine.pocket.captions import COLOURS

WHOLE = 0.7  # cosine of all words to a class that neither thing is nearer to: 'a bow and arrow' is its name
KNOWN = 0.46  # cosine of a thing's words to the nearest class of the atlas, from which on it can be drawn
# Words between two things that say no side, and where the first thing then stands.
_JOINS = {
    "left": "and|with|next to|beside|near|e|ed|con|accanto a|vicino a|assieme a|insieme a",
    "above": "on|su|sul|sulla|sullo|sull'|sui|sulle|sugli",
    "below": "wearing|con in testa|che indossa",
}
_PAIR = re.compile(
    r"^\s*(?P<first>\S.*?)\s+(?:"
    + "|".join(f"(?P<{place}>{words})" for place, words in _JOINS.items())
    + r")(?:\s+|(?<='))(?P<second>\S.*?)\s*$",
    re.IGNORECASE | re.DOTALL,
)

_ARTICLES = "a an the un uno una il lo la i gli le l' my your some del della dei degli delle"
_NO_THING = frozenset(_ARTICLES.split()) | {word for words, _ in COLOURS.values() for word in words}


@dataclass(frozen=True)
class Scene:
    """Two things and where the first of them stands: a key of `engine.canvas.CORNERS`."""

    first: str
    place: str
    second: str


def read(words: str) -> Scene | None:
    """The two things that `words` name, in English or Italian; None where they do not read like two."""
    found = places.read(words)
    if found is None:
        match = _PAIR.match(words)
        if match is None:
            return None
        found = match["first"], next(place for place in _JOINS if match[place]), match["second"]
    return Scene(*found) if bare(found[0]) and bare(found[2]) else None


def bare(words: str) -> str:
    """`words` without articles and colours: 'a black and white cat' is not two things."""
    return " ".join(word for word in words.lower().split() if word not in _NO_THING)
