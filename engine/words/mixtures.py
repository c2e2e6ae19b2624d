"""Words that make one being of two: 'a cat made of pizza', 'half owl half rabbit'. Loads no library."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.words import counts, grounds, nouns, scene
from engine.words.scene import bare

KINDS = ("made", "halves", "blend", "head")
_STUFF = nouns.FOODS | nouns.MATERIALS
LONGEST = 200  # characters; longer texts tell more than of one being


@dataclass(frozen=True)
class Mixture:
    """One being of two things, and words for the ground on which it is, if there are any.

    `kind`: 'made', the first's shape of the second's stuff; 'halves', the first above and the second below;
    'blend', as much of either everywhere; 'head', the first's head on the second's body.
    """

    first: str
    kind: str
    second: str
    ground: str = ""


_AN = r"(?:an?|the|my|una?|uno|il|lo|la|one) |(?:un|l)'"
_A = rf"(?:{_AN})?"
_OF = r"(?:di |d'|del |dello |della |dell'|dei |degli |delle |dal |dalla |dall'|da )"
_BEING = r"(?:creature|animal|beast|monster|being|thing|something|creatura|animale|bestia|essere|mostro|cosa)"
_MIXED = (
    r"cross(?:breed)?|mix|mixture|blend|hybrid|fusion|combination|mash-?up|merger?|crossover"
    r"|incrocio|misto|mix|miscuglio|mescolanza|ibrido|fusione|combinazione|unione|via di mezzo"
)
_ALL = r"(?:entirely |completely |only |all |purely |just |interamente |completamente |solo |tutt[oaie] )?"
_HEAD = r"(?:head|face|testa|faccia|muso|viso)"
_BODY = r"(?:body|corpo)"
_MADE = r"(?:made|built|carved|constructed|composed|consisting|formed|sculpted|knitted)"
_FATTO = r"(?:fatt|compost|costruit|format|costituit)[oaie]"
_MIX = (
    r"(?:crossed|mixed|merged|fused|blended|combined) (?:with|into)"
    r"|(?:incrociat|mescolat|mischiat|fus)[oa] (?:con|ad?)"
)
_HAS = r"(?:with|that has|who has|having)"
_WHOSE = r"\S+(?: \S+)?"
_HALF, _METÀ = r"(?:half|part)[- ]", r"(?:per )?(?:l'altra )?(?:metà|mezz[oa]) "

# The kind, and how it is said in English and Italian; the first that fits a text counts.
_SAID = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("made", rf"(?P<first>.+?),? (?:(?:that|which) (?:is|are) )?{_ALL}{_MADE} {_ALL}"
                 r"(?:out of|up of|of|from|with) (?P<second>.+)"),
        ("made", rf"(?P<first>.+?),? (?:che (?:è|sono|sembra|sembrano) )?{_FATTO} {_ALL}"
                 rf"(?:{_OF}|con (?:il |lo |la |i |gli |le |l')?)(?P<second>.+)"),
        ("made", r"(?P<second>.+?),? (?:shaped (?:like|as)|(?:in|with) the (?:shape|form) of) (?P<first>.+)"),
        ("made", r"(?P<second>.+?),? (?:(?:that|which) looks? like|looking like) (?P<like>.+)"),
        ("made", rf"{_A}(?P<first>{_WHOSE})[- ]shaped (?P<second>.+)"),
        ("made", rf"(?P<second>.+?),? (?:a|in|con la|dalla|che ha la) forma {_OF}(?P<first>.+)"),
        ("made", r"(?P<second>.+?),? che (?:sembra(?:no)?|(?:as)?somiglia(?:no)? ad?) (?P<like>.+)"),
        ("halves", rf"(?:{_A}{_BEING},? (?:(?:that|which) is )?)?{_A}{_HALF}{_A}(?P<first>.+?)"
                   rf"(?:,? and |, ?| ){_HALF}{_A}(?P<second>.+)"),
        ("halves", rf"(?:{_A}{_BEING},? (?:che è )?)?{_METÀ}{_A}(?P<first>.+?)"
                   rf"(?:,? e |, ?| ){_METÀ}{_A}(?P<second>.+)"),
        ("blend", rf"{_A}(?:{_MIXED}) (?:between|of|from|tra|fra|di|con) (?P<first>.+?)"
                  r" (?:and|with|e|ed|con) (?P<second>.+)"),
        ("blend", rf"(?P<first>.+?),? (?:{_MIX}) (?P<second>.+)"),
        ("blend", rf"{_A}(?P<first>[^\s-]+)[ /-](?P<second>[^\s-]+)[ -](?:hybrid|mix|cross|crossbreed)"),
        ("blend", rf"{_A}(?:ibrido|incrocio|misto) (?P<first>[^\s/-]+)[ /-](?P<second>[^\s/-]+)"),
        ("head", rf"(?P<second>.+?) {_HAS} (?:the|an?) {_HEAD} (?:of|like) (?P<first>.+)"),
        ("head", rf"(?P<second>.+?) {_HAS} {_A}(?P<first>{_WHOSE})'s {_HEAD}"),
        ("head", rf"(?P<second>.+?) {_HAS} {_A}(?P<like>{_WHOSE}) {_HEAD}"),
        ("head", rf"{_A}(?P<like>\S+)-headed (?P<second>.+)"),
        ("head", rf"(?P<first>.+?) {_HAS} (?:the|an?) {_BODY} (?:of|like) (?P<second>.+)"),
        ("head", rf"(?P<first>.+?) {_HAS} {_A}(?P<second>{_WHOSE})'s {_BODY}"),
        ("head", rf"(?P<second>.+?) (?:con|che ha|dalla) (?:la |il |una |un )?{_HEAD} {_OF}(?P<first>.+)"),
        ("head", rf"(?P<first>.+?) (?:con|col|che ha|dal) (?:il |un )?{_BODY} {_OF}(?P<second>.+)"),
    )
)  # fmt: skip
# 'An owl's head on a rabbit's body'.
_OF_HEAD = re.compile(
    rf"(?:(?:the|an?) {_HEAD} of (?P<first>.+?)|{_A}(?P<whose>{_WHOSE})'s {_HEAD}"
    rf"|(?:la |una )?{_HEAD} {_OF}(?P<testa>.+?))"
    rf" (?:on|and|with|sul|su|e|con) (?:(?:the|an?) {_BODY} of (?P<second>.+)"
    rf"|{_A}(?P<on>{_WHOSE})'s {_BODY}|(?:il |un )?{_BODY} {_OF}(?P<corpo>.+))",
    re.IGNORECASE,
)
# A being, or what is built, of a stuff: of other things these words say whose they are, or what is in them.
_MADE_OF = re.compile(rf"(?P<first>.+?) (?:of |di |d')(?P<second>{_A}.+)", re.IGNORECASE)


def read(words: str, is_thing: Callable[[str], bool] | None = None) -> Mixture | None:
    """The being of two that `words` name, in English or Italian; None where they do not read like one.

    `is_thing` says whether words, without their article and colours, name a thing that can be drawn. Two
    nouns in a row ('a dragon teapot', 'cat-fish') are only read where it is given and knows both; whether all
    the words together are some thing's own name is for the caller to know.
    """
    text = " ".join(words.replace("’", "'").split()).rstrip(".!")
    if len(text) > LONGEST:
        return None
    rest, ground = grounds.read(text)
    found = _said(rest) or (_in_a_row(rest, is_thing) if is_thing else None)
    return replace(found, ground=grounds.SAID[ground][0]) if found and ground else found


def _said(text: str) -> Mixture | None:
    """As the words between the two, or before them, say it."""
    if match := _OF_HEAD.fullmatch(text):
        first = match["first"] or match["whose"] or match["testa"]
        return _checked(first, "head", match["second"] or match["on"] or match["corpo"])
    for kind, pattern in _SAID:
        if match := pattern.fullmatch(text):
            found = match.groupdict()
            like = found.get("like")  # what may be no thing: 'a cat with a funny face'
            if like is None or _is(like, nouns.ALL):
                return _checked(like or found["first"], kind, found["second"])
    match = _MADE_OF.fullmatch(text)
    if match is None or not _is(match["first"], nouns.BEINGS | nouns.BUILT):
        return None
    stuff = match["second"]
    return _checked(match["first"], "made", stuff) if re.sub("^d'", "", bare(stuff)) in _STUFF else None


def _checked(first: str, kind: str, second: str) -> Mixture | None:
    """None where a part is nothing, two things, or several."""
    parts = [re.sub(r"'s$", "", part.strip(" ,")) for part in (first, second)]
    if any("," in part or not bare(part) or scene.read(part) is not None for part in parts):
        return None
    return Mixture(parts[0], kind, parts[1])


def _in_a_row(text: str, is_thing: Callable[[str], bool]) -> Mixture | None:
    """As two nouns in a row, of which English has the main one last; a hyphen joins equals."""
    if scene.read(text) is not None:  # 'a frog wearing a crown'
        return None
    counted = counts.read(text)
    words = re.sub(f"^{_A}", "", counted.words if counted else text, flags=re.IGNORECASE).split()
    if len(words) == 1 and words[0].count("-") == 1:
        first, second = words[0].split("-")
        return _pair(second, first, is_thing)
    if not 2 <= len(words) <= 4 or " ".join(words).lower() in nouns.ONE_THING:
        return None
    for at in range(1, len(words)):
        modifier, main = " ".join(words[:at]), " ".join(words[at:])
        fitting = _may_follow(words[at - 1].lower(), words[-1].lower())
        if fitting and (found := _pair(main, modifier, is_thing)):
            return found
    return None


def _may_follow(modifier: str, main: str) -> bool:
    """Whether two English nouns in a row may well mean a being of both."""
    main = main if main in nouns.ALL else main.removesuffix("s")
    if modifier in nouns.SAYS_WHERE or main in nouns.FOODS:
        return False
    if main in (nouns.FOR_BEINGS if modifier in nouns.BEINGS else nouns.WITH_FOODS):
        return False
    if modifier in nouns.MATERIALS - nouns.FOODS:
        return main in nouns.BEINGS | nouns.BUILT
    return modifier in nouns.BEINGS | nouns.FOODS or main in nouns.BEINGS


def _pair(main: str, modifier: str, is_thing: Callable[[str], bool]) -> Mixture | None:
    named = [bare(part) for part in (main, modifier)]
    if min(map(len, named)) < 2 or not all(map(is_thing, named)):
        return None
    if _is(modifier, _STUFF) and not _is(main, _STUFF):
        return _checked(main, "made", modifier)
    if _is(main, _STUFF) and not _is(modifier, _STUFF):
        return _checked(modifier, "made", main)
    return _checked(modifier, "blend", main)


def _is(words: str, some: frozenset[str]) -> bool:
    """Whether the main noun of `words`, English's last or Italian's first, is one of `some`."""
    named = re.sub(r"^(?:un|l)'", "", bare(words)).split()
    return bool(named) and any(word in some for word in (named[-1], named[-1].removesuffix("s"), named[0]))
