import pytest

from engine.errors import BadRequest, EmptyPrompt
from engine.prompt import clean
from engine.settings import MAX_PROMPT


@pytest.mark.parametrize(
    ("typed", "dreamt"),
    [
        ("a bowl of cherries", "a bowl of cherries"),
        ("  a\tbowl\nof   cherries ", "a bowl of cherries"),
        ("a \x00bowl\x1b[31m", "a bowl [31m"),
        ("🍒", "cherries"),
        ("❤️", "heart"),
        ("two 👩‍🚀 on the 🌕", "two woman rocket on the full moon symbol"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("\u202eevil", "evil"),
        ("שלום עולם", "שלום עולם"),
        ("una città", "una città"),
        ("cafe\u0301", "café"),
    ],
)
def test_a_prompt_becomes_plain_words(typed: str, dreamt: str) -> None:
    assert clean(typed) == dreamt


@pytest.mark.parametrize("typed", ["", "   ", "\x00\x01", "\u200b\u200d", "!!! ... ???", "\ufe0f"])
def test_nothing_to_dream_is_a_kind_sentence(typed: str) -> None:
    with pytest.raises(EmptyPrompt, match="say what to dream"):
        clean(typed)


def test_a_prompt_may_be_as_long_as_its_limit_and_no_longer() -> None:
    assert len(clean("a" * MAX_PROMPT)) == MAX_PROMPT
    with pytest.raises(BadRequest, match=str(MAX_PROMPT + 1)):
        clean("a" * (MAX_PROMPT + 1))
