"""The dream as a value: which states follow which, and what a wish must be."""

from dataclasses import FrozenInstanceError, asdict, fields
from types import NoneType
from typing import get_args

import pytest

from bot.database.tables import dreams
from bot.dreams.dream import (
    TRANSITIONS,
    Dream,
    DreamState,
    What,
    Who,
    Wish,
    checked,
    shared,
    tidy,
)
from engine import BadRequest, EmptyPrompt
from engine.settings import MAX_SEED, MAX_STEPS

PLACE = {"model": "auto", "author_id": 1, "guild_id": None, "channel_id": 2, "origin": 3}


def test_every_state_has_its_transitions_and_ends_are_ends() -> None:
    assert set(TRANSITIONS) == set(DreamState)
    over = {state for state in DreamState if state.is_over}
    assert over == {DreamState.DONE, DreamState.FAILED, DreamState.CANCELLED}
    assert DreamState.QUEUED.may_become(DreamState.DREAMING)
    assert DreamState.DREAMING.may_become(DreamState.QUEUED), "after a restart"
    assert not DreamState.QUEUED.may_become(DreamState.DONE)
    assert not any(state.may_become(state) for state in DreamState)


def test_a_wish_keeps_the_words_and_cannot_be_changed() -> None:
    made = checked(Wish(prompt="  a bowl\nof cherries ", seed=0, steps=None, **PLACE))
    assert made.prompt == "a bowl\nof cherries"
    with pytest.raises(FrozenInstanceError):
        made.seed = 1  # type: ignore[misc]


def test_a_wish_holds_all_of_what_is_dreamt_and_of_who_asks(odd: What) -> None:
    who = Who(author_id=1, guild_id=2, channel_id=3, origin=4, language="it")
    wish = Wish.of(odd, who)
    assert wish.what == odd and shared(wish, Who) == asdict(who)
    dream = Dream(**asdict(wish), id=9, message_id=None, state=DreamState.QUEUED, attempts=0, created_at=0.0)
    assert dream.wish == wish


def test_every_field_of_a_dream_has_its_column() -> None:
    others = {
        "owner",
        "lease_until",
        "slug",
        "to_tell",
    }  # its lease, its name in the web, what an older one owed
    assert set(dreams.columns.keys()) == {field.name for field in fields(Dream)} | others
    for field in fields(Dream):
        may_be_nothing = NoneType in get_args(field.type)
        assert dreams.columns[field.name].nullable is may_be_nothing, field.name


@pytest.mark.parametrize("prompt", ["", "  \n", "\x00", "\u202e\u2066", "…", "\ud800"])
def test_nothing_to_dream_is_refused(prompt: str) -> None:
    with pytest.raises(EmptyPrompt):
        checked(Wish(prompt=prompt, seed=0, steps=None, **PLACE))


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"seed": -1}, str(MAX_SEED)),
        ({"seed": MAX_SEED + 1}, str(MAX_SEED)),
        ({"steps": 0}, str(MAX_STEPS)),
        ({"steps": MAX_STEPS + 1}, str(MAX_STEPS)),
        ({"prompt": "x" * 2001}, "2000"),
        ({"avoid": "x" * 2001}, "2000"),
        ({"size": 0}, "128, 256, 512, 1024"),
        ({"size": 300}, "128, 256, 512, 1024"),
        ({"preset": "fastest"}, "quick, normal, thorough"),
    ],
)
def test_out_of_range_is_refused_with_the_range(change: dict[str, object], allowed: str) -> None:
    with pytest.raises(BadRequest, match=allowed):
        checked(Wish(**{"prompt": "a house", "seed": 0, "steps": None, **PLACE, **change}))


def test_what_no_database_can_hold_is_left_out() -> None:
    assert tidy("a\x00 \ud800house\u202e\n🍒") == "a house\u202e\n🍒"
