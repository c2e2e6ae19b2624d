"""`make` hands words over as they were typed, and installs the torch that suits the machine."""

import http.server
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder that make takes for an environment with Oneiro in it; its `dream` writes down what it gets."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python").touch()
    (tools / "dream").write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    (tools / "dream").chmod(0o755)
    (tmp_path / ".installed").touch()
    later = time.time() + 3600  # than any file of the tree
    for path in (tools / "python", tmp_path / ".installed"):
        os.utime(path, (later, later))
    return tmp_path


def make(*arguments: str, **environ: str) -> str:
    """What make prints to somebody who calls it by itself: it may be make that runs these tests."""
    ours = re.compile("PROMPT|TORCH.*|VENV|MAKE.*|MFLAGS|GNUMAKEFLAGS")
    clean = {key: value for key, value in os.environ.items() if not ours.fullmatch(key)}
    ran = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), *arguments],
        env={**clean, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


@pytest.mark.parametrize("way", ["command line", "environment"])
@pytest.mark.parametrize(
    "words",
    [
        "it costs $HOME",
        "$(shell echo no) ${HOME} $$ $",
        "$(error no)",
        "a 'single' and a \"double\" quote",
        "`echo no`; echo no & echo no | echo no > /dev/null",
        "# 1 of 100 %",
        "two\nlines",
        "\ttabs \\ and \\n backslashes \\",
        "-x",
        "--help",
        "--seed=5",
        "models",
        "un'isola è bella 🏝",
        "a=b := c",
        "*",
        "~",
        "!!",
    ],
)
def test_words_arrive_as_they_were_typed(installed: Path, words: str, way: str) -> None:
    venv = f"VENV={installed}"
    out = (
        make("dream", venv, f"PROMPT={words}") if way == "command line" else make("dream", venv, PROMPT=words)
    )
    typed = words.lstrip("\t") if way == "command line" else words  # make's own reading of its arguments
    assert json.loads(out) == ["--", typed]


def test_without_words_it_dreams_an_example(installed: Path) -> None:
    assert json.loads(make("dream", f"VENV={installed}")) == ["--", "a bowl of cherries"]


@pytest.fixture(scope="module")
def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_torch", ROOT / ".ci" / "install_torch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Index(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(200 if self.path == "/whl/cpu/torch/" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/whl/cpu"
        server.shutdown()


def test_an_index_answers_or_is_left_soon(installer: ModuleType, index: str) -> None:
    assert installer.answers(index) and installer.answers(f"{index}/")
    assert not installer.answers(index.removesuffix("/whl/cpu"))
    assert not installer.answers("no address")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert not installer.answers(address, limit_s=0.5)
    assert not installer.answers(address)


@pytest.mark.parametrize(
    ("asked", "platform", "has_gpu", "by_itself"),
    [
        ("", "linux", False, True),
        ("", "linux", True, False),
        ("", "darwin", False, False),
        ("command line", "linux", True, True),
        ("command line", "darwin", False, True),
    ],
)
def test_a_machine_gets_the_torch_that_suits_it(
    installer: ModuleType, asked: str, platform: str, has_gpu: bool, by_itself: bool
) -> None:
    assert installer.wanted({"TORCH_ASKED": asked}, platform, has_gpu) == by_itself


@pytest.mark.parametrize(
    ("place", "has_it", "tried"),
    [
        ("answering", True, ["--no-deps --index-url INDEX torch==1"]),
        ("answering", False, ["--no-deps --index-url INDEX torch==1", "torch==1"]),
        ("closed", True, ["torch==1"]),
        ("", True, ["torch==1"]),
    ],
)
def test_torch_comes_from_its_index_alone_or_from_pip_s_own(
    installer: ModuleType,
    index: str,
    place: str,
    has_it: bool,
    tried: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = {"answering": index, "closed": "http://127.0.0.1:9", "": ""}[place]
    done: list[str] = []

    def install(arguments: list[str]) -> int:
        done.append(" ".join(arguments).replace(index, "INDEX"))
        return 0 if has_it or "--index-url" not in arguments else 1

    monkeypatch.setattr(installer, "install", install)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    asked = {"TORCH": "torch==1", "TORCH_INDEX": address, "TORCH_ASKED": "command line"}
    assert installer.main(asked) == 0
    assert done == tried


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], ["torch==2.13.0", "https://download.pytorch.org/whl/cpu", ""]),
        (["TORCH=torch==2.14.0"], ["torch==2.14.0", "https://download.pytorch.org/whl/cpu", "command line"]),
        (["TORCH_INDEX="], ["torch==2.13.0", "", "command line"]),
    ],
)
def test_make_hands_over_which_torch_is_wanted(
    tmp_path: Path, arguments: list[str], shown: list[str]
) -> None:
    code = (
        "import json, os; print(json.dumps([os.environ[n] for n in ('TORCH', 'TORCH_INDEX', 'TORCH_ASKED')]))"
    )
    (tmp_path / "show.mk").write_text(
        f"include {ROOT}/Makefile\nshow:\n\t@{sys.executable} -c {json.dumps(code)}\n"
    )
    assert json.loads(make("-f", str(tmp_path / "show.mk"), "show", *arguments)) == shown


def test_a_setup_that_was_broken_off_begins_with_torch_again(tmp_path: Path) -> None:
    """The environment is there and torch is not: what needs it shall not bring another build."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("python", "pip", "dream"):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/ran"\n')
        (tools / name).chmod(0o755)
    make("dream", f"VENV={tmp_path}", "PROMPT=a cat")
    ran = (tmp_path / "ran").read_text().splitlines()
    assert ran == ["python .ci/install_torch.py", "pip install --quiet --editable .", "dream -- a cat"]
