"""How many of a thing words name: only where the number counts what they name."""

import pytest

from engine.evaluation import prompt_list
from engine.words import counts
from engine.words.counts import Counted


@pytest.mark.parametrize(
    ("words", "count", "thing"),
    [
        ("two cats", 2, "cats"), ("three owls", 3, "owls"), ("five stars", 5, "stars"), ("2 cats", 2, "cats"),
        ("The two red cats", 2, "red cats"), ("two cats dancing", 2, "cats dancing"),
        ("three mice", 3, "mice"),
        ("a pair of owls", 2, "owls"), ("a dozen eggs", 9, "eggs"), ("half a dozen eggs", 6, "eggs"),
        ("101 dalmatians", 9, "dalmatians"), ("many fish", 7, "fish"), ("some cats", 3, "cats"),
        ("a flock of birds", 7, "birds"), ("two cats at night", 2, "cats at night"),
        ("due gatti", 2, "gatti"), ("tre gufi rossi", 3, "gufi rossi"), ("sei uova", 6, "uova"),
        ("alcuni gatti", 3, "gatti"), ("molte case", 7, "case"), ("due panda", 2, "panda"),
        ("i due gatti", 2, "gatti"), ("3 cani sulla spiaggia", 3, "cani sulla spiaggia"),
        ("un paio di gatti", 2, "gatti"), ("uno stormo di uccelli", 7, "uccelli"),
        ("two cats made of pizza", 2, "cats made of pizza"),
    ],
)  # fmt: skip
def test_words_that_name_several_of_a_thing(words: str, count: int, thing: str) -> None:
    assert counts.read(words) == Counted(count, thing)


@pytest.mark.parametrize(
    "words",
    [
        "a cat", "one cat", "cats", "two", "many", "no cats", "two-headed dragon", "a two-headed dragon",
        "three o'clock", "three o’clock", "seven of hearts", "the seven of hearts", "a 3d printer",
        "4x4 jeep", "five star hotel", "a four leaf clover", "two of a kind", "two by two", "two years ago",
        "some water", "some day", "fifty shades of grey", "2001", "a pair of shoes", "un paio di scarpe",
        "a pair of scissors", "two cats and a dog", "a cat with two horns", "sei bella", "sei un gatto",
        "un gatto", "una tazza di tè", "a bunch of grapes", "two cactus",
    ],
)  # fmt: skip
def test_a_number_that_counts_no_thing_or_one_of_two_is_left(words: str) -> None:
    assert counts.read(words) is None


def test_no_prompt_of_the_hundred_names_several() -> None:
    assert not [one.prompt for one in prompt_list.read() if counts.read(one.prompt)]


def test_a_text_as_long_as_a_message_is_read_at_once() -> None:
    for text in ("two " * 1000, "a lot of " * 400, "due gatti " * 300, "two" + " " * 4000):
        counts.read(text)  # the suite's timeout is the proof
