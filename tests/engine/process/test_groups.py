"""Child processes: where they find our modules, and how they and what they start come to an end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.process import groups, host
from engine.protocol import DreamRequest, Failed
from tests.engine.processes import runs, wait_until

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="groups and signals of POSIX")
HOSTILE = "import os\nos._exit(66)\n"


def hostile(folder: Path) -> Path:
    """A working folder with files that have our names, and those of what we import; they end the process."""
    for name in ("bot.py", "torch.py", "json.py", "runpy.py", "sitecustomize.py"):
        (folder / name).write_text(HOSTILE)
    for package in ("engine", "bot"):
        (folder / package).mkdir()
        for name in ("__init__.py", "worker.py", "__main__.py"):
            (folder / package / name).write_text(HOSTILE)
    return folder


def test_a_child_runs_our_modules_wherever_it_starts(tmp_path: Path) -> None:
    code = "import engine.process.child; print(engine.process.child.__file__)"
    ran = subprocess.run(
        groups.python(code), cwd=hostile(tmp_path), capture_output=True, text=True, check=True
    )
    assert Path(ran.stdout.strip()) == Path(host.__file__).with_name("child.py")


async def test_the_engine_starts_from_a_folder_that_has_files_of_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hostile(tmp_path))
    engine = host.EngineHost()
    try:
        await engine.start()
        # Refused by the real dreamer of the child, so it is up: a hostile one would have ended.
        events = [event async for event in engine.dream(DreamRequest("a", "a cat", 1, model="no-such"))]
    finally:
        await engine.close()
    assert isinstance(events[-1], Failed) and "no-such" in str(events[-1].message)


def test_a_path_of_any_characters_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [str(tmp_path / name) for name in ("a:b;c", 'it\'s "q"', "\udcff", "ünï", "a\nb")]
    monkeypatch.setattr(sys, "path", [*sys.path, *places])
    ran = subprocess.run(
        groups.python("print(ascii(sys.path[-5:]))"), capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == ascii(places)


FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@POSIX_ONLY
@pytest.mark.parametrize(
    ("end", "number"), [(groups.terminate, signal.SIGTERM), (groups.kill, signal.SIGKILL)]
)
def test_with_a_process_ends_what_it_started(end: Any, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True, **groups.apart()
    ) as parent:
        assert parent.stdout is not None
        grandchild = int(parent.stdout.readline())
        end(parent.pid)
        assert parent.wait(60) == -number
        wait_until(lambda: not runs(grandchild))
    end(parent.pid)  # it is gone: no fault


def test_on_windows_a_group_is_made_and_ended_with_what_windows_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows itself is not here: this holds which calls are made, and that none of POSIX alone is."""
    done: list[object] = []
    monkeypatch.setattr(sys, "platform", "win32")
    for name in ("killpg", "setsid"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.delattr(signal, "SIGKILL", raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(signal, "CTRL_BREAK_EVENT", 1, raising=False)
    monkeypatch.setattr(os, "kill", lambda pid, number: done.append((pid, number)))
    monkeypatch.setattr(subprocess, "run", lambda command, **_: done.append(command))
    assert groups.apart() == {"creationflags": 0x200}
    groups.terminate(7)
    groups.kill(7)
    assert done == [(7, 1), ("taskkill", "/F", "/T", "/PID", "7")]
