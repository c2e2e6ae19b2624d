"""How this program was called: what somebody types to call it again."""

import shutil
import sys
from pathlib import Path


def called(module: str) -> list[str]:
    """The words of a command line without its arguments; `module`: what `python -m` runs.

    A console script outside of the `PATH`, as in a virtual environment that is not active, has its path.
    """
    script = Path(sys.argv[0])
    if script.name == "__main__.py":
        return [sys.executable, "-m", module]
    found = shutil.which(script.name)
    return [script.name if found and Path(found).absolute() == script.absolute() else str(script)]
