"""Files that a user names, to be read: ordinary ones of a sensible size, whatever else has that name.

A pipe, a device or a socket would be waited for or read for ever; all that is told in a sentence.
"""

import errno
import os
import stat
from pathlib import Path

from engine.errors import BadRequest

_KINDS = (
    (stat.S_ISDIR, "is a directory"),
    (stat.S_ISFIFO, "it is a pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)


def read(path: Path | str, what: str, max_bytes: int) -> bytes:
    """All bytes of the file. Raises `BadRequest` with a sentence; `what` it is to be stands in it.

    What is at that place is looked at once it is open, so that nothing else can take its place in between.
    """
    shown = shortened(path)
    try:
        # Opening a pipe would wait for a writer; some files of the system would wait for news.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            _check_kind(os.fstat(descriptor).st_mode)
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise BadRequest(f"The {what} {shown} cannot be read: {reason(error)}.") from error
    if len(data) > max_bytes:
        raise BadRequest(f"The {what} {shown} is too large; the limit is {_size(max_bytes)}.")
    return data


def check(path: Path | str, what: str, *, folder: bool = False) -> None:
    """Make sure that an ordinary file lies there, or, where that will do, a folder. Raises as `read`."""
    try:
        mode = Path(path).stat().st_mode
        if not (folder and stat.S_ISDIR(mode)):
            _check_kind(mode)
    except (OSError, ValueError) as error:
        raise BadRequest(f"The {what} {shortened(path)} cannot be read: {reason(error)}.") from error


def shortened(path: Path | str) -> str:
    """A path as a sentence holds it: one that is far too long is cut."""
    text = str(path)
    return text if len(text) <= 200 else f"{text[:100]}…{text[-40:]}"


def _check_kind(mode: int) -> None:
    for is_kind, reason in _KINDS:
        if is_kind(mode):
            raise OSError(errno.EINVAL, reason)


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be used, to be put after a colon."""
    if isinstance(error, ValueError):
        return "its name has a character that no name may have"
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]


def _size(count: int) -> str:
    return f"{count // 2**20} MB" if count >= 2**20 else f"{count // 1024} KB"
