"""Makes a user's words safe to show: no markdown, mentions or links, no control or direction characters."""

import re
import unicodedata

ALT_TEXT = 1000  # characters of a picture's description; Discord allows 1024 (2026-08)

# Joiners belong to emoji and to Persian words, tag characters to the flags of England, Scotland and Wales.
_KEPT = frozenset("\n\t\u200c\u200d") | frozenset(map(chr, range(0xE0020, 0xE0080)))
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co"))  # control, format (direction too), surrogate, private use
# Everything that opens something in Discord's markdown: emphasis, code, spoilers, quotes, headings, lists,
# links (also bare ones, by their slash), mentions, emoji names and timestamps.
_MARKDOWN = re.compile(r"[\\*_~`|>#\-+\[\]()<@:/]")
_NUMBERED = re.compile(r"^(\d+)\.")


def plain(text: str, limit: int) -> str:
    """One line of at most `limit` characters, shortened with '…': for places that show no markdown."""
    kept = (c for c in text if c in _KEPT or unicodedata.category(c) not in _HIDDEN)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def quoted(text: str, limit: int) -> str:
    """As `plain`, with markdown escaped, which at most doubles the length: for contents and embeds."""
    return _NUMBERED.sub(r"\1\\.", _MARKDOWN.sub(r"\\\g<0>", plain(text, limit)))
