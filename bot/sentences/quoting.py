"""Makes a user's words safe to show: no markdown, mentions or links, no control or direction characters.

Towers of marks, and floods of pictures and of what is not seen, are cut to what languages need. What is
stored and dreamt is what was typed.
"""

import re
import unicodedata
from collections.abc import Iterator

ALT_TEXT = 1000  # characters of a picture's description; Discord allows 1024 (2026-08)

MAX_MARKS = 4  # on one letter: Hebrew, with all its signs, and Burmese take so many; towers take hundreds
MAX_SPACING = 8  # marks beside one letter, those on it too
MAX_SYMBOLS = 40  # emoji and other pictures in one text

# Joiners belong to emoji and to Persian words, one between two others; tag characters to the flags of
# England, Scotland and Wales; the signs beneath Arabic and other numbers are seen, although Unicode
# (15, category Cf) calls them format characters.
_JOINERS = frozenset("\u200c\u200d")
_FLAG, _TAGS, MAX_TAGS = "\U0001f3f4", frozenset(map(chr, range(0xE0020, 0xE0080))), 8
_NUMBER_SIGNS = frozenset(
    map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD))
)
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co"))  # control, format (direction too), surrogate, private use
_BLANK = frozenset("\n\t\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that show nothing are among them
# Everything that opens something in Discord's markdown: emphasis, code, spoilers, quotes, headings, lists,
# links (also bare ones, by their slash), mentions, emoji names and timestamps.
_MARKDOWN = re.compile(r"[\\*_~`|>#\-+\[\]()<@:/]")
_NUMBERED = re.compile(r"^(\d+)\.")


def plain(text: str, limit: int) -> str:
    """One line of at most `limit` characters, shortened with '…': for places that show no markdown."""
    line = " ".join("".join(_shown(text)).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def quoted(text: str, limit: int) -> str:
    """As `plain`, with markdown escaped, which at most doubles the length: for contents and embeds."""
    return _NUMBERED.sub(r"\1\\.", _MARKDOWN.sub(r"\\\g<0>", plain(text, limit)))


def _shown(text: str) -> Iterator[str]:
    """What of a text is shown: no more marks, joiners and pictures than a language needs."""
    on = beside = MAX_SPACING  # marks of the letter before; a first one has none to stand on
    joined, flag, tags, symbols = True, False, 0, 0
    for character in text:
        category = unicodedata.category(character)
        if category.startswith("M"):
            on += category != "Mc"
            beside += 1
            if on <= MAX_MARKS and beside <= MAX_SPACING:
                yield character
        elif character in _JOINERS:
            if not joined:
                yield character
            joined = True
        elif character in _TAGS:
            tags += 1
            if flag and tags <= MAX_TAGS:
                yield character
        elif character in _BLANK:
            yield " "
        elif category not in _HIDDEN or character in _NUMBER_SIGNS:
            symbols += category == "So"
            if symbols > MAX_SYMBOLS:
                yield "…"
                return
            on = beside = tags = 0
            joined, flag = False, character == _FLAG
            yield character
