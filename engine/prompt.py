"""Makes a dreamable prompt of what a person typed: plain words on one line, emoji by their names."""

import re
import unicodedata

from engine.errors import BadRequest, EmptyPrompt
from engine.settings import MAX_PROMPT

# Zero-width joiner, variation selectors, skin tones: parts of an emoji, not words.
_EMOJI_PARTS = re.compile("[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")

# In the names of old symbols these speak of the printing type: ❤ is HEAVY BLACK HEART.
_TYPE_WORDS = {"black", "heavy", "white"}


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


def _readable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "So":
        name = unicodedata.name(character, "").lower().split()
        return f" {' '.join(word for word in name if word not in _TYPE_WORDS)} "
    if category[0] in "ZC":  # separators, control, format, surrogate, private, unassigned
        return " "
    return character
