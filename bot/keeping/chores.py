"""What only one of several processes does at a time: it takes the chore for a while, and renews that."""

from collections.abc import Callable
from time import time

from sqlalchemy import and_, delete, insert, or_, update
from sqlalchemy.exc import IntegrityError

from bot.database.connection import Database
from bot.database.tables import chores


class Chores:
    """Every method is one transaction and raises `StoreError`."""

    def __init__(self, *, database: Database, owner: str, clock: Callable[[], float] = time) -> None:
        """`owner`: this process's own name; `clock`: seconds since 1970."""
        self._transaction = database.transaction
        self._owner = owner
        self._clock = clock

    async def take(self, name: str, *, for_s: float) -> bool:
        """Whether this chore is ours for the next `for_s` seconds: nobody else has it, or not any more."""
        now = self._clock()
        free = or_(chores.c.owner == self._owner, chores.c.until < now)
        mine = {"owner": self._owner, "until": now + for_s}
        take = update(chores).where(chores.c.name == name, free).values(mine)
        try:
            async with self._transaction() as connection:
                if (await connection.execute(take)).rowcount:
                    return True
                await connection.execute(insert(chores).values(mine | {"name": name}))
        except IntegrityError:  # somebody has it
            return False
        return True

    async def leave(self, name: str) -> None:
        """Whoever comes next may take it at once, if it is ours."""
        mine = and_(chores.c.name == name, chores.c.owner == self._owner)
        async with self._transaction() as connection:
            await connection.execute(delete(chores).where(mine))
