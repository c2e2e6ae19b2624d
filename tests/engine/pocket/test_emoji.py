"""What the embedded models make of emoji: each means to them what it shows."""

import pytest

from engine.prompt import clean
from engine.words.emoji import named

# An emoji, and what it shows in other words than its name's.
SHOWN = {
    "🍒": "some red cherry fruit",
    "🐈‍⬛": "a small black kitty cat",
    "❤️": "a heart that is red",
    "🌕": "the moon at night",
    "🔥": "a hot burning fire",
    "🏠": "a little home, a building",
    "🚀": "a space rocket",
    "🦊": "a fox in the snow",
    "🍕": "a slice of pizza",
    "👑": "the crown of a king",
    "🌳": "an old oak tree",
    "🐶": "a dog",
    "☀️": "the sun in the sky",
    "☕": "a cup of coffee",
    "✈️": "a plane",
    "🔫": "a pistol",
}


@pytest.mark.parametrize("language", ["en", "it"])
def test_an_emoji_means_what_it_shows(embedded, language: str) -> None:
    _, perceive, _ = embedded
    names = [" ".join(named(emoji, language).split()) for emoji in SHOWN]
    likeness = perceive.encode_texts(names) @ perceive.encode_texts(list(SHOWN.values())).T
    taken = [list(SHOWN)[best] for best in likeness.argmax(1).tolist()]
    wrong = [(emoji, other) for emoji, other in zip(SHOWN, taken, strict=True) if emoji != other]
    assert len(wrong) <= 1, wrong


def test_a_prompt_of_emoji_is_the_prompt_of_their_names(embedded) -> None:
    _, perceive, _ = embedded
    assert clean("🐈‍⬛") == "black cat" and clean("un gatto con la 🍒") == "un gatto con la ciliegie"
    assert perceive.encode_texts([clean("❤️")]).equal(perceive.encode_texts(["red heart"]))
