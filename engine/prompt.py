"""Reads what a person typed: dreamable words, several phrases with weights, and parts short enough to read.

The grammar: `phrase | phrase:0.7 | phrase:-0.5`. A weight is a number after the phrase's last colon; without
one it is 1, and a negative one counts against the picture. Whatever is no weight stays words: times
('12:30'), ratios, web addresses, and numbers beyond `MAX_WEIGHT`.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.errors import BadRequest, EmptyPrompt
from engine.settings import MAX_PROMPT

MAX_WEIGHT = 100.0  # either way; a larger number after a colon is a word
MAX_PHRASES = 32  # in a prompt, and as many to avoid

# Zero-width joiner, variation selectors, skin tones: parts of an emoji, not words.
_EMOJI_PARTS = re.compile("[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")

# In the names of old symbols these speak of the printing type: ❤ is HEAVY BLACK HEART.
_TYPE_WORDS = {"black", "heavy", "white"}

_BETWEEN = re.compile("[|｜]")
_WEIGHT = re.compile(r"(?P<words>.*\S)\s*[:：]\s*(?P<number>[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+))", re.ASCII)
# Where a long phrase is parted, best first; scripts without spaces have none after their stops either.
_CLAUSE_ENDS = (r"(?<=[.!?;])\s+|(?<=[。！？；])\s*", r"(?<=[,:])\s+|(?<=[，、：])\s*")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words, and how much they count: less than 0, against the picture."""

    words: str  # as `clean` makes them
    weight: float = 1.0  # -MAX_WEIGHT..MAX_WEIGHT, never 0


def clean(text: str) -> str:
    """The text's words with single spaces: no control or format characters, emoji as their Unicode names.

    'a 🍒  pie' becomes 'a cherries pie'. Raises `EmptyPrompt` when nothing is left that could be dreamt,
    `BadRequest` beyond `MAX_PROMPT` characters.
    """
    if len(text) > MAX_PROMPT:
        raise BadRequest(f"The prompt has {len(text)} characters; {MAX_PROMPT} is the most.")
    text = _EMOJI_PARTS.sub("", unicodedata.normalize("NFC", text))
    words = " ".join("".join(_readable(character) for character in text).split())
    if not any(character.isalnum() for character in words):
        raise EmptyPrompt
    return words


def phrases(prompt: str, avoid: str = "") -> tuple[Phrase, ...]:
    """The prompt's phrases, then those to be avoided. Raises as `wanted` and `unwanted`."""
    return (*wanted(prompt), *unwanted(avoid))


def wanted(prompt: str) -> list[Phrase]:
    """The prompt's phrases; those without letters and those of weight 0 are left out.

    Raises `EmptyPrompt`, or `BadRequest` for text that is too long, for too many phrases, and for weights
    that leave nothing to dream of.
    """
    found = _read(clean(prompt), "The prompt")
    total = sum(phrase.weight for phrase in found)
    if not any(phrase.weight > 0 for phrase in found):
        raise BadRequest(
            "Every phrase of the prompt counts against the picture; please give one a weight above 0."
        )
    if total <= 1e-6:
        raise BadRequest(
            f"The weights of the prompt add up to {total:g}; "
            "please make the wanted phrases weigh more than the unwanted ones."
        )
    return found


def unwanted(avoid: str) -> list[Phrase]:
    """The phrases to be avoided, their weights turned round; none for a blank text. Raises `BadRequest`."""
    if not avoid.strip():
        return []
    try:
        text = clean(avoid)
    except EmptyPrompt as error:
        raise BadRequest("What to avoid has no words.") from error
    return [Phrase(phrase.words, -phrase.weight) for phrase in _read(text, "What to avoid")]


def parts(text: str, fitting: Callable[[str], str]) -> list[str]:
    """The text in pieces that each fit, none lost: parted after sentences, clauses, words, or else letters.

    `fitting` gives the longest beginning of a text that fits (`Perceptor.fitting`). A text that fits is one.
    """
    if fitting(text) == text:
        return [text]
    for ends in _CLAUSE_ENDS:
        clauses = [clause.strip() for clause in re.split(ends, text) if clause.strip()]
        if len(clauses) > 1:
            return _packed([part for clause in clauses for part in parts(clause, fitting)], fitting)
    found = []
    while text:
        head = fitting(text) or text[:1]
        found.append(head)
        text = text[len(head) :].strip()
    return found


def _packed(pieces: Sequence[str], fitting: Callable[[str], str]) -> list[str]:
    """Neighbours joined as long as they fit together."""
    found = [pieces[0]]
    for piece in pieces[1:]:
        joined = f"{found[-1]} {piece}"
        if fitting(joined) == joined:
            found[-1] = joined
        else:
            found.append(piece)
    return found


def _read(text: str, what: str) -> list[Phrase]:
    found = [_phrase(piece.strip()) for piece in _BETWEEN.split(text)]
    kept = [phrase for phrase in found if phrase.weight and any(map(str.isalnum, phrase.words))]
    if not kept:
        raise BadRequest(f"{what} has no phrase that counts; please give one a weight other than 0.")
    if len(kept) > MAX_PHRASES:
        raise BadRequest(f"{what} has {len(kept)} phrases; {MAX_PHRASES} is the most.")
    return kept


def _phrase(piece: str) -> Phrase:
    match = _WEIGHT.fullmatch(piece)
    if match is None or not any(map(str.isalnum, match["words"])):
        return Phrase(piece)
    number = match["number"].replace(",", ".")
    # After a digit only what cannot be minutes or a ratio: 'area 51:0.5', but not '12:30' or '16:9'.
    like_a_time = match["words"][-1].isdigit() and not re.match(r"[+-]|\d?\.", number)
    like_an_address = "://" in match["words"].split()[-1]
    if like_a_time or like_an_address or abs(float(number)) > MAX_WEIGHT:
        return Phrase(piece)
    return Phrase(match["words"], float(number))


def _readable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "So":
        name = unicodedata.name(character, "").lower().split()
        return f" {' '.join(word for word in name if word not in _TYPE_WORDS)} "
    if category[0] in "ZC":  # separators, control, format, surrogate, private, unassigned
        return " "
    return character
