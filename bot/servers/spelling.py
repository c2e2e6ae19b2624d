"""How a word is written, and what it may be a disguise of: marks, look-alikes, doubled letters.

A word that stands in a dictionary is itself, however much it looks like another: Spanish año is not ano,
Italian penne are not pene, Russian рот is not pot. Only what stands in none can be a disguise. The dictionary
and the look-alikes lie beside this file; `bot.servers.spelling_tables` says where they come from and writes
them.
"""

import gzip
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

KNOWN_WORDS = Path(__file__).with_name("known_words.txt.gz")  # words that look like others
LOOK_ALIKES = Path(__file__).with_name("look_alikes.txt.gz")  # a letter, and the Latin one that it looks like

# Marks that any letter can carry; those of one script's own are its vowels and tones (UAX 24).
_LOOSE_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    # Hebrew points, Arabic vowels and lengthening: written or left out, the word is the same.
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u0640]"
)
_OPTIONAL_MARKS = re.compile("[\u0591-\u05c7\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670]")
_WHOLE = "йїўѓќ"  # letters of their own, though Unicode sees a mark in them
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # look like nothing
_EXTRA = str.maketrans("þǝəɐʇɔɹʍʎʌɥɯɟʞᴉμ", "peeatcrwyvhmfkiu") | str.maketrans(
    {"æ": "ae", "œ": "oe"} | dict.fromkeys("أإآٱ", "ا")
)
# Alphabets that generators of fancy text take for Latin: Canadian syllables, Cherokee, Lisu's I.
_FANCY = str.maketrans(
    "ᗩᗷᑕᗪᖴᕼᒍᒪᗰᑎᑭᑫᖇᔕᑌᐯᗯᘔᎪᏴᏟᎠᎬᎰᎶᎻᎥᎫᏦᏞᎷᏁᎾᏢᎤᏒᏚᏆᎢᏌᏙᏔᎽᏃꓲ",
    "abcdfhjlmnpqrsuvwzabcdefghijklmnopqrsttuvwyzi",
)
_SHORT_SS = re.compile(r"(?<!\w)\w{1,2}ß(?!\w)")  # German 'aß' is not 'ass', though 'Scheiße' is 'Scheisse'
_KEPT_SS = "\ue001"
# Letters in circles and squares that no normal form makes plain.
_FRAMED = {first + i: chr(ord("A") + i) for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6) for i in range(26)}
# Marks of Japanese that stand beside their letter instead of on it.
_PLAINER = _FRAMED | {0x309B: "\u3099", 0x309C: "\u309a"}
_RUNS = re.compile(r"(.)\1+", re.DOTALL)
_LATIN = re.compile("[a-z]")


def plain(text: str) -> str:
    """The text in Unicode's compatible form, without what cannot be seen; case and marks stay."""
    kept = "".join(map(_visible, text.translate(_PLAINER)))
    return unicodedata.normalize("NFKC", kept)


@lru_cache(maxsize=1 << 14)
def exact(text: str) -> str:
    """A text that differs from another one only in case, width and font, in one form."""
    if text.isascii() and text.isprintable():
        return text.casefold()
    kept = _SHORT_SS.sub(lambda found: found[0].replace("ß", _KEPT_SS), plain(text))
    folded = kept.casefold().replace("i\u0307", "i").replace(_KEPT_SS, "ß")
    return unicodedata.normalize("NFC", folded)


@lru_cache(maxsize=1 << 14)
def skeleton(text: str) -> str:
    """An `exact` text without marks, its look-alikes as Latin letters."""
    if text.isascii():
        return text
    decomposed = "".join(
        c if c in _WHOLE else _LOOSE_MARKS.sub("", unicodedata.normalize("NFD", c)) for c in text
    )
    return unicodedata.normalize("NFC", decomposed).translate(_alike())


def collapsed(text: str) -> str:
    """The text without doubled letters."""
    return _RUNS.sub(r"\1", text)


@lru_cache(maxsize=1 << 14)
def meant(word: str) -> tuple[str, bool]:
    """What an `exact` word may be read as, and whether it is known, so that it is no disguise."""
    if word in _known():
        return word, True
    bare = skeleton(word)
    return bare, bare in _known() and collapsed(bare) != bare  # gооd with Cyrillic letters is good, not god


def voweled(word: str) -> bool:
    """Whether Hebrew or Arabic vowels are written in a word."""
    return _OPTIONAL_MARKS.search(word) is not None


def has_latin(text: str) -> bool:
    return _LATIN.search(text) is not None


@lru_cache(maxsize=1 << 14)
def is_word_character(character: str) -> bool:
    """Whether it is a letter, a digit, a mark on one, or a private sign."""
    return unicodedata.category(character)[0] in "LNM" or unicodedata.category(character) == "Co"


@lru_cache(maxsize=1 << 14)
def _visible(character: str) -> str:
    if character.isspace():
        return " "
    hidden = character in _BLANKS or unicodedata.category(character) in ("Cf", "Cc", "Cs")
    return "" if hidden or "\ufe00" <= character <= "\ufe0f" else character


@cache
def _alike() -> dict[int, str | int]:
    rows = gzip.decompress(LOOK_ALIKES.read_bytes()).decode("utf-8").splitlines()
    return {ord(row[0]): row[2] for row in rows if not row.startswith("#")} | _EXTRA | _FANCY


@cache
def _known() -> frozenset[str]:
    rows = gzip.decompress(KNOWN_WORDS.read_bytes()).decode("utf-8").splitlines()
    return frozenset(row for row in rows if not row.startswith("#"))
