"""The sentences of `sentences/english/moderation.py`: how each is made, and what it is in English."""

from collections.abc import Callable

from bot.sentences import Sentences

MODERATION: list[tuple[Callable[[Sentences], str], str]] = [
    (lambda say: say.deed("paused", "", "no → yes"), "**paused** no → yes"),
    (lambda say: say.deed("cancel", "dream 7", ""), "**cancelled** dream 7"),
    (lambda say: say.entry(1000.0, 5, "**paused**"), "<t:1000:f> <@5>: **paused**"),
    (lambda say: say.the_dream(7), "dream 7"),
    (lambda say: say.until(1000.0), "until <t:1000:f>"),
    (lambda say: say.out_of_range(1, 9), "This must be a whole number from 1 to 9."),
    (lambda say: say.none_of((128, 256)), "This must be 128 or 256."),
    (
        lambda say: say.unhide(5),
        "Discord still hides `/moderate` from <@&5>. To show it to them, open Server Settings → "
        "Integrations → this bot → `/moderate` and add the role.",
    ),
    (lambda say: say.sure(1), "The waiting dream would be withdrawn. Go ahead?"),
    (lambda say: say.sure(5), "All 5 waiting dreams would be withdrawn. Go ahead?"),
    (lambda say: say.cleared(1), "One dream was withdrawn."),
    (lambda say: say.cleared(5), "5 dreams were withdrawn."),
    (lambda say: say.moved(7), "Dream 7 is this server's next one."),
    (lambda say: say.is_banned(5, None, 0), "<@5> may not dream here any more."),
    (
        lambda say: say.is_banned(5, 1000.0, 2),
        "<@5> may not dream here any more until <t:1000:f>. 2 dreams were withdrawn.",
    ),
    (lambda say: say.is_unbanned(5), "<@5> may dream here again."),
    (
        lambda say: say.emoji_refused("🍒 <:gone:5>"),
        "Discord does not let me react with 🍒 <:gone:5>, so nothing was changed.",
    ),
    (
        lambda say: say.emoji_in_use("❌"),
        "❌ already means something here: ❌ deletes a dream, and ✉️ sends its picture.",
    ),
    (lambda say: say.words_banned("blood"), "These words are not allowed; this rule forbids them: blood"),
    (
        lambda say: say.lacking_in(5, "Send Messages"),
        "In <#5> I still need: Send Messages. Please grant that first.",
    ),
]
