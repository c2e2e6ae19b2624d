"""Banned words and patterns: whether a prompt holds one, also when it is dressed up a little.

A word counts as a whole word; a `*` at its end or beginning stands for more letters. Where a script sets no
spaces (Chinese, Japanese, Thai …) it counts wherever it stands. What is checked is the text as it is typed
and as the engine reads it (`engine.prompt.readings`), so an emoji counts as itself and by its names. Common
disguises are seen through: invisible and look-alike characters, marks, digits and signs for letters, letters
apart or doubled; but a word of a dictionary, a number, a model's name (B52) is what it is. Patterns are RE2
expressions, whose time grows with the text and never explodes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby

import re2

from bot.servers import spelling
from engine.prompt import emoji_as, readings, without_markup

MAX_WORD = 100  # characters
MAX_PATTERN = 200  # characters
_PATTERN_MEMORY = 1 << 20  # bytes of a compiled pattern; RE2 refuses one that needs more

_SIGNS = "@$!|€+¡¢£¥§†°×∪₱₴₮₳₿฿₵₣₲₭₥₦₩"  # that stand for letters inside of a word
_SIGNED = "asiieticlystoxupstabbcfgkmnw"  # the letters
_DIGITS = "0134578692"
_LETTERED = re.compile(f"[{_DIGITS}{_SIGNS}]")
# A 1, a ! and a | may be an i or an l, a 6 a g or a b.
_LETTERS = (
    str.maketrans(_DIGITS + _SIGNS, "oieastbggz" + _SIGNED),
    str.maketrans(_DIGITS + _SIGNS, "oleastbbgz" + _SIGNED.replace("ii", "ll", 1)),
)
# What has letters and digits and is no disguise: A55, B-52, 717s, 5s, t1, 4th, 10km.
_NUMBERED = re.compile(
    r"[A-Z]{1,3}\d+|[a-z]\d|\d+[A-Za-z]|\d+(?:st|nd|rd|th|[ap]m|[ckm]?m|k?g|ml|[mgt]b|px|hz|fps|x\d+)",
    re.ASCII,
)
_NUMBER_AT_AN_END = re.compile(r"(?<!\w)\d+(?=[^\W\d_]{3,}(?!\w))|(?<=[^\W\d_]{3})\d+(?!\w)")  # 2cats, cat123
_CAPITAL_I = re.compile(r"(?<=[^\W\d_])I(?=[a-zI]*(?!\w))")  # within small letters it looks like an l: kiII
_RING = "()"  # in the place of an o
_SHOWN = {"⭕": "o", "❌": "x", "✖\ufe0f": "x", "❗": "i", "❕": "i", "➕": "t", "💲": "s"}
_CONTRACTION = re.compile(r"[^\W\d_]+['’](?:ll|re|ve|s|t|d|m)", re.IGNORECASE)  # he'll
_ENDS = '.,;:!?()"“”…'
_STARRED = re.compile(r"(?<![\w*])[^\W\d_]+(?:\*+[^\W\d_]+)+(?![\w*])")
# Scripts without spaces between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
)
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc]")
_MARK_BETWEEN = re.compile(rf"(?<=[{_UNSPACED}])[ .*_/|+~=&@#%^'\"\-·・]+(?=[{_UNSPACED}])")
# A letter's vowel or tone: without it the letter is another syllable.
_NO_MARK_AFTER = (
    "(?![\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u17b6-\u17d3])"
)
_HANGUL = re.compile("[\uac00-\ud7a3]")
_PARTICLES = "(?:은|는|이|가|을|를|의|에|와|과|도|로|으로|들|들이|들을|에게|에서|처럼|같은|이다|야|아)?"
_SEMITIC = re.compile("[\u0620-\u064a\u05d0-\u05ea]")
_ARTICLES = "(?:[وف]?[بك]?ال|[وف]?لل|[وف]|ה)?"
_VOWELED = "\ue000"  # between a word's letters alone and the word with its vowels
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]+")


class BadRule(Exception):
    """This cannot be a banned word or pattern."""


class BadPattern(BadRule):
    """This is no expression that RE2 knows."""


def is_allowed(text: str, words: Sequence[str], patterns: Sequence[str]) -> bool:
    """Whether a text holds none of these words and matches none of these patterns."""
    return offence(text, words, patterns) is None


def offence(text: str, words: Sequence[str], patterns: Sequence[str]) -> str | None:
    """The first banned word or pattern that a text holds, as its moderator wrote it."""
    if not (words or patterns):
        return None
    ways = readings(text)
    if words:
        seen = _Seen.of(ways)
        for word in words:
            if _banned(word).is_in(seen):
                return word
    for pattern in patterns:
        compiled = _compiled(pattern)
        if any(compiled.search(way) or compiled.search(folded(way)) for way in ways):
            return pattern
    return None


def checked_word(text: str) -> str:
    """A banned word as it is stored: of a server's own emoji, its name. Raises `BadRule`."""
    word = " ".join(without_markup(text).split())
    if len(word) > MAX_WORD or not _banned(word).words:
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


def are_one(word: str, other: str) -> bool:
    """Whether two banned words ban the same."""
    return _banned(word) == _banned(other)


def folded(text: str) -> str:
    """A text in one plain form: lower case, no marks, no invisible characters, look-alikes as Latin."""
    return spelling.skeleton(spelling.exact(text))


# ---------------------------------------------------------------- what is looked for


@dataclass(frozen=True)
class _Banned:
    """A banned word, or several in their order."""

    words: tuple[str, ...]  # in their exact form
    before: bool  # more letters may come before the first
    after: bool  # likewise after the last

    def is_in(self, seen: "_Seen") -> bool:
        if self._inside is not None:
            return any(self._inside.search(text) for text in seen.running)
        if self._attached is not None:
            return self._attached.search(seen.exact) is not None
        if self._exact in seen.exact or self._exact in seen.read:
            return True
        if len(self.words) == 1 and any(word.fullmatch(self.words[0]) for word in seen.starred):
            return True
        if self._short not in (seen.read_short if self._bare == self._exact else seen.disguised_short):
            return False
        return self._bare == self._short or self._stretched.search(seen.read) is not None

    def _line(self, words: Iterable[str]) -> str:
        return f"{'' if self.before else ' '}{' '.join(words)}{'' if self.after else ' '}"

    @cached_property
    def _exact(self) -> str:
        return self._line(self.words)

    @cached_property
    def _bare(self) -> str:
        return self._line(map(spelling.skeleton, self.words))

    @cached_property
    def _short(self) -> str:
        return self._line(map(spelling.collapsed, map(spelling.skeleton, self.words)))

    @cached_property
    def _stretched(self) -> re.Pattern[str]:
        """The bare words with each letter at least as often as they have it."""
        runs = re.finditer(r"(.)\1*", self._bare)
        return re.compile(
            "".join(" " if run[1] == " " else f"{re.escape(run[1])}{{{len(run[0])},}}" for run in runs)
        )

    @cached_property
    def _inside(self) -> re.Pattern[str] | None:
        """Finds a word of a script without spaces, wherever it stands."""
        text = "".join(self.words)
        if not _HAS_UNSPACED.search(text):
            return None
        # A run of katakana is a word: バカ is not in バカンス. And no letter loses its vowel mark.
        begins = "(?<![\u30a1-\u30fa\u30fc])" if _KATAKANA.match(text[0]) and not self.before else ""
        ends = "(?![\u30a1-\u30fa\u30fc])" if _KATAKANA.match(text[-1]) and not self.after else ""
        return re.compile(begins + re.escape(text) + _NO_MARK_AFTER + ends)

    @cached_property
    def _attached(self) -> re.Pattern[str] | None:
        """Finds a word that its language joins to particles (Korean) or to an article (Arabic)."""
        text = " ".join(self.words)
        before, after = ("" if self.before else " "), ("" if self.after else " ")
        if _HANGUL.search(text):
            return re.compile(before + re.escape(text) + _PARTICLES + after)
        if _SEMITIC.search(text):
            vowels = f"(?:{_VOWELED}[^ ]*{re.escape(text) if spelling.voweled(text) else ''})?"
            if before:
                before += _ARTICLES
            return re.compile(before + re.escape(spelling.skeleton(text)) + (vowels if after else "") + after)
        return None


@lru_cache(maxsize=4096)
def _banned(word: str) -> _Banned:
    stripped = _PRIVATE.sub("", without_markup(word)).strip()
    words = tuple(spelling.exact(found) for found in _words(spelling.plain(emoji_as(stripped, _sign))))
    return _Banned(words, stripped.startswith("*"), stripped.endswith("*"))


# ---------------------------------------------------------------- where it is looked for


@dataclass(frozen=True)
class _Seen:
    """A text in all the ways to see it, each as words between single spaces."""

    exact: str  # as they are
    read: str  # known words as they are, of others what they may be read as
    read_short: str  # likewise, the others without doubled letters
    disguised_short: str  # likewise, known words left out
    running: tuple[str, ...]  # the text in one, for scripts without spaces
    starred: tuple[re.Pattern[str], ...]  # words with stars for letters: f**k

    @classmethod
    def of(cls, texts: Iterable[str]) -> "_Seen":
        lines: dict[tuple[str, ...], None] = {}
        running: dict[str, None] = {}
        for text in (_PRIVATE.sub("", text) for text in texts):
            lettered = emoji_as(_FLAG_LETTERS.sub(_spelled, text), _letters)
            for base in dict.fromkeys((emoji_as(text, _sign), lettered)):
                plain = spelling.plain(base)
                exact = spelling.exact(plain)
                running |= dict.fromkeys((exact, _MARK_BETWEEN.sub("", exact)))
                for written in dict.fromkeys((plain, _undressed(plain))):
                    for words in _ways(written):
                        lines.setdefault(words)
        found: list[dict[str, None]] = [{}, {}, {}, {}]
        for words in lines:
            for line, kept in zip(_lines(words), found, strict=True):
                kept[line] = None
        starred = {word for text in running for word in _STARRED.findall(text)}
        exact, read, read_short, disguised_short = (f" {'  '.join(kept)} " for kept in found)
        return cls(
            exact=exact,
            read=read,
            read_short=read_short,
            disguised_short=disguised_short,
            running=tuple(running),
            starred=tuple(re.compile(word.replace("*", ".")) for word in sorted(starred) if _tells(word)),
        )


def _undressed(text: str) -> str:
    """Without numbers that are written onto words; a ring as an o, a capital I among others as an l."""
    return _CAPITAL_I.sub("l", _NUMBER_AT_AN_END.sub(" ", text.replace(_RING, "o")))


def _lines(words: tuple[str, ...]) -> Iterator[str]:
    forms = [spelling.exact(word) for word in words]
    pure = spelling.has_latin(" ".join(forms)) or len(words) == 1
    read = [_meant(form, disguised=pure) for form in forms]
    short = [(form, known) if known else (spelling.collapsed(form), known) for form, known in read]
    yield " ".join(map(_with_vowels, forms))
    yield " ".join(form for form, _ in read)
    yield " ".join(form for form, _ in short)
    yield " ".join("=" if known else form for form, known in short)


def _tells(word: str) -> bool:
    """Whether enough of a starred word is left to tell what it was."""
    return word.count("*") <= len(word) // 2


def _with_vowels(form: str) -> str:
    """A Hebrew or Arabic word as its letters, and with its vowels where it has them; others as they are."""
    if not _SEMITIC.search(form):
        return form
    return spelling.skeleton(form) + (f"{_VOWELED}{form}" if spelling.voweled(form) else "")


def _meant(form: str, *, disguised: bool) -> tuple[str, bool]:
    """What a word may be read as; among words of other scripts one without Latin letters is no disguise."""
    if not disguised and not spelling.has_latin(form) and form != spelling.skeleton(form):
        return form, True
    return spelling.meant(form)


def _ways(text: str) -> Iterator[tuple[str, ...]]:
    """The ways to part a text into words: at its marks, or without them; with signs and digits as letters."""
    apart, joined = tuple(_words(text)), tuple(_joined(text))
    for words in dict.fromkeys((apart, joined)):
        yield from _together(words)
    if not _LETTERED.search(text):
        return
    signed = (tuple(_words(text, _SIGNS)), tuple(_joined(text, _SIGNS)))
    for words in dict.fromkeys((apart, joined, *signed)):
        for gathered in _together(words):
            for table in _LETTERS:
                yield tuple(_lettered(word, table) for word in gathered)


def _joined(text: str, signs: str = "") -> list[str]:
    """What stands between spaces, without marks; but *he'll* is not *hell*."""
    found = []
    for chunk in text.split():
        if chunk.isalnum():
            found.append(chunk)
        elif _CONTRACTION.fullmatch(chunk.strip(_ENDS)):
            found += _words(chunk)
        elif whole := "".join(_words(chunk, signs)):
            found.append(whole)
    return found


class _Parting(dict[int, int]):
    """For `str.translate`: letters, digits and these signs stay; all else becomes a space."""

    def __init__(self, signs: str) -> None:
        self._signs = signs

    def __missing__(self, code: int) -> int:
        kept = chr(code) in self._signs or spelling.is_word_character(chr(code))
        self[code] = code if kept else ord(" ")
        return self[code]


_PARTING = {signs: _Parting(signs) for signs in ("", _SIGNS)}


def _words(text: str, signs: str = "") -> list[str]:
    return text.translate(_PARTING[signs]).split()


def _together(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words, and the same with three and more single letters in a row as one word, also without the
    first, which may be an article."""
    yield words
    if sum(map(_is_single, words)) < 3:
        return
    for first in (0, 1):
        found: list[str] = []
        for single, group in groupby(words, _is_single):
            run = tuple(group)
            if single and len(run) >= 3 + first:
                run = (*run[:first], "".join(run[first:]))
            found += run
        if len(found) < len(words):
            yield tuple(found)


def _is_single(word: str) -> bool:
    return len(word) == 1 or (not word.isascii() and len(spelling.skeleton(word)) == 1)


def _lettered(word: str, table: dict[int, int]) -> str:
    """The word with digits and signs as letters, unless it is a number, a price, a model's name."""
    if word.isalpha() or not any(c.isalpha() or c == "@" for c in word) or _NUMBERED.fullmatch(word):
        return word
    return word.translate(table)


def _sign(key: str) -> str:
    """An emoji as a word of private characters, which stands for it alone."""
    return (
        f" {''.join(chr(0xE010 + int(digit, 16)) for c in key for digit in f'{ord(c):x}')} " if key else " "
    )


def _letters(key: str) -> str:
    """An emoji as the letter or digit that it shows, or as nothing, so that letters stand together."""
    if key.endswith("\u20e3"):
        return key[0]
    shown = _SHOWN.get(key) or spelling.plain(key)
    return shown if len(shown) == 1 and shown.isalpha() else ""


def _spelled(found: re.Match[str]) -> str:
    """Flag letters as letters, unless they are flags."""
    if not emoji_as(found[0], lambda key: "" if len(key) == 2 else key):
        return found[0]
    return "".join(chr(ord("a") + ord(c) - 0x1F1E6) for c in found[0])


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> "re2._Regexp":
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    return re2.compile(pattern, options)
