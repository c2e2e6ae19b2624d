"""What chats write between angle brackets: a server's own emoji, mentions, times, commands. Knows no Discord.

The shapes are those of Discord's reference ("Message Formatting", 2026-08). Own emoji are read as their
names' words; of the rest the numbers mean nothing to a dreamer.
"""

import re
from collections.abc import Callable

_MARKUP = re.compile(
    r"<a?:(?P<emoji>\w{1,64}):\d{1,20}>"
    r"|<(?P<kind>@[!&]?|#)(?P<id>\d{1,20})>"
    r"|</(?P<command>[^<>:]{1,100}):\d{1,20}>"
    r"|<t:-?\d{1,20}(?::\w)?>"
    r"|<id:[\w-]{1,40}>"
)
# Between words that are written together: snake_case, camelCase, HTTPServer, cat2.
_SEAMS = re.compile(r"_+|(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)")


def spoken(text: str, called: Callable[[str, int], str] = lambda kind, number: "") -> str:
    """The text with words in the place of markup.

    `called` gives the name of whom or what a mention means, by its kind ('@', '@!', '@&', '#') and number;
    '' drops it.
    """

    def words(found: re.Match[str]) -> str:
        if found["emoji"]:
            return f" {split(found['emoji'])} "
        if found["command"]:
            return f" {found['command']} "
        return f" {called(found['kind'], int(found['id']))} " if found["kind"] else " "

    return _MARKUP.sub(words, text)


def split(name: str) -> str:
    """An emoji's name as words: 'party_catJam' is 'party cat Jam'."""
    return " ".join(_SEAMS.sub(" ", name).split())
