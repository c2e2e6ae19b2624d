"""What a command was given, looked at before anything reads it: a changed client sends whatever it likes.

Discord checks options only in its own clients, and discord.py hands them on as they come. Here their form
and types are checked, for all commands; what a value may be is checked where it is used, with a sentence.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import discord
from discord import AppCommandOptionType as Type
from discord import AppCommandType, app_commands

from bot.sentences import Sentences

MAX_STRING = 6000  # characters (Discord reference, 2026-08), as the next
MAX_WHOLE = 2**53
_MOST_NAMED = 10**9  # above it a range says nothing to a person
_ID_DIGITS = 20  # of Discord's numbers; they have 64 bits
_GROUPS = (Type.subcommand.value, Type.subcommand_group.value)
# Where what Discord refers to lies in `resolved`.
_RESOLVED = {
    Type.user: ("users",),
    Type.channel: ("channels",),
    Type.role: ("roles",),
    Type.mentionable: ("users", "roles"),
    Type.attachment: ("attachments",),
}
# Their own checks refuse whatever does not fit, of any type, and name what would.
_CHECKED = {"dream": ("seed", "steps", "size", "preset"), "moderate limits set": ("value",)}


class Malformed(ValueError):
    """It is nothing that Discord would send."""


class Unknown(ValueError):
    """It belongs to another version's command."""


class OutOfRange(ValueError):
    """A number is none, or not a whole one."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__(low, high)
        self.low = low
        self.high = high


def objection(interaction: discord.Interaction, tree: app_commands.CommandTree[Any], say: Sentences) -> str:
    """The sentence that says why a command cannot be read; '' when it can."""
    try:
        check(interaction, tree)
    except OutOfRange as error:
        return say.out_of_range(error.low, error.high)
    except Unknown:
        return say.OLD_COMMAND
    except (Malformed, LookupError, TypeError, ValueError, AttributeError):
        return say.BAD_OPTION  # whatever it is, it is not what Discord's reference says
    return ""


def check(interaction: discord.Interaction, tree: app_commands.CommandTree[Any]) -> None:
    """Raises one of the errors above, or what reading a thing of a wrong shape raises."""
    data: Any = interaction.data
    kind = AppCommandType(data.get("type", 1))
    if kind is not AppCommandType.chat_input:
        if not isinstance(data["resolved"]["messages"][data["target_id"]], dict):
            raise Malformed
        return
    command: Any = tree.get_command(data["name"], type=kind)
    options = _listed(data)
    while isinstance(command, app_commands.Group):
        (one,) = options
        if one["type"] not in _GROUPS:
            raise Malformed
        command = command.get_command(one["name"])
        options = _listed(one)
    if command is None:
        return  # discord.py says so
    parameters = {parameter.display_name: parameter for parameter in command.parameters}
    if len({one["name"] for one in options}) != len(options):
        raise Malformed
    is_suggesting = interaction.type is discord.InteractionType.autocomplete
    if is_suggesting and sum(one.get("focused") is True for one in options) != 1:
        raise Malformed
    for one in options:
        if one["name"] not in parameters:
            raise Unknown
        if is_suggesting:
            if one.get("focused") and not parameters[one["name"]].autocomplete:
                raise Malformed
            _check_typed(one)
        elif "value" not in one:
            raise Malformed
        elif one["name"] in _CHECKED.get(command.qualified_name, ()):
            one["type"] = parameters[one["name"]].type.value  # as it is, to its own check
        else:
            _check_value(one, parameters[one["name"]], data.get("resolved") or {})


def _listed(holder: Any) -> list[Any]:
    options = holder.get("options") or []
    if not isinstance(options, list) or not all(isinstance(one, dict) for one in options):
        raise Malformed
    return options


def _check_typed(option: dict[str, Any]) -> None:
    """What somebody types while suggestions are shown: anything, also where a number is asked for."""
    if isinstance(option.get("value"), dict | list | None):
        raise Malformed
    option["type"] = Type.string.value
    option["value"] = _writable(str(option["value"])[:MAX_STRING])


def _check_value(
    option: dict[str, Any], parameter: app_commands.Parameter, resolved: Mapping[str, Any]
) -> None:
    value = option["value"]
    if parameter.type is Type.integer:
        _check_whole(value, parameter)
    elif option["type"] != parameter.type.value:
        raise Malformed
    elif parameter.type is Type.string:
        if not isinstance(value, str) or len(value) > MAX_STRING:
            raise Malformed
        option["value"] = _writable(value)
    elif parameter.type is Type.boolean:
        if not isinstance(value, bool):
            raise Malformed
    elif parameter.type in _RESOLVED:
        if value not in _ids(resolved, *_RESOLVED[parameter.type]):
            raise Malformed
    else:
        raise Malformed
    if parameter.choices and value not in [choice.value for choice in parameter.choices]:
        raise Malformed
    option["type"] = parameter.type.value


def _check_whole(value: object, parameter: app_commands.Parameter) -> None:
    low, high = parameter.min_value, parameter.max_value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < MAX_WHOLE:
        return
    if low is None or high is None or high > _MOST_NAMED:
        raise Malformed
    raise OutOfRange(int(low), int(high))


def _ids(resolved: Mapping[str, Any], *kinds: str) -> Iterator[str]:
    for kind in kinds:
        for key, found in (resolved.get(kind) or {}).items():
            if key.isascii() and key.isdigit() and len(key) <= _ID_DIGITS and isinstance(found, dict):
                yield key


def _writable(text: str) -> str:
    """Without what no database holds: NUL and lone surrogates."""
    return "".join(c for c in text if c != "\0" and unicodedata.category(c) != "Cs")
