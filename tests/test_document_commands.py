"""Every command of the documents does what it says: each runs as it is written, in order, in one folder.

What a line's comment says it needs (the network, the large models, hours) is not here; of such a command the
program's own parser reads the arguments, and so it does of commands within the text.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted(ROOT.glob("bot/**/*.md")), *sorted(ROOT.glob("engine/**/*.md")))
}
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name, text in DOCUMENTS.items()
    for number, block in enumerate(re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M), 1)
]
WITHIN = re.compile(r"(?<!`)`((?:dream|oneiro-bot|make|pip|python -m)(?: [^`]+)?)`(?!`)")
NEEDS = re.compile(r"#.*\bneeds?\b")
LIMIT_S = 900  # of a block; on a free machine the longest takes about one minute

# A program that reads its arguments for good, and does no more.
PARSE = """\
import argparse, runpy, sys
def reads(method):
    def read(self, *given, **named):
        method(self, *given, **named)
        raise SystemExit(0)
    return read
for name in ("parse_args", "parse_intermixed_args"):
    setattr(argparse.ArgumentParser, name, reads(getattr(argparse.ArgumentParser, name)))
module, sys.argv[1:] = sys.argv[1], sys.argv[2:]
from engine.command_line.parsing import Parser
Parser.parse_intermixed_args = reads(Parser.parse_intermixed_args)
runpy.run_module(module, run_name="__main__", alter_sys=True)
raise SystemExit(f"{module} reads no arguments")
"""
PIP = """\
import sys
from pip._internal.commands import create_command
create_command(sys.argv[1]).parse_args(sys.argv[2:])
"""


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A folder with our programs in `.programs`, as an installation puts them into `.venv/bin`."""
    programs = tmp_path / ".programs"
    programs.mkdir()
    for name, module in {"dream": " -m engine", "oneiro-bot": " -m bot", "python": ""}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{module} "$@"\n')
        (programs / name).chmod(0o755)
    (tmp_path / "parse.py").write_text(PARSE)
    return tmp_path


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "PATH": os.pathsep.join([str(folder / ".programs"), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(folder / "kept"),
    }
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environ, capture_output=True, text=True, timeout=LIMIT_S
    )


def only_read(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """The command's own parser reads its arguments."""
    words = shlex.split(command, comments=True)
    if words[0] == "make":  # which says what it would do
        return run(folder, shlex.join(["make", "-n", "-C", str(ROOT), *words[1:]]))
    if Path(words[0]).name == "pip":
        return run(folder, shlex.join([sys.executable, "-c", PIP, *words[1:]]))
    given = (
        words[2:]
        if words[0] == "python"
        else [{"dream": "engine", "oneiro-bot": "bot"}[words[0]], *words[1:]]
    )
    return run(folder, shlex.join([sys.executable, str(folder / "parse.py"), *given]))


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("make") is None, reason="commands of a POSIX shell"
)
@pytest.mark.parametrize("block", BLOCKS)
def test_each_command_runs_as_it_is_written(shell: Path, block: str) -> None:
    for line in block.splitlines():
        ran = only_read(shell, line) if NEEDS.search(line) else run(shell, line)
        assert ran.returncode == 0, f"{line}\n{ran.stdout}\n{ran.stderr}"
        if (made := shell / ".venv" / "bin").is_dir():  # pip, which needs the network, would put them there
            for program in (shell / ".programs").glob("*[mt]"):
                shutil.copy(program, made)


def test_each_command_within_the_text_is_one(shell: Path) -> None:
    commands = {" ".join(found.split()) for text in DOCUMENTS.values() for found in WITHIN.findall(text)}
    assert len(commands) > 5
    for command in sorted(commands - {"dream", "make"}):
        ran = only_read(shell, command)
        assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"


@pytest.mark.parametrize(
    "command", ["dream a cat --stepz 3", "python -m engine.evaluate --limits 3", "pip instal x"]
)
def test_a_command_that_is_none_would_be_found(shell: Path, command: str) -> None:
    assert only_read(shell, command).returncode != 0


def test_an_evaluation_without_its_data_says_what_it_needs(shell: Path) -> None:
    ran = run(shell, "python -m engine.training evaluate")
    assert ran.returncode == 3 and "Traceback" not in ran.stderr
    assert "python -m engine.training data" in ran.stderr and "engine/training/README.md" in ran.stderr
