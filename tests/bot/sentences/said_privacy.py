"""The sentences of `sentences/english/privacy.py`: how each is made, and what it is in English."""

from collections.abc import Callable

from bot.keeping.held import Held
from bot.sentences import Sentences

HELD = Held(
    dreams=1,
    unfinished=1,
    pictures=1200,
    films=2,
    states=0,
    image_prompts=1,
    votes=5,
    entries=1,
    reports=0,
    sendings=2,
    has_preferences=True,
    has_wall_choice=True,
    bans=1,
)

PRIVACY: list[tuple[Callable[[Sentences], str], str]] = [
    (
        lambda say: say.privacy_how_long(days=30, picture_days=None, megabytes=20000),
        "Films and states stay for 30 days. Pictures, and those that you gave, stay for as long as there is "
        "room: 20,000 MB in all. When that is full, the oldest go first, films and states before pictures. "
        "A dream's words, seed and recipe stay until you delete them, so that it can be dreamt again.",
    ),
    (
        lambda say: say.privacy_how_long(days=1, picture_days=365, megabytes=500),
        "Films and states stay for one day. Pictures, and those that you gave, stay for 365 days, if there "
        "is room: 500 MB in all. When that is full, the oldest go first, films and states before pictures. "
        "A dream's words, seed and recipe stay until you delete them, so that it can be dreamt again.",
    ),
    (
        lambda say: say.privacy_held(HELD),
        "· 1 dream\n· 1,200 pictures\n· 2 films\n· 0 states to go on from\n· 1 picture that you gave\n"
        "· 5 votes\n· 1 contest entry\n· 0 reports\n· 2 pictures sent to you\n· Your preferences\n"
        "· What you allow the public wall\n· Kept by moderators: 1 ban",
    ),
    (
        lambda say: say.privacy_question(HELD),
        "This deletes everything I keep about you, here and in every other server: 1 "
        "dream, 5 votes and 1 contest "
        "entry, your preferences, the pictures you gave. What you have waiting is cancelled. It can't be "
        "undone. What others made of your dreams stays, without your name, and so does what moderators keep, "
        "such as bans.",
    ),
    (lambda say: say.privacy_page("https://x.example"), "Everything about it: https://x.example"),
    (
        lambda say: say.export_left_out(1),
        "One picture is not in it, for lack of room; `/dreams show` has each.",
    ),
    (
        lambda say: say.export_left_out(7),
        "7 pictures are not in it, for lack of room; `/dreams show` has each.",
    ),
    (
        lambda say: say.privacy(wall=False, name="Ada"),
        "Your dreams don't hang on the public wall; those that did are gone from it.",
    ),
    (
        lambda say: say.privacy(wall=True, name="Ada"),
        "Your dreams may hang on the public wall, in servers whose moderators want that, under the name Ada.",
    ),
    (
        lambda say: say.privacy(wall=True, name=""),
        "Your dreams may hang on the public wall, in servers whose moderators want that; "
        "nobody is told who dreamt them.",
    ),
]
