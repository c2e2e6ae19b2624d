"""Where the database and the models lie when nobody says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.data_dir import FORMER, data_dir, where

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, and an empty working folder."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return home


def test_it_is_the_person_s_own_wherever_they_work(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = data_dir({})
    assert own.is_absolute() and own.is_relative_to(home) and own.name == "oneiro"
    monkeypatch.chdir(tmp_path)
    assert data_dir({}) == own
    assert not own.exists()  # nothing is made before anything is kept


def test_a_folder_that_is_named_wins(tmp_path: Path) -> None:
    FORMER.mkdir()
    (FORMER / "oneiro.db").touch()
    assert data_dir({"DATA_DIR": str(tmp_path)}) == tmp_path


@pytest.mark.parametrize("kept", ["oneiro.db", "models"])
def test_what_lay_in_the_working_folder_is_used_on_and_said(kept: str) -> None:
    (FORMER / kept).mkdir(parents=True)
    assert data_dir({}) == FORMER
    assert str(Path.cwd() / "data") in where(FORMER) and "DATA_DIR" in where(FORMER)


def test_a_folder_of_that_name_with_other_things_is_let_alone() -> None:
    FORMER.mkdir()
    (FORMER / "table.csv").touch()
    assert data_dir({}) != FORMER


@pytest.mark.skipif(sys.platform != "linux", reason="homes of Linux")
@pytest.mark.parametrize(
    "home",
    [None, "", "/proc/1/no-such", "/dev/null", "relative", "/proc"],
    ids=["no home", "blank", "missing", "a file", "relative", "not to be written"],
)
def test_without_a_home_the_working_folder_serves(home: str | None) -> None:
    code = (
        "import os, pwd, platformdirs.unix; from engine.data_dir import data_dir; "
        "from bot.settings import Settings; "
        "os.getuid() or os.setuid(54321); "  # in no passwd file; it may read no package of ours
        "print(data_dir({})); Settings.read({})"
    )
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    environ = clean if home is None else {**clean, "HOME": home}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("data", "")
