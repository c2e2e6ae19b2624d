import os
import sys
from pathlib import Path

import pytest

from engine.called import called


def script(folder: Path) -> Path:
    made = folder / "oneiro-bot"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


def test_a_module_is_called_with_the_python_that_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bot/__main__.py", "export"])
    assert called("bot") == [sys.executable, "-m", "bot"]


def test_a_script_on_the_path_needs_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = script(tmp_path)
    monkeypatch.setenv("PATH", f"{os.defpath}{os.pathsep}{tmp_path}")
    monkeypatch.setattr(sys, "argv", [str(made)])
    assert called("bot") == ["oneiro-bot"]


def test_a_script_elsewhere_needs_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "another").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "another"))
    script(tmp_path / "another")
    monkeypatch.setattr(sys, "argv", [str(script(tmp_path))])
    assert called("bot") == [str(tmp_path / "oneiro-bot")]
