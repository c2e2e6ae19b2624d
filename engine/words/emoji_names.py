"""What each emoji is called in English, in Italian and in chats: a table beside this file, and who wrote it.

The names are CLDR's (Unicode licence v3) and emojibase's shortcodes (MIT): an emoji reads the same on every
Python. `python -m engine.words.emoji_names NODE_MODULES` writes the table anew out of npm's `emojibase-data`,
`cldr-annotations-full` and `cldr-annotations-derived-full`.
"""

import gzip
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_suffix(".txt.gz")  # an emoji's code points, English, Italian, chats' names
LANGUAGES = ("en", "it")
SELECTORS = re.compile("[\ufe00-\ufe0f]")  # picture or text: the same emoji
TONES = re.compile("[\U0001f3fb-\U0001f3ff]")  # of skin: the same emoji
AS_PICTURE = "\ufe0f"
PICTURES = range(0x1F000, 0x1FB00)  # where Unicode keeps room for more of them

# In the names of old symbols these speak of the printing type: ❤ is HEAVY BLACK HEART.
_TYPE_WORDS = {"black", "heavy", "white"}
_LETTER = re.compile(r"(?:squared latin capital|circled latin capital|regional indicator symbol) letter (.)")
_PLAIN = re.compile(r"[^\w\s'&.+-]")  # what would be read as a phrase's end, a weight, a list


@dataclass(frozen=True)
class Names:
    """What one emoji is called."""

    en: str
    it: str
    chat: tuple[str, ...]  # what it is picked by in chats: gun for the water pistol

    def all(self) -> tuple[str, ...]:
        return (self.en, self.it, *self.chat)


@cache
def table() -> dict[str, Names]:
    """Names by emoji, without tones and selectors; what is text unless it is asked for as a picture (↔, ‼)
    ends with `AS_PICTURE`. The longest sequences come first."""
    found = {}
    for line in gzip.decompress(TABLE.read_bytes()).decode("utf-8").splitlines():
        if not line.startswith("#"):
            codes, en, it, chat = line.split("\t")
            text = "".join(chr(int(code, 16)) for code in codes.split())
            found[text] = Names(en, it, tuple(filter(None, chat.split(","))))
    return dict(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


def symbol(character: str) -> str:
    """The name that Unicode itself gives to a symbol, without the words about its type; '' for none."""
    name = unicodedata.name(character, "").lower()
    if letter := _LETTER.search(name):
        return letter[1]
    return " ".join(word for word in name.split() if word not in _TYPE_WORDS)


def main(packages: Path) -> None:
    """Write the table anew. `packages`: a folder `node_modules`."""
    annotations = {language: _annotations(packages, language) for language in LANGUAGES}
    codes = _json(packages / "emojibase-data/en/shortcodes/joypixels.json")
    rows: dict[str, Names] = {}
    for emoji in _emoji(packages):
        key = TONES.sub("", SELECTORS.sub("", emoji))
        called = [_tidy(annotations[language].get(key, ""), language) for language in LANGUAGES]
        if not all(called):
            toned = SELECTORS.sub("", emoji)  # a pair that has a sequence of its own only with tones
            called = [
                _tidy(re.sub(r":[^:]*$", "", annotations[language].get(toned, "")), language)
                for language in LANGUAGES
            ]
        if key in rows or not key or not called[0]:
            continue
        code = "-".join(f"{ord(character):04X}" for character in emoji)
        chat = codes.get(code) or codes.get(code.replace("-FE0F", "")) or []
        chat = [chat] if isinstance(chat, str) else chat
        spoken = (name for name in map(_spaced, chat) if _is_name(name))
        rows[key] = Names(called[0], called[1] or called[0], tuple(dict.fromkeys(spoken)))
    for number in PICTURES:  # symbols that are no emoji: cards, tiles, letters in squares
        if unicodedata.category(chr(number)) == "So" and chr(number) not in rows:
            rows[chr(number)] = Names(symbol(chr(number)), symbol(chr(number)), ())
    versions = [
        f"{name} {_json(packages / name / 'package.json')['version']}"
        for name in ("emojibase-data", "cldr-annotations-full", "cldr-annotations-derived-full")
    ]
    lines = [
        f"# Made by engine/words/emoji_names.py of npm's {', '.join(versions)}.",
        "# Names © Unicode, Inc., Unicode licence v3 (unicode.org/license.txt); of chats: emojibase, MIT.",
    ]
    for key, names in rows.items():
        shown = key + AS_PICTURE if _is_text(key) else key
        hexadecimal = " ".join(f"{ord(character):X}" for character in shown)
        lines.append("\t".join((hexadecimal, names.en, names.it, ",".join(names.chat))))
    TABLE.write_bytes(gzip.compress("\n".join(lines).encode("utf-8"), 9, mtime=0))


def _emoji(packages: Path) -> Iterator[str]:
    """All emoji, with their selectors and tones."""
    for entry in _json(packages / "emojibase-data/en/data.json"):
        for each in (entry, *entry.get("skins", ())):
            yield "".join(chr(int(code, 16)) for code in each["hexcode"].split("-"))


def _annotations(packages: Path, language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for package, part in (
        ("cldr-annotations-derived-full", "annotationsDerived"),
        ("cldr-annotations-full", "annotations"),
    ):
        values = _json(packages / f"{package}/{part}/{language}/annotations.json")[part]["annotations"]
        found |= {SELECTORS.sub("", key): value["tts"][0] for key, value in values.items() if "tts" in value}
    return found


def _tidy(name: str, language: str) -> str:
    """A name as words: no colons and commas, which mean something in a prompt."""
    head, colon, rest = name.partition(": ")
    if colon:
        if head in ("flag", "family", "kiss", "couple with heart"):
            between = "of"
        elif head in ("keycap", "bandiera", "tasto") or rest.startswith(("facing", "a destra")):
            between = ""
        elif rest == "bald":
            return f"bald {head}"
        elif rest.startswith("calv"):
            return f"{head} {'calvo' if head == 'uomo' else 'calva'}"
        else:
            between = "with" if language == "en" else "con"
        parts = re.sub(r",? (?:and|e) |, ", f" {'and' if language == 'en' else 'e'} ", rest)
        name = f"{head} {between} {parts}"
    name = name.replace("’", "'").replace("#", "hash").replace("*", "star")
    return " ".join(_PLAIN.sub(" ", name).split())


def _spaced(code: str) -> str:
    return " ".join(code.replace("_", " ").split())


def _is_name(code: str) -> bool:
    """Whether a chat's name says something: no country's letters, no tone."""
    return len(code) > 2 and not code.startswith("flag ") and "tone" not in code.split()[-1]


def _is_text(key: str) -> bool:
    """Whether it stays a character of the text unless a selector asks for the picture."""
    return len(key) == 1 and ord(key) not in PICTURES and unicodedata.category(key) != "So"


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
