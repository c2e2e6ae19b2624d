"""The sentences of `sentences/english/collection.py`: how each is made, and what it is in English."""

from collections.abc import Callable

from bot.dreams.dream import DreamState
from bot.sentences import Sentences

COLLECTION: list[tuple[Callable[[Sentences], str], str]] = [
    (lambda say: say.page(2, 3), "Page 2 of 3"),
    (lambda say: say.jump("https://a.b/c"), "[to the message](https://a.b/c)"),
    (lambda say: say.dream_number(4), "Dream 4"),
    (lambda say: say.no_such_dream(4), "There is no dream 4 that I can show you."),
    (
        lambda say: say.story_length(6),
        "A story has 2 to 6 chapters, with | between them: an egg | a baby chick | a chicken.",
    ),
    (lambda say: say.chapter(2, 3), "Chapter 2 of 3"),
    (lambda say: say.notice(42, DreamState.DONE, story=False), "<@42>, your dream is ready."),
    (
        lambda say: say.notice(42, DreamState.FAILED, story=True),
        "<@42>, your story didn't work out; its message says why.",
    ),
    (
        lambda say: say.notice(42, DreamState.CANCELLED, story=False),
        "<@42>, somebody has stopped your dream.",
    ),
    (
        lambda say: say.preferences(
            preset="Quick", size="512 × 512", spoiler=True, language="English", notice="Always"
        ),
        "Your defaults for new dreams:\nPreset: Quick\nSize: 512 × 512\n"
        "Hidden until clicked: yes\nLanguage: English\nTold when a dream is over: Always",
    ),
    (
        lambda say: say.help_text(moderates=True).splitlines()[-1],
        "You moderate here: `/moderate` sets limits, channels and words, and ends dreams.",
    ),
]
