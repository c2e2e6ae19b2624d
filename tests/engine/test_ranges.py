"""Ranges: what they say, what fits them, and what they read."""

from typing import Any

import pytest

from engine.ranges import Choice, Number, Whole, Written

SIDES = Whole(1, 4_294_967_295)
SHARE = Number(1e-5, 0.5)
COLOUR = Choice(("red", "green"))


def test_a_range_says_itself_in_words_and_without() -> None:
    assert (SIDES.allowed, SIDES.span) == ("a whole number from 1 to 4294967295", "1 to 4294967295")
    assert (SHARE.allowed, SHARE.span) == ("a number from 1e-05 to 0.5", "1e-05 to 0.5")
    assert (COLOUR.allowed, COLOUR.span) == ("one of red, green", "red, green")


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        (SIDES, (1, 2, 4_294_967_295), (0, 4_294_967_296, True, 2.0, "2", None)),
        (SHARE, (1e-5, 0.25, 0.5), (0, 0.6, True, float("nan"), "0.2", None)),
        (COLOUR, ("red", "green"), ("Red", "", None, [])),
        (Written("letters", str, str.isalpha), ("abc",), ("a1", "")),
    ],
)
def test_only_what_is_within_fits(allowed: Any, inside: tuple[Any, ...], outside: tuple[Any, ...]) -> None:
    assert all(map(allowed.fits, inside)) and not any(map(allowed.fits, outside))


def test_a_recipe_s_value_is_read_in_the_setting_s_own_type() -> None:
    assert [type(SIDES.read(value)) for value in (3, 3.0, "3")] == [int] * 3
    assert SHARE.read("0.25") == 0.25 and COLOUR.read("red") == "red"


@pytest.mark.parametrize(
    ("allowed", "value"),
    [
        *((SIDES, value) for value in (0, 2.5, "many", None, float("nan"), float("inf"), 10**400)),
        *((SHARE, value) for value in (0.6, "", [], float("nan"))),
        *((COLOUR, value) for value in ("blue", None, 3)),
    ],
)
def test_what_does_not_fit_is_not_read(allowed: Any, value: Any) -> None:
    with pytest.raises(ValueError):
        allowed.read(value)
