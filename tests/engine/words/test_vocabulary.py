"""What the embedded models know by name, as people say it."""

import pytest
from torch import Tensor

from bot.sentences import LANGUAGES
from engine.models.generator import Generator
from engine.pocket import grounds
from engine.pocket.perceptor import PocketPerceptor
from engine.words import vocabulary

Embedded = tuple[Generator, PocketPerceptor, Tensor]
KIN = {("dog", "dog face"), ("cane", "muso di cane"), ("Santa Claus", "Babbo Natale")}


def nearest(embedded: Embedded, texts: list[str]) -> list[int]:
    """The class of the embedded generator that each text is nearest to."""
    _, perceive, ranks = embedded
    return [int(row.argmax()) for row in perceive.encode_texts(texts).cpu() @ ranks.t()]


@pytest.mark.parametrize("language", vocabulary.LANGUAGES)
def test_every_thing_that_is_offered_is_first_ranked(embedded: Embedded, language: str) -> None:
    things = list(vocabulary.known_things(language))
    names = [vocabulary.without_article(thing) for thing in things]
    found = [vocabulary.named(place, language) for place in nearest(embedded, things)]
    wrong = {(name, other) for name, other in zip(names, found, strict=True) if name != other}
    assert wrong <= KIN


@pytest.mark.parametrize("language", vocabulary.LANGUAGES)
def test_a_suggested_ground_is_one_and_leaves_every_thing_what_it_is(
    embedded: Embedded, language: str
) -> None:
    for said in LANGUAGES[language].GROUNDS:
        things = list(vocabulary.liked_things(language))
        assert grounds.read(f"{things[0]} {said}")[1] is not None
        there = nearest(embedded, [f"{thing} {said}" for thing in things])
        for before, after in zip(nearest(embedded, things), there, strict=True):
            one, other = sorted(vocabulary.named(place, "en") for place in (before, after))
            assert other.startswith(one), f"{one} {said} is {other}; only a face is the same thing"


@pytest.mark.parametrize(
    ("language", "thing"),
    [
        ("en", "an owl"), ("en", "a unicorn"), ("en", "cherries"), ("en", "a cactus"),
        ("it", "un gufo"), ("it", "un'anguria"), ("it", "uno squalo"), ("it", "una volpe"),
        ("it", "un fantasma"), ("it", "ciliegie"), ("it", "un cane"),
    ],
)  # fmt: skip
def test_a_thing_has_its_article(language: str, thing: str) -> None:
    assert thing in vocabulary.liked_things(language)
