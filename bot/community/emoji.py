"""How an emoji is told from another: as somebody wrote it, and as what it means. Knows no Discord."""

import re

_OWN = re.compile(r"<a?:\w*:(\d+)>")  # a server's own emoji, as text
# Asks for the coloured picture or for the plain sign; some clients send the heart without it.
_VARIATION = re.compile("[\ufe0e\ufe0f]")
_JOINER = "\u200d"
_TONE = re.compile("(?<=.)[\U0001f3fb-\U0001f3ff]", re.DOTALL)  # a skin tone, behind what it colours
_GENDER = re.compile(f"(?<=.){_JOINER}[♀♂](?=$|{_JOINER}➡$)", re.DOTALL)  # also of who walks to the right
# 'Woman' or 'man' with a trade or hair; what joins several people (a couple, a family) is something else.
_TRADE = re.compile(f"^[👩👨](?={_JOINER}[^{_JOINER}❤🤝👦👧👨👩🧑](?:{_JOINER}➡)?$)")
# Two people, or hands, of two tones are written as two that are joined.
_PAIRS = {
    one.replace("+", _JOINER): pair
    for one, pair in {
        "👩+🤝+👨": "👫",
        "👩+🤝+👩": "👭",
        "👨+🤝+👨": "👬",
        "🧑+❤+🧑": "💑",
        "🧑+❤+💋+🧑": "💏",
        "🫱+🫲": "🤝",
    }.items()
}


def written(emoji: str) -> str:
    """One reaction's own form: people may give 👍 and 👍🏽 both, but ❤ with a variation selector is ❤.

    A server's own emoji goes by its id, for names change.
    """
    own = _OWN.fullmatch(emoji)
    return f"<:{own[1]}>" if own else _VARIATION.sub("", emoji)


def meant(emoji: str) -> str:
    """What an emoji stands for, whatever its skin tone or gender: 🙋🏽‍♀️ is 🙋, 👩🏿‍🚀 is 🧑‍🚀.

    After Unicode's UTS #51 (emoji modifier and ZWJ sequences).
    """
    bare = _GENDER.sub("", _TONE.sub("", written(emoji)))
    return _PAIRS.get(bare) or _TRADE.sub("🧑", bare)
