"""A user who is but a number, as in many containers: no name, no home. Libraries take both for granted."""

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path


def prepare(environ: MutableMapping[str, str] = os.environ) -> None:
    """Give a user without them a home, which need not be there, and a name; what is set stays."""
    if os.name != "posix":
        return
    import pwd

    number = os.getuid()
    try:
        pwd.getpwuid(number)
    except KeyError:
        name = f"user-{number}"
        if not environ.get("HOME"):
            environ["HOME"] = str(Path(tempfile.gettempdir()) / f"oneiro-{name}")
        if not any(environ.get(key) for key in ("LOGNAME", "USER", "LNAME", "USERNAME")):  # as getpass does
            environ["USER"] = name
