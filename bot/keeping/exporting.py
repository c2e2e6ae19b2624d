"""Everything that is stored of a person, as files in a zip: JSON, the pictures, the pictures that they gave.

What is made is never in memory as a whole: files come one after the other, and a zip is sent as it grows, or
in parts of a size that fits. Knows no Discord.
"""

import io
import json
import zipfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, and_, or_, select

from bot.database.connection import Database
from bot.database.tables import (
    audit,
    bans,
    choices,
    contests,
    dreams,
    entries,
    people,
    preferences,
    privacy,
    reports,
    sendings,
    votes,
)
from bot.dreams.dream import Dream
from bot.dreams.local import MAX_PERSON
from bot.dreams.store import Store, dream_of

MANY = 200  # dreams of one JSON file
EXACT = 2**53  # larger numbers are written as text: not every reader of JSON keeps all their digits
DIRECTORY_BYTES = 256  # of a zip's directory for each file: a header with one of our names has fewer
MayHave = Callable[[Dream], Awaitable[bool]]

# What stands in the file `person.json`: the rows in which somebody's id stands.
_TOLD: Mapping[str, tuple[Column[Any], ...]] = {
    "preferences": (preferences.c.person,),
    "privacy": (privacy.c.person,),
    "votes": (votes.c.person,),
    "contest_entries": (entries.c.person,),
    "contests_begun": (contests.c.started_by,),
    "choices": (choices.c.author_id, choices.c.ended_by),
    "pictures_sent_to_you": (sendings.c.person,),
    "reports": (reports.c.person,),
    "bans": (bans.c.person,),
    "bans_by_you": (bans.c.by,),
    "moderated": (audit.c.by,),
}
_SECRET = frozenset({"digest", "folded", "owner", "lease_until", "origin", "slug"})  # ours, not theirs
_AS_JSON = frozenset({"recipe", "notice", "failure_detail", "nearest", "decision"})


@dataclass(frozen=True, slots=True)
class File:
    """One of the export's."""

    name: str
    content: bytes

    @property
    def is_picture(self) -> bool:
        """Such a file becomes no smaller."""
        return not self.name.endswith(".json")


class Exports:
    """Every transaction may raise `StoreError`."""

    def __init__(self, *, database: Database, store: Store) -> None:
        self._transaction = database.transaction
        self._store = store

    async def of(self, person: int, may_have: MayHave) -> AsyncIterator[File]:
        """All files, what is written first, then pictures, the newest first.

        `may_have`: whether somebody may be sent the picture of a dream of theirs, by the rule of showing.
        """
        yield File("person.json", _json(await self._person(person)))
        ids: list[int] = []
        withheld: set[int] = set()
        before: int | None = None
        number = 0
        while found := await self._dreams(person, before):
            number, before = number + 1, found[-1][0].id
            for dream, told in found:
                if not await may_have(dream):
                    withheld.add(dream.id)
                    told["picture"] = "withheld: the safety check found something in it"
                ids.append(dream.id)
            yield File(f"dreams-{number:04}.json", _json([told for _, told in found]))
        for dream_id in ids:
            if dream_id not in withheld and (picture := await self._picture(dream_id)):
                yield picture
        async for image in self._images(person):
            yield image

    async def _person(self, person: int) -> dict[str, Any]:
        told: dict[str, Any] = {"id": str(person), "exported_at": _time(datetime.now(UTC).timestamp())}
        async with self._transaction() as connection:
            for name, columns in _TOLD.items():
                query = select(columns[0].table).where(or_(*(column == person for column in columns)))
                told[name] = [_plain(row._mapping) for row in await connection.execute(query)]
            about = select(audit).where(audit.c.target == f"person:{person}")
            told["moderated_about_you"] = [_plain(row._mapping) for row in await connection.execute(about)]
            if person <= MAX_PERSON:
                row = (await connection.execute(select(people).where(people.c.id == person))).first()
                told["page"] = _plain(row._mapping) if row is not None else None
        return told

    async def _dreams(self, person: int, before: int | None) -> list[tuple[Dream, dict[str, Any]]]:
        """Some dreams, the newest first, each with all that its row says."""
        theirs = and_(dreams.c.author_id == person, dreams.c.erased.is_(False))
        if before is not None:
            theirs = and_(theirs, dreams.c.id < before)
        query = select(dreams).where(theirs).order_by(dreams.c.id.desc()).limit(MANY)
        async with self._transaction() as connection:
            return [(dream_of(row), _plain(row._mapping)) for row in await connection.execute(query)]

    async def _picture(self, dream_id: int) -> File | None:
        picture = await self._store.picture(dream_id)
        return File(f"pictures/dream-{dream_id}.{picture.kind}", picture.content) if picture else None

    async def _images(self, person: int) -> AsyncIterator[File]:
        given = select(dreams.c.image_id).where(dreams.c.author_id == person, dreams.c.image_id.is_not(None))
        async with self._transaction() as connection:
            ids = sorted(set(await connection.scalars(given)))
        for image_id in ids:
            content = await self._store.image(image_id)
            if content is not None:
                yield File(f"image-prompts/{image_id}.jpg", content)


@dataclass(frozen=True, slots=True)
class Part:
    """A zip of some files."""

    content: bytes
    pictures: int  # in it
    left_out: int  # pictures before it that fit into none


async def zips(files: AsyncIterator[File], *, limit: int) -> AsyncGenerator[Part, None]:
    """The files in zips of at most `limit` bytes each; a file that fits into none is left out."""
    open_part = _OpenPart()
    left_out = 0
    async for file in files:
        packed = _packed(file)
        if packed > limit:
            left_out += file.is_picture
            continue
        if open_part.files and open_part.size + packed > limit:
            yield open_part.closed(left_out)
            open_part, left_out = _OpenPart(), 0
        open_part.add(file)
    if open_part.files:
        yield open_part.closed(left_out)


class _OpenPart:
    """A zip that grows."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._zip = zipfile.ZipFile(self._buffer, "w")
        self._pictures = 0
        self.files = 0

    @property
    def size(self) -> int:
        """Bytes that it would have were it closed now, at most."""
        return self._buffer.tell() + (self.files + 1) * DIRECTORY_BYTES

    def add(self, file: File) -> None:
        _add(self._zip, file)
        self.files += 1
        self._pictures += file.is_picture

    def closed(self, left_out: int) -> Part:
        self._zip.close()
        return Part(self._buffer.getvalue(), self._pictures, left_out)


def _packed(file: File) -> int:
    """Bytes that a zip of this file alone has, at most."""
    size = len(file.content) if file.is_picture else len(zlib.compress(file.content))
    return size + 3 * DIRECTORY_BYTES


async def stream(files: AsyncIterator[File]) -> AsyncGenerator[bytes, None]:
    """One zip of all files, piece by piece."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as made:
        async for file in files:
            _add(made, file)
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What is written to it is taken away; it cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _add(made: zipfile.ZipFile, file: File) -> None:
    kind = zipfile.ZIP_STORED if file.is_picture else zipfile.ZIP_DEFLATED
    made.writestr(file.name, file.content, compress_type=kind)


def _json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row for people: times as dates, long numbers as text, without what is only the program's."""
    return {str(key): _value(str(key), value) for key, value in row.items() if _is_told(str(key), value)}


def _is_told(name: str, value: Any) -> bool:
    return name not in _SECRET and not isinstance(value, bytes)


def _value(name: str, value: Any) -> Any:
    if name in _AS_JSON and isinstance(value, str) and value:
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, float) and (name == "at" or name.endswith(("_at", "until"))):
        return _time(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > EXACT else value


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
