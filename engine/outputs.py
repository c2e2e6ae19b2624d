"""Where the command line's pictures go: safe names, a check before the dream, and files that are never half.

Every fault of the disk is a `DiskError` with one sentence.
"""

import contextlib
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DiskError

FOLDER = Path("dreams")  # of pictures that were given no name
MAX_SLUG = 60  # characters
PROBE = 64 * 1024  # bytes written to see whether a picture would fit; a pocket picture has about this size


def slug_of(prompt: str) -> str:
    """The prompt as a file name: ASCII letters, digits and single hyphens, at most `MAX_SLUG` characters.

    Accents are dropped; a prompt without any such letter is "dream".
    """
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].strip("-") or "dream"


@dataclass(frozen=True)
class Output:
    """The file a picture goes to. One that the user named is overwritten, any other never."""

    path: Path
    named: bool

    @classmethod
    def by_default(cls, prompt: str, seed: int | str) -> "Output":
        """`dreams/<slug>-<seed>.png`; `save` counts on from there if another picture has that name."""
        return cls(FOLDER / f"{slug_of(prompt)}-{seed}.png", named=False)

    def beside(self, ending: str) -> Path:
        """A path in the same folder with another ending, e.g. ".preview.jpg"."""
        return self.path.with_suffix(ending)

    def save(self, picture: bytes) -> Path:
        """Write the picture under its name, whole or not at all; returns the name. Raises `DiskError`.

        Without a name of the user's, a file that holds the same bytes is kept, and another one makes way for
        `…-2.png`, `…-3.png`, ….
        """
        if self.named:
            write(self.path, picture)
            return self.path
        with _told(self.path), _partial(self.path, picture) as partial:
            path, count = self.path, 1
            while not _holds(path, picture):
                if _reserve(path):
                    partial.replace(path)
                    break
                count += 1
                path = self.path.with_stem(f"{self.path.stem}-{count}")
            return path


def check(path: Path) -> None:
    """Make sure that a file can be written here, before the work that would be lost. Raises `DiskError`.

    Makes the folders on the way.
    """
    with _told(path):
        if path.is_dir():
            raise DiskError(f"{path} is a folder; please name a file in it, e.g. {path / 'dream.png'}.")
        if path.exists() and not path.is_file():
            raise DiskError(f"{path} is not an ordinary file; a picture cannot be put in its place.")
        if path.exists() and not os.access(path, os.W_OK):
            raise DiskError(f"{path} is protected against writing.")
        if path.parent.is_file():
            raise DiskError(f"{path.parent} is a file, not a folder.")
        path.parent.mkdir(parents=True, exist_ok=True)
        with _partial(path, bytes(PROBE)):
            pass


def write(path: Path, data: bytes) -> None:
    """Put a whole file in the place of this one, or leave all as it was. Raises `DiskError`."""
    with _told(path):
        target = Path(os.path.realpath(path))  # a link stays a link
        with _partial(target, data) as partial:
            partial.replace(target)


@contextlib.contextmanager
def _partial(path: Path, data: bytes) -> Iterator[Path]:
    """The data in a file of our own in the same folder; gone afterwards, unless it was moved."""
    partial = path.with_name(f".{os.getpid()}.part")  # short: the final name may use all that a name may have
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk may show itself only here
        yield partial
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def _reserve(path: Path) -> bool:
    """Take a name that nobody has, also against another process that looks for one."""
    try:
        path.open("xb").close()
    except FileExistsError:
        return False
    return True


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskError(f"The file {path} cannot be written: {reason[:1].lower()}{reason[1:]}.") from error
