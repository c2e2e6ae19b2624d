"""To whom which dream's picture was sent: once, and to nobody too many. Knows no Discord."""

from collections.abc import Callable
from time import time

from sqlalchemy import and_, delete, func, select

from bot.database.connection import Database, put
from bot.database.outbox import Kind, owe
from bot.database.tables import sendings

MOST_AN_HOUR = 20  # pictures to one person
HOUR_S = 3600.0
REFUSAL_S = HOUR_S  # seconds in which whoever takes no messages is sent none


class Sendings:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database, clock: Callable[[], float] = time) -> None:
        self._transaction = database.transaction
        self._clock = clock
        self._refused: dict[int, float] = {}  # who takes no messages → when we found out

    async def claim(self, person: int, dream_id: int) -> bool:
        """Whether this picture is to be sent to this person; then it is owed."""
        now = self._clock()
        if self.refuses(person):
            return False
        self._refused.pop(person, None)
        here = and_(sendings.c.person == person, sendings.c.dream_id == dream_id)
        lately = and_(sendings.c.person == person, sendings.c.at > now - HOUR_S)
        async with self._transaction() as connection:
            if await connection.scalar(select(sendings.c.settled).where(here)):
                return False
            tries = select(func.coalesce(func.sum(sendings.c.tries), 0)).where(lately)
            if (await connection.scalar(tries) or 0) >= MOST_AN_HOUR:
                return False
            row = {"person": person, "dream_id": dream_id, "at": now, "settled": True, "tries": 1}
            await put(connection, sendings, row)
            await owe(connection, Kind.SENDING, dream_id, now=now, person=person)
        return True

    def refuses(self, person: int) -> bool:
        """Whether the person took no messages from us a while ago."""
        return self._refused.get(person, -REFUSAL_S) > self._clock() - REFUSAL_S

    def refused(self, person: int) -> None:
        """The person takes no messages from us: of no dream, for a while."""
        self._refused[person] = self._clock()

    async def forget(self, dream_id: int) -> None:
        """The dream is deleted, and so is who got it."""
        async with self._transaction() as connection:
            await connection.execute(delete(sendings).where(sendings.c.dream_id == dream_id))

    def forget_person(self, person: int) -> None:
        """Know nothing of somebody any more; their rows are gone, or go."""
        self._refused.pop(person, None)
