"""Emoji read as wholes, by names of our own, the same on every Python."""

import unicodedata

import pytest

from engine.prompt import clean
from engine.words.emoji import language_of, named, replaced
from engine.words.emoji_names import LANGUAGES, table


@pytest.mark.parametrize(
    ("emoji", "english", "italian"),
    [
        ("🐈‍⬛", "black cat", "gatto nero"),
        ("🐈", "cat", "gatto"),
        ("❤️", "red heart", "cuore rosso"),
        ("❤", "red heart", "cuore rosso"),
        ("❤️‍🔥", "heart on fire", "cuore in fiamme"),
        ("🇮🇹", "flag of Italy", "bandiera Italia"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "flag of England", "bandiera Inghilterra"),
        ("🏴", "black flag", "bandiera nera"),
        ("🏴‍☠️", "pirate flag", "bandiera dei pirati"),
        ("#️⃣", "keycap hash", "tasto hash"),
        ("7️⃣", "keycap 7", "tasto 7"),
        ("👍🏿", "thumbs up", "pollice in su"),
        ("👩🏽‍🚀", "woman astronaut", "astronauta donna"),
        ("👨‍👩‍👧", "family of man and woman and girl", "famiglia con uomo e donna e bambina"),
        ("👩🏻‍❤️‍👨🏿", "couple with heart of woman and man", "coppia con cuore con donna e uomo"),
        ("🫱🏻‍🫲🏿", "handshake", "stretta di mano"),
        ("🧑‍🦰", "person with red hair", "persona con capelli rossi"),
        ("🙂‍↔️", "head shaking horizontally", "scuotere la testa in senso orizzontale"),
        ("🫟", "splatter", "spruzzo"),  # Emoji 16
        ("🔪", "kitchen knife", "coltello da cucina"),
        ("🃁", "playing card ace of diamonds", "playing card ace of diamonds"),  # no emoji, a symbol
    ],
)
def test_an_emoji_is_read_as_a_whole_in_both_languages(emoji: str, english: str, italian: str) -> None:
    assert named(emoji, "en").split() == english.split()
    assert named(emoji, "it").split() == italian.split()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("🇮🇹🇫🇷", "flag of Italy flag of France"),
        ("🇽🇽 🇮", "x x i"),  # no flags: shown as letters
        ("🐻‍🔥", "bear fire"),  # no such sequence: shown as its parts
        ("👨‍👩‍👧‍🐉", "family of man and woman and girl dragon"),
        ("🏴󠁧󠁢󠁸󠁸󠁿", "black flag"),  # no such region
        ("a \U0001faff\ufe0f\u200d🏿 b", "a b"),  # room for emoji to come: nothing of it is left over
        ("12 #1 wow‼ a ↔ b ©", "12 #1 wow‼ a ↔ b copyright"),
        ("‼️ ↔️", "double exclamation mark left-right arrow"),
        ("🍒🍒", "cherries cherries"),
        ("cat🐈cat", "cat cat cat"),
    ],
)
def test_what_is_no_emoji_of_its_own_is_read_by_its_parts_or_skipped(text: str, read: str) -> None:
    assert clean(text) == read


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("un gatto con la 🍒", "it"),
        ("gatto rosso", "it"),
        ("una casa sul mare", "it"),
        ("a red cat", "en"),
        ("the sea with a boat", "en"),
        ("🍒", "en"),
        ("pizza", "en"),
        ("", "en"),
        ("猫", "en"),
    ],
)
def test_names_are_in_the_language_of_the_words_around_them(text: str, language: str) -> None:
    assert language_of(text) == language
    assert clean(f"{text} 🐈‍⬛").endswith({"it": "gatto nero", "en": "black cat"}[language])


def test_every_emoji_has_names_that_stay_words_in_a_prompt() -> None:
    assert len(table()) > 2000
    for emoji, names in table().items():
        for language in LANGUAGES:
            name = getattr(names, language)
            assert name and not set("|:,()“”") & set(name)
            assert named(emoji, language).split() == name.split()
            assert clean(f"x {emoji} y") == f"x {' '.join(names.en.split())} y"
            assert named(name, language) == name


def test_emoji_newer_than_this_python_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unicodedata, "category", lambda _: "Cn")
    monkeypatch.setattr(unicodedata, "name", lambda *_: "")
    assert named("🫩 🐈‍⬛", "en").split() == ["face", "with", "bags", "under", "eyes", "black", "cat"]


def test_a_long_row_of_anything_is_read_at_once() -> None:
    for piece in ("👩‍", "🇮", "🏴󠁧", "🏿", "1\u20e3", "\ufe0f", "\u0301"):
        assert replaced(piece * 4000, lambda key: "") is not None
