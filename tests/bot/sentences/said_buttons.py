"""The sentences of `sentences/english/buttons.py`: how each is made, and what it is in English."""

from collections.abc import Callable

from bot.sentences import Sentences

BUTTONS: list[tuple[Callable[[Sentences], str], str]] = [
    (lambda say: say.picture_too_large(8), "This picture is too large: 8 MB is the limit."),
    (lambda say: say.recipe_of(4), "The recipe of dream 4"),
    (
        lambda say: say.how_to_repeat(4),
        "`/dreams repeat dream:4` dreams the very same picture again.",
    ),
]
