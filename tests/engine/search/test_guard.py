import math

import pytest

from engine.search.guard import MAX_RETURNS, Guard


def test_two_low_looks_in_a_row_are_a_collapse_and_one_is_not() -> None:
    guard = Guard()
    assert [guard.broken(score, 30.0) for score in (30.0, 26.0, 29.5, 26.0, 25.0)] == [
        False,
        False,  # low once
        False,
        False,
        True,
    ]


def test_a_score_that_freezes_below_its_best_is_a_collapse_and_one_at_its_best_is_none() -> None:
    assert not any(Guard().broken(30.0, 30.0) for _ in range(5))
    guard = Guard(previous=20.0)
    assert guard.broken(20.0, 30.0)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_a_collapse_at_once(score: float) -> None:
    assert Guard().broken(score, 30.0)


def test_a_small_dip_is_none_even_where_scores_are_small() -> None:
    guard = Guard()
    assert not any(guard.broken(score, 2.0) for score in (1.5, 1.4, 1.3, 1.2))


def test_each_return_halves_the_rate_until_there_were_too_many() -> None:
    guard = Guard()
    assert [guard.slow_down() for _ in range(MAX_RETURNS + 1)] == [True] * MAX_RETURNS + [False]
    assert Guard(**guard.numbers()).rate == 0.5 ** (MAX_RETURNS + 1)


def test_what_a_state_keeps_of_it_is_finite_and_makes_it_again() -> None:
    guard = Guard()
    assert all(math.isfinite(value) for value in guard.numbers().values())
    guard.broken(26.0, 30.0)
    again = Guard(**guard.numbers())
    assert again == guard and again.broken(25.0, 30.0)
