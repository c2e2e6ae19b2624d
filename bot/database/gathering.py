"""Lets what many write at the same moment be one transaction: each one's end waits for the disk.

The first one begins at once; whoever comes meanwhile waits for its end, and is then in the next one together
with all the others. Knows no table.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

MOST = 50  # in one transaction: other writers wait meanwhile

_Work = Callable[[AsyncConnection], Awaitable[Any]]
_Waiting = tuple[_Work, "asyncio.Future[Any]"]


class Gathering:
    """Live, for one event loop."""

    def __init__(self, transaction: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> None:
        self._transaction = transaction
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, work: _Work) -> Any:
        """What `work` gives, once it is stored. Raises what it raises, and `StoreError`.

        It may be called once more: when the work of somebody else in the same transaction failed.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._task is None or self._task.done():
            # It is nobody's of those who wait: it goes on after them.
            self._task = asyncio.create_task(self._run(), context=Context())
        return await done

    async def _run(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            some = [one for one in some if not one[1].cancelled()]
            error = await self._failed(some)
            if isinstance(error, IntegrityError) and len(some) > 1:  # it is about a row of one of them
                for one in some:
                    _tell([one], await self._failed([one]))
            else:
                _tell(some, error)

    async def _failed(self, some: list[_Waiting]) -> BaseException | None:
        """Store this, and give what it raises: whatever that is, whoever waits must hear of it."""
        (error,) = await asyncio.gather(self._store(some), return_exceptions=True)
        return error

    async def _store(self, some: list[_Waiting]) -> None:
        async with self._transaction() as connection:
            given = [await work(connection) for work, _ in some]
        for (_, done), value in zip(some, given, strict=True):
            if not done.done():
                done.set_result(value)


def _tell(some: list[_Waiting], error: BaseException | None) -> None:
    for _, done in some:
        if error is not None and not done.done():
            done.set_exception(error)
