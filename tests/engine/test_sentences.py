"""Keys with facts, of which sentences are made; and that whoever raises an error gives what its key needs."""

import ast
import json
import re
import string
from pathlib import Path

import pytest

from engine.errors import FailureKind
from engine.sentences import NOTHING, Key, Saying

ROOT = Path(__file__).parent.parent.parent
# Errors whose own sentences reach people in each language; of the others they read one by kind, or English.
TRANSLATED = {"BadRequest", "DiskError", "OutOfMemory", "StoppedEarly", "Collapsed", "of"}
# What speaks at a terminal only, in English.
TERMINAL = ("engine/command_line", "engine/evaluation", "engine/given_file", "engine/models/installed")


def fields(sentence: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field}


def calls() -> list[tuple[str, ast.Call]]:
    """Every call that makes a sentence for people, and where."""
    paths = [path for room in ("bot", "engine") for path in sorted((ROOT / room).rglob("*.py"))]
    named = [(str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]
    return [
        (f"{name}:{node.lineno}", node)
        for name, tree in named
        if not name.startswith((*TERMINAL, "engine/training", "engine/sentences"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
        if (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) in TRANSLATED and node.args
    ]


def key_of(call: ast.Call) -> Key | None:
    """The key that stands in the call; None where a name stands for it."""
    match call.args[0]:
        case ast.Attribute(value=ast.Name(id="Key"), attr=name):
            return Key[name]
    return None


@pytest.mark.parametrize(
    ("place", "call"), calls(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_error_that_people_read_has_a_key_and_its_facts(place: str, call: ast.Call) -> None:
    said = call.args[0]
    assert not isinstance(said, ast.Constant | ast.JoinedStr), "a key, so that it can be said in Italian"
    if (key := key_of(call)) is not None:
        assert {word.arg for word in call.keywords} == fields(key.value)


def test_no_key_is_left_over() -> None:
    text = "".join(
        path.read_text(encoding="utf-8")
        for room in ("engine", "bot/queue", "bot/dreams")
        for path in (ROOT / room).rglob("*.py")
    )
    used = set(re.findall(r"\bKey\.(\w+)", text))
    assert {key.name for key in Key} - used == {kind.name for kind in FailureKind}, "those are found by kind"


def test_several_sentences_follow_each_other() -> None:
    both = Saying.of(Key.LARGE_NOT_FETCHED) + Saying.of(Key.PROMPT_IN_PARTS, parts=2)
    assert str(both) == (
        "The large models could not be fetched."
        " The prompt is long: I read it in 2 parts and dream of them all."
    )
    assert NOTHING + both == both and both and not NOTHING and str(NOTHING) == ""


@pytest.mark.parametrize(
    "said",
    [
        NOTHING,
        Saying.plain('{"a": 1} {b} \x00 \ud800 ✨'),
        Saying.of(Key.STRENGTH_IS, strength=float("inf")),
        Saying.of(Key.SEED_IS, seed=-(10**40), most=9) + Saying.of(Key.DISK),
    ],
)
def test_what_was_said_is_stored_and_read(said: Saying) -> None:
    stored = said.to_json()
    assert stored.isascii() and "\x00" not in stored, "every database can hold it"
    assert Saying.from_json(stored) == said


def test_a_sentence_that_was_stored_before_there_were_keys_stays_as_it_is() -> None:
    for old in ("The dream that this one starts from is gone.", "[1] {x} is odd.", '"x" is not one of y.'):
        assert str(Saying.from_json(old)) == old
    assert Saying.from_json("") == NOTHING


@pytest.mark.parametrize("part", [["NEWER", {}], ["SEED_IS", {"seed": 1}], ["SEED_IS", 5], ["SEED_IS"]])
def test_what_another_version_stored_and_cannot_be_said_is_nothing(part: list[object]) -> None:
    assert Saying.from_json(json.dumps([part])) == NOTHING


def test_a_fact_that_is_missing_is_found_where_it_is_said() -> None:
    with pytest.raises(KeyError):
        Saying.of(Key.SEED_IS, seed=1)
