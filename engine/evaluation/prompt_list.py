"""Lists of prompts in groups, as `python -m engine.evaluate` dreams them: what a file of them looks like."""

from dataclasses import dataclass
from pathlib import Path

from engine import given_file
from engine.errors import BadRequest

HUNDRED = Path(__file__).with_name("prompts.txt")  # what people ask first
MIXTURES = HUNDRED.with_name("mixtures.txt")  # beings of two things, and several of one
UNGROUPED = "prompts"
MAX_FILE = 1024 * 1024  # bytes; a longer file is not a list of prompts


@dataclass(frozen=True)
class Listed:
    """A prompt of a list."""

    prompt: str
    group: str


def read(path: Path = HUNDRED) -> list[Listed]:
    """The prompts in `path`, one a line; `[name]` begins a group, lines with # in front are passed over.

    Raises `BadRequest` when the file cannot be read, is empty, or holds a prompt twice.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadRequest(f"{path} is too long for a list of prompts.")
        lines = given_file.read(path, "list of prompts", MAX_FILE).decode("utf-8-sig").splitlines()
    except OSError as error:
        raise BadRequest(f"The list of prompts {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"The list of prompts {path} is not a text in UTF-8.") from error
    listed: dict[str, Listed] = {}
    group = UNGROUPED
    for line in (line.strip() for line in lines):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip() or UNGROUPED
        elif line and not line.startswith("#"):
            if line in listed:
                raise BadRequest(
                    f"{path} holds {line[:80]!r} twice; the judge could not tell which is meant."
                )
            listed[line] = Listed(line, group)
    if not listed:
        raise BadRequest(f"{path} holds no prompts.")
    return list(listed.values())


def some(listed: list[Listed], limit: int | None) -> list[Listed]:
    """`limit` of them, evenly spread over the list; all when it is None or more than there are."""
    if limit is None or limit >= len(listed):
        return listed
    return [listed[i * len(listed) // limit] for i in range(limit)]
