"""The sentences of `sentences/english/page.py`: how each is made, and what it is in English."""

from collections.abc import Callable

from bot.sentences import Sentences

PAGE: list[tuple[Callable[[Sentences], str], str]] = [
    (lambda say: say.no_name(32), "A name has at least one letter or digit, and 32 characters at most."),
    (
        lambda say: say.too_many_passwords(64),
        "There were too many wrong passwords. Please try again in 1:04.",
    ),
    (
        lambda say: say.unknown_command("dance"),
        "I don't know the command /dance. Type / to see them all, or just say what to dream.",
    ),
    (
        lambda say: say.bad_value("seed"),
        "I need another value for seed. Type its name and a colon to see what fits.",
    ),
    (lambda say: say.vote_with("⭐", 2), "Vote with ⭐; 2 so far"),
    (lambda say: say.choose(3, 1), "Vote for number 3; 1 so far"),
    (lambda say: say.grew_from(7), "from dream 7"),
    (
        lambda say: say.page_help().splitlines()[0],
        "Just say what you want to see: `a bowl of cherries`.",
    ),
]
