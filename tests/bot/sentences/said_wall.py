"""The sentences of `sentences/english/wall.py`: how each is made, and what it is in English."""

from collections.abc import Callable

from bot.sentences import Sentences

WALL: list[tuple[Callable[[Sentences], str], str]] = [
    (lambda say: say.wall_votes(1), "1 vote"),
    (lambda say: say.wall_votes(5), "5 votes"),
    (lambda say: say.wall_by("Ada"), "by Ada"),
    (lambda say: say.wall_best("week"), "Best of the week"),
    (lambda say: say.wall_found("red house"), "Dreams with “red house”"),
    (lambda say: say.wall_nothing_with("xyzzy"), "No dream here has the words “xyzzy”."),
    (lambda say: say.wall_page(2), "Page 2"),
    (lambda say: say.wall_alt("a house"), "A dreamt picture: a house"),
    (lambda say: say.wall_film_alt("a house"), "How the picture took shape: a house"),
    (lambda say: say.wall_now(0, None), "Dreaming now; nobody is waiting."),
    (lambda say: say.wall_now(1, 40), "Dreaming now, 40% done; one more in line."),
    (lambda say: say.wall_now(7, 40), "Dreaming now, 40% done; 7 more in line."),
    (lambda say: say.wall_with("a house"), "with “a house”"),
    (lambda say: say.wall_in_contest("autumn"), "In the contest “autumn”"),
    (lambda say: say.wall_contest("autumn"), "Contest: autumn"),
    (lambda say: say.wall_dreams_by("Ada"), "Dreams by Ada"),
]
