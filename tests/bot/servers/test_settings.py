"""A server's settings: which limit counts for whom, and that a stored line is read whatever it holds."""

from dataclasses import fields, replace

import pytest

from bot.servers.settings import (
    _READERS,
    LIMITS,
    Allowance,
    NsfwPolicy,
    ServerSettings,
    in_range,
    most_generous,
)

DEFAULT = Allowance(waiting=3)
FULL = ServerSettings(
    everyone=Allowance(waiting=2, steps=100),
    together=Allowance(per_day=50),
    roles={5: Allowance(waiting=0)},
    people={7: Allowance(size=256, candidates=4)},
    cooldown_s=30,
    paused=True,
    draining=True,
    moderator_role=9,
    channels=(1, 2**63 - 1),
    nsfw=NsfwPolicy.REFUSE,
    gallery_channel=3,
    log_channel=4,
    fame_channel=5,
    fame_votes=7,
    vote_s=90,
    vote_emoji=("🍒", "<:cherry:12>"),
    language="it",
    words=("blood", "füßchen"),
    patterns=(r"\bknife\b",),
    guests=Allowance(waiting=2, per_hour=5),
    wall=True,
    wall_links=True,
)


def test_a_server_that_set_nothing_has_the_bot_s_own_limits() -> None:
    assert ServerSettings().allowance(1, (), DEFAULT) == Allowance(waiting=3)


def test_a_person_s_own_limit_wins_over_roles_and_everyone() -> None:
    settings = ServerSettings(
        everyone=Allowance(waiting=1, steps=50, per_day=9),
        roles={5: Allowance(waiting=6, steps=100), 6: Allowance(waiting=4, steps=200)},
        people={1: Allowance(waiting=0)},
    )
    assert settings.allowance(1, (5, 6), DEFAULT) == Allowance(waiting=0, steps=200, per_day=9)
    assert settings.allowance(2, (5, 6), DEFAULT) == Allowance(waiting=6, steps=200, per_day=9)
    assert settings.allowance(2, (6,), DEFAULT) == Allowance(waiting=4, steps=200, per_day=9)
    assert settings.allowance(2, (), DEFAULT) == Allowance(waiting=1, steps=50, per_day=9)


def test_a_role_may_allow_less_than_everyone_else_has() -> None:
    settings = ServerSettings(everyone=Allowance(waiting=5), roles={8: Allowance(waiting=0)})
    assert settings.allowance(1, (8,), DEFAULT).waiting == 0


def test_zero_is_a_limit_and_not_an_absent_one() -> None:
    assert Allowance(per_hour=0).over(Allowance(per_hour=5)).per_hour == 0
    assert most_generous([Allowance(per_hour=0), Allowance()]) == Allowance(per_hour=0)


def test_settings_come_back_from_their_json() -> None:
    assert ServerSettings.from_json(FULL.to_json()) == FULL
    assert ServerSettings.from_json(ServerSettings().to_json()) == ServerSettings()
    assert ServerSettings().to_json() == "{}"


def test_this_test_s_full_settings_and_the_readers_leave_nothing_out() -> None:
    names = {field.name for field in fields(ServerSettings)}
    assert set(_READERS) == names
    assert all(getattr(FULL, name) != getattr(ServerSettings(), name) for name in names)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '"x"', "3"])
def test_a_broken_line_is_as_if_nothing_was_set(text: str) -> None:
    assert ServerSettings.from_json(text) == ServerSettings()


@pytest.mark.parametrize(
    "field",
    [
        '"paused": 1',
        '"cooldown_s": -1',
        '"cooldown_s": "30"',
        '"channels": ["x"]',
        '"nsfw": "whatever"',
        '"fame_votes": 0',
        '"vote_emoji": []',
        '"words": "knife"',
        '"everyone": {"waiting": true}',
        '"everyone": {"steps": 0}',
        '"roles": {"x": {}}',
        '"roles": []',
        '"from a newer version": {"a": 1}',
    ],
)
def test_what_does_not_fit_falls_to_its_default_and_the_rest_stays(field: str) -> None:
    stored = ServerSettings.from_json('{"language": "it", ' + field + "}")
    assert stored == replace(ServerSettings(), language="it")


def test_limits_and_allowance_name_the_same() -> None:
    assert set(LIMITS) == {field.name for field in fields(Allowance)}
    assert in_range("steps", 1) and not in_range("steps", 0) and not in_range("size", 10**6)
