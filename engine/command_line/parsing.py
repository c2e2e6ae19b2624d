"""How arguments become checked values: whatever does not fit is told in one sentence. Imports no torch."""

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from engine.errors import BadRequest, BadSetting
from engine.given_file import shortened
from engine.settings import Setting

T = TypeVar("T")

# What argparse says of words that begin with a hyphen.
_HYPHENS = ("unrecognized arguments: -", "ignored explicit argument", "expected one argument")
HYPHEN = "words that begin with a hyphen come after two of them (dream -- -cat), or after a = (--avoid=-cat)"


class Parser(argparse.ArgumentParser):
    """Takes no shortened options, keeps the layout of its texts, raises `BadRequest` for what it refuses."""

    def __init__(self, prog: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        if any(words in message for words in _HYPHENS):
            message = f"{message}; {HYPHEN}"
        raise BadRequest(f"{message[:1].upper()}{message[1:].rstrip('.')}. {self.prog} --help explains all.")

    def parse_intermixed_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's, which up to Python 3.12 takes words behind two hyphens for options all the same."""
        given = list(sys.argv[1:] if args is None else args)
        at = given.index("--") if "--" in given else len(given)
        stand_ins = {
            f"\0{index}": word for index, word in enumerate(given[at + 1 :])
        }  # no argument has a NUL
        found = super().parse_intermixed_args([*given[:at], *stand_ins], namespace)
        for name, held in vars(found).items():
            if isinstance(held, list):
                setattr(found, name, [stand_ins.get(each, each) for each in held])
            elif isinstance(held, str):
                setattr(found, name, stand_ins.get(held, held))
        return found


def value(setting: Setting[T], text: str | None) -> T | None:
    """An option's value; None when it was not given. Raises `BadSetting`, also for one that is empty."""
    if text is None:
        return None
    if not text.strip():
        raise BadSetting(f"{setting.key} is empty; it must be {setting.allowed}.")
    return setting.read({setting.key: text})


def file(text: str, *endings: str) -> Path:
    """A path that ends in one of the endings; one without any gets the first. Raises `BadRequest`."""
    path = Path(text)
    if text == "-":
        raise BadRequest("Only a picture goes to stdout, by --out -; please name a file.")
    if "\0" in text:
        raise BadRequest("No file's name has a null character.")
    if _is_folder(path):
        return path
    if path.name and not path.suffix:
        path = path.with_suffix(endings[0])
    if path.suffix.lower() not in endings:
        raise BadRequest(
            f"{shortened(path)} must end in {' or '.join(endings)}, for that is what is written."
        )
    return path


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # no place at all; told when it is to be written


def small(sentence: str) -> str:
    """The sentence to be put after a colon."""
    return sentence[:1].lower() + sentence[1:]
