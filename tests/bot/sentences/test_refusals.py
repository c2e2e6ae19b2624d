"""Each refusal of the heart has a sentence in Discord."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

import bot.parts  # noqa: F401 - whatever may be refused is imported
from bot.queue.limits import Refused
from bot.sentences import LANGUAGES
from bot.sentences.refusals import refusal

VALUES: dict[object, object] = {str: "size", int: 2, float: 3600.0, bool: True, tuple[int, ...]: (5,)}


def kinds(base: type[Refused] = Refused) -> Iterator[type[Refused]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def an_example(kind: type[Refused]) -> Refused:
    told: dict[str, Any] = getattr(kind.__init__, "__annotations__", {})
    return kind(
        **{
            name: next(VALUES[one] for one in (said, *get_args(said)) if one in VALUES)
            for name, said in told.items()
            if name != "return"
        }
    )


@pytest.mark.parametrize("kind", sorted(set(kinds()), key=lambda kind: kind.__name__))
def test_every_refusal_has_a_sentence(kind: type[Refused]) -> None:
    for say in LANGUAGES.values():
        assert refusal(an_example(kind), say)
