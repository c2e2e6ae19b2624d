"""The documents tell the truth: settings, rooms and commands in them are those of the code."""

import re
import tomllib
from pathlib import Path

import pytest

from bot.settings import SETTINGS
from engine import __version__
from engine.settings import Setting

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def row(setting: Setting) -> str:
    """The setting's line in the README's table."""
    default = f"`{setting.shown}`" if setting.shown else ""
    return f"| `{setting.key}` | {default} | {setting.help} |"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_each_setting_stands_in_the_readme_with_its_default_and_help(setting: Setting) -> None:
    assert row(setting) in README.splitlines()


def test_no_setting_stands_in_the_readme_that_is_none() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.M)) == {setting.key for setting in SETTINGS}


def test_every_module_has_its_place_in_the_architecture() -> None:
    section = README.split("## Architecture")[1].split("\n## ")[0]
    named = set(re.findall(r"[a-z_]+", section))
    rooms = [path for top in ("bot", "engine") for path in (ROOT / top).iterdir()]
    modules = {path.stem for path in rooms if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert modules - {"__init__", "__main__"} <= named


def test_links_to_files_lead_somewhere() -> None:
    for path in (ROOT / "README.md", ROOT / "engine" / "pocket" / "README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == __version__


@pytest.mark.parametrize("name", ["Makefile", "requirements.txt"])
def test_make_and_hosts_install_the_torch_that_the_readme_names(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for what in (r"torch==[\d.]+", r"https://download\.pytorch\.org/\S+"):
        found = set(re.findall(what, text))
        assert found and found == set(re.findall(what, README))
