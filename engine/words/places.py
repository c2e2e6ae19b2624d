"""Words for what stands where in English and Italian: 'a cat left of a dog'. Loads no library."""

import re

RELATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # where the first thing stands → English and Italian words between the first and the second
    "left": (("left of", "to the left of", "on the left of"), ("a sinistra di",)),
    "right": (("right of", "to the right of", "on the right of"), ("a destra di",)),
    "above": (("above", "on top of", "over"), ("sopra",)),
    "below": (("below", "under", "beneath"), ("sotto",)),
}
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
PLACES = tuple(RELATIONS)
_OF = r" d(?:i|el|ello|ella|ell'|ei|egli|elle)"  # Italian's 'of' with and without an article
_WORDS = {
    place: "|".join(
        re.sub(" di$", _OF, words)
        for words in sorted((w for some in RELATIONS[place] for w in some), key=len, reverse=True)
    )
    for place in PLACES
}
_SENTENCE = re.compile(
    r"^\s*(?P<first>\S.*?)\s+(?:" + "|".join(f"(?P<{p}>{w})" for p, w in _WORDS.items()) + r")"
    r"(?:\s+|(?<='))(?P<second>\S.*?)\s*$",
    re.IGNORECASE | re.DOTALL,
)


def read(text: str) -> tuple[str, str, str] | None:
    """The first thing, its place (one of `PLACES`), the second thing; None where a text says nothing such."""
    found = _SENTENCE.match(text)
    if found is None:
        return None
    return found["first"], next(place for place in PLACES if found[place]), found["second"]
