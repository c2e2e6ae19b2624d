"""Where the database and the large models lie: the setting's folder, or one per person, wherever one works.

A folder `data` in the working folder, where all of it lay before, goes on being used as long as it holds any.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from engine.settings import DATA_DIR

FORMER = Path("data")  # in the working folder
DATABASE = "oneiro.db"
MODELS = "models"


def data_dir(environ: Mapping[str, str]) -> Path:
    """The folder that `environ` means, which need not exist yet. Raises `BadSetting`.

    Without the setting: `data` in the working folder if it holds a database or models; else the person's own
    folder as this system has it (`platformdirs`: `$XDG_DATA_HOME/oneiro`, on macOS `oneiro` in
    `~/Library/Application Support`, on Windows in `%LOCALAPPDATA%`); else, where a process has no home or may
    not write there, as in a container with a bare user number, `data` again.
    """
    if (chosen := DATA_DIR.read(environ)) is not None:
        return chosen
    own = _own()
    return FORMER if _in_use(FORMER) or own is None or not _writable(own) else own


def where(folder: Path) -> str:
    """One sentence for the log."""
    told = f"Database and models lie in {os.path.abspath(folder)}"  # noqa: PTH100 - also of no folder
    return (
        f"{told}; to move them, move the folder and set {DATA_DIR.key}." if folder == FORMER else f"{told}."
    )


def _own() -> Path | None:
    from platformdirs import user_data_path  # here: whoever names a folder needs no package

    try:
        path = user_data_path("oneiro", appauthor=False)
    except (RuntimeError, OSError, KeyError):
        return None
    return path if path.is_absolute() else None  # else there was no home, and it begins with a mere ~


def _in_use(folder: Path) -> bool:
    names = (DATABASE, MODELS)
    return any(os.path.exists(folder / name) for name in names)  # noqa: PTH110 - never raises


def _writable(folder: Path) -> bool:
    """Whether the folder is there, whatever it allows, or could be made."""
    if os.path.isdir(folder):  # noqa: PTH112 - never raises
        return True
    above = next(each for each in folder.parents if os.path.exists(each))  # noqa: PTH110
    return os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK)  # noqa: PTH112
