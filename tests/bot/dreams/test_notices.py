"""When a dream's author is told that it is over."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.database.connection import Database
from bot.dreams.dream import Dream, DreamState
from bot.dreams.notices import (
    ALWAYS,
    LONG_S,
    NOTICES,
    OFF,
    WAITED,
    is_due,
)
from bot.dreams.preferences import Preference, Preferences

SHORT, LONG = LONG_S - 1, LONG_S + 1
DREAM = Dream(
    id=1, prompt="a house", seed=7, steps=None, model="auto", author_id=11, guild_id=1, channel_id=2,
    origin=3, message_id=4, state=DreamState.DONE, attempts=1, created_at=1000.0, ended_at=1000.0 + LONG,
)  # fmt: skip


def test_one_is_told_as_one_wants_it() -> None:
    quick = replace(DREAM, ended_at=1000.0 + SHORT)
    assert [is_due(DREAM, notice) for notice in (OFF, WAITED, ALWAYS)] == [False, True, True]
    assert [is_due(quick, notice) for notice in (OFF, WAITED, ALWAYS)] == [False, False, True]
    assert Preference().notice == WAITED


@pytest.mark.parametrize("state", [DreamState.QUEUED, DreamState.DREAMING])
def test_what_is_not_over_is_not_told(state: DreamState) -> None:
    assert not is_due(replace(DREAM, state=state), ALWAYS)


def test_a_failure_is_told_and_a_beginning_or_an_erased_dream_is_not() -> None:
    assert is_due(replace(DREAM, state=DreamState.FAILED), WAITED)
    assert not is_due(replace(DREAM, candidate=2, choice_id=1), ALWAYS)
    assert not is_due(replace(DREAM, erased=True), ALWAYS)


def test_of_a_cancelled_dream_one_hears_only_when_it_was_somebody_else() -> None:
    cancelled = replace(DREAM, state=DreamState.CANCELLED)
    assert not is_due(replace(cancelled, cancelled_by=11), ALWAYS)
    assert not is_due(cancelled, ALWAYS), "its message was deleted, or it is not known"
    assert is_due(replace(cancelled, cancelled_by=12), ALWAYS)


def test_a_story_is_told_once_when_it_ends() -> None:
    first, last = replace(DREAM, chapter=1, chapters=3), replace(DREAM, chapter=3, chapters=3)
    assert [is_due(chapter, ALWAYS) for chapter in (first, last)] == [False, True]
    assert is_due(replace(first, state=DreamState.FAILED), ALWAYS), "then it is over as well"


async def test_what_an_older_version_stored_opens_with_the_default(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            text("INSERT INTO preferences (person, preset, spoiler, language) VALUES (1, 'quick', true, '')")
        )
    kept = Preferences(database=database)
    await kept.start()
    assert kept.of(1) == Preference(preset="quick", spoiler=True, notice=WAITED) and WAITED in NOTICES
