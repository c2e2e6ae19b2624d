"""What words hide and what they are, measured on many disguises and innocents in many languages."""

from pathlib import Path
from time import process_time

import pytest

from bot.servers.banned_words import are_one, is_allowed, offence
from bot.servers.spelling import exact, meant, skeleton
from engine.settings import MAX_PROMPT

HERE = Path(__file__).parent


def rows(name: str) -> list[tuple[list[str], str]]:
    """Banned words and a text, of each line."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    parted = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(words.split(","), text) for words, text in parted]


def test_nearly_all_disguises_are_seen_through() -> None:
    """408 of 420 when this was written; 376 before numbers on words and signs of money were seen."""
    found = rows("disguises.txt")
    missed = [(words, text) for words, text in found if is_allowed(text, words, [])]
    assert len(found) >= 400
    assert len(missed) <= 0.03 * len(found), missed


def test_nearly_all_innocents_pass() -> None:
    """558 of 574 when this was written; 553 before 5s, t1 and a short ß were what they are."""
    found = rows("innocents.txt")
    refused = [(text, rule) for words, text in found if (rule := offence(text, words, [])) is not None]
    assert len(found) >= 550
    assert len(refused) <= 0.05 * len(found), refused


@pytest.mark.parametrize(
    "word", ["pistol", "tit", "coño", "кровь", "血", "ばか", "ปืน", "कल", "바보", "🔫", "كلب"]
)
def test_a_banned_word_is_found_as_it_was_written(word: str) -> None:
    assert not is_allowed(word, [word], [])
    assert not is_allowed(f"x {word}, y", [word], [])
    assert is_allowed("a bowl of cherries", [word], [])
    assert is_allowed("", [word], [])


def test_a_known_word_is_itself_and_another_may_be_a_disguise() -> None:
    assert meant("año") == ("año", True)
    assert meant("penne") == ("penne", True)
    assert meant("pistóll") == ("pistoll", False)
    assert skeleton(exact("BLÖÓD")) == "blood"
    assert are_one("🔫", "🔫\ufe0f") and are_one("Gun", "<:gun:1>") and not are_one("año", "ano")


@pytest.mark.parametrize(
    "text",
    [
        "a\u0301" * 200 + "\u0301" * 1600,
        "a b c d e " * 200,
        "p1 st0 $$ @ " * 160,
        "🔫" * MAX_PROMPT,
        "👩\u200d" * 1000,
        "🇵🇮" * 1000,
        "ก" * 2000,
        "血 " * 1000,
        "a|" * 1000,
        "a:1|" * 500,
        "a_b-c.d" * 280,
        "<:gun:1>" * 220,
        "aaaa" * 500,
    ],
    ids=lambda text: ascii(text[:6]),
)
def test_no_text_takes_long(text: str) -> None:
    words = [f"wo{number:x}rd" for number in range(250)] + [f"*{number:x}boo*" for number in range(240)]
    words += ["red wedding", "傻逼", "ปืน", "바보", "كلب", "🔫🔪", "boobs", "aab", "coño", "<:x:1>"]
    assert len(text) <= MAX_PROMPT
    is_allowed("warm", words, [])  # words are prepared once
    began = process_time()
    is_allowed(text, words, [])
    assert process_time() - began < 2.0  # of a crowded machine; a few ms for words


def test_a_short_german_word_with_ss_is_no_english_one_and_a_long_one_is_itself_in_capitals() -> None:
    assert is_allowed("er aß und saß", ["ass", "sass"], [])
    assert not is_allowed("SCHEISSE", ["scheiße"], []) and not is_allowed("Scheiße", ["scheisse"], [])
    assert not is_allowed("er aß", ["aß"], [])


@pytest.mark.parametrize("text", ["pistol123", "2pistol", "pistoI", "p¡stol", "pist()l", "pist⭕l", "pi₴tol"])
def test_what_is_written_onto_a_word_or_for_a_letter_hides_it_not(text: str) -> None:
    assert not is_allowed(text, ["pistol"], [])
