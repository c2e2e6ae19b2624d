"""What is called a weak match."""

from engine.match import is_weak


def test_a_score_is_called_weak_where_that_was_measured() -> None:
    assert is_weak("pocket", 20.0, "a cat") and not is_weak("pocket", 60.0, "a cat")
    mixture = "a cat made of pizza"
    assert is_weak("pocket", 5.0, mixture) and not is_weak("pocket", 20.0, mixture)
    assert not is_weak("biggan-deep-512", 5.0, "a cat")
