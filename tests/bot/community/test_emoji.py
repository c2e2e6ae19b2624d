"""How an emoji is told from another."""

import pytest

from bot.community.emoji import meant, written


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("👍🏽", "👍"),
        ("👍🏿", "👍"),
        ("❤\ufe0f", "❤"),
        ("☝🏻", "☝\ufe0f"),
        ("🙋🏽\u200d♀\ufe0f", "🙋"),
        ("🙋\u200d♂", "🙋"),
        ("👩🏿\u200d🚀", "🧑\u200d🚀"),
        ("👨\u200d🚀", "🧑🏼\u200d🚀"),
        ("1\ufe0f\u20e3", "1\u20e3"),
        ("✉\ufe0f", "✉"),
        ("<a:cherry:55>", "<:cherries:55>"),
        ("❤\ufe0e", "❤\ufe0f"),
        ("🫱🏻\u200d🫲🏿", "🤝"),
        ("👩🏿\u200d🤝\u200d👨🏻", "👫🏽"),
        ("🧑🏻\u200d❤\ufe0f\u200d🧑🏿", "💑"),
        ("🏃🏽\u200d♀\ufe0f\u200d➡\ufe0f", "🏃\u200d➡"),
        ("👩\u200d🦯\u200d➡\ufe0f", "🧑🏿\u200d🦯\u200d➡\ufe0f"),
    ],
)
def test_skin_tones_genders_and_ways_to_write_it_mean_the_same(given: str, base: str) -> None:
    assert meant(given) == meant(base)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("👍", "👎"),
        ("❤", "💔"),
        ("🇮🇹", "🇫🇷"),
        ("🏳\ufe0f\u200d🌈", "🏳\ufe0f"),
        ("👩\u200d❤\ufe0f\u200d👨", "👨\u200d❤\ufe0f\u200d👨"),
        ("👩\u200d👦", "👨\u200d👦"),
        ("🧑\u200d🚀", "🧑\u200d🍳"),
        ("🏽", "🏿"),
        ("1\u20e3", "2\u20e3"),
        ("1\u20e3", "1"),
        ("<:cherry:55>", "<:cherry:56>"),
        ("♀", "♂"),
        ("🏃", "🏃\u200d➡"),
        ("👫", "👭"),
        ("🫱", "🤝"),
        ("👩", "👨"),
    ],
)
def test_what_is_something_else_means_something_else(one: str, other: str) -> None:
    assert meant(one) != meant(other)


def test_two_tones_of_one_emoji_are_two_reactions() -> None:
    assert written("👍🏽") != written("👍") and written("❤") == written("❤\ufe0f")


@pytest.mark.parametrize("text", ["", "\ufe0f", "\u200d", "a", "<:a:>"])
def test_no_text_is_a_fault(text: str) -> None:
    assert meant(text) == meant(meant(text))
