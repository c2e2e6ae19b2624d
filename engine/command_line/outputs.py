"""Where the command line's pictures go: safe names, a check before the dream, and files that are never half.

Every fault of the disk is a `DiskError` with one sentence.
"""

import contextlib
import errno
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from engine.errors import DiskError
from engine.given_file import reason, shortened
from engine.models import registry
from engine.process import streams

FOLDER = Path("dreams")  # of pictures that were given no name
STDOUT = Path("-")  # the place of a picture that goes there
MAX_SLUG = 60  # characters
JPEG_BYTES_A_PIXEL = 0.15  # measured
PIECE = 64 * 1024  # bytes written at once where room cannot be reserved otherwise
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def slug_of(prompt: str) -> str:
    """The prompt as a file name: ASCII letters, digits and single hyphens, at most `MAX_SLUG` characters.

    Accents are dropped; a prompt without any such letter is "dream".
    """
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].strip("-") or "dream"


def picture_bytes(side: int, model: str) -> int:
    """About what a picture of this side in pixels takes on a disk, its state included."""
    record = registry.least(model)
    return round(side * side * record.png_bytes_a_pixel) + record.state_bytes


def preview_bytes(side: int) -> int:
    """About what a preview of this side in pixels takes on a disk."""
    return round(side * side * JPEG_BYTES_A_PIXEL)


@dataclass(frozen=True)
class Output:
    """The file a picture goes to. One that the user named is overwritten, any other never."""

    path: Path
    named: bool
    stream: TextIO | None = (
        None  # where it goes instead, of engine.process.streams; `path` is then but a name
    )

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
        if self.stream is not None:
            try:
                streams.deliver(picture, self.stream)
            except OSError as error:
                raise DiskError(f"The picture cannot be written to stdout: {reason(error)}.") from error
            return STDOUT
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


def check(needs: Mapping[Path, int]) -> None:
    """Make sure that these files, of about so many bytes, can be written, all of them at once.

    To be called before the work that would be lost. Makes the folders on the way. Raises `DiskError`.
    """
    with contextlib.ExitStack() as room:
        for number, (path, size) in enumerate(needs.items()):
            with _told(path):
                _check_place(path)
                target = Path(os.path.realpath(path))
                target.parent.mkdir(parents=True, exist_ok=True)
                held = target.with_name(f".{os.getpid()}-{number}.part")
                room.callback(_remove, held)
                try:
                    _hold(held, size)
                except OSError as error:
                    if error.errno not in NO_ROOM:
                        raise
                    raise DiskError(_no_room(path, size, error)) from error


def unused(path: Path) -> Path:
    """This path, or with -2, -3 … the first that nobody has: for a file that is removed again."""
    count, free = 1, path
    while os.path.lexists(free):
        count += 1
        free = path.with_stem(f"{path.stem}-{count}")
    return free


def _check_place(path: Path) -> None:
    """Raises `DiskError` for what stands there and cannot make way for a file."""
    if path.is_dir():
        raise DiskError(f"{path} is a folder; please name a file in it, e.g. {path / 'dream.png'}.")
    if path.exists() and not path.is_file():
        raise DiskError(f"{path} is not an ordinary file; a picture cannot be put in its place.")
    if path.exists() and not os.access(path, os.W_OK):
        raise DiskError(f"{path} is protected against writing.")
    if path.parent.is_file():
        raise DiskError(f"{path.parent} is a file, not a folder.")


def _hold(path: Path, size: int) -> None:
    """Make a file of so many bytes that are really there. Raises `OSError`."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
                return
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                    raise
        for _ in range(0, size, PIECE):
            file.write(bytes(PIECE))
        file.flush()
        os.fsync(file.fileno())  # a full disk may show itself only here


def _no_room(path: Path, size: int, error: OSError) -> str:
    room = "your quota leaves less"
    if error.errno == errno.ENOSPC:
        room = f"only {_megabytes(shutil.disk_usage(path.parent).free)} are free"
    return f"There is no room for {path}: it takes about {_megabytes(size)}, but {room}."


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def secured(output: Output, data: bytes) -> tuple[Path, DiskError | None]:
    """Save the data where they belong or, where that fails, in another folder, as a new file.

    Returns the path, and what was wrong with the place where they belong, a sentence that names both. Raises
    that, if there is no place at all: the working folder, the home and the one for temporary files are tried.
    """
    try:
        return output.save(data), None
    except DiskError as error:
        name = f"{slug_of(output.path.stem)}{output.path.suffix}"
        for folder in _shelters():
            with contextlib.suppress(DiskError):
                path = Output(folder / name, named=False).save(data)
                return path, DiskError(f"{error} It is in {path} instead.")
        raise


def _shelters() -> Iterator[Path]:
    """Folders that may still take a file when another one cannot."""
    yield Path()
    with contextlib.suppress(RuntimeError):  # nobody's home
        yield Path.home()
    with contextlib.suppress(OSError):
        yield Path(tempfile.gettempdir())


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
        _remove(partial)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


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
    except (OSError, ValueError) as error:
        raise DiskError(f"The file {shortened(path)} cannot be written: {reason(error)}.") from error
