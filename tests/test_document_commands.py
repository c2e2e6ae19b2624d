"""Every command of the documents does what it says: each runs as it is written, in order, in one folder.

Only that a dream which names its steps, or a preset, takes two: how many changes nothing in the command.
What a line's comment says it needs (the network, the large models, hours) is not here; of such a command the
program's own parser reads the arguments, and so it does of commands within the text.
"""

import json
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
STEPS = re.compile(r"--steps \d+|--preset quick")
LIMIT_S = 900  # of a block; on a free machine the longest takes about one minute

MODULES = {"dream": "engine", "oneiro-bot": "bot"}
# Programs that read their arguments for good, and do no more: each line is a module and what it is given. All
# are children of one process, which has loaded what takes seconds.
PARSE = """\
import argparse, json, os, runpy, sys
import engine.dreaming.dreamer
def reads(method):
    def read(self, *given, **named):
        method(self, *given, **named)
        raise SystemExit(0)
    return read
for name in ("parse_args", "parse_intermixed_args"):
    setattr(argparse.ArgumentParser, name, reads(getattr(argparse.ArgumentParser, name)))
from engine.command_line.parsing import Parser
Parser.parse_intermixed_args = reads(Parser.parse_intermixed_args)
def read(module, *given):
    sys.argv[1:] = given
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    raise SystemExit(f"{module} reads no arguments")
bad = 0
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        read(*json.loads(line))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        print("refused:", line, file=sys.stderr)
        bad = 1
sys.exit(bad)
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
    for name, module in {"python": "", **MODULES}.items():
        module = f"-m {module}" if module else ""
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
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


def only_read(folder: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    """The commands' own parsers read their arguments."""
    others, ours = [], []
    for words in (shlex.split(command, comments=True) for command in commands):
        while re.match(r"[A-Z_]+=", words[0]):  # a setting, for this command alone
            del words[0]
        program = Path(words[0]).name
        if program == "make":  # which says what it would do
            others.append(shlex.join(["make", "-n", "-C", str(ROOT), *words[1:]]))
        elif program == "pip":
            others.append(shlex.join([sys.executable, "-c", PIP, *words[1:]]))
        else:
            module = words[1:] if program == "python" else ["-m", MODULES[program], *words[1:]]
            ours.append(json.dumps(module[1:]))
    if ours:
        (folder / "ours").write_text("".join(f"{line}\n" for line in ours), encoding="utf-8")
        others.append(shlex.join([sys.executable, str(folder / "parse.py")]) + " <ours")
    return run(folder, " && ".join(others))


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("make") is None, reason="commands of a POSIX shell"
)
@pytest.mark.parametrize("block", BLOCKS)
def test_each_command_runs_as_it_is_written(shell: Path, block: str) -> None:
    lines = block.splitlines()
    ran = only_read(shell, *filter(NEEDS.search, lines))
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    for line in lines:
        if NEEDS.search(line):
            continue
        ran = run(shell, STEPS.sub("--steps 2", line))
        assert ran.returncode == 0, f"{line}\n{ran.stdout}\n{ran.stderr}"
        if (made := shell / ".venv" / "bin").is_dir():  # pip, which needs the network, would put them there
            for program in (shell / ".programs").glob("*[mt]"):
                shutil.copy(program, made)


def test_each_command_within_the_text_is_one(shell: Path) -> None:
    commands = {" ".join(found.split()) for text in DOCUMENTS.values() for found in WITHIN.findall(text)}
    assert len(commands) > 5
    ran = only_read(shell, *sorted(commands - {"dream", "make"}))
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"


@pytest.mark.parametrize(
    "command", ["dream a cat --stepz 3", "python -m engine.evaluate --limits 3", "pip instal x"]
)
def test_a_command_that_is_none_would_be_found(shell: Path, command: str) -> None:
    assert only_read(shell, command).returncode != 0


def test_an_evaluation_without_its_data_says_what_it_needs(shell: Path) -> None:
    ran = run(shell, "python -m engine.training evaluate")
    assert ran.returncode == 3 and "Traceback" not in ran.stderr
    assert "python -m engine.training data" in ran.stderr and "engine/training/README.md" in ran.stderr
