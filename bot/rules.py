"""Banned words and patterns: whether a prompt holds one, also when it is dressed up a little.

A word counts as a whole word, whatever its case and accents; a `*` at its end or beginning stands for more
letters. Common disguises are seen through: invisible and look-alike characters, digits for letters, letters
apart or doubled. Patterns are RE2 expressions, whose time grows with the text and never explodes.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

import re2

MAX_WORD = 100  # characters
MAX_PATTERN = 200  # characters
_PATTERN_MEMORY = 1 << 20  # bytes of a compiled pattern; RE2 refuses one that needs more

# Look-alikes that no normal form joins (after Unicode's confusables, UTS 39: the common ones).
_ALIKE = str.maketrans(
    "авгезиікмнопрсѕтухјԁһӏԛԝαβγεηικνορτυχωıłøđħŧ",
    "abre3uikmhonpcstyxjdhlqwabyenikvoptuxwilodht",
    "\u115f\u1160\u2800\u3164\uffa0",  # look like nothing
) | str.maketrans({"æ": "ae", "œ": "oe"})
_DIGITS = "0134578@$!|€"
_LETTERS = ("oieastbasiie", "oleastbaslle")  # a 1 may be an i or an l
_RUN = re.compile(r"(\w)\1{2,}")
_WORDS = re.compile(r"[^\W_]+")
_MARKS = re.compile(r"[^\w\s]|_")
_APART = re.compile(r"(?<!\S)\w(?: \w(?!\S)){2,}")


class BadRule(Exception):
    """This cannot be a banned word or pattern."""


class BadPattern(BadRule):
    """This is no expression that RE2 knows."""


def is_allowed(text: str, words: Sequence[str], patterns: Sequence[str]) -> bool:
    """Whether a text holds none of these words and matches none of these patterns."""
    return offence(text, words, patterns) is None


def offence(text: str, words: Sequence[str], patterns: Sequence[str]) -> str | None:
    """The first banned word or pattern that a text holds, as its moderator wrote it."""
    if words:
        lines = set(_lines(text))
        for word in words:
            wanted = _wanted(word)
            if any(wanted in line for line in lines):
                return word
    for pattern in patterns:
        compiled = _compiled(pattern)
        if compiled.search(text) or compiled.search(folded(text)):
            return pattern
    return None


def checked_word(text: str) -> str:
    """A banned word as it is stored. Raises `BadRule`."""
    word = " ".join(text.split())
    if len(word) > MAX_WORD or not _wanted(word).strip():
        raise BadRule
    return word


def checked_pattern(text: str) -> str:
    """A banned pattern as it is stored. Raises `BadPattern`, or `BadRule` when it bans everything."""
    try:
        if len(text) <= MAX_PATTERN and not _compiled(text).search(""):
            return text
    except re2.error as error:
        raise BadPattern(str(error)) from error
    raise BadRule


def folded(text: str) -> str:
    """A text in one plain form: lower case, no accents, no invisible characters, look-alikes as Latin."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c for c in decomposed if c == "\n" or unicodedata.category(c) not in ("Mn", "Cf", "Cc"))
    return kept.translate(_ALIKE)


def _wanted(word: str) -> str:
    """What to look for in a line: the word's words between spaces, open where it has a `*`."""
    inner = " ".join(_WORDS.findall(folded(word)))
    before, after = ("" if word.startswith("*") else " "), ("" if word.endswith("*") else " ")
    return f"{before}{inner}{after}"


def _lines(text: str) -> Iterator[str]:
    """The ways to read a text, each as its words between single spaces."""
    plain = folded(text)
    for reading in {plain, *(plain.translate(str.maketrans(_DIGITS, to)) for to in _LETTERS)}:
        for marks in (" ", ""):
            words = " ".join(_WORDS.findall(_MARKS.sub(marks, reading)))
            for line in {words, _APART.sub(lambda found: found[0].replace(" ", ""), words)}:
                yield f" {line} "
                if _RUN.search(line):
                    yield " " + _RUN.sub(r"\1\1", line) + " "
                    yield " " + _RUN.sub(r"\1", line) + " "


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> "re2._Regexp":
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    return re2.compile(pattern, options)
