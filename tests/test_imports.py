"""What a dream with the embedded models loads, and whether what is imported is declared."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LARGE = {"transformers", "pytorch-pretrained-biggan", "scipy"}  # what large pairs alone are loaded with


def normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def declared(extras: Iterable[str] = ()) -> set[str]:
    """The names of the distributions that pyproject.toml asks for."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {normal(Requirement(line).name) for line in lines}


@cache
def needs(name: str) -> frozenset[str]:
    """What a distribution itself asks for here, without extras."""
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return frozenset()
    wanted = map(Requirement, lines)
    return frozenset(
        normal(one.name) for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})
    )


def closure(names: Iterable[str]) -> set[str]:
    """The distributions with all that they need."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        if (name := todo.pop()) not in found:
            found.add(name)
            todo += needs(name)
    return found


def modules_of(names: set[str]) -> set[str]:
    """The top modules that these distributions bring, and no other one does."""
    return {
        module
        for module, owners in metadata.packages_distributions().items()
        if {normal(owner) for owner in owners} <= names
    }


def test_a_dream_with_the_embedded_models_loads_nothing_of_the_large_ones(tmp_path: Path) -> None:
    unwanted = modules_of(closure(LARGE) - closure(declared() - LARGE))
    assert {"transformers", "pytorch_pretrained_biggan", "scipy", "boto3", "botocore"} <= unwanted
    code = (
        "import sys; from engine.__main__ import main; "
        "code = main(['a cat', '--model', 'pocket', '--steps', '2', '--out', 'cat.png']); "
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=open('loaded', 'w')); "
        "sys.exit(code)"
    )
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "cat.png").is_file()
    loaded = set((tmp_path / "loaded").read_text().split())
    assert "torch" in loaded and not loaded & unwanted
    assert "sympy" not in loaded, "torch's compiler: seconds, for nothing"
    assert not loaded & {"requests", "urllib3", "filelock"}, "nothing is fetched"


def imported(folder: Path) -> set[str]:
    """The top modules that a folder's files import, anywhere in them."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names


def test_whatever_is_imported_is_declared() -> None:
    foreign = (
        (imported(ROOT / "bot") | imported(ROOT / "engine")) - sys.stdlib_module_names - {"bot", "engine"}
    )
    owners = metadata.packages_distributions()
    # yarl and mako come with aiohttp and alembic, which are declared: what those need is there with them.
    there = closure(declared({"video", "postgres", "objects", "pocket"}))
    missing = {
        name for name in foreign if name in owners and not {normal(one) for one in owners[name]} & there
    }
    assert not missing


def test_a_bound_from_above_has_its_reason_beside_it() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[tool.")[0].splitlines()
    bounded = [line for line in lines if line.lstrip().startswith('"') and ("<" in line or "==" in line)]
    assert bounded
    for line in bounded:
        specifier, _, reason = line.partition("#")
        assert "==" in specifier or "<" in specifier
        assert len(reason.split()) >= 2, line
