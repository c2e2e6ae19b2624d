"""Every sentence that a person reads, in each language; and what is done to a person's own words."""

import ast
import inspect
import string
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

import pytest

from bot.community.choices import Decision
from bot.database.connection import StoreBusy, StoreError, StoreFull
from bot.objects.store import ObjectsAway
from bot.sentences import ENGLISH, ITALIAN, Sentences, spoken
from bot.sentences.italian.engine import SENTENCES as TRANSLATED
from bot.sentences.numbers import duration
from bot.sentences.quoting import plain, quoted
from engine import FailureKind
from engine.sentences import NOTHING, Key, Saying
from tests.bot.sentences import (
    said_buttons,
    said_collection,
    said_manners,
    said_moderation,
    said_page,
    said_privacy,
    said_refusals,
    said_wall,
)
from tests.bot.sentences.said_buttons import BUTTONS
from tests.bot.sentences.said_collection import COLLECTION
from tests.bot.sentences.said_manners import MANNERS
from tests.bot.sentences.said_moderation import MODERATION
from tests.bot.sentences.said_page import PAGE
from tests.bot.sentences.said_privacy import PRIVACY
from tests.bot.sentences.said_refusals import REFUSALS
from tests.bot.sentences.said_wall import WALL

ROOT = Path(__file__).parent.parent.parent.parent

# Each sentence with facts in it: how it is made in any language, and what it is in English.
SENTENCES: list[tuple[Callable[[Sentences], str], str]] = [
    (lambda say: say.queued(None), "Your dream begins now. Watch it in this channel."),
    (lambda say: say.queued(1), "Your dream is next in line. Watch it in this channel."),
    (lambda say: say.queued(12), "Your dream is number 12 in line. Watch it in this channel."),
    (lambda say: say.waiting(None), "Waiting for its turn."),
    (lambda say: say.waiting(1), "Next in line. I can't say yet how long this will take."),
    (
        lambda say: say.waiting(2, before=[7], ready_at=1000.0),
        "Number 2 in line, after <@7>. Ready <t:1000:R>.",
    ),
    (
        lambda say: say.waiting(9, before=[7, 8], others=3, ready_at=1000.0),
        "Number 9 in line, after <@7>, <@8> and 3 more. Ready <t:1000:R>.",
    ),
    (
        lambda say: say.dreaming(step=45, steps=200, score=27.345, seconds_left=80.2),
        "▰▰▱▱▱▱▱▱▱▱ step 45 of 200 · score 27.3 · about 1:20 left",
    ),
    (
        lambda say: say.dreaming(step=1, steps=20, score=27.345, seconds_left=0.01),
        "▱▱▱▱▱▱▱▱▱▱ step 1 of 20 · score 27.3",
    ),
    (
        lambda say: say.fetching("ViT-B/32", 300, 1000),
        "Downloading the model ViT-B/32, just this once: 30 % …",
    ),
    (lambda say: say.fetching("ViT-B/32", 300, 0), "Downloading the model ViT-B/32, just this once …"),
    (lambda say: say.dreamer(42), "A dream by <@42>"),
    (lambda say: say.models(pair="pocket", generator="g", perceptor="p"), "pocket (g, p)"),
    (lambda say: say.cancelled(has_picture=True), "Cancelled; this is the best picture so far."),
    (lambda say: say.cancelled(has_picture=False), "Cancelled before it began."),
    (lambda say: say.alt_text("a house"), "A dreamt picture: a house"),
    (
        lambda say: say.failed(FailureKind.CRASH, Saying.plain("x")),
        "Sorry, the dream engine broke down twice over this dream, so I gave up on it.",
    ),
    (
        lambda say: say.failed(FailureKind.HANG, Saying.plain("x")),
        "Sorry, the dream engine got stuck twice over this dream, so I gave up on it.",
    ),
    (lambda say: say.failed(FailureKind.INTERNAL, Saying.plain("x")), ENGLISH.APOLOGY),
    (lambda say: say.failed(None, NOTHING), ENGLISH.APOLOGY),
    (
        lambda say: say.failed(FailureKind.DISK, Saying.of(Key.DISK)),
        "The disk is full or cannot be written.",
    ),
    (
        lambda say: say.too_many_waiting(1),
        "You already have a dream waiting. Please ask again once it has begun, or cancel it.",
    ),
    (
        lambda say: say.too_many_waiting(3),
        "You already have 3 dreams waiting. Please ask again once one has begun, or cancel one.",
    ),
    (
        lambda say: say.line_full(100),
        "The line is full: 100 dreams are waiting. Please try again in a while.",
    ),
    (
        lambda say: say.missing_permissions(["attach_files"]),
        "I need the permission Attach Files in this channel; a moderator can grant that in its settings.",
    ),
    (
        lambda say: say.missing_permissions(["view_channel", "embed_links", "add_reactions"]),
        "I need the permissions View Channel, Embed Links and Add Reactions in this channel; "
        "a moderator can grant that in its settings.",
    ),
    (
        lambda say: say.store_trouble(StoreFull()),
        "Sorry, my disk is full, so I can't save anything new. Please tell whoever runs me.",
    ),
    (
        lambda say: say.store_trouble(StoreBusy()),
        "My database is busy just now. Please try again in a moment.",
    ),
    (
        lambda say: say.store_trouble(ObjectsAway()),
        "Sorry, I can't get at my pictures just now. None is lost; please try again later.",
    ),
    (
        lambda say: say.store_trouble(StoreError()),
        "Sorry, I can't reach my database just now, so nothing was saved. Please try again later.",
    ),
    (lambda say: say.score(7.25), "7.2"),
    (lambda say: say.end_score(7.25, weak=False), "7.2"),
    (lambda say: say.end_score(7.25, weak=True), "7.2 (a weak match)"),
    (
        lambda say: say.nearest(["river", "sea"]),
        "I don't know this well; the nearest things I know are *river* and *sea*.",
    ),
    (
        lambda say: say.nearest(["river"]),
        "I don't know this well; the nearest thing I know is *river*.",
    ),
    (
        lambda say: say.nearest([]),
        "I don't know this at all, so I made something up; I'm best at things that one can draw.",
    ),
    (lambda say: say.votes("⭐", 5), "⭐ 5"),
    (
        lambda say: say.contest_about("autumn", 1700000000),
        "Theme: **autumn**\nDream with /dream, then use /contest enter. The votes under the pictures decide. "
        "It ends <t:1700000000:R>, on <t:1700000000:f>.",
    ),
    (
        lambda say: say.contest_was("autumn", 1700000000),
        "Theme: **autumn**\nIt ended <t:1700000000:R>.",
    ),
    (lambda say: say.contest_ended(7), "The contest is over. I'll announce the winner in <#7>."),
    (
        lambda say: say.entered("a leaf"),
        "Entered: a leaf. The votes under its picture count; good luck!",
    ),
    (
        lambda say: say.contest_won("autumn", 42, 1, "a leaf"),
        "Theme: **autumn**\n🏆 <@42> wins with 1 vote: a leaf\nThank you all for dreaming!",
    ),
    (
        lambda say: say.contest_won("autumn", 0, 2, "…"),
        "Theme: **autumn**\n🏆 Somebody wins with 2 votes: …\nThank you all for dreaming!",
    ),
    (
        lambda say: say.contest_without_winner("autumn", 0),
        "Theme: **autumn**\nNobody entered a dream, so there is no winner this time.",
    ),
    (
        lambda say: say.contest_without_winner("autumn", 2),
        "Theme: **autumn**\nNobody voted, so there is no winner this time.",
    ),
    (lambda say: say.fame("⭐", 5, 7), "⭐ 5 · <#7>"),
    (lambda say: say.top_title("prompt", "week"), "The best prompts of the last 7 days"),
    (lambda say: say.top_picture("a house", 1, 42), "a house\n1 vote · <@42>"),
    (lambda say: say.top_dreamer(42, 5, 1, "a house"), "<@42> · 5 votes for 1 dream · a house"),
    (lambda say: say.top_prompt("a house", 1, 2), "a house · 1 vote for 2 dreams"),
    (
        lambda say: say.beginnings(1, 4),
        "Dreaming 4 beginnings, 1 done. Soon you can choose which one goes on.",
    ),
    (
        lambda say: say.voting(1700000000, 4),
        "Which of these 4 should I go on with? React with its number; you may choose several.\n"
        "The vote ends <t:1700000000:R>.",
    ),
    (
        lambda say: say.decided(Decision(2, 3, {1: 0, 2: 1, 3: 0})),
        "Number 2 goes on, with 1 vote (1: 0 · 2: 1 · 3: 0). It goes on in a new message.",
    ),
    (
        lambda say: say.steered(Decision(2, 2, {1: 2, 2: 2}, ended_by=42)),
        "A tie between 1 and 2; number 2 goes on, because its score is higher (1: 2 · 2: 2). "
        "<@42> ended the vote.",
    ),
    (
        lambda say: say.steered(Decision(1, 2, {1: 0, 2: 0})),
        "Nobody voted; number 1 goes on, because its score is the best.",
    ),
    (
        lambda say: say.steered(Decision(3, 4, {3: 0})),
        "Number 3 goes on: the only one that worked out.",
    ),
    (lambda say: say.grid_alt(4, "a house"), "4 numbered beginnings of a dream: a house"),
    (
        lambda say: say.choice_queued(4),
        "Your 4 beginnings are in line. Watch them in this channel; then everybody votes.",
    ),
    (
        lambda say: say.engine(Saying.of(Key.DISK)),
        "The disk is full or cannot be written.",
    ),
]

SENTENCES += REFUSALS + MODERATION + MANNERS + BUTTONS + COLLECTION + PAGE + PRIVACY + WALL

# What is the same in both languages, or a name.
SAME = {"CODE"}


def names(kind: type) -> dict[str, object]:
    """The sentences that this language says itself, not what it would fall back to."""
    own = [c for c in type(kind).__mro__ if kind is ENGLISH or c not in type(ENGLISH).__mro__]
    return {
        name: value for c in reversed(own) for name, value in vars(c).items()
        if not name.startswith("_") and c is not object
    }  # fmt: skip


ALL, OWN = names(ENGLISH), names(ITALIAN)
CONSTANTS = {name: value for name, value in ALL.items() if isinstance(value, str)}
METHODS = {name: value for name, value in ALL.items() if isinstance(value, FunctionType)}


@pytest.mark.parametrize(("call", "meant"), SENTENCES)
def test_a_sentence_says_what_it_shall(call: Callable[[Sentences], str], meant: str) -> None:
    assert call(ENGLISH) == meant


@pytest.mark.parametrize(("call", "english"), SENTENCES)
def test_a_sentence_is_said_in_italian(call: Callable[[Sentences], str], english: str) -> None:
    said = call(ITALIAN)
    assert said and said == said.strip()
    if " " in english and english[-1] in ".!?…":
        assert said[-1] in ".!?…" and said != english, said


def test_every_sentence_function_stands_in_this_test() -> None:
    modules = [
        inspect.getmodule(test_a_sentence_says_what_it_shall),
        said_collection,
        said_manners,
        said_moderation,
        said_refusals,
        said_buttons,
        said_page,
        said_privacy,
        said_wall,
    ]
    source = "".join(inspect.getsource(module) for module in modules if module)
    assert [name for name in sorted(METHODS) if f"say.{name}(" not in source] == []


@pytest.mark.parametrize("name", sorted(ALL))
def test_no_sentence_lacks_its_translation(name: str) -> None:
    assert name in OWN, "it would be said in English"
    english, italian = ALL[name], OWN[name]
    assert type(english) is type(italian)
    if isinstance(english, str):
        assert english != italian or name in SAME, "translated"
    elif isinstance(english, dict):
        assert english.keys() == italian.keys()  # type: ignore[attr-defined]  # a dict as well
    elif isinstance(english, FunctionType):
        assert inspect.signature(english) == inspect.signature(italian)  # type: ignore[arg-type]  # as well
        assert facts(english) == facts(italian), "both say the same facts"


def facts(function: object) -> set[str]:
    """The parameters that a function's body uses."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body  # type: ignore[arg-type]
    assert isinstance(tree, ast.FunctionDef)
    used = {node.id for part in tree.body for node in ast.walk(part) if isinstance(node, ast.Name)}
    return used & set(inspect.signature(function).parameters) - {"self"}  # type: ignore[arg-type]


def test_italian_has_no_sentence_that_english_lacks() -> None:
    assert OWN.keys() <= ALL.keys()


def test_every_failure_has_a_sentence() -> None:
    for say in (ENGLISH, ITALIAN):
        for kind in FailureKind:
            assert say.failed(kind, NOTHING).endswith(".")


@pytest.mark.parametrize("name", sorted(CONSTANTS))
@pytest.mark.parametrize("say", [ENGLISH, ITALIAN], ids=["en", "it"])
def test_a_fixed_sentence_is_short_and_whole(name: str, say: Sentences) -> None:
    text = getattr(say, name)
    if name == "CODE":
        return
    assert 0 < len(text) <= 180 and text == text.strip() and (text[0].isupper() or not text[0].isalpha())
    if " " in CONSTANTS[name] and CONSTANTS[name][-1] in ".!?…":
        assert text[-1] in ".!?…"
    if name.startswith("COMMAND"):
        assert len(text) <= 100, "Discord's limit"


@pytest.mark.parametrize("language", [ENGLISH, ITALIAN], ids=["English", "Italian"])
def test_no_sentence_hides_another_of_the_same_name(language: Sentences) -> None:
    """The parts of a language are mixed into one: two with the same name would say the same."""
    places: dict[str, list[str]] = {}
    for part in type(ENGLISH).__mro__[1:-1] if language is ENGLISH else type(language).__bases__:
        for name in vars(part):
            if not name.startswith("_"):
                places.setdefault(name, []).append(part.__name__)
    assert {name: parts for name, parts in places.items() if len(parts) > 1} == {}


@pytest.mark.parametrize("key", Key, ids=lambda key: key.name)
def test_what_the_engine_says_is_said_in_italian_with_its_facts(key: Key) -> None:
    assert key in TRANSLATED, "it belongs into bot/sentences/italian/engine.py"
    english, italian = (
        sorted(str(fact[1:]) for fact in string.Formatter().parse(text) if fact[1])
        for text in (key.value, TRANSLATED[key])
    )
    assert english == italian, "each fact, shown in the same way"
    assert TRANSLATED[key] != key.value or key is Key.PLAIN
    assert TRANSLATED[key][-1] in ".}"


def test_the_engine_s_notice_is_said_in_italian_with_its_facts() -> None:
    said = ITALIAN.engine(Saying.of(Key.PROMPT_IN_PARTS, parts=9))
    assert said == "Il testo è lungo: lo leggo in 9 parti e le sogno tutte."
    assert ITALIAN.engine(Saying.plain("Something old.")) == "Something old.", "better English than nothing"


@pytest.mark.parametrize(
    ("wishes", "code"),
    [(("it",), "it"), (("en-GB",), "en"), (("de", "it"), "it"), (("de",), "en"), ((None, ""), "en")],
)
def test_the_first_language_that_we_speak_is_spoken(wishes: tuple[str | None, ...], code: str) -> None:
    say = spoken(*wishes)
    assert code == say.CODE


def test_durations_are_minutes_and_seconds() -> None:
    assert [duration(s) for s in (0, -3, 59.6, 3723)] == ["0:00", "0:00", "1:00", "1:02:03"]


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
