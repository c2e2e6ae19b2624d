"""What each person allows the public wall: to show their dreams, and under which name. Knows no Discord."""

import unicodedata
from dataclasses import asdict, dataclass, replace

from sqlalchemy import delete, select

from bot.database.connection import Database, put
from bot.database.tables import new_slug, privacy
from bot.dreams.dream import tidy

MAX_NAME = 40  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What one person allows. The defaults are those of somebody who never said anything."""

    wall: bool = True  # their dreams may hang there, where the server's moderators opted in
    name: str = ""  # beside their dreams, of their own choice; "": nobody's
    page: str | None = None  # the slug of the page with all their dreams; None without a name


USUAL = Privacy()


class PrivacyChoices:
    """Everybody's. Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def of(self, person: int) -> Privacy:
        columns = (privacy.c.wall, privacy.c.name, privacy.c.page)
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(*columns).where(privacy.c.person == person))).first()
        return USUAL if row is None else Privacy(**row._mapping)

    async def choose(self, person: int, *, wall: bool | None = None, name: str | None = None) -> Privacy:
        """Change what is given, for all dreams of this person, old ones too. Gives what holds now.

        `name`: "" for none. A new name has a new page, so that nobody finds out who had the old one.
        """
        chosen = await self.of(person)
        if wall is not None:
            chosen = replace(chosen, wall=wall)
        if name is not None and name_of(name) != chosen.name:
            chosen = replace(chosen, name=name_of(name), page=new_slug() if name_of(name) else None)
        async with self._database.transaction() as connection:
            if chosen == USUAL:
                await connection.execute(delete(privacy).where(privacy.c.person == person))
            else:
                await put(connection, privacy, {"person": person} | asdict(chosen))
        return chosen


def name_of(text: str) -> str:
    """A name as it is shown: one line, without marks that turn or hide what stands beside it."""
    plain = "".join(c for c in tidy(text) if unicodedata.category(c) not in ("Cf", "Co", "Cn"))
    return " ".join(plain.split())[:MAX_NAME].strip()
