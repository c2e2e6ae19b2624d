"""Finds all that the bot can do: each command, button and listener registers itself by where it stands."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, TypeVar

from discord import app_commands

from bot.chat.buttons.button import PersistentButton
from bot.chat.listeners.listener import Listener

AnyCommand = app_commands.Command[Any, Any, Any] | app_commands.Group | app_commands.ContextMenu
Kind = TypeVar("Kind")
_COMMANDS = (app_commands.Command, app_commands.Group, app_commands.ContextMenu)
FOLDERS = ("bot.chat.buttons", "bot.chat.commands", "bot.chat.listeners")


def commands() -> list[AnyCommand]:
    """Those that stand alone: a group brings its own along."""
    alone = {id(one): one for one in _things() if isinstance(one, _COMMANDS) and _parent(one) is None}
    return list(alone.values())


def buttons() -> list[type[PersistentButton]]:
    """All kinds."""
    return _kinds(PersistentButton)


def listeners() -> list[type[Listener]]:
    """All kinds."""
    return _kinds(Listener)


def _kinds(base: type[Kind]) -> list[type[Kind]]:
    kinds = [one for one in _things() if isinstance(one, type) and issubclass(one, base) and one is not base]
    return list(dict.fromkeys(kinds))


def _things() -> Iterator[Any]:
    """What the modules of the folders hold."""
    for folder in FOLDERS:
        for found in walk_packages(import_module(folder).__path__, f"{folder}."):
            yield from vars(import_module(found.name)).values()


def _parent(command: AnyCommand) -> app_commands.Group | None:
    return None if isinstance(command, app_commands.ContextMenu) else command.parent
