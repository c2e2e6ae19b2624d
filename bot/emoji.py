"""How an emoji is told from another: as somebody wrote it, and as what it means. Knows no Discord."""

import re

_OWN = re.compile(r"<a?:\w*:(\d+)>")  # a server's own emoji, as text
_VARIATION = "\ufe0f"  # asks for the coloured picture; some clients send the heart without it
_JOINER = "\u200d"
_TONE = re.compile("(?<=.)[\U0001f3fb-\U0001f3ff]", re.DOTALL)  # a skin tone, behind what it colours
_GENDER = re.compile(f"(?<=.){_JOINER}[♀♂]$", re.DOTALL)
# 'Woman' or 'man' with a trade or hair; what joins several people (a couple, a family) is something else.
_TRADE = re.compile(f"^[👩👨](?={_JOINER}[^{_JOINER}❤🤝👦👧👨👩🧑]$)")


def written(emoji: str) -> str:
    """One reaction's own form: people may give 👍 and 👍🏽 both, but ❤ with a variation selector is ❤.

    A server's own emoji goes by its id, for names change.
    """
    own = _OWN.fullmatch(emoji)
    return f"<:{own[1]}>" if own else emoji.replace(_VARIATION, "")


def meant(emoji: str) -> str:
    """What an emoji stands for, whatever its skin tone or gender: 🙋🏽‍♀️ is 🙋, 👩🏿‍🚀 is 🧑‍🚀.

    After Unicode's UTS #51 (emoji modifier and ZWJ sequences).
    """
    bare = _GENDER.sub("", _TONE.sub("", written(emoji)))
    return _TRADE.sub("🧑", bare)
