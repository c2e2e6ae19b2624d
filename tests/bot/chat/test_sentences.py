"""Every sentence that a person reads, as it is; and what is done to a person's own words."""

import inspect
import string

import pytest

from bot.chat import sentences as say
from bot.chat.quoting import plain, quoted
from bot.database import StoreBusy, StoreError, StoreFull
from engine import FailureKind

SENTENCES = [
    (say.queued(None), "Your dream begins now. Watch it in this channel."),
    (say.queued(1), "Your dream is next in line. Watch it in this channel."),
    (say.queued(12), "Your dream is number 12 in line. Watch it in this channel."),
    (say.waiting(None), "Waits for its turn."),
    (say.waiting(1), "Next in line."),
    (say.waiting(2), "Number 2 in line."),
    (
        say.dreaming(step=45, steps=200, score=27.345, seconds_left=80.2),
        "▰▰▱▱▱▱▱▱▱▱ step 45 of 200 · score 27.3 · about 1:20 left",
    ),
    (say.dreamer(42), "A dream of <@42>"),
    (say.models(pair="pocket", generator="g", perceptor="p"), "pocket (g, p)"),
    (say.cancelled(has_picture=True), "Cancelled; this is the best picture so far."),
    (say.cancelled(has_picture=False), "Cancelled before it began."),
    (say.alt_text("a house"), "A dreamt picture: a house"),
    (
        say.failed(FailureKind.CRASH, "x"),
        "The dream engine broke down twice over this dream, so I let it go, sorry.",
    ),
    (
        say.failed(FailureKind.HANG, "x"),
        "The dream engine got stuck twice over this dream, so I let it go, sorry.",
    ),
    (say.failed(FailureKind.INTERNAL, "x"), say.APOLOGY),
    (say.failed(None, ""), say.APOLOGY),
    (say.failed(FailureKind.DISK, "The disk is full."), "The disk is full."),
    (
        say.too_many_waiting(1),
        "You have a dream waiting already. Please ask again when it has begun, or cancel it.",
    ),
    (
        say.too_many_waiting(3),
        "You have 3 dreams waiting already. Please ask again when one has begun, or cancel one.",
    ),
    (say.line_full(100), "The line is full with 100 dreams. Please ask again in a while."),
    (
        say.missing_permissions(["Attach Files"]),
        "I lack the permission Attach Files in this channel; a moderator can grant that in its settings.",
    ),
    (
        say.missing_permissions(["A", "B", "C"]),
        "I lack the permissions A, B and C in this channel; a moderator can grant that in its settings.",
    ),
    (
        say.store_trouble(StoreFull()),
        "My disk is full, so I cannot take this in, sorry. Please tell whoever runs me.",
    ),
    (
        say.store_trouble(StoreBusy()),
        "My notebook is in use by another program. Please try again in a moment.",
    ),
    (
        say.store_trouble(StoreError()),
        "I cannot reach my notebook just now, so I took nothing in, sorry. Please try again later.",
    ),
    (say.duration(0), "0:00"),
    (say.duration(-3), "0:00"),
    (say.duration(59.6), "1:00"),
    (say.duration(3723), "1:02:03"),
]
CONSTANTS = {name: value for name, value in vars(say).items() if name.isupper() and isinstance(value, str)}


@pytest.mark.parametrize(("said", "meant"), SENTENCES)
def test_a_sentence_says_what_it_shall(said: str, meant: str) -> None:
    assert said == meant


def test_every_sentence_function_stands_in_this_test() -> None:
    source = inspect.getsource(inspect.getmodule(test_a_sentence_says_what_it_shall))
    names = {name for name, f in vars(say).items() if inspect.isfunction(f) and f.__module__ == say.__name__}
    assert [name for name in sorted(names) if f"say.{name}(" not in source] == []


def test_every_failure_has_a_sentence() -> None:
    for kind in FailureKind:
        assert say.failed(kind, "").endswith(".")


@pytest.mark.parametrize("name", sorted(CONSTANTS))
def test_a_fixed_sentence_is_short_and_whole(name: str) -> None:
    text = CONSTANTS[name]
    assert 0 < len(text) <= 160 and text == text.strip() and text[0].isupper()
    if " " in text:
        assert text.endswith((".", "…"))
    if name.startswith("COMMAND"):
        assert len(text) <= 100, "Discord's limit"


def test_words_are_shown_as_they_are() -> None:
    for words in (
        "a bowl of cherries, ripe!",
        "un piatto di ciliegie: è l’ora",
        "🍒 👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "‏می‌خواهم"[1:],
    ):
        assert plain(words, 100) == words


def test_hidden_characters_are_left_out() -> None:
    assert plain("a\u202eb\u2066c\u200bd\x00e\x1bf\ufeffg\ud800h\n i\t j", 100) == "abcdefgh i j"


def test_a_long_prompt_is_shortened_to_the_limit() -> None:
    assert plain("x" * 20, 20) == "x" * 20
    assert plain("x" * 21, 20) == "x" * 19 + "…"
    assert plain("hello world", 7) == "hello…"


@pytest.mark.parametrize(
    "words",
    [
        "**bold** __under__ ~~strike~~",
        "`code` ```block```",
        "||spoiler||",
        "> quote",
        "# heading",
        "- list",
        "-# small",
        "[text](https://example.org)",
        "<https://example.org>",
        "@everyone @here",
        "<@1> <@&2> <#3> </dream:4> <t:5:R> <:emoji:6>",
        ":cherries:",
    ],
)
def test_no_markdown_survives(words: str) -> None:
    shown = quoted(words, 200)
    bare = shown.replace("\\", "")
    assert bare == words, "it reads as it was written"
    for i, character in enumerate(shown):
        if character in "*_~`|>#-[]()<@:/":
            assert shown[i - 1] == "\\"


def test_backslashes_and_numbered_lists_are_escaped_too() -> None:
    assert quoted("\\*", 10) == "\\\\\\*"
    assert quoted("1. one", 10) == "1\\. one"
    assert all(len(quoted(c * 100, 100)) <= 200 for c in string.punctuation)
