"""Writes what `bot.servers.spelling` reads: words that look like others, letters that look like Latin ones.

`python -m bot.servers.spelling_tables NODE_MODULES CONFUSABLES` makes them of word lists (npm's
`LISTS`, MIT), of the words by which CLDR names emoji in all its languages (npm's
cldr-annotations-full, Unicode licence v3) and of Unicode's confusables (UTS 39, Unicode licence v3) as PyPI's
confusable-homoglyphs keeps them (`confusables.json`, MIT).
"""

import gzip
import json
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from string import ascii_letters
from typing import Any

from bot.servers import spelling

LISTS = (
    "an-array-of-english-words",
    "an-array-of-french-words",
    "an-array-of-italian-words",
    "an-array-of-spanish-words",
    "all-the-german-words",
)
LONGEST = 10  # letters of a word that is kept; longer ones look like no other
# Latin itself, and scripts whose letters nobody would take for it within a word (Hebrew to Burmese, and Han).
_OWN = re.compile("[\0-\x7f\u0590-\u109f\u2e80-\ua4cf]")
_LATIN = re.compile(r"LATIN (?:SMALL|CAPITAL)? ?LETTER (?:SMALL CAPITAL )?([A-Z])(?: WITH .*)?")
# Languages whose emoji names are read: those that people write much in, so that no rare word hides another.
_LANGUAGES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi",
    "fr", "he", "hi", "hr", "hu", "id", "it", "ja", "ko", "no", "nl", "pl",
    "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th", "tr", "uk", "vi",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")


def main(packages: Path, confusables: Path) -> None:
    """Write both tables anew. `packages`: a folder `node_modules`."""
    alike = _look_alikes(_json(confusables))
    note = (
        "# Of Unicode's confusables (UTS 39, © Unicode, Inc., licence v3), as confusable-homoglyphs has them."
    )
    _write(spelling.LOOK_ALIKES, [note, *(f"{letter} {latin}" for letter, latin in sorted(alike.items()))])
    classes: dict[str, set[str]] = defaultdict(set)
    for word in _words(packages):
        if len(word) <= LONGEST:
            classes[spelling.collapsed(spelling.skeleton(word))].add(word)
    found = sorted(word for words in classes.values() if len(words) > 1 for word in words)
    note = "# Of npm's word lists (MIT, see spelling_tables.py) and CLDR's annotations (© Unicode, Inc., v3)."
    _write(spelling.KNOWN_WORDS, [note, *found])


def _words(packages: Path) -> Iterator[str]:
    for name in LISTS:
        path = next(
            path
            for file in ("index.json", "words.json", "woerter.json")
            if (path := packages / name / file).exists()
        )
        yield from map(spelling.exact, _json(path))
    for language in _LANGUAGES:
        path = packages / f"cldr-annotations-full/annotations/{language}/annotations.json"
        for entry in _json(path)["annotations"]["annotations"].values():
            for text in (*entry.get("default", ()), *entry.get("tts", ())):
                yield from map(spelling.exact, _WORD.findall(unicodedata.normalize("NFC", text)))


def _look_alikes(table: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """The Latin letter, in lower case, that each single other letter looks like."""
    found: dict[str, str] = {}
    for latin in ascii_letters:
        for other in (entry["c"] for entry in table.get(latin, ())):
            letter = other.casefold()
            if len(letter) == 1 and unicodedata.category(letter)[0] == "L" and not _OWN.match(letter):
                found.setdefault(letter, latin.lower())
    for code in range(0x80, 0x20000):  # Latin letters with hooks and strokes, small capitals
        letter = chr(code).casefold()
        if len(letter) == 1 and (named := _LATIN.fullmatch(unicodedata.name(letter, ""))):
            found[letter] = named[1].lower()
    # What a quick eye reads too, though UTS 39 does not: Cyrillic and Greek letters in many disguises.
    return found | dict(
        zip("авгезиікмнопрсѕтухјԁһӏԛԝαβγεηικνορτυχω", "abre3uikmhonpcstyxjdhlqwabyenikvoptuxw", strict=True)
    )


def _write(path: Path, rows: list[str]) -> None:
    path.write_bytes(gzip.compress("\n".join(rows).encode("utf-8"), 9, mtime=0))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
