"""What only one of several processes does at a time: it takes the chore for a while, and renews that."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import time
from typing import ClassVar

from sqlalchemy import and_, delete, insert, or_, update
from sqlalchemy.exc import IntegrityError

from bot.background import BackgroundLoop
from bot.database.connection import Database, StoreError
from bot.database.tables import chores

LEASE_S = 60.0  # seconds after which another process may take over from a loop
PACE_S = 0.05  # seconds between two bites, for whoever else writes
RETRY_S = 30.0


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


class Overtaken(Exception):
    """Another process has the chore: we were away for too long."""


class ChoreLoop(BackgroundLoop):
    """Live. A chore that is done bite by bite; another process goes on where this one stops or vanishes."""

    chore: ClassVar[str]  # its name

    def __init__(
        self,
        *,
        database: Database,
        owner: str,
        clock: Callable[[], float] = time,
        pace_s: float = PACE_S,
    ) -> None:
        """`owner`, `clock`: as of `Chores`; `pace_s`: seconds between two bites."""
        super().__init__(retry_s=RETRY_S)
        self._database = database
        self._chores = Chores(database=database, owner=owner, clock=clock)
        self._clock = clock
        self._pace_s = pace_s
        self._ours_until = 0.0  # when our lease ends

    async def close(self) -> None:
        """Stop; another process may go on at once."""
        await super().close()
        with suppress(StoreError):
            await self._chores.leave(self.chore)

    async def _is_ours(self) -> bool:
        """Whether nobody else does it, for as long as a lease holds."""
        now = self._clock()
        if not await self._chores.take(self.chore, for_s=LEASE_S):
            return False
        self._ours_until = now + LEASE_S
        return True

    async def _rest(self) -> None:
        """Between two bites. Raises `Overtaken`, `StoreError`."""
        await asyncio.sleep(self._pace_s)
        if self._clock() < self._ours_until - LEASE_S / 2:
            return
        if not await self._is_ours():
            raise Overtaken
