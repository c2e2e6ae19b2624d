"""Finds the emoji in a text, sequences and all, and reads each as its name. Knows no Discord.

An emoji is read as a whole: 🐈‍⬛ is a black cat, no cat and square; 🇮🇹 one flag, no two letters. Tones and
selectors change nothing. A sequence that has no name is read by its parts, and what has no name at all is
skipped.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache

from engine.words.emoji_names import (
    AS_PICTURE,
    LANGUAGES,
    PICTURES,
    SELECTORS,
    TONES,
    table,
)

_JOINER = "\u200d"
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_FLAG_LETTER = "[\U0001f1e6-\U0001f1ff]"
_TONE = "[\U0001f3fb-\U0001f3ff]"
_TAGS = "[\U000e0020-\U000e007f]"
_MOST_PARTS = 10  # that joiners hold together in one emoji; no sequence of Unicode's has more than 5
_WORD = re.compile(r"[^\W\d_]+")


def replaced(text: str, reading: Callable[[str], str]) -> str:
    """The text with what `reading` makes of each emoji in its place.

    It is called with one key of `engine.words.emoji_names.table`, or '' for what has no name.
    """
    return _pattern().sub(lambda found: "".join(map(reading, _keys(found[0]))), text)


def named(text: str, language: str) -> str:
    """The text with each emoji as its name in this language, 'en' or 'it', between spaces; flag letters that
    are no flag are read as letters."""
    return replaced(text, lambda key: f" {_name(key, language)} ")


def language_of(text: str) -> str:
    """The language, 'en' or 'it', that more of the text's words belong to; English where neither is ahead.

    The words known are those of the emoji's own names, without those that both languages have.
    """
    words = _WORD.findall(_pattern().sub(" ", text).lower())
    counts = {language: sum(word in known for word in words) for language, known in _vocabulary().items()}
    return "it" if counts["it"] > counts["en"] else "en"


def _name(key: str, language: str) -> str:
    return getattr(table()[key], language) if key else ""


@lru_cache(maxsize=4096)
def _keys(found: str) -> list[str]:
    """The emoji that a find of `_pattern` stands for: one key; the parts' where the whole has none."""
    whole = TONES.sub("", SELECTORS.sub("", found))
    if key := _known(whole):
        return [key]
    if ord(found[0]) in _FLAG_LETTERS:
        return list(whole)  # no flag: two letters
    parts, keys = re.sub(_TAGS, "", whole).split(_JOINER), []
    while parts:
        ends = range(min(len(parts), _MOST_PARTS), 0, -1)  # the longest beginning that has a name
        end, key = next(((n, key) for n in ends if (key := _known(_JOINER.join(parts[:n])))), (1, ""))
        keys.append(key)
        del parts[:end]
    return keys


def _known(emoji: str) -> str:
    """The key of an emoji without tones and selectors; '' for none."""
    return next((key for key in (emoji, emoji + AS_PICTURE) if key in table()), "")


@cache
def _pattern() -> re.Pattern[str]:
    """Finds one emoji with all that belongs to it (UTS 51, ED-17)."""
    single = [key for key in table() if len(key) == 1]
    asked = [key[0] for key in table() if len(key) == 2 and key[1] == AS_PICTURE]
    reserved = f"{chr(PICTURES.start)}-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-{chr(PICTURES.stop - 1)}"
    alone = f"[{''.join(key for key in single if ord(key) not in PICTURES)}{reserved}]"
    either = f"(?:{alone}|[{''.join(asked)}])"
    dressed = rf"[\ufe00-\ufe0f]*{_TONE}?[\ufe00-\ufe0f]*{_TAGS}*"
    return re.compile(
        rf"{_FLAG_LETTER}{{1,2}}|[0-9#*]\ufe0f?\u20e3|(?:{alone}|[{''.join(asked)}]\ufe0f){dressed}"
        rf"(?:{_JOINER}{either}{dressed})*|{_TONE}"
    )


@cache
def _vocabulary() -> dict[str, frozenset[str]]:
    words = {
        language: {
            word for names in table().values() for word in _WORD.findall(getattr(names, language).lower())
        }
        for language in LANGUAGES
    }
    return {
        language: frozenset(own - words["en" if language == "it" else "it"])
        for language, own in words.items()
    }
