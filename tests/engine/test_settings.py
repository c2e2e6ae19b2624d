"""Settings: defaults, ranges, and the sentences about bad values."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadSetting
from engine.ranges import Written
from engine.settings import (
    DATA_DIR,
    DREAM_MODEL,
    ENGINE_SETTINGS,
    Setting,
    choice,
    environment,
    number,
    whole,
)

TEMPO = number("TEMPO", 2.0, 0.5, 60, "How fast.")
COUNT = whole("COUNT", 3, 1, 60, "How many.")
COLOUR = choice("COLOUR", "red", ("red", "green"), "Which.")
TOKEN = Setting("TOKEN", "", "A secret.", Written("letters", str, str.isalpha), secret=True)


@pytest.mark.parametrize("setting", [TEMPO, COUNT, COLOUR, *ENGINE_SETTINGS], ids=lambda s: s.key)
def test_an_absent_or_blank_value_is_the_default(setting: Setting[Any]) -> None:
    assert setting.read({}) == setting.default
    assert setting.read({setting.key: "  "}) == setting.default


@pytest.mark.parametrize("setting", [TEMPO, COUNT, COLOUR, *ENGINE_SETTINGS], ids=lambda s: s.key)
def test_a_default_is_within_its_own_range(setting: Setting[Any]) -> None:
    assert setting.range.fits(setting.default)
    assert setting.read({setting.key: setting.shown}) == setting.default


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        (TEMPO, "0.5", 0.5),
        (TEMPO, " 60 ", 60.0),
        (COUNT, "1", 1),
        (COUNT, "60", 60),
        (COLOUR, "green", "green"),
        (DREAM_MODEL, "pocket", "pocket"),
        (DATA_DIR, "/srv/dreams", Path("/srv/dreams")),
        (DATA_DIR, "~/dreams", Path.home() / "dreams"),
    ],
)
def test_a_good_value_is_read(setting: Setting[Any], text: str, value: Any) -> None:
    assert setting.read({setting.key: text}) == value


@pytest.mark.parametrize(
    ("setting", "text", "told"),
    [
        (TEMPO, "0.4", "TEMPO is '0.4'; it must be a number from 0.5 to 60."),
        (TEMPO, "nan", "TEMPO is 'nan'; it must be a number from 0.5 to 60."),
        (TEMPO, "inf", "TEMPO is 'inf'; it must be a number from 0.5 to 60."),
        (TEMPO, "fast", "TEMPO is 'fast'; it must be a number from 0.5 to 60."),
        (COUNT, "0", "COUNT is '0'; it must be a whole number from 1 to 60."),
        (COUNT, "61", "COUNT is '61'; it must be a whole number from 1 to 60."),
        (COUNT, "2.5", "COUNT is '2.5'; it must be a whole number from 1 to 60."),
        (COUNT, "9" * 5000, "COUNT is '" + "9" * 80 + "'; it must be a whole number from 1 to 60."),
        (COLOUR, "Red", "COLOUR is 'Red'; it must be one of red, green."),
        (DATA_DIR, "~nobody-there/x", "DATA_DIR is '~nobody-there/x'; it must be blank, or a folder's path."),
        (DATA_DIR, "a\0b", "DATA_DIR is 'a\\x00b'; it must be blank, or a folder's path."),
        (TOKEN, "s3cret", "TOKEN is not valid; it must be letters."),
    ],
)
def test_a_bad_value_is_named_with_its_key_and_the_allowed_range(
    setting: Setting[Any], text: str, told: str
) -> None:
    with pytest.raises(BadSetting) as error:
        setting.read({setting.key: text})
    assert str(error.value) == told


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("# ours\nCOUNT=4\nCOLOUR='green'\nEMPTY\n")
    monkeypatch.delenv("COLOUR", raising=False)
    monkeypatch.setenv("COUNT", "5")
    found = environment(tmp_path)
    assert COUNT.read(found) == 5
    assert COLOUR.read(found) == "green"
    assert "EMPTY" not in found


def test_no_file_is_no_fault_and_a_folder_above_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COLOUR=green\n")
    (tmp_path / "below").mkdir()
    assert "COLOUR" not in environment(tmp_path / "below")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"COUNT=\xff\n")
    with pytest.raises(BadSetting, match=r"\.env cannot be read"):
        environment(tmp_path)
