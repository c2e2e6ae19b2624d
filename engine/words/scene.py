"""Words that name two things, and how the two stand. How they are shown, `engine.search.canvas` knows."""

import re
from dataclasses import dataclass, replace

from engine.errors import BadRequest
from engine.prompt import wanted
from engine.words import grounds, places
from engine.words.colours import COLOURS

WHOLE = 0.7  # cosine of all words to a class that neither thing is nearer to: 'a bow and arrow' is its name
KNOWN = 0.46  # cosine of a thing's words to the nearest class of the atlas, from which on it can be drawn
NAMED = 0.75  # of a class's own name

_POSED = (
    "sitting|standing|lying|sleeping|dancing|perched|seduto|seduta|in piedi|sdraiato|sdraiata|in equilibrio"
)
# Words between two things that say no side, and how the two then stand: the first that fits.
_JOINS = {
    "hat": "wearing|che indossa|che porta|con in testa|con sulla testa",
    "on": f"riding|che cavalca|a cavallo di|a cavallo d'|(?:(?:{_POSED}) )?"
    "(?:on top of|on|sopra|su|sul|sulla|sullo|sull'|sui|sulle|sugli)",
    "in": f"inside(?: of)?|dentro(?: ad?| al| alla| allo| all')?|(?:(?:{_POSED}) )?"
    "(?:in(?= (?:an?|the|una?|uno) )|in un'|nel|nella|nello|nell'|nei|nelle|negli)",
    "held": "with|holding|con|che tiene",
    "together": "and|e|ed|assieme ad?|insieme ad?",
    "left": "next to|beside|near|accanto ad?|vicino ad?",
}
_PAIR = re.compile(
    r"^\s*(?P<first>\S.*?)\s+(?:"
    + "|".join(f"(?P<{place}>{words})" for place, words in _JOINS.items())
    + r")(?:\s+|(?<='))(?P<second>\S.*?)\s*$",
    re.IGNORECASE | re.DOTALL,
)
_ON_HEAD = re.compile(r"\s+(?:on (?:its|his|her|the|their) head|in testa|sulla testa)$", re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


_ARTICLES = "a an the un uno una il lo la i gli le l' my your some del della dei degli delle"
_NO_THING = _words(_ARTICLES) | {word for words, _ in COLOURS.values() for word in words}
# Where the second thing belongs when the first one wears it, holds it, or has several.
_BELONGS = {
    "hat": "hat hats cap crown helmet tiara beret turban cappello berretto corona elmo casco cilindro",
    "glasses": "glasses sunglasses goggles spectacles mask occhiali maschera",
    "clothes": "scarf tie necktie necklace medal dress shirt sciarpa cravatta collana medaglia "
    "vestito camicia",
    "legs": "leg legs foot feet paws wheels shoes boots socks skates gamba gambe zampe piedi ruote scarpe "
    "stivali calzini pattini",
    "wings": "wing wings arms fins ali ala braccia pinne",
    "horns": "ear ears horns antlers orecchie corna",
    "aloft": "umbrella parasol balloon balloons kite flag ombrello ombrellone palloncino palloncini aquilone "
    "bandiera",
}
_BELONGS_WORDS = {place: _words(words) for place, words in _BELONGS.items()}
_TWINS = ("legs", "wings", "horns", "flanked")  # shown twice
_WORN = ("hat", "glasses", "clothes", "legs")
# What things stand in or on without being things themselves.
_GROUNDS = _words(
    "sky snow sea water ocean beach night rain forest woods wood jungle desert space city town street road "
    "grass meadow field park garden fog mountains hill hills dark middle morning evening "
    "cielo neve mare acqua oceano spiaggia notte pioggia foresta bosco giungla deserto spazio città strada "
    "erba prato campo parco giardino nebbia montagna montagne collina colline buio mezzo mattino sera"
)
_SOME = re.compile(r"^(?:two|some|many|pair of|a pair of|due|un paio di|dei|degli|delle|i|gli|le)\s+", re.I)


@dataclass(frozen=True)
class Scene:
    """Two things, how they stand, a key of `engine.search.canvas.LAYOUTS`, some where the first is, and words
    for the ground on which both are, if there are any."""

    first: str
    place: str
    second: str
    ground: str = ""

    @property
    def told(self) -> tuple[str, str]:
        """The words for each thing on its ground."""
        return f"{self.first} {self.ground}".strip(), f"{self.second} {self.ground}".strip()


def panels(prompt: str) -> int:
    """In how many panels a prompt is searched as far as its words tell: 2 where they name two things, else 1.

    The models have the last word: of things that they do not know they dream one picture.
    """
    try:
        phrases = [phrase for phrase in wanted(prompt) if phrase.weight > 0]
    except BadRequest:
        return 1
    return 2 if len(phrases) == 1 and read(phrases[0].words) is not None else 1


def read(words: str) -> Scene | None:
    """The two things that `words` name, in English or Italian; None where they do not read like two."""
    rest, ground = grounds.read(words)
    found = _things(rest)
    return replace(found, ground=grounds.SAID[ground][0]) if found and ground else found


def _things(words: str) -> Scene | None:
    match = _PAIR.match(words)
    found = match and (match["first"], next(place for place in _JOINS if match[place]), match["second"])
    said = places.read(words)
    if said is not None and not (found and found == (said[0], "on", said[2])):
        found = said  # 'on the left of' is not 'on', but 'on top of' is
    if not found or not bare(found[0]) or not bare(found[2]):
        return None
    first, place, second = found
    if place in ("hat", "held", "in"):
        place, second = _belonging(place, second)
    if place in ("on", "in") and _words(bare(second)) & _GROUNDS:
        return None
    return Scene(first, place, second)


def _belonging(place: str, second: str) -> tuple[str, str]:
    """How what is worn, held, had or got into stands, and its words; without their number where it is shown
    twice."""
    rest = _ON_HEAD.sub("", second)
    if rest != second:
        return "hat", rest
    words = _words(bare(second))
    fitting = next((where for where, some in _BELONGS_WORDS.items() if words & some), "")
    if place == "in":
        return (fitting if fitting in ("hat", "clothes") else "in"), second
    several = _SOME.search(second) is not None or _is_plural(second)
    if several and (not fitting or fitting == "aloft"):
        fitting = "flanked"
    if place == "hat" and fitting not in _WORN:
        return "hat", second
    return fitting or place, _SOME.sub("", second) if fitting in _TWINS and several else second


def _is_plural(words: str) -> bool:
    """Whether English words have no article and end like a plural."""
    return not re.match(r"(?:an?|the|una?|uno|il|lo|la|l')\b", words, re.I) and bool(
        re.search(r"[^suio]s$", words, re.I)
    )


def bare(words: str) -> str:
    """`words` without articles and colours: 'a black and white cat' is not two things."""
    return " ".join(word for word in words.lower().split() if word not in _NO_THING)


def faces(scene: Scene) -> list[str]:
    """What the first thing's face would be called where the second one is worn on it: a cat that stands has
    its head anywhere."""
    if scene.place not in ("hat", "glasses"):
        return []
    words = re.sub(r"^(?:an?|the|una?|uno|il|lo|la|l')\s+", "", scene.first, flags=re.IGNORECASE)
    return [f"{words} face", f"muso di {words}"]
