"""Shows what is owed (`bot.database.outbox`): claims what is due, has it shown, and tries again what was not.

Whoever shows a kind of message registers for it in `handlers`. What is overtaken within seconds is not owed:
a frame gives way to the next one, a place in line to the next place, a number of votes to the next number
(`bot.chat.messages.pacing`). A dream's end, which stays, is.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from math import inf

from bot.background import BackgroundLoop, growing_pause_s
from bot.database.connection import StoreError
from bot.database.outbox import LEASE_S, OWED, Key, Kind, OutboxStore, Owed

log = logging.getLogger(__name__)

RETRY_S = 5.0  # seconds before something is tried again that Discord or the network would not take
POLL_S = 10.0  # seconds between looks for what other processes owe
MOST = 100  # rows that are in hand at once; each waits for its channel's turn
FAREWELL_S = 3.0  # seconds for what is in hand when the bot stops
WORTH_S = 3 * 24 * 3600.0  # seconds after which what nobody takes is given up
DENIALS = 6  # tries before Discord is believed that something is not there, or not for us
FAULTS = 10  # tries after which a fault of ours is given up


class Later(Exception):
    """It cannot be shown just now, and is worth another try."""

    def __init__(self, why: str, *, pause_s: float | None = None, most_s: float = inf) -> None:
        """`pause_s`: seconds before that; None: more from try to try, but `most_s` at most."""
        super().__init__(why)
        self.pause_s = pause_s
        self.most_s = most_s


def believe(owed: Owed, why: str) -> None:
    """What it is about is not there or not for us, says Discord, which errs in its bad hours.

    Raises `Later` until it was asked often enough.
    """
    if owed.tries < DENIALS:
        raise Later(why)


class NotDue(Exception):
    """Nothing is to be done before a time, unless it is written anew."""

    def __init__(self, at: float) -> None:
        """`at`: seconds since 1970."""
        super().__init__(f"not due before {at}")
        self.at = at


class Hopeless(Exception):
    """It can never be shown."""


Handler = Callable[[Owed], Awaitable[None]]  # shows it, or finds that it is overtaken; raises these


class Outbox(BackgroundLoop):
    """Live: `start` when the client can send, `close` before those who show. `wake` it when more is owed."""

    def __init__(self, *, store: OutboxStore, retry_s: float = RETRY_S) -> None:
        super().__init__(retry_s=retry_s)
        self._store = store
        self.handlers: dict[str, Handler] = {}  # by kind
        self._in_hand: dict[Key, asyncio.Task[None]] = {}
        self._held: dict[Key, Owed] = {}  # as `_in_hand`
        self._renewed_at = 0.0  # by the loop's clock

    async def owe(self, kind: Kind, *subjects: int) -> None:
        """See `OutboxStore.owe`."""
        await self._store.owe(kind, *subjects)
        self.wake()

    async def owe_in_turn(self, kind: Kind, subjects: Collection[int]) -> None:
        """See `OutboxStore.owe_in_turn`."""
        if subjects:
            await self._store.owe_in_turn(kind, subjects)
            self.wake()

    async def adopt(self, kind: Kind, *subjects: int) -> None:
        """See `OutboxStore.adopt`."""
        if subjects:
            await self._store.adopt(kind, *subjects)
            self.wake()

    def heard(self, table: str) -> None:
        """For `bot.database.news.News`: another process changed something in this table ("": in any)."""
        if table in ("", OWED):
            self.wake()

    async def close(self) -> None:
        """Show what is in hand, if that is quick; the rest is for other processes, or for the next one."""
        if self._task is None:
            return
        await super().close()
        with suppress(StoreError):
            await self._look()  # what came to its end just now
        if self._in_hand:
            await asyncio.wait(self._in_hand.values(), timeout=FAREWELL_S)
        left = list(self._in_hand.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        with suppress(StoreError):  # else its lease ends by itself
            await self._store.release()

    async def _look(self) -> float:
        now = asyncio.get_running_loop().time()
        if self._held and now >= self._renewed_at + LEASE_S / 3:
            await self._store.renew(list(self._held.values()))
            self._renewed_at = now
        room = MOST - len(self._in_hand)
        if room <= 0:
            return POLL_S
        claimed, next_at = await self._store.claim(list(self.handlers), but=set(self._in_hand), most=room)
        if not self._held:
            self._renewed_at = now
        for owed in claimed:
            self._held[owed.key] = owed
            self._in_hand[owed.key] = asyncio.create_task(self._handle(owed))
        rest_s = POLL_S if next_at is None else next_at - self._store.clock()
        return min(max(rest_s, 0.0), POLL_S)

    async def _handle(self, owed: Owed) -> None:
        try:
            until, tries = await self._tried(owed)
            while True:
                try:
                    if until is None:
                        await self._store.settle(owed)
                    else:
                        await self._store.put_off(owed, until=until, tries=tries)
                    return
                except StoreError as error:
                    log.warning("%s %d: not noted yet, %s", owed.key.kind, owed.subject, error)
                    await asyncio.sleep(self._retry_s)
        finally:
            del self._in_hand[owed.key], self._held[owed.key]
            self.wake()

    async def _tried(self, owed: Owed) -> tuple[float | None, int]:
        """Try to show it. Gives when to try again (seconds since 1970; None: never), and the tries so far."""
        kind, now = owed.key.kind, self._store.clock()
        try:
            await self.handlers[kind](owed)
            return None, owed.tries
        except NotDue as error:
            return error.at, 0
        except Hopeless as error:
            log.warning("%s %d: given up, %s", kind, owed.subject, error)
            return None, owed.tries
        except (Later, StoreError) as error:
            later = error if isinstance(error, Later) else Later(str(error))
            hopeless = now > owed.since + WORTH_S
        except Exception as error:
            # A fault with one must not keep the others in.
            log.exception("%s %d: a fault of ours", kind, owed.subject)
            later = Later(repr(error))
            hopeless = owed.tries >= FAULTS
        if hopeless:
            log.warning("%s %d: given up after %d tries, %s", kind, owed.subject, owed.tries, later)
            return None, owed.tries
        pause_s = later.pause_s
        if pause_s is None:
            pause_s = min(growing_pause_s(self._retry_s, owed.tries), later.most_s)
        log.info("%s %d: tried again in %.0f s (try %d): %s", kind, owed.subject, pause_s, owed.tries, later)
        return self._store.clock() + pause_s, owed.tries
