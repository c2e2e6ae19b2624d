"""Beings of two and numbers: what the small CLIP makes of such words."""

from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket import grounds, mixtures, texts
from engine.pocket.lexicon import Lexicon
from engine.words.mixtures import KINDS

WORDS = {"a cat": 0, "cat": 0, "pizza": 1, "owl": 2, "rabbit": 3, "red cats": 4, "a dog": 5}
NAMES = Lexicon(
    {"en": {"cat": 0, "pizza": 1, "owl": 2, "pizza owl": 40, "half moon": 41}, "it": {}},
    {"en": {}, "it": {}}, torch.eye(64), frozenset(),
)  # fmt: skip


def axes(some: Sequence[str]) -> Tensor:
    """Each text an axis of its own, the known ones always the same."""
    return torch.eye(64)[[WORDS.get(text, 50 + i % 14) for i, text in enumerate(some)]]


def read(text: str, names: Lexicon | None = NAMES, known: int = 12) -> Tensor:
    return texts.encode([text], axes, names, known)[0]


def between(first: int, second: int, share: float) -> Tensor:
    return F.normalize(share * torch.eye(64)[first] + (1 - share) * torch.eye(64)[second], dim=0)


def test_each_kind_has_its_share() -> None:
    assert set(mixtures.SHARE) == set(KINDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat made of pizza", between(0, 1, 0.6)),
        ("a pizza cat", between(0, 1, 0.6)),
        ("half owl half rabbit", between(2, 3, 0.5)),
        ("a cat with an owl's head", between(2, 0, 0.5)),
    ],
)
def test_a_being_of_two_lies_between_both(text: str, expected: Tensor) -> None:
    torch.testing.assert_close(read(text), expected)


def test_without_names_only_words_that_say_so_make_one_of_two() -> None:
    torch.testing.assert_close(read("a cat made of pizza", None), between(0, 1, 0.6))
    torch.testing.assert_close(read("a pizza cat", None), axes(["?"])[0])


def test_a_name_by_heart_is_no_being_of_two() -> None:
    torch.testing.assert_close(read("a pizza owl"), NAMES.vectors[40])


def test_a_being_of_two_may_stand_somewhere_and_on_a_ground() -> None:
    bound = grounds.composed(between(0, 1, 0.6)[None], torch.eye(12)[:1])[0]
    torch.testing.assert_close(read("a cat made of pizza at night"), bound)
    torch.testing.assert_close(read("a cat made of pizza at night", None, known=0), axes(["?"])[0])
    assert float(read("a cat made of pizza under a dog") @ between(0, 1, 0.6)) > 0.5


@pytest.mark.parametrize("number", ["two", "seven", "7", "a dozen"])
def test_several_of_a_thing_are_read_as_the_thing(number: str) -> None:
    torch.testing.assert_close(read(f"{number} red cats", None), axes(["red cats"])[0])


def test_no_texts_give_no_vectors() -> None:
    assert mixtures.encode_texts([], lambda some: torch.empty(len(some), 16)).shape == (0, 16)
