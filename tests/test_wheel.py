"""What is built of the tree: a whole source distribution, a wheel with every file, and its programs."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

import pytest

from tests.engine.process.test_groups import hostile

ROOT = Path(__file__).parent.parent
LIMIT_S = 600  # two builds take ten seconds on a free machine
pytestmark = pytest.mark.timeout(LIMIT_S)


def files(root: Path, *folders: str) -> set[str]:
    """The files in these folders of a tree, but for what running leaves behind."""
    found = (path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix() for path in found if path.suffix != ".pyc" and path.name != ".env"
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without what git is told to ignore."""
    lines = (ROOT / ".gitignore").read_text().split()
    anywhere = shutil.ignore_patterns(".git", *(line.strip("/") for line in lines if line[0] != "/"))
    at_the_top = shutil.ignore_patterns(*(line.strip("/") for line in lines if line[0] == "/"))

    def ignored(folder: str, names: list[str]) -> set[str]:
        return anywhere(folder, names) | (at_the_top(folder, names) if Path(folder) == ROOT else set())

    copy = tmp_path_factory.mktemp("tree") / "oneiro"
    return Path(shutil.copytree(ROOT, copy, ignore=ignored))


@pytest.fixture(scope="module")
def built(tree: Path) -> Path:
    """A folder with a source distribution, and the wheel that is built from that."""
    major = int(metadata.version("setuptools").partition(".")[0])
    assert major >= 77, "an older setuptools cannot build this; please pip install -e '.[dev]'"
    out = tree.parent / "dist"
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_holds_every_file_of_its_packages_as_it_is_in_the_tree_but_no_training(
    wheel: Path, tree: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        wanted = {name for name in files(tree, "bot", "engine") if not name.startswith("engine/training/")}
        assert packed == wanted
        assert all(archive.read(name) == (tree / name).read_bytes() for name in packed)


def test_the_source_distribution_is_the_whole_project(built: Path, tree: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert files(tree, ".") - {name for name in packed if ".egg-info" in name} <= packed
    assert {"LICENSE", "CHANGELOG.md", ".env.example", "Makefile", "tests/test_wheel.py"} <= packed


def test_the_long_description_has_only_links_that_work_on_an_index(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        told = message_from_bytes(archive.read(name))
    text = told.get_payload(decode=True).decode()
    assert told["Description-Content-Type"] == "text/markdown" and "# Oneiro" in text
    assert len(text) > 0.9 * len((ROOT / "README.md").read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert all(target.startswith("https://") for target in targets) and "<img" not in text
    assert {"Classifier", "Project-URL", "License-Expression"} <= set(told.keys())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment with the wheel in it; what it needs is taken from this one."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    ours = [path for path in sys.path if path.endswith("-packages")]
    (packages / "theirs.pth").write_text("\n".join(ours))
    programs = Path(sysconfig.get_path("scripts", "venv", paths))
    python = str(programs / "python")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*command, "--ignore-installed", str(wheel)], check=True, timeout=LIMIT_S)
    return programs


def start(program: Path, *arguments: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "DISCORD_TOKEN")}
    environ = {**clean, "DATA_DIR": str(folder / "kept"), **more}
    return subprocess.run(
        [str(program), *arguments], cwd=folder, env=environ, capture_output=True, text=True, timeout=LIMIT_S
    )


def test_a_dream_of_the_installed_program_from_a_folder_with_files_of_its_names(
    installed: Path, tmp_path: Path
) -> None:
    ran = start(installed / "dream", "a cat", "--steps", "2", "--out", "cat.png", folder=hostile(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "cat.png").stat().st_size > 10_000


def test_the_installed_bot_has_all_files_of_its_page(installed: Path, tmp_path: Path) -> None:
    ran = start(installed / "oneiro-bot", folder=hostile(tmp_path), PAGE="off")
    assert ran.returncode == 78 and f"Start again: {installed / 'oneiro-bot'}" in ran.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = start(installed / "python", "-m", "bot", folder=empty, PAGE="off")
    assert ran.returncode == 78 and "there is no DISCORD_TOKEN" in ran.stderr
    code = "from bot.web import assets, pages; print(*assets.assets(), *pages.environment().list_templates())"
    found = start(installed / "python", "-c", code, folder=empty).stdout.split()
    assert {"page.css", "channel.js", "icon.svg", "base.html", "card.html", "moderate.html"} <= set(found)


def test_the_installed_engine_runs_the_installed_code(installed: Path, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; from engine.process import groups; "
        "show = 'import engine.process.child; print(engine.process.child.__file__)'; "
        "sys.exit(subprocess.run(groups.python(show)).returncode)"
    )
    ran = start(installed / "python", "-P", "-c", code, folder=hostile(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert Path(ran.stdout.strip()).is_relative_to(installed.parent)
