"""Reads what a person typed: dreamable words, several phrases with weights, and parts short enough to read.

The grammar: `phrase | phrase:0.7 | phrase:-0.5`. A weight is a number after the phrase's last colon; without
one it is 1, and a negative one counts against the picture. Whatever is no weight stays words: times
('12:30'), ratios, web addresses, and numbers beyond `MAX_WEIGHT`.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import BadRequest, EmptyPrompt
from engine.sentences import Key
from engine.settings import MAX_PROMPT
from engine.words import emoji, emoji_names, markup

MAX_WEIGHT = 100.0  # either way; a larger number after a colon is a word
MAX_PHRASES = 32  # in a prompt, and as many to avoid

# Left over where there is no emoji to go with: joiner and selectors part no word.
_PARTS_OF_EMOJI = frozenset(("\u200d", *map(chr, range(0xFE00, 0xFE10))))

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
    """The text's words with single spaces: no control or format characters, emoji and chats' markup as words.

    'a 🍒  pie' becomes 'a cherries pie', 'una torta di 🍒' becomes 'una torta di ciliegie', '<:catjam:1>'
    becomes 'catjam'. Raises `EmptyPrompt` when nothing is left that could be dreamt, `BadRequest` beyond
    `MAX_PROMPT` characters.
    """
    if len(text) > MAX_PROMPT:
        raise BadRequest(Key.PROMPT_LENGTH, characters=len(text), most=MAX_PROMPT)
    spoken = markup.spoken(text)
    words = _worded(spoken, emoji.language_of(spoken))
    if not any(character.isalnum() for character in words):
        raise EmptyPrompt
    return words


# For whoever checks a text before it is dreamt.
emoji_as = emoji.replaced
without_markup = markup.spoken


def readings(text: str) -> tuple[str, ...]:
    """Every way in which a text may be read: as it is, and its phrases without weights as the engine reads
    them, emoji by their names in each language and by those that chats give them.

    What `phrases` makes of the text is always among them. Never raises.
    """
    spoken = markup.spoken(text)
    chats = emoji.replaced(spoken, lambda key: f" {', '.join(emoji_names.table()[key].chat)} " if key else "")
    worded = [_worded(spoken, language) for language in emoji_names.LANGUAGES] + [_worded(chats, "en")]
    phrased = ["|".join(_phrase(piece.strip()).words for piece in _BETWEEN.split(words)) for words in worded]
    return tuple(dict.fromkeys((text, *phrased)))


def phrases(prompt: str, avoid: str = "") -> tuple[Phrase, ...]:
    """The prompt's phrases, then those to be avoided. Raises as `wanted` and `unwanted`."""
    return (*wanted(prompt), *unwanted(avoid))


def wanted(prompt: str) -> list[Phrase]:
    """The prompt's phrases; those without letters and those of weight 0 are left out.

    Raises `EmptyPrompt`, or `BadRequest` for text that is too long, for too many phrases, and for weights
    that leave nothing to dream of.
    """
    found = _read(clean(prompt), Key.PROMPT_NO_PHRASE, Key.PROMPT_PHRASES)
    total = sum(phrase.weight for phrase in found)
    if not any(phrase.weight > 0 for phrase in found):
        raise BadRequest(Key.PROMPT_ALL_AGAINST)
    if total <= 1e-6:
        raise BadRequest(Key.PROMPT_TOTAL, total=total)
    return found


def unwanted(avoid: str) -> list[Phrase]:
    """The phrases to be avoided, their weights turned round; none for a blank text. Raises `BadRequest`."""
    if not avoid.strip():
        return []
    try:
        text = clean(avoid)
    except EmptyPrompt as error:
        raise BadRequest(Key.AVOID_NO_WORDS) from error
    found = _read(text, Key.AVOID_NO_PHRASE, Key.AVOID_PHRASES)
    return [Phrase(phrase.words, -phrase.weight) for phrase in found]


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


def _read(text: str, none: Key, too_many: Key) -> list[Phrase]:
    found = [_phrase(piece.strip()) for piece in _BETWEEN.split(text)]
    kept = [phrase for phrase in found if phrase.weight and any(map(str.isalnum, phrase.words))]
    if not kept:
        raise BadRequest(none)
    if len(kept) > MAX_PHRASES:
        raise BadRequest(too_many, count=len(kept), most=MAX_PHRASES)
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


def _worded(text: str, language: str) -> str:
    text = emoji.named(unicodedata.normalize("NFC", text), language)
    return " ".join("".join(map(_readable, text)).split())


@lru_cache(maxsize=1 << 14)
def _readable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "So":
        return f" {emoji_names.symbol(character)} "
    if character in _PARTS_OF_EMOJI:
        return ""
    if category[0] in "ZC":  # separators, control, format, surrogate, private, unassigned
        return " "
    return character
