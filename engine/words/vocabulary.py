"""What the embedded models know by name, as one says it in English and Italian. Knows no torch."""

import json
import re
from functools import cache

from engine.models import folders, registry

LANGUAGES = ("en", "it")
_CLASSES = registry.POCKET / "generator" / folders.CLASSES


def _all(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Things that most people would like to see, by their names' ids: a first choice among all.
_LIKED = _all(
    "cat dog lion elephant owl frog dragon unicorn penguin shark snake honeybee panda fox octopus butterfly "
    "whale turtle rabbit horse bear tiger pizza hamburger birthday-cake banana strawberry watermelon "
    "cherries mushroom carrot sunflower rose cactus snowman castle rocket sailboat helicopter crown guitar "
    "key ghost skull umbrella balloon candle rainbow volcano bicycle tent crystal-ball teapot "
    "palm-tree pineapple lemon parrot peacock flamingo snail crab dolphin giraffe zebra monkey"
)
# English names that take no article, beside plurals.
_MASS = _all(
    "rain snow fog popcorn sushi lightning custard garlic wood yarn butter salt bread money fire luggage"
)
_NO_PLURALS = ("ss", "us", "is", "as")
_HARD_U = ("uni", "uku", "use", "eu", "one")  # as in 'a unicorn'
# Italian nouns whose ending does not tell their gender, those that take no article, and plurals in -e.
_MASCULINE_A = _all("panda koala gorilla ninja lama diya pentagramma pianeta fantasma")
_FEMININE = _all("mano radio auto moto foto città t-shirt e-mail slot")
_FEMININE_E = _all(
    "baguette pochette collisione volpe stazione radice ape chiave lapide notte vite nave fenice tigre "
    "toilette torre lente confezione"
)
_NO_ARTICLE = _all(
    "neve carne pioggia nebbia sale popcorn sushi legna dna scarpette bolle catene ciliegie bacchette "
    "manopole cucinare spade patatine cuffie case bambole verdure graffette note maschere impronte "
    "montagne borse picche parzialmente stelline due tre alta jeans maracas"
)
_SINGULAR_I = _all("sushi taxi kiwi tsunami bikini sari brindisi safari sci yeti")
_ARTICLE = re.compile(r"^(?:an?|the|my|some|una?|uno|il|lo|la|i|gli|le)\s+|^(?:un|l)['’]\s*", re.IGNORECASE)
_BEFORE_Z = re.compile(r"s[^aeiou]|z|gn|ps|pn|x|y", re.IGNORECASE)


@cache
def known_things(language: str) -> tuple[str, ...]:
    """Every thing that the embedded models know, with its article, in the order of their classes.

    `language`: one of `LANGUAGES`. Each name once.
    """
    return tuple(dict.fromkeys(_said(entry[f"name_{language}"], language) for entry in _entries()))


@cache
def liked_things(language: str) -> tuple[str, ...]:
    """Those among `known_things` that are a good first choice."""
    some = (entry for entry in _entries() if entry["id"] in _LIKED)
    return tuple(dict.fromkeys(_said(entry[f"name_{language}"], language) for entry in some))


def named(position: int, language: str) -> str:
    """What the class at this position of the embedded generator is called, without an article."""
    name: str = _entries()[position][f"name_{language}"]
    return name


def completions(begun: str, language: str) -> list[str]:
    """Known things that `begun`, perhaps without an article, is the beginning of; the shortest first."""
    begun = " ".join(begun.lower().replace("’", "'").split())
    if not begun:
        return []
    found = []
    for thing in known_things(language):
        text = thing.lower()
        bare = without_article(text)
        if text.startswith(begun) or bare.startswith(begun):
            found.append(thing)
    return sorted(found, key=len)


def without_article(words: str) -> str:
    """'un'ape' as 'ape'."""
    return _ARTICLE.sub("", words)


@cache
def _entries() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(_CLASSES.read_text(encoding="utf-8"))
    return found


def _said(name: str, language: str) -> str:
    return _in_english(name) if language == "en" else _in_italian(name)


def _in_english(name: str) -> str:
    last = name.split()[-1]
    several = last.endswith("s") and not last.endswith(_NO_PLURALS)
    lower = name.lower()
    if several or last in _MASS or lower != name:
        return name
    vowel = (lower[0] in "aeiou" and not lower.startswith(_HARD_U)) or lower.startswith("hour")
    return f"{'an' if vowel else 'a'} {name}"


def _in_italian(name: str) -> str:
    first = name.split()[0]
    if first in _NO_ARTICLE or first.lower() != first or first[0].isdigit():
        return name
    if first.endswith("i") and first not in _SINGULAR_I:
        return name
    if first.endswith("a"):
        feminine = first not in _MASCULINE_A
    elif first.endswith("e"):
        feminine = first in _FEMININE_E
    else:
        feminine = first in _FEMININE
    if feminine:
        return f"un'{name}" if first[0] in "aeiouàèéìòù" else f"una {name}"
    return f"{'uno' if _BEFORE_Z.match(first) else 'un'} {name}"
