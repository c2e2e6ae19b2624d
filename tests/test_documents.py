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
DOCUMENTS = [path for room in ("", "bot/**/", "engine/**/") for path in sorted(ROOT.glob(f"{room}*.md"))]
OF_TODAY = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]  # which tells of the past, too


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


def anchors(text: str) -> set[str]:
    """What a link may name of a document: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    for target, _, anchor in re.findall(
        r"\]\((?!https?:)([^)#]*)(#?)([^)]*)\)", path.read_text(encoding="utf-8")
    ):
        there = path.parent / target if target else path
        assert there.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{target} has no part {anchor}"


@pytest.mark.parametrize("path", OF_TODAY, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_modules_that_a_document_names_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"\b(?:bot|engine|tests)/[\w./-]*\w|`(?:\w+/)*\w+\.(?:py|txt)`", text):
        places = [root / name.strip("`") for root in (ROOT, path.parent)]
        assert any(there.exists() or there.with_suffix(".py").exists() for there in places), name
    for name in re.findall(r"\b(?:bot|engine|tests)(?:\.\w+)+", text):
        module = ROOT.joinpath(*name.split("."))  # or what a module or package holds
        assert any(m.is_dir() or m.with_suffix(".py").exists() for m in (module, module.parent)), name


def test_each_document_is_found_from_the_readme() -> None:
    known, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in known or document.suffix != ".md":
            continue
        known.add(document)
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
        waiting += [(document.parent / target).resolve() for target in targets]
    assert set(DOCUMENTS) <= known


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == __version__


@pytest.mark.parametrize("name", ["Makefile", "requirements.txt"])
def test_make_and_hosts_install_the_torch_that_the_readme_names(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for what in (r"torch==[\d.]+", r"https://download\.pytorch\.org/\S+"):
        found = set(re.findall(what, text))
        assert found and found == set(re.findall(what, README))
