"""Settings of the environment: a default, a range and a sentence of help; and the limits of a dream.

Standard library only. A `Setting` is read from a mapping (the environment, after `.env`); a bad value is a
`BadSetting` that names the key, the value's fault and the allowed range.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from engine import proxies
from engine.errors import BadSetting
from engine.models import registry
from engine.models.registry import CLIPS, EMBEDDED
from engine.models.registry import clips as clips
from engine.models.registry import is_checked as is_checked
from engine.proxies import Proxy as Proxy
from engine.proxies import check_proxies as check_proxies
from engine.proxies import proxy_for as proxy_for
from engine.ranges import Choice, Number, Range, Whole, Written

MAX_SEED = 2**32 - 1
MAX_STEPS = 5000
MAX_PROMPT = (
    2000  # characters; a longer prompt is refused, one beyond the perceptor's tokens is cut with a notice
)

MODELS = registry.NAMES  # what a dream can name; "auto" takes the best that is there
RECIPES = ("oneiro", "bigsleep", "fusedream")  # the search algorithms; the first is the default
PRESETS = ("quick", "normal", "thorough")  # how much a search may cost
SIZES = (128, 256, 512, 1024)  # sides of a shown picture, in pixels

T = TypeVar("T")


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One setting: `default` is what an absent or blank value means."""

    key: str
    default: T
    help: str
    range: Range[T]
    secret: bool = False  # never repeat the value in a message

    @property
    def allowed(self) -> str:
        """The range in words, e.g. "a whole number from 1 to 60"."""
        return self.range.allowed

    @property
    def shown(self) -> str:
        """The default as it would be written; "" for none."""
        if isinstance(self.default, float):
            return f"{self.default:g}"
        return str(self.default) if self.default or (self.default == 0 and self.default is not False) else ""

    def read(self, environ: Mapping[str, str]) -> T:
        """The value in `environ`, or the default. Raises `BadSetting`."""
        text = environ.get(self.key, "").strip()
        if not text:
            return self.default
        try:
            value = self.range.parse(text)
            fits = self.range.fits(value)
        except (ValueError, OSError):
            fits = False  # told below, in one sentence with the range
        if not fits:
            shown = "is not valid" if self.secret else f"is {text[:80]!r}"
            raise BadSetting(f"{self.key} {shown}; it must be {self.allowed}.")
        return value


def whole(key: str, default: int, low: int, high: int, help: str) -> Setting[int]:
    """A whole number within low..high, both included."""
    return Setting(key, default, help, Whole(low, high))


def number(key: str, default: float, low: float, high: float, help: str) -> Setting[float]:
    """A number within low..high, both included."""
    return Setting(key, default, help, Number(low, high))


def choice(key: str, default: str, choices: tuple[str, ...], help: str) -> Setting[str]:
    """One of a few words."""
    return Setting(key, default, help, Choice(choices))


DREAM_MODEL = choice(
    "DREAM_MODEL",
    "auto",
    MODELS,
    f"Which models dream: auto takes the large ones where a GPU has room for them, else {EMBEDDED.name}.",
)
DATA_DIR: Setting[Path | None] = Setting(
    "DATA_DIR",
    None,
    "Folder for the database and for model files; blank: one per person, such as ~/.local/share/oneiro.",
    Written(
        "blank, or a folder's path",
        lambda text: Path(os.path.expanduser(text)),  # noqa: PTH111 - Path's own raises where there is no home
        lambda value: value is None or not ("\0" in str(value) or str(value).startswith("~")),
    ),
)
DREAM_CLIP: Setting[str] = Setting(
    "DREAM_CLIP",
    CLIPS[0],
    "Which CLIP judges the large models' pictures; two joined by + judge together.",
    Written(registry.CLIPS_ALLOWED, lambda text: "+".join(clips(text))),
)


def _is_web(address: str) -> bool:
    """Whether a file's path can follow this address of the web. Raises `ValueError`, too."""
    parts = urlsplit(address)
    there = parts.hostname and parts.port != 0 and not (parts.query or parts.fragment)
    return parts.scheme in ("https", "http") and bool(there)


MODEL_MIRRORS: Setting[tuple[str, ...]] = Setting(
    "MODEL_MIRRORS",
    (),
    "Web addresses, separated by blanks, where model files are looked for before the published places.",
    Written(
        "blank, or addresses that begin with https:// or http://",
        lambda text: tuple(text.split()),
        lambda value: all(map(_is_web, value)),
    ),
)
OFFLINE = Setting(
    "OFFLINE",
    False,
    "1: never fetch models; they must lie in DATA_DIR already.",
    Written("blank, 1 or 0", lambda text: bool(("0", "1").index(text))),
)
ENGINE_SETTINGS: tuple[Setting[Any], ...] = (DREAM_MODEL, DREAM_CLIP, DATA_DIR, MODEL_MIRRORS, OFFLINE)


def environment(folder: Path = Path()) -> dict[str, str]:
    """The process's environment over the `.env` in `folder` (the working directory); no `.env` is fine.

    An unreadable `.env` is a `BadSetting`, for its settings would be silently lost.
    """
    from dotenv import dotenv_values  # here: whoever only wants the ranges needs no package

    path = folder / ".env"
    try:
        file = dotenv_values(path) if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"The settings file {path} cannot be read: {error}.") from error
    given = {key: value for key, value in file.items() if value is not None}
    proxies.export(given)
    return given | dict(os.environ)
