"""One being of two things: which words name one, and which only look like it."""

import pytest

from engine.evaluation import prompt_list
from engine.words import mixtures, vocabulary
from engine.words.mixtures import Mixture

NAMES = {"hat", "phone", "moon", "cats"} | {
    vocabulary.without_article(thing).lower()
    for language in vocabulary.LANGUAGES
    for thing in vocabulary.known_things(language)
}
is_thing = NAMES.__contains__


@pytest.mark.parametrize(
    ("words", "first", "kind", "second"),
    [
        ("a cat made of pizza", "a cat", "made", "pizza"),
        ("A cat, made entirely out of flowers.", "A cat", "made", "flowers"),
        ("a robot that is made up of fruit", "a robot", "made", "fruit"),
        ("a dragon of fire", "a dragon", "made", "fire"),
        ("un gatto fatto di pizza", "un gatto", "made", "pizza"),
        ("una casa fatta con il formaggio", "una casa", "made", "formaggio"),
        ("un gatto di pizza", "un gatto", "made", "pizza"),
        ("una casa di cioccolato", "una casa", "made", "cioccolato"),
        ("a cat shaped like a star", "a star", "made", "a cat"),
        ("a star-shaped cat", "star", "made", "cat"),
        ("a cloud in the shape of a rabbit", "a rabbit", "made", "a cloud"),
        ("a teapot that looks like an elephant", "an elephant", "made", "a teapot"),
        ("una nuvola a forma di coniglio", "coniglio", "made", "una nuvola"),
        ("una teiera che sembra un elefante", "un elefante", "made", "una teiera"),
        ("half owl half rabbit", "owl", "halves", "rabbit"),
        ("half an owl, half a rabbit", "owl", "halves", "rabbit"),
        ("half-owl and half-rabbit", "owl", "halves", "rabbit"),
        ("a creature that is half owl and half rabbit", "owl", "halves", "rabbit"),
        ("part owl, part rabbit", "owl", "halves", "rabbit"),
        ("metà gufo metà coniglio", "gufo", "halves", "coniglio"),
        ("mezzo gufo e mezzo coniglio", "gufo", "halves", "coniglio"),
        ("un animale per metà gufo e per metà coniglio", "gufo", "halves", "coniglio"),
        ("a cross between a frog and a duck", "a frog", "blend", "a duck"),
        ("a mix of cat and dog", "cat", "blend", "dog"),
        ("a cat crossed with an octopus", "a cat", "blend", "an octopus"),
        ("a cat-dog hybrid", "cat", "blend", "dog"),
        ("un incrocio tra una rana e un'anatra", "una rana", "blend", "un'anatra"),
        ("un misto di gatto e cane", "gatto", "blend", "cane"),
        ("an owl with the body of a cat", "an owl", "head", "a cat"),
        ("an owl with a cat's body", "an owl", "head", "cat"),
        ("a cat with the head of an owl", "an owl", "head", "a cat"),
        ("a cat with an owl’s head", "owl", "head", "a cat"),
        ("an owl-headed cat", "owl", "head", "cat"),
        ("an owl's head on a rabbit's body", "owl", "head", "rabbit"),
        ("un gatto con la testa di un gufo", "un gufo", "head", "un gatto"),
        ("un gufo con il corpo di un gatto", "un gufo", "head", "un gatto"),
        ("la testa di un gufo sul corpo di un coniglio", "un gufo", "head", "un coniglio"),
    ],
)
def test_words_that_make_one_being_of_two(words: str, first: str, kind: str, second: str) -> None:
    assert mixtures.read(words) == mixtures.read(words, is_thing) == Mixture(first, kind, second)
    assert kind in mixtures.KINDS


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a pizza cat", Mixture("cat", "made", "pizza")),
        ("a dragon teapot", Mixture("dragon", "blend", "teapot")),
        ("a red dragon teapot", Mixture("red dragon", "blend", "teapot")),
        ("two pizza cats", Mixture("cats", "made", "pizza")),
        ("an owl rabbit", Mixture("owl", "blend", "rabbit")),
        ("a pineapple house", Mixture("house", "made", "pineapple")),
        ("cat-fish", Mixture("cat", "blend", "fish")),
        ("un gatto-pizza", Mixture("gatto", "made", "pizza")),
    ],
)
def test_two_nouns_in_a_row_are_one_being_where_both_can_be_drawn(words: str, expected: Mixture) -> None:
    assert mixtures.read(words) is None
    assert mixtures.read(words, lambda _: False) is None
    assert mixtures.read(words, is_thing) == expected


def test_a_being_of_two_is_on_the_ground_that_the_words_end_in() -> None:
    found = Mixture("a cat", "made", "pizza", "on the beach")
    assert mixtures.read("a cat made of pizza on the beach") == found
    assert mixtures.read("un gatto a forma di stella di notte") == Mixture(
        "stella", "made", "un gatto", "at night"
    )


@pytest.mark.parametrize(
    "words",
    [
        "a cat on a pizza", "a cup of tea", "a bowl of cherries", "a slice of pizza", "una tazza di tè",
        "a house of cards", "un mazzo di fiori", "una torta di mele", "una palla di neve",
        "the king of hearts", "a school of fish", "bird of paradise", "a mix of vegetables",
        "made in china", "a man-made lake", "a cat and a dog", "a cat made of pizza and a dog",
        "a cat with a hat", "half a pizza", "half moon", "a cat with a funny face", "a two-headed dragon",
        "un cane con la testa alta",
        "a cat that looks like it is sleeping", "a black cat", "a dog house", "a lemon tree", "fish soup",
        "a house cat", "a tiger shark", "a baby dragon", "a pair of shoes", "t-shirt", "", "half", "a",
    ],
)  # fmt: skip
def test_words_that_do_not(words: str) -> None:
    assert mixtures.read(words, is_thing) is None


def test_no_prompt_of_the_hundred_is_read_as_a_being_of_two() -> None:
    assert not [one.prompt for one in prompt_list.read() if mixtures.read(one.prompt, is_thing)]


def test_names_are_no_beings_of_two_but_for_those_whose_words_say_so() -> None:
    names = (name for language in vocabulary.LANGUAGES for name in vocabulary.known_things(language))
    found = {name for name in names if mixtures.read(name, is_thing)}
    assert found == {"un aquilone a forma di carpa", "un bufalo d'acqua"}  # who reads knows them by heart


def test_a_text_as_long_as_a_message_is_read_at_once() -> None:
    for text in ("half a " * 600, "a made of " * 400, "a-" * 2000, "with the head of " * 12, "a " * 100):
        mixtures.read(text, is_thing)  # the suite's timeout is the proof


@pytest.mark.parametrize(
    "words", ["frog wearing a crown", "cat with wings", "rana con ali", "frog riding a bicycle"]
)
def test_two_things_that_stand_somehow_are_no_nouns_in_a_row(words: str) -> None:
    assert mixtures.read(words, lambda _: True) is None
