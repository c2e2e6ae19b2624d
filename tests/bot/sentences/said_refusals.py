"""The sentences of `sentences/english/refusals.py`: how each is made, and what it is in English."""

from collections.abc import Callable
from math import inf

from bot.sentences import ENGLISH, Sentences

REFUSALS: list[tuple[Callable[[Sentences], str], str]] = [
    (
        lambda say: say.server_full(20),
        "This server's line is full: 20 dreams are waiting. Please ask again once one has begun.",
    ),
    (
        lambda say: say.too_often(1, 3600.0, 1000.2),
        "You may have one dream an hour here. You can ask again <t:1001:R>.",
    ),
    (
        lambda say: say.too_often(5, 86400.0, 1000.0),
        "You may have 5 dreams a day here. You can ask again <t:1000:R>.",
    ),
    (
        lambda say: say.server_too_often(50, 86400.0, 1000.0),
        "This server may have 50 dreams a day altogether. You can ask again <t:1000:R>.",
    ),
    (lambda say: say.server_too_often(0, 3600.0, inf), ENGLISH.NO_NEW_DREAMS),
    (lambda say: say.too_often(5, 3600.0, inf), "You may have 5 dreams an hour here."),
    (
        lambda say: say.server_too_often(1, 3600.0, inf),
        "This server may have one dream an hour altogether.",
    ),
    (lambda say: say.so_many(6), "That would be 6 dreams, as every chapter and every beginning counts."),
    (
        lambda say: say.cooling_down(90, 1000.0),
        "Here you have to wait 1:30 between dreams; you can ask again <t:1000:R>.",
    ),
    (
        lambda say: say.too_much("steps", 100),
        "In this server your dreams may have at most 100 steps.",
    ),
    (
        lambda say: say.too_much("size", 256),
        "In this server your pictures may be at most 256 pixels wide.",
    ),
    (
        lambda say: say.too_much("candidates", 4),
        "In this server your dreams may have at most 4 candidates.",
    ),
    (lambda say: say.banned(None, ""), "You may not dream in this server until a moderator lifts this."),
    (
        lambda say: say.banned(1000.0, "spam."),
        "You may not dream in this server until <t:1000:f>. The reason: spam.",
    ),
    (
        lambda say: say.wrong_channel((5, 6)),
        "In this server dreams have their own place: please dream in <#5> or <#6>.",
    ),
]
