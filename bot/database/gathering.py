"""Lets what many write at the same moment be one transaction: each one's end waits for the disk.

The first one begins at once; whoever comes meanwhile waits for its end, and is then in the next one together
with all the others. Knows no table.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from typing import Generic, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

MOST = 100  # in one transaction: other writers wait meanwhile

Row = TypeVar("Row")
Told = TypeVar("Told")


class Gathering(Generic[Row, Told]):
    """Live, for one event loop."""

    def __init__(
        self,
        transaction: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
        store: Callable[[AsyncConnection, Sequence[Row]], Awaitable[Sequence[Told]]],
    ) -> None:
        """`store`: writes some, and says of each what there is to say."""
        self._transaction = transaction
        self._store = store
        self._waiting: list[tuple[Row, asyncio.Future[Told]]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, row: Row) -> Told:
        """What there is to say of it, once it is stored. Raises what `store` raises, and `StoreError`."""
        done: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        if self._task is None or self._task.done():
            # It is nobody's of those who wait: it goes on after them.
            self._task = asyncio.create_task(self._run(), context=Context())
        return await done

    async def _run(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            error = await self._write(some)
            if isinstance(error, IntegrityError) and len(some) > 1:  # it is about one of them
                for one in some:
                    _tell([one], await self._write([one]))
            else:
                _tell(some, error)

    async def _write(self, some: list[tuple[Row, asyncio.Future[Told]]]) -> BaseException | None:
        """Store these, and give what that raises: whatever it is, whoever waits must hear of it."""
        (error,) = await asyncio.gather(self._try(some), return_exceptions=True)
        return error

    async def _try(self, some: list[tuple[Row, asyncio.Future[Told]]]) -> None:
        async with self._transaction() as connection:
            told = await self._store(connection, [row for row, _ in some])
        for (_, done), what in zip(some, told, strict=True):
            if not done.done():
                done.set_result(what)


def _tell(some: list[tuple[Row, asyncio.Future[Told]]], error: BaseException | None) -> None:
    for _, done in some:
        if error is not None and not done.done():
            done.set_exception(error)
