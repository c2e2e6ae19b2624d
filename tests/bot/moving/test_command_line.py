"""`python -m bot export` and `import`: what they say, and their exit codes."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.moving import command_line, exporting
from bot.moving.command_line import BAD_FILE, BROKEN_OFF, DONE, NO_DATABASE, NO_FILE, NOT_WRITTEN
from bot.settings import Settings
from bot.stopping import SIGNALS

ROOT = Path(__file__).parents[3]
RUN = Callable[..., tuple[str, int]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RUN]:
    """Takes the words of a command line and a database's name."""
    handlers = [signal.getsignal(number) for number in SIGNALS]
    parser = argparse.ArgumentParser()
    command_line.add_commands(parser)

    def run(*words: str, database: str = "oneiro.db") -> tuple[str, int]:
        settings = Settings.read({"DATABASE_URL": f"sqlite:///{tmp_path / database}"})
        return command_line.run(parser.parse_args(words), settings)

    yield run
    for number, handler in zip(SIGNALS, handlers, strict=True):
        signal.signal(number, handler)


def test_each_end_has_its_sentence_and_its_exit_code(
    run: RUN, an_export: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, made = str(tmp_path / "given.zip"), str(tmp_path / "made.zip")
    assert run("import", given) == (f"{given} cannot be read: No such file or directory.", NO_FILE)
    assert run("export", made) == (f"There is no database at {tmp_path}/oneiro.db.", NO_DATABASE)
    Path(given).write_bytes(an_export[:-100])
    said, code = run("import", given)
    assert code == BAD_FILE and "damaged" in said
    Path(given).write_bytes(an_export)
    said, code = run("import", given)
    assert code == DONE and said.startswith("Imported 5 dreams (")
    said, code = run("import", given)
    assert code == NO_DATABASE and "is not empty" in said
    said, code = run("export", made)
    assert code == DONE and said.startswith("Exported 5 dreams (")
    assert run("export", made) == (f"{made} exists already; --force replaces it.", NOT_WRITTEN)
    assert run("export", "--force", made)[1] == DONE
    assert run("export", str(tmp_path)) == (f"{tmp_path} cannot be written: it is a folder.", NOT_WRITTEN)
    nowhere = tmp_path / "none" / "made.zip"
    assert run("export", str(nowhere))[1] == NOT_WRITTEN
    ended = exporting.pages

    def stopped(*given: object) -> object:
        os.kill(os.getpid(), signal.SIGTERM)
        return ended(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(exporting, "pages", stopped)
    said, code = run("export", "--force", made)
    assert (said, code) == ("The export was broken off; nothing is changed.", BROKEN_OFF)
    assert sorted(path.name for path in tmp_path.glob("*made*")) == ["made.zip"]


def test_the_program_takes_the_commands_without_starting_a_bot(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "export", "x.zip"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path / "data"), "PAGE": "off"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (NO_DATABASE, "")
    assert ended.stderr == f"There is no database at {tmp_path}/data/oneiro.db.\n"
