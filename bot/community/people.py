"""People of the page: a name that they choose, a cookie by which they are known again, who of them moderates.

Only a digest of the cookie's secret is kept: whoever reads the database cannot be them.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import time
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.database.connection import Database
from bot.database.tables import people
from bot.dreams.local import MAX_PERSON
from bot.queue.limits import Refused
from bot.sentences.quoting import plain

MAX_NAME = 32  # characters


class NoName(Refused):
    """A name has letters or digits in it, and `MAX_NAME` characters at most."""


class NameTaken(Refused):
    """Somebody else is called so, or nearly so."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who chose a name."""

    id: int  # 1..MAX_PERSON
    name: str
    moderates: bool


class People:
    """Everybody, kept in memory: each request asks. `start` first."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        self._transaction = database.transaction
        self._clock = clock
        self._by_digest: dict[str, Person] = {}
        self._by_id: dict[int, Person] = {}
        self._names: dict[int, str] = {}

    async def start(self) -> None:
        """Read them. Raises `StoreError`."""
        async with self._transaction() as connection:
            for row in await connection.execute(select(people)):
                self._know(row.digest, Person(row.id, row.name, row.moderates))

    def known(self, digest: str) -> Person | None:
        """Whose browser has the secret with this digest."""
        return self._by_digest.get(digest)

    def get(self, person: int) -> Person | None:
        return self._by_id.get(person)

    def all(self) -> list[Person]:
        """By their names."""
        return sorted(self._by_id.values(), key=lambda one: one.name.casefold())

    @property
    def names(self) -> Mapping[int, str]:
        """What everybody is called, by id."""
        return self._names

    async def join(self, name: str, digest: str, *, first_moderates: bool) -> Person:
        """Let somebody be called so from now on. Raises `NoName`, `NameTaken`, `StoreError`.

        `first_moderates`: they moderate, if nobody does yet.
        """
        shown = checked_name(name)
        values: dict[str, Any] = {
            "name": shown,
            "folded": folded(shown),
            "digest": digest,
            "created_at": self._clock(),
        }
        try:
            async with self._transaction() as connection:
                who_do = select(func.count()).select_from(people).where(people.c.moderates)
                moderates = first_moderates and not await connection.scalar(who_do)
                row = insert(people).values(values | {"moderates": moderates})
                key = (await connection.execute(row)).inserted_primary_key
                assert key is not None and key[0] <= MAX_PERSON
        except IntegrityError as error:
            raise NameTaken from error
        return self._know(digest, Person(int(key[0]), shown, moderates))

    async def appoint(self, person_id: int) -> None:
        """Let this person moderate. Raises `StoreError`."""
        async with self._transaction() as connection:
            await connection.execute(update(people).where(people.c.id == person_id).values(moderates=True))
        for digest, person in list(self._by_digest.items()):
            if person.id == person_id:
                self._know(digest, replace(person, moderates=True))

    def forget(self, person: int) -> None:
        """Know nothing of somebody any more; their row is gone, or goes."""
        self._by_id.pop(person, None)
        self._names.pop(person, None)
        self._by_digest = {digest: one for digest, one in self._by_digest.items() if one.id != person}

    def _know(self, digest: str, person: Person) -> Person:
        self._by_digest[digest] = self._by_id[person.id] = person
        self._names[person.id] = person.name
        return person


def checked_name(name: str) -> str:
    """The name as it is shown: one line, nothing that is unseen or turns the writing. Raises `NoName`."""
    if len(name) > 10 * MAX_NAME:
        raise NoName
    shown = plain(unicodedata.normalize("NFC", name), 10 * MAX_NAME)
    if not 0 < len(shown) <= MAX_NAME or not any(character.isalnum() for character in shown):
        raise NoName
    return shown


def folded(name: str) -> str:
    """What two names that look alike have in common, so that nobody passes for somebody else."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(character for character in decomposed if character.isalnum())[:128] or name.casefold()
