"""The file that everything is exported to: a zip with the rows of each table, and what they are.

`tables/NAME.jsonl` has one line of JSON a row (`bot.moving.rows`), ordered by the table's key; `oneiro.json`,
the last one, says the form of the file, the step of `bot.database.migrations` that made the tables, and each
table's columns and number of rows. Neither writing nor reading keeps more than a row at a time.
"""

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

FORMAT = 1  # of the file; another number is another form
CONTENTS = "oneiro.json"
MAX_CONTENTS = 2**20  # bytes
MAX_ROW = 256 * 2**20  # bytes of a line; a time-lapse has 11 million
MAX_PACKED = 200  # how many times smaller than itself a table may be packed: ours are less than 30
_LEVEL = 1  # most of it is pictures, which only get slower with more
_OWNER_ONLY = 0o600
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OSError)


class BadExport(Exception):
    """The file cannot be read as an export of Oneiro."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or f"{(type(self).__doc__ or '').strip()}")


@dataclass(frozen=True, slots=True)
class TableContents:
    """What the file says of one table."""

    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What the file says of itself."""

    step: str  # of `bot.database.migrations`
    made_at: float  # seconds since 1970
    tables: Mapping[str, TableContents]

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return sum(each.rows for each in self.tables.values())


class Writer:
    """Inside `writing`: `table` for each table, then `end`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def table(self, name: str) -> Iterator[Callable[[bytes], Any]]:
        """Gives what writes a line."""
        with self._archive.open(_member(name), "w", force_zip64=True) as member:
            yield member.write

    def end(self, contents: Contents) -> None:
        """All rows are written."""
        said = {"format": FORMAT} | asdict(contents)
        self._archive.writestr(CONTENTS, json.dumps(said, indent=1))


@contextmanager
def writing(path: Path, *, replace: bool) -> Iterator[Writer]:
    """Write an export for its owner's eyes alone, whole or not at all.

    Raises `FileExistsError` when there is such a file that shall not be replaced, and other `OSError`.
    """
    _check_free(path, replace)
    beside = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
                yield Writer(archive)
            file.flush()
            os.fsync(file.fileno())
        _check_free(path, replace)
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _check_free(path: Path, replace: bool) -> None:
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    if not replace and path.exists():
        raise FileExistsError(17, "it exists already", str(path))


class Reader:
    """Inside `reading`. All of it raises `BadExport`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.contents = _contents(archive)
        names = [info.filename for info in archive.infolist()]
        if sorted(names) != sorted([CONTENTS, *map(_member, self.contents.tables)]):
            raise BadExport("The export holds other files than it says; it was changed or is damaged.")

    def lines(self, name: str) -> Iterator[bytes]:
        """Each row of a table: as many as the contents say."""
        info = self._archive.getinfo(_member(name))
        rows = self.contents.tables[name].rows
        if info.file_size > MAX_PACKED * info.compress_size + MAX_CONTENTS:
            raise BadExport(
                f"The export's table {name} is packed tighter than any of Oneiro's; was it changed?"
            )
        with _damage_named(), self._archive.open(info) as member:
            for _ in range(rows):
                line = member.readline(MAX_ROW)
                if not line.endswith(b"\n"):
                    raise BadExport(f"The export's table {name} has fewer rows than it says; it is damaged.")
                yield line
            if member.read(1):  # at whose end the checksum is looked at
                raise BadExport(f"The export's table {name} has more rows than it says; it is damaged.")


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Read an export. Raises `BadExport`, and `OSError` when there is no such file."""
    with path.open("rb") as file:
        with _damage_named():
            archive = zipfile.ZipFile(file)
            reader = Reader(archive)
        yield reader


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise BadExport(f"{BadExport.__doc__} It is damaged, not whole, or something else.") from error


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"


def _contents(archive: zipfile.ZipFile) -> Contents:
    try:
        info = archive.getinfo(CONTENTS)
    except KeyError:
        raise BadExport(f"{BadExport.__doc__} It is something else.") from None
    if info.file_size > MAX_CONTENTS:
        raise BadExport
    said = _json(archive.open(info))
    if said.get("format") != FORMAT:
        raise BadExport("The export was made by a newer version of Oneiro; please update this one.")
    try:
        tables = {
            str(name): TableContents(tuple(map(str, each["columns"])), int(each["rows"]))
            for name, each in said["tables"].items()
        }
        return Contents(str(said["step"]), float(said["made_at"]), tables)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise BadExport from error


def _json(member: IO[bytes]) -> dict[str, Any]:
    with member:
        try:
            said = json.loads(member.read(MAX_CONTENTS + 1))
        except RecursionError as error:
            raise BadExport from error
    if not isinstance(said, dict):
        raise BadExport
    return said
