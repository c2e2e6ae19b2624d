"""Words that put some of a thing into a vessel."""

import pytest

from engine.words import vessels
from engine.words.vessels import HEAP, LONGEST, Filled


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a bowl of cherries", Filled("a bowl", "cherries", HEAP)),
        ("A big basket full of red apples!", Filled("A big basket", "red apples", HEAP)),
        ("a bucket filled with fish in the snow", Filled("a bucket", "fish", HEAP, "in the snow")),
        ("a nest with three eggs", Filled("a nest", "eggs", HEAP)),
        ("a bowl with a cat", Filled("a bowl", "a cat", 1)),
        ("una ciotola di ciliegie", Filled("una ciotola", "ciliegie", HEAP)),
        ("un cesto pieno di mele", Filled("un cesto", "mele", HEAP)),
        ("un secchio con un pesce", Filled("un secchio", "un pesce", 1)),
        ("una scatola d'arance", Filled("una scatola", "arance", HEAP)),
    ],
)
def test_words_that_fill_a_vessel(words: str, expected: Filled) -> None:
    assert vessels.read(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        "", "a bowl", "a bowl of", "a bowl and a spoon", "a bowl of soup", "una ciotola di riso",
        "a bowling ball", "a cup of tea", "a glass of wine", "a slice of pizza", "cherries",
        "a bowl of cherries, on fire", "a bowl of cherries and a cat", "x" * (LONGEST + 1),
    ],
)  # fmt: skip
def test_words_that_do_not(words: str) -> None:
    assert vessels.read(words) is None


def test_what_lies_there_is_told_with_its_ground_and_a_bowl_is_drawn_empty() -> None:
    found = vessels.read("a bowl of cherries in the snow")
    assert found is not None
    assert (found.told, found.drawing) == ("cherries in the snow", "bowl with spoon")
    other = vessels.read("a basket of cherries")
    assert other is not None and (other.told, other.drawing) == ("cherries", "a basket")
