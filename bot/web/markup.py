"""Makes safe HTML of sentences: what stands in them as Discord writes it becomes elements, and nothing else.

Sentences have **strong**, *emphasis*, `code`, times as `<t:1700000000:R>`, people as `<@12>` and backslashes
before what people wrote. Everything else is text, and is escaped; so is what is inside.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from markupsafe import Markup, escape

from bot.sentences.quoting import plain

WORDS = 1000  # characters of a prompt that are shown, as in Discord

_TOKENS = re.compile(
    r"\\(?P<escaped>[^\w\s]|_)"
    r"|`(?P<code>[^`\n]+)`"
    r"|\*\*(?P<strong>(?:\\.|[^\\])+?)\*\*"
    r"|\*(?P<emphasis>(?:\\.|[^*\\])+)\*"
    r"|<t:(?P<time>\d{1,12}):(?P<style>[Rf])>"
    r"|<@(?P<person>\d{1,20})>"
    r"|<\#(?P<channel>\d{1,20})>"
    r"|(?P<line>\n)"
)
Names = Mapping[int, str]


def said(sentence: str, names: Names | None = None) -> Markup:
    """A sentence as HTML. `names`: of the people that it may name; others are somebody."""
    return _made(sentence, lambda person: (names or {}).get(person, "?"))


def plainly(sentence: str, names: Names | None = None) -> str:
    """A sentence without any markup, for where there is only text."""
    return str(said(sentence, names).striptags())


@lru_cache(maxsize=2000)  # a page of many dreams tells each one's words three times
def words(text: str, limit: int = WORDS) -> str:
    """What people wrote, made safe to show (`bot.sentences.quoting`); the template escapes it."""
    return plain(text, limit)


def iso(at: float) -> str:
    """A moment (seconds since 1970) as `<time datetime>` has it; '' for one that no calendar has."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return ""


def _made(sentence: str, name: Callable[[int], str]) -> Markup:
    pieces: list[Markup] = []
    end = 0
    for found in _TOKENS.finditer(sentence):
        pieces += [escape(sentence[end : found.start()]), _element(found, name)]
        end = found.end()
    return Markup("").join([*pieces, escape(sentence[end:])])


def _element(found: re.Match[str], name: Callable[[int], str]) -> Markup:
    match found.lastgroup:
        case "escaped":
            return escape(found["escaped"])
        case "code":
            return Markup("<code>{}</code>").format(found["code"])
        case "strong":
            return Markup("<strong>{}</strong>").format(_made(found["strong"], name))
        case "emphasis":
            return Markup("<em>{}</em>").format(_made(found["emphasis"], name))
        case "style":
            return _time(int(found["time"]), found["style"])
        case "person":
            return Markup('<bdi class="person">{}</bdi>').format(plain(name(int(found["person"])), 60))
        case "channel":
            return Markup("#")
        case _:
            return Markup("<br>")


def _time(at: int, style: str) -> Markup:
    """A moment, which `static/times.js` puts into the reader's own words."""
    when = iso(at)
    form = Markup('<time datetime="{}" data-style="{}">{}</time>')
    return form.format(when, style, when.replace("T", " ")[:16] + " UTC") if when else Markup("")
