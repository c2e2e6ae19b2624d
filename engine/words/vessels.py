"""Words that put things into a vessel: 'a bowl of cherries', 'un cesto di mele'. Loads no library."""

import re
from dataclasses import dataclass

from engine.words import counts, grounds, scene

LONGEST = 200  # characters; longer texts tell more than of one vessel
HEAP = 3  # how many lie in one where the words name no number


@dataclass(frozen=True)
class Filled:
    """Some of a thing in a vessel, and words for the ground on which it stands, if there are any."""

    vessel: str
    contents: str
    count: int  # of the contents: 1, or `HEAP`
    ground: str = ""

    @property
    def drawing(self) -> str:
        """The words for the drawing of the vessel that is the emptiest."""
        return "bowl with spoon" if _BOWL.search(self.vessel) else self.vessel

    @property
    def told(self) -> str:
        """The words for the contents on their ground."""
        return f"{self.contents} {self.ground}".strip()


_BOWL = re.compile(r"\b(?:bowl|ciotola|scodella)$", re.IGNORECASE)
# A glass and a cup are left out, whose drawings are full already.
_VESSEL = (
    r"bowl|basket|bucket|pail|jar|crate|box|nest|pot|sack"
    r"|ciotola|scodella|cesto|cesta|cestino|secchio|barattolo|cassa|scatola|nido|pentola|sacco"
)
_FILLED = re.compile(
    rf"(?P<vessel>(?:(?:an?|the|my|una?|uno|il|lo|la) )?(?:[^\W\d]+ )??(?:{_VESSEL}))"
    r"(?: (?:full|pien[oa]|colm[oa]))?(?: filled)? (?:of|with|di|con|d'(?=\w)) ?(?P<contents>.+)",
    re.IGNORECASE,
)
_ONE = re.compile(r"(?:an?|the|my|one|una?|uno|il|lo|la) |(?:un|l)'", re.IGNORECASE)
# What is drawn in a bowl of its own.
_SERVED = re.compile(
    r"\b(?:soups?|stew|noodles|ramen|rice|salad|cereal|porridge|curry|pasta|spaghetti|food|zuppa|minestra|riso"
    r"|insalata|brodo|cibo)\b",
    re.IGNORECASE,
)


def read(words: str) -> Filled | None:
    """What `words`, in English or Italian, put into which vessel; None where they do not read so.

    Whether all of them are some thing's own name, 'a pot of food', is for the caller to know.
    """
    if len(words) > LONGEST:
        return None
    rest, ground = grounds.read(" ".join(words.replace("’", "'").split()).rstrip(".!"))
    match = _FILLED.fullmatch(rest)
    if match is None or not scene.bare(match["contents"]) or scene.read(match["contents"]) is not None:
        return None
    if _SERVED.search(match["contents"]) or "," in rest:
        return None
    contents, counted = match["contents"], counts.read(match["contents"])
    one = counted is None and _ONE.match(contents) is not None
    said = grounds.SAID[ground][0] if ground else ""
    return Filled(match["vessel"], counted.words if counted else contents, 1 if one else HEAP, said)
