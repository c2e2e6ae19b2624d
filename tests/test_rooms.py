"""The rooms of the house: who may import whom (README, Architecture)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for room in ("bot", "engine") for path in (ROOT / room).rglob("*.py"))
BY_NAME = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES
}
MODULES = set(BY_NAME)
DOOR = {
    "engine",
    *(f"engine.{name}" for name in ("called", "data_dir", "errors", "match", "prompt", "protocol")),
    *(f"engine.{name}" for name in ("ranges", "sentences", "settings")),
    "engine.pictures.decoding",
    "engine.cluster.host",
    "engine.cluster.needs",
    "engine.process.host",
    "engine.process.sharing",
}
TORCH = {"torch", "transformers", "pytorch_pretrained_biggan", "numpy", "ray"}


def imports(path: Path) -> set[str]:
    """The full names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def needed(path: Path) -> set[str]:
    """The modules of ours that a file imports: of a package's modules these alone, not the package."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= inner if inner <= MODULES else {node.module, *inner}
    return names & MODULES


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_file_keeps_to_its_room(path: Path) -> None:
    room = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    if not room.startswith("engine.training"):
        assert not any(name.startswith("engine.training") for name in imports(path))
    if room.startswith("engine."):
        assert not {"bot", "discord", "aiohttp", "sqlalchemy"} & roots(path)
        if room.startswith(("engine.words", "engine.command_line.options", "engine.command_line.parsing")):
            assert not TORCH & roots(path)
    else:
        assert not TORCH & roots(path)
        inner = {name for name in imports(path) & MODULES if name.startswith("engine")}
        packages = {name.rpartition(".")[0] for name in inner}
        assert inner - packages <= DOOR, "bot knows the engine through its door only"
        if not room.startswith(("bot.chat", "bot.__main__")):
            assert "discord" not in roots(path)
            assert room.startswith("bot.web") or "aiohttp" not in roots(path)


def test_nothing_imports_in_a_circle_also_not_for_types_alone() -> None:
    imported = {module: needed(path) - {module} for module, path in BY_NAME.items()}
    reached = {module: reach(module, imported) for module in imported}
    assert [module for module in imported if module in reached[module]] == []


def reach(module: str, imported: dict[str, set[str]]) -> set[str]:
    """What a module imports, and what that imports, and so on."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = imported[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def test_a_circle_is_noticed() -> None:
    assert "a" in reach("a", {"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert "a" not in reach("a", {"a": {"b", "c"}, "b": {"c"}, "c": set()})


@pytest.mark.parametrize(
    "module",
    [
        "engine",
        "engine.process.host",
        "engine.cluster.host",
        "bot.queue.worker",
        "bot.database.connection",
        "bot.dreams.store",
        "bot.parts",
        "bot.__main__",
    ],
)
def test_the_bot_s_side_never_loads_torch(module: str) -> None:
    never = {"torch", "numpy", "transformers", "ray"}
    code = f"import {module}, sys; sys.exit(bool({never} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, timeout=60)
    assert ran.returncode == 0


def test_no_command_button_or_listener_loads_torch() -> None:
    code = "import bot.chat.features as f, sys; assert f.commands(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, timeout=60).returncode == 0


@pytest.mark.parametrize("module", ["bot.heart", "bot.sentences.refusals", "bot.web.app"])
def test_the_page_never_loads_discord(module: str) -> None:
    code = f"import {module}, sys; sys.exit(bool({{'discord', 'torch', 'numpy'}} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, timeout=60)
    assert ran.returncode == 0


def test_help_comes_without_torch() -> None:
    code = "import engine.__main__, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0
