"""What people write is shown as it is in every language, and harms nobody's screen."""

import unicodedata

import pytest

from bot.sentences.quoting import MAX_MARKS, MAX_SYMBOLS, plain, quoted

LANGUAGES = [
    "قِطَّةٌ صَغِيرَةٌ تَنَامُ",  # Arabic with all its vowels
    "بِسْمِ ٱللَّهِ ٱلرَّحْمَـٰنِ ۝١",
    "می‌خواهم یک نامه‌ای ببینم",  # Persian, with joiners
    "एक छोटी बिल्ली क्षत्रिय र्‍य हिन्दी",  # Hindi
    "แมวน้ำตัวเล็กที่นั่นผู้ใหญ่",  # Thai
    "một con mèo nhỏ đang ngủ ở ngoài vườn",  # Vietnamese
    unicodedata.normalize("NFD", "một con mèo ngủ dưới ánh nắng mặt trời ế ử"),
    "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים שָּׁ֣",  # Hebrew with vowels and accents
    "မြန်မာနိုင်ငံ ကြွှေး မြွှော်",  # Burmese
    "བསྒྲུབས་པ་རྫོགས",  # Tibetan
    "ខ្មែរ ស្ត្រី",  # Khmer
    "தமிழ் தொழில் கொ",  # Tamil
    "日本語の猫 が ぎ 한국어 고양이",
    "e̋ ä̈ ǘ č̣́",
    "👩‍❤️‍💋‍👨 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 1️⃣ ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇮🇹",
]


@pytest.mark.parametrize("text", LANGUAGES)
def test_every_language_and_emoji_is_shown_as_it_was_typed(text: str) -> None:
    assert plain(text, 1000) == text


def marks(text: str) -> int:
    """The most marks that one letter has."""
    most = count = 0
    for character in text:
        count = count + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        most = max(most, count)
    return most


@pytest.mark.parametrize(
    "flood",
    [
        "a" + "\u0301" * 1600,
        "a" + "\u0301\u200d" * 800,  # joiners in between
        "a" + "\u0301\u2060\u202e" * 800,
        "a" + "\u0489" * 1600,
        "a" + "\ufe0f" * 1600,
        "a" + "\u034f\u0327" * 800,
        "\u0301" * 1600 + "a",  # nothing to stand on
    ],
)
def test_a_letter_keeps_a_few_marks(flood: str) -> None:
    for shown in (plain(flood, 1000), quoted(flood, 1000)):
        bare = "".join(c for c in shown if c not in "\u200c\u200d")
        assert bare.startswith("a") and marks(bare) <= MAX_MARKS and len(shown) <= 2 * MAX_MARKS


def test_marks_of_every_letter_are_counted_anew() -> None:
    tower = "".join(letter + "\u0336\u0301\u0300\u0302\u0303\u0304" * 50 for letter in "cherries")
    assert len(plain(tower, 1000)) == len("cherries") * (1 + MAX_MARKS)


@pytest.mark.parametrize(
    "flood",
    [
        "a" + "\u200d" * 1000 + "b",
        "a" + "\u200b" * 1000 + "b",
        "a" + "\ufeff\u2060\u00ad" * 500 + "b",
        "a" + "\n" * 1000 + "b",
        "a" + "\u2028\u2029\x0b\x0c\x85" * 300 + "b",
        "a" + "\u3164" * 1000 + "b",
        "a" + "\u2800 " * 500 + "b",
        "a" + "\U000e0041" * 1000 + "b",
    ],
)
def test_what_is_not_seen_takes_no_room(flood: str) -> None:
    assert plain(flood, 1000).replace("\u200d", " ").replace(" ", "") == "ab"
    assert len(plain(flood, 1000)) <= 3


@pytest.mark.parametrize(
    "turn", list("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
)
def test_nothing_turns_the_direction_of_what_comes_after(turn: str) -> None:
    assert plain(f"a {turn}b", 100) == "a b"


def test_a_flood_of_pictures_is_cut() -> None:
    shown = plain("🍒" * 2000, 1000)
    assert shown == "🍒" * MAX_SYMBOLS + "…"
    assert plain("﷽" * 2000, 1000).count("﷽") == MAX_SYMBOLS
