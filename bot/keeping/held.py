"""How much is stored of a person, counted. Knows no Discord."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select

from bot.database.connection import Database
from bot.database.tables import (
    bans,
    dreams,
    entries,
    pictures,
    preferences,
    privacy,
    reports,
    sendings,
    states,
    timelapses,
    votes,
)
from bot.dreams.store import OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How much is stored of a person."""

    dreams: int
    unfinished: int  # of them: they wait or are being dreamt
    pictures: int
    films: int
    states: int
    image_prompts: int
    votes: int
    entries: int  # in contests
    reports: int
    sendings: int  # pictures that were sent to them
    has_preferences: bool
    has_wall_choice: bool
    bans: int  # servers whose moderators keep them from dreaming


class Holdings:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database) -> None:
        self._transaction = database.transaction

    async def of(self, person: int) -> Held:
        """What is stored of somebody, counted."""
        theirs = and_(dreams.c.author_id == person, dreams.c.erased.is_(False))
        own = select(dreams.c.id).where(theirs)

        def left(table: Any) -> Select[Any]:
            return select(func.count()).select_from(table).where(table.c.dream_id.in_(own))

        def by(column: Any) -> Select[Any]:
            return select(func.count()).where(column == person)

        asked = {
            "dreams": select(func.count()).where(theirs),
            "unfinished": select(func.count()).where(theirs, dreams.c.state.not_in(OVER)),
            "pictures": left(pictures),
            "films": left(timelapses),
            "states": left(states),
            "image_prompts": select(func.count(dreams.c.image_id.distinct())).where(theirs),
            "votes": select(func.count(votes.c.dream_id.distinct())).where(votes.c.person == person),
            "entries": by(entries.c.person),
            "reports": by(reports.c.person),
            "sendings": by(sendings.c.person),
            "has_preferences": by(preferences.c.person),
            "has_wall_choice": by(privacy.c.person),
            "bans": by(bans.c.person),
        }
        async with self._transaction() as connection:
            found: dict[str, Any] = {
                name: await connection.scalar(query) or 0 for name, query in asked.items()
            }
        has = {name: bool(found.pop(name)) for name in list(found) if name.startswith("has_")}
        return Held(**found, **has)
