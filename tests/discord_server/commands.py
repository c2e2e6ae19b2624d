"""What Discord minds about slash commands and its OpenAPI description does not say.

From the application command reference (2026-08). Knows no aiohttp.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NAME = re.compile(r"[-_'\w]{1,32}")  # letters and digits of any script
MAX_COMMANDS = 100  # slash commands of one application, global ones
MAX_TEXT = 8000  # characters of a command: names, descriptions and values of all its options and choices
SLASH, SUBCOMMAND, GROUP = 1, 1, 2


def check_commands(payloads: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with commands that are to be registered together, each as one sentence."""
    slash = [p for p in payloads if p.get("type", SLASH) == SLASH]
    wrong = [f"/{name}: there are two of this name" for name in _twice(slash)]
    if len(slash) > MAX_COMMANDS:
        wrong.append(f"more than {MAX_COMMANDS} commands")
    for command in slash:
        wrong += [f"/{command['name']}: {sentence}" for sentence in _check(command)]
        if (size := _size(command)) > MAX_TEXT:
            wrong.append(f"/{command['name']}: {size} characters are more than {MAX_TEXT}")
    return wrong


def _check(node: Mapping[str, Any], *, depth: int = 0) -> Iterator[str]:
    """A command, or an option of one."""
    for name in (node["name"], *(node.get("name_localizations") or {}).values()):
        if NAME.fullmatch(name) is None or name != name.lower():
            yield f"{name!r} is no name of a command or an option"
    if not node.get("description"):
        yield f"{node['name']!r} has no description"
    options = node.get("options") or []
    yield from (f"{name!r} is the name of two options" for name in _twice(options))
    yield from (f"{name!r} is the name of two choices" for name in _twice(node.get("choices") or []))
    nested = [option["type"] in (SUBCOMMAND, GROUP) for option in options]
    if any(nested) and not all(nested):
        yield f"{node['name']!r} has both subcommands and options"
    if any(option["type"] == GROUP for option in options) and depth > 0:
        yield f"{node['name']!r} holds a group, which only a command may"
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        yield f"an option of {node['name']!r} that is needed stands behind one that is not"
    if node.get("autocomplete") and node.get("choices"):
        yield f"{node['name']!r} has both choices and completions"
    for option in options:
        yield from _check(option, depth=depth + 1)


def _twice(named: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name, times in Counter(one["name"] for one in named).items() if times > 1]


def _size(node: Mapping[str, Any]) -> int:
    """Characters that count; of each localised text the longest, as Discord does."""
    size = 0
    for key in ("name", "description"):
        texts = [node.get(key) or "", *(node.get(f"{key}_localizations") or {}).values()]
        size += max(map(len, texts))
    value = node.get("value")
    size += len(value) if isinstance(value, str) else 0
    return size + sum(_size(part) for key in ("options", "choices") for part in node.get(key) or [])
