"""The sentences of `sentences/english/manners.py`: how each is made, and what it is in English."""

from collections.abc import Callable

from bot.sentences import Sentences

MANNERS: list[tuple[Callable[[Sentences], str], str]] = [
    (lambda say: say.presence(0), "Dreaming of /dream"),
    (lambda say: say.presence(1), "One dream in line"),
    (lambda say: say.presence(7), "7 dreams in line"),
    (lambda say: say.in_the_queue(None, 5, "cherries"), "▸ <@5>: cherries"),
    (lambda say: say.in_the_queue(3, 5, "cherries"), "3. <@5>: cherries"),
    (lambda say: say.in_the_queue(3, 5, "cherries", 1000.0), "3. <@5>: cherries · <t:1000:R>"),
    (lambda say: say.more_in_line(4), "… and 4 more"),
    (lambda say: say.elsewhere(1), "… and 1 dream elsewhere on this server"),
    (lambda say: say.elsewhere(2), "… and 2 dreams elsewhere on this server"),
    (
        lambda say: say.why_so(12),
        "Servers take turns, and so do the people in each: nobody has to wait for all of somebody else's "
        "dreams. In line elsewhere: 12.",
    ),
    (lambda say: say.your_places([2]), "Your place in line: 2."),
    (lambda say: say.your_places([2, 5, 9]), "Your places in line: 2, 5 and 9."),
    (
        lambda say: say.report(5, 6, "cherries", "https://discord.com/channels/1/2/3"),
        "A dream by <@5>, reported by <@6>: cherries\nhttps://discord.com/channels/1/2/3",
    ),
]
