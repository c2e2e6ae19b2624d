"""Reads what somebody typed: a command with its options as in Discord, or plain words, which are a dream.

`/dream a fox avoid:fog preset:quick`: an option's name counts only where it is one of the command's, so that
the weights of phrases (`a house:2 | a tree`) stay what they are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.sentences import Sentences
from bot.sentences.quoting import quoted
from bot.web.errors import Worded
from engine.settings import PRESETS, SIZES

YES_NO = ("yes", "no")
MODELS_OWN = "model"  # what takes a preference back


class UnknownCommand(Worded):
    """There is no such command here."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def sentence(self, say: Sentences) -> str:
        return say.unknown_command(quoted(self.name, 40))


class BadValue(Worded):
    """An option lacks a value, or has one that it cannot have."""

    def __init__(self, option: str) -> None:
        super().__init__(option)
        self.option = option

    def sentence(self, say: Sentences) -> str:
        return say.bad_value(self.option)


@dataclass(frozen=True, slots=True)
class Option:
    """Of a command. `help`: the name of its sentence; `values`: all that there are, () for anything."""

    name: str
    help: str
    values: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """Its first option may be typed without its name."""

    name: str
    help: str
    options: Sequence[Option] = ()


_PROMPT = Option("prompt", "COMMAND_PROMPT")
_DREAM = Option("dream", "COMMAND_WHICH")
COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        command.name: command
        for command in (
            Command(
                "dream",
                "COMMAND",
                (
                    _PROMPT,
                    Option("avoid", "COMMAND_AVOID"),
                    Option("preset", "COMMAND_PRESET", tuple(PRESETS)),
                    Option("candidates", "COMMAND_CANDIDATES", ("2", "3", "4")),
                    Option("size", "COMMAND_SIZE", tuple(map(str, SIZES))),
                    Option("steps", "COMMAND_STEPS"),
                    Option("seed", "COMMAND_SEED"),
                    Option("spoiler", "COMMAND_SPOILER", YES_NO),
                ),
            ),
            Command("dreams story", "COMMAND_STORY", (Option("chapters", "COMMAND_STORY_CHAPTERS"),)),
            Command(
                "dreams blend",
                "COMMAND_BLEND",
                (
                    Option("first", "COMMAND_BLEND_FIRST"),
                    Option("second", "COMMAND_BLEND_SECOND"),
                    Option("prompt", "COMMAND_BLEND_PROMPT"),
                    Option("share", "COMMAND_BLEND_SHARE"),
                ),
            ),
            Command("dreams mine", "COMMAND_MINE"),
            Command("dreams show", "COMMAND_DREAM_SHOW", (_DREAM,)),
            Command("dreams repeat", "COMMAND_REPEAT", (_DREAM,)),
            Command(
                "top",
                "COMMAND_TOP",
                (
                    Option("by", "COMMAND_TOP_BY", ("picture", "dreamer", "prompt")),
                    Option("period", "COMMAND_TOP_PERIOD", ("day", "week", "month", "ever")),
                ),
            ),
            Command("queue", "COMMAND_QUEUE"),
            Command("contest show", "COMMAND_CONTEST_SHOW"),
            Command("contest enter", "COMMAND_CONTEST_ENTER", (Option("dream", "COMMAND_CONTEST_DREAM"),)),
            Command(
                "preferences",
                "COMMAND_PREFERENCES",
                (
                    Option("preset", "COMMAND_PRESET", (*PRESETS, MODELS_OWN)),
                    Option("size", "COMMAND_SIZE", (*map(str, SIZES), MODELS_OWN)),
                    Option("spoiler", "COMMAND_SPOILER", YES_NO),
                    Option("reset", "COMMAND_RESET", YES_NO),
                ),
            ),
            Command("help", "COMMAND_HELP"),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A command and the options that were given."""

    command: str
    options: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """An option's words; None: it was not given."""
        return self.options.get(name)

    def whole(self, name: str) -> int | None:
        """As `text`, of a whole number. Raises `BadValue`."""
        said = self.options.get(name)
        if said is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}", said):
            raise BadValue(name)
        return int(said)

    def truth(self, name: str) -> bool | None:
        """As `text`, of yes or no. Raises `BadValue`."""
        said = self.options.get(name)
        if said is None:
            return None
        if said.casefold() not in ("yes", "no", "sì", "si", "true", "false", "1", "0"):
            raise BadValue(name)
        return said.casefold() in ("yes", "sì", "si", "true", "1")


def read(text: str) -> Typed:
    """What was typed. Raises `UnknownCommand`."""
    text = text.strip()
    if not text.startswith("/"):
        return Typed("dream", {"prompt": text})
    command, rest = command_of(text)
    return Typed(command.name, options_of(command, rest))


def command_of(text: str) -> tuple[Command, str]:
    """The command that a text begins with, and what follows. Raises `UnknownCommand`."""
    found = text[1:].split(maxsplit=2)
    for count in (2, 1):
        command = COMMANDS.get(" ".join(found[:count]).casefold())
        if command is not None and len(found) >= count:
            return command, re.sub(r"^/" + r"\s*\S+" * count + r"\s*", "", text)
    raise UnknownCommand(" ".join(found[:1])[:40])


def options_of(command: Command, text: str) -> dict[str, str]:
    """The options in what follows a command; words before the first name are its first option's."""
    if not command.options:
        return {}
    names = "|".join(re.escape(option.name) for option in command.options)
    parts = re.split(rf"(?:^|(?<=\s))({names}):", text, flags=re.IGNORECASE)
    found = {command.options[0].name: parts[0].strip()} if parts[0].strip() else {}
    for name, value in zip(parts[1::2], parts[2::2], strict=True):
        if value.strip():
            found[name.casefold()] = value.strip()
    return found
