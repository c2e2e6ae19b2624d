from collections.abc import Callable

import pytest

from engine.errors import BadRequest, EmptyPrompt
from engine.prompt import MAX_PHRASES, Phrase, clean, parts, phrases, readings, unwanted, wanted
from engine.settings import MAX_PROMPT


@pytest.mark.parametrize(
    ("typed", "dreamt"),
    [
        ("a bowl of cherries", "a bowl of cherries"),
        ("  a\tbowl\nof   cherries ", "a bowl of cherries"),
        ("a \x00bowl\x1b[31m", "a bowl [31m"),
        ("🍒", "cherries"),
        ("❤️", "red heart"),
        ("two 👩‍🚀 on the 🌕", "two woman astronaut on the full moon"),
        ("una torta di 🍒", "una torta di ciliegie"),
        ("🍒:2", "cherries :2"),
        ("1️⃣ ★", "keycap 1 star"),
        ("<:catjam:123456789012345678>", "catjam"),
        (
            "a <a:party_CatJam:1> in <#5> for <@1>, <@!2> and <@&3> <t:1700000000:R>",
            "a party Cat Jam in for , and",
        ),
        ("</dream now:12> <id:customize> a <3", "dream now a <3"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("\u202eevil", "evil"),
        ("שלום עולם", "שלום עולם"),
        ("una città", "una città"),
        ("cafe\u0301", "café"),
    ],
)
def test_a_prompt_becomes_plain_words(typed: str, dreamt: str) -> None:
    assert clean(typed) == dreamt


@pytest.mark.parametrize(
    "typed",
    ["<@1>", "<t:12:R>", "🏿", "\U0001fbff", "", "   ", "\x00\x01", "\u200b\u200d", "!!! ... ???", "\ufe0f"],
)
def test_nothing_to_dream_is_a_kind_sentence(typed: str) -> None:
    with pytest.raises(EmptyPrompt, match="say what to dream"):
        clean(typed)


def test_a_prompt_may_be_as_long_as_its_limit_and_no_longer() -> None:
    assert len(clean("a" * MAX_PROMPT)) == MAX_PROMPT
    with pytest.raises(BadRequest, match=str(MAX_PROMPT + 1)):
        clean("a" * (MAX_PROMPT + 1))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a house", [("a house", 1)]),
        ("a house | the sea", [("a house", 1), ("the sea", 1)]),
        ("a house:2|the sea:-0.5", [("a house", 2), ("the sea", -0.5)]),
        ("a house : .7 ｜ the sea：0,5", [("a house", 0.7), ("the sea", 0.5)]),
        ("a | | !!! | b:0", [("a", 1)]),
        ("area 51:0.5", [("area 51", 0.5)]),
        ("area 51:-1 | dawn:3", [("area 51", -1), ("dawn", 3)]),
        ("dawn: red and gold:2", [("dawn: red and gold", 2)]),
        # no weights
        ("a clock at 12:30", [("a clock at 12:30", 1)]),
        ("a clock at 12: 30", [("a clock at 12: 30", 1)]),
        ("a screen, 16:9", [("a screen, 16:9", 1)]),
        ("at 12:30:15.5", [("at 12:30:15.5", 1)]),
        ("http://example.org:80", [("http://example.org:80", 1)]),
        ("see https://example.org:8", [("see https://example.org:8", 1)]),
        ("localhost:8080", [("localhost:8080", 1)]),
        ("a house:heavy", [("a house:heavy", 1)]),
        ("a house:1e3", [("a house:1e3", 1)]),
        ("a house:inf", [("a house:inf", 1)]),
        ("a house:nan", [("a house:nan", 1)]),
        ("a house:٣", [("a house:٣", 1)]),
        (":0.7", [(":0.7", 1)]),
        ("a house:", [("a house:", 1)]),
    ],
)
def test_phrases_and_weights_are_read_and_all_else_stays_words(
    typed: str, read: list[tuple[str, float]]
) -> None:
    assert wanted(typed) == [Phrase(words, weight) for words, weight in read]


def test_what_to_avoid_counts_against_the_picture() -> None:
    assert unwanted("people | text:0.5 | fog:-2") == [
        Phrase("people", -1),
        Phrase("text", -0.5),
        Phrase("fog", 2),
    ]
    assert unwanted(" ") == []
    assert phrases("a house", "people") == (Phrase("a house"), Phrase("people", -1))


@pytest.mark.parametrize(
    ("prompt", "avoid", "told"),
    [
        ("a:-1", "", "counts against the picture"),
        ("a:-1 | b:-2", "", "counts against the picture"),
        ("a:1 | b:-1", "", "add up to 0"),
        ("a:0.1 | b:0.2 | c:-0.3", "", "add up to"),
        ("a:1 | b:-3", "", "add up to -2"),
        ("a:0", "", "no phrase that counts"),
        ("a house", "people:0", "What to avoid has no phrase that counts"),
        ("a house", "!!!", "What to avoid has no words"),
        ("|".join(["a"] * (MAX_PHRASES + 1)), "", f"the limit is {MAX_PHRASES}"),
        ("a house", "x" * (MAX_PROMPT + 1), f"the limit is {MAX_PROMPT}"),
        ("| |", "", "say what to dream"),
    ],
)
def test_weights_that_leave_nothing_to_dream_are_told(prompt: str, avoid: str, told: str) -> None:
    with pytest.raises(BadRequest, match=told) as error:
        phrases(prompt, avoid)
    assert str(error.value).endswith(".")


def at_most(letters: int) -> Callable[[str], str]:
    """A reader of so many characters, whole words where it can, as a perceptor's `fitting`."""

    def fitting(text: str) -> str:
        words = text.split()
        while words and len(" ".join(words)) > letters:
            words.pop()
        return " ".join(words) or text.split()[0][:letters]

    return fitting


@pytest.mark.parametrize(
    ("text", "letters", "read"),
    [
        ("a red house", 30, ["a red house"]),
        ("A red house. A blue sea, at dawn.", 18, ["A red house.", "A blue sea,", "at dawn."]),
        ("A red house. A blue sea, at dawn.", 20, ["A red house.", "A blue sea, at dawn."]),
        ("one, two, three, four", 10, ["one, two,", "three,", "four"]),
        ("pi is 3.14159, or so", 13, ["pi is", "3.14159,", "or so"]),
        ("one two three four", 9, ["one two", "three", "four"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("桜桜桜。桜桜桜桜桜桜", 4, ["桜桜桜。", "桜桜桜桜", "桜桜"]),
    ],
)
def test_a_long_text_is_parted_where_it_pauses_and_nothing_is_lost(
    text: str, letters: int, read: list[str]
) -> None:
    found = parts(text, at_most(letters))
    assert found == read
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(len(part) <= letters for part in found)


def test_the_longest_prompt_is_parted_quickly() -> None:
    text = "a, " * (MAX_PROMPT // 3)
    assert "".join(parts(text.strip(), at_most(9))).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "typed",
    [
        "a house",
        "🔫",
        "una 🔫 rossa",
        "<:gun:1> | <a:BigGun:2>:-0.5",
        "pis:1|tol",
        "🇵🇮🇸🇹🇴🇱",
        "🐈‍⬛:2 ｜ 🍒：0,5 | 12:30",
        "1️⃣:2 | a",
        "x\x00y \u202e <@1>",
    ],
)
def test_what_is_dreamt_is_among_the_readings_of_what_was_typed(typed: str) -> None:
    told = "|".join(phrase.words for phrase in wanted(typed))
    assert told in readings(typed)
    assert clean(typed) in readings(typed) or {"|", "｜"} & set(typed)


def test_the_readings_know_every_name_of_an_emoji() -> None:
    assert {"water pistol", "pistola ad acqua", "gun, pistol"} <= set(readings("🔫"))
    assert "pis|tol" in readings("pis:1|tol")
    assert readings("") == ("",)
