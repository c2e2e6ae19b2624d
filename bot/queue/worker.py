"""The line and its workers: asking, cancelling, moving to the front, places; what other processes change.

What the worker coroutine of each engine does is `bot.queue.engine_worker`'s.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from time import time

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import StoreError
from bot.database.outbox import OWED
from bot.dreams.dream import Dream, DreamState, Wish
from bot.dreams.store import Admit, Store
from bot.queue.durations import Occupancy, Paces
from bot.queue.engine_worker import Audience, Crew, Engine, EngineWorker
from bot.queue.fair_queue import PART, Turns
from bot.queue.lane import Turn
from bot.queue.limits import NOBODY, Asker, Limits
from engine.settings import is_checked

log = logging.getLogger(__name__)

POLL_S = 5.0  # seconds between looks for what another process stored, took or left behind, or wants
LOOK_S = 0.5  # seconds between two of those for which the database calls us
HISTORY_S = 6 * 3600.0  # seconds of turns that are remembered over a restart
RETRY_S = 5.0  # seconds to wait while the database cannot be used
STATE_EVERY_S = 15.0  # seconds of a dream that a crash, a restart or a lost lease may cost


class Cancelled(Enum):
    """What came of a wish to cancel."""

    WITHDRAWN = auto()  # it waited; now it is out of the line
    STOPPING = auto()  # it is being dreamt and ends at its next step
    OVER = auto()  # it had ended already, or there is no such dream


class Worker:
    """Live: `start`, then `submit` and `cancel` from anywhere on the loop, `close` last."""

    def __init__(
        self,
        *,
        store: Store,
        turns: Turns,
        engines: Sequence[Engine],
        audience: Audience,
        limits: Limits,
        lease_s: float,
        preview_every_s: float,
        paces: Paces | None = None,
        state_every_s: float = STATE_EVERY_S,
        poll_s: float = POLL_S,
        retry_s: float = RETRY_S,
        clock: Callable[[], float] = time,
    ) -> None:
        self._store = store
        self._turns = turns
        self._audience = audience
        self._limits = limits
        self._poll_s = poll_s
        self._clock = clock
        self._crew = Crew(
            store=store,
            turns=turns,
            audience=audience,
            limits=limits,
            paces=paces,
            lease_s=lease_s,
            preview_every_s=preview_every_s,
            state_every_s=state_every_s,
            retry_s=retry_s,
        )
        self._workers = self._crew.workers
        self._admission = asyncio.Lock()  # of our own, who store one after the other anyway
        self._moves: dict[int, float] = {}  # waiting dream → when it was moved to the front, as far as known
        self._dreamt_elsewhere: list[Dream] = []  # by other processes, where shards are spread over some
        self._news = asyncio.Event()  # another process changed something
        self._watching: asyncio.Task[None] | None = None  # while it runs
        self._at_work: dict[EngineWorker, asyncio.Task[None]] = {}
        for engine in engines:
            self.hire(engine)

    async def start(self) -> None:
        """Rebuild the line from the store and begin. Raises `StoreError`."""
        await self._turns.rebuild(await self._store.history(since=self._clock() - HISTORY_S))
        self._watching = asyncio.create_task(self._watch())
        for worker in self._workers:
            self._begin(worker)

    async def close(self) -> None:
        """Stop; the dreams in hand go back in line, to be dreamt after the restart."""
        tasks = self._tasks()
        self._watching = None
        self._at_work.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not closed."""
        return self._watching is not None and not any(task.done() for task in self._tasks())

    # ------------------------------------------------ engines that come and go

    def hire(self, engine: Engine) -> None:
        """From now on this engine dreams, too."""
        worker = EngineWorker(self._crew, engine)
        self._workers.append(worker)
        if self._watching is not None:
            self._begin(worker)
            self._audience.line_moved()

    def dismiss(self, engine: Engine) -> None:
        """This engine is gone. A dream that it has in hand is told so by the engine itself."""
        worker = next((one for one in self._workers if one.slot.engine is engine), None)
        if worker is None:
            return
        worker.slot.is_gone = True
        if worker.hand is None:
            self._leave(worker)

    def _begin(self, worker: EngineWorker) -> None:
        task = self._at_work[worker] = asyncio.create_task(worker.run())
        task.add_done_callback(lambda _: self._leave(worker) if worker.slot.is_gone else None)

    def _leave(self, worker: EngineWorker) -> None:
        """Be one fewer. Its engine is gone, and it has no dream."""
        if worker in self._workers:
            self._workers.remove(worker)
            self._audience.line_moved()
        if (task := self._at_work.pop(worker, None)) is not None:
            task.cancel()

    def _tasks(self) -> list[asyncio.Task[None]]:
        watching = [] if self._watching is None else [self._watching]
        return [*watching, *self._at_work.values()]

    @property
    def checks_pictures(self) -> bool:
        """Whether the models that dreamt last look for what is unsafe: the large ones do, with their CLIP."""
        pairs = {worker.slot.pair for worker in self._workers} - {""}
        return bool(pairs) and all(map(is_checked, pairs))

    def occupancies(self) -> list[Occupancy]:
        """What each engine is occupied with, but for those that cannot dream just now."""
        return [worker.occupancy() for worker in self._workers if not worker.is_resting]

    def occupancies_everywhere(self) -> list[Occupancy]:
        """As `occupancies`, with the engines of other processes, where shards are spread over some.

        Of those the ones that dream, as far as the last look tells: while anybody waits they all do.
        """
        theirs = [Occupancy(dream, is_loaded=True) for dream in self._dreamt_elsewhere]
        return self.occupancies() + theirs

    @property
    def engines(self) -> int:
        """How many engines there are."""
        return len(self._workers)

    def order(self) -> list[Turn]:
        """Everybody in line whose dream may begin, the next one first."""
        return self._turns.order()

    def place(self, dream_id: int) -> int | None:
        """One dream's place; None: it does not wait, or may not begin."""
        return self._turns.place(dream_id)

    async def check(self, wishes: Sequence[Wish], asker: Asker, *, dreams: int | None = None) -> list[Wish]:
        """The wishes as they may be dreamt now; asked before a picture is fetched for the first one, too.

        `dreams`: how many come of them in all, if not one each. Raises as `submit` does.
        """
        count = len(wishes) if dreams is None else dreams
        allowed = await self._allowed(wishes, asker)
        await self._limits.check_room(allowed[0], asker, dreams=count)
        return allowed

    async def submit(self, wish: Wish, asker: Asker = NOBODY, *, image: bytes | None = None) -> Dream:
        """Store a wish and put it in line. `image`: its image prompt, a picture file.

        Raises a kind of `Refused`, `AlreadyStored`, `StoreError`.
        """
        return (await self.submit_story([wish], asker, image=image))[0]

    async def submit_story(
        self, wishes: Sequence[Wish], asker: Asker = NOBODY, *, image: bytes | None = None
    ) -> list[Dream]:
        """Store dreams that each begin where the one before ends; the first one joins the line now.

        Raises as `submit` does.
        """
        allowed = await self._allowed(wishes, asker)
        admit = self._admitting(allowed[0], asker, len(allowed))
        async with self._admission:
            stored = await self._store.add_story(allowed, image=image, admit=admit)
            self.join(stored[0])
        return stored

    async def submit_several(
        self, wish: Wish, asker: Asker, keep: Callable[[Wish, Admit], Awaitable[list[Dream]]], *, dreams: int
    ) -> list[Dream]:
        """Check one wish, let `keep` store the dreams that come of it, and put them in line.

        `keep` is given what it must ask first in its transaction. `dreams`: how many come of it in all, later
        ones included. Raises as `submit` does, and what `keep` raises.
        """
        (allowed,) = await self._allowed([wish], asker)
        async with self._admission:
            stored = await keep(allowed, self._admitting(allowed, asker, dreams))
            for dream in stored:
                self.join(dream)
        return stored

    async def _allowed(self, wishes: Sequence[Wish], asker: Asker) -> list[Wish]:
        return [await self._limits.allow(wish, asker) for wish in wishes]

    def _admitting(self, wish: Wish, asker: Asker, dreams: int) -> Admit:
        """For a wish and what comes of it, which are of one person and place."""

        async def admit(connection: AsyncConnection) -> None:
            await self._limits.admit(connection, wish, asker, dreams=dreams)

        return admit

    async def cancel(self, dream_id: int, *, by: int | None = None) -> Cancelled:
        """End a dream, waiting or running, and keep its best picture so far. Raises `StoreError`.

        `by`: who wants that, where it is a person.
        """
        dream = await self._store.cancel_queued(dream_id, by=by)
        if dream is not None:
            self._turns.remove(dream_id)
            log.info("dream %d: cancelled while it waited", dream_id)
            self._audience.heard(dream, None)
            self._audience.line_moved()
            return Cancelled.WITHDRAWN
        if await self._store.ask_cancel(dream_id, by=by) is None:
            return Cancelled.OVER
        if (holder := self._crew.holder(dream_id)) is not None:
            await holder.stop()
        return Cancelled.STOPPING

    def look(self, table: str = "") -> None:
        """Another process changed something (in this table): look soon, not only when it is time."""
        if table != OWED:
            self._news.set()

    def waiting(self, guild_id: int | None = None, person: int | None = None) -> int:
        """How many dreams are in line: all, of this server, of this person."""
        return self._turns.waiting(server=guild_id, person=person)

    def elsewhere(self, guild_id: int) -> int:
        """How many dreams may begin that are not of this server."""
        here = 0 if self._turns.is_held(guild_id) else self._turns.waiting(server=guild_id)
        return self._turns.qsize() - here

    def order_of(self, guild_id: int, most: int | None = None) -> list[int]:
        """A server's waiting dreams (or the first so many), its next one first."""
        return [turn.dream_id for turn in self._turns.order_of(guild_id, most)]

    async def clear(self, guild_id: int, person: int | None = None, *, by: int | None = None) -> int:
        """Withdraw a server's waiting dreams (of this person). Gives their number. Raises `StoreError`."""
        waiting = await self._store.in_server(guild_id, (DreamState.QUEUED,))
        theirs = [dream.id for dream in waiting if person in (None, dream.author_id)]
        outcomes = [await self.cancel(dream_id, by=by) for dream_id in theirs]
        return outcomes.count(Cancelled.WITHDRAWN)

    async def move_to_front(self, dream_id: int) -> bool:
        """Make a waiting dream its server's next one. True if it waits. Raises `StoreError`."""
        if await self._store.move_to_front(dream_id) is None:
            return False
        self._turns.move_to_front(dream_id)
        self._audience.line_moved()
        return True

    def hold(self, guild_id: int, held: bool) -> None:
        """Let no dream of this server begin, or let them begin again."""
        if held == self._turns.is_held(guild_id):
            return
        if held:
            self._turns.hold(guild_id)
        else:
            self._turns.release(guild_id)
        self._audience.line_moved()

    async def refresh(self) -> None:
        """Make the line what the store says: other processes add dreams, take, move or leave them behind.

        A line may be long: only those parts of it are read in which something is otherwise than here.
        """
        before = self._turns.sums()
        stored = await self._store.line_sums()
        parts = {part for part in before.keys() | stored.keys() if before.get(part) != stored.get(part)}
        changed = False
        for part in sorted(parts):
            changed = await self._refresh_part(part) or changed
        moved = self._follow_moves(await self._store.moves())
        if not self._store.shards.are_all:
            before_that, self._dreamt_elsewhere = self._dreamt_elsewhere, await self._store.dreamt_elsewhere()
            moved = moved or before_that != self._dreamt_elsewhere
        if changed or moved:
            self._audience.line_moved()

    async def _refresh_part(self, part: int) -> bool:
        """Whether that changed something."""
        known = self._turns.in_part(part)  # before the look: a newer one is no mistake
        line = await self._store.line(part * PART, (part + 1) * PART)
        gone = known - {turn.dream_id for turn in line}
        for dream_id in await self._store.begun(gone) if gone else ():
            if dream_id in self._turns:
                self._turns.serve(dream_id)  # elsewhere, but it was their turn
        for dream_id in gone:
            self._turns.remove(dream_id)
        ours = self._crew.in_hand()
        new = [turn for turn in line if turn.dream_id not in self._turns and turn.dream_id not in ours]
        for turn in new:
            self._turns.put_nowait(turn)
        if new and not self._store.shards.are_all:
            # Another process gave it back or began its next chapter, and its place is ours to show.
            for dream in await self._store.queued([turn.dream_id for turn in new]):
                self._audience.heard(dream, None)
        return bool(gone or new)

    def _follow_moves(self, moves: dict[int, float]) -> bool:
        """Bring those in the order to the front in which they were moved there. Whether that changed."""
        if moves == self._moves:
            return False
        self._moves = moves
        for dream_id in sorted(moves, key=lambda dream_id: moves[dream_id]):
            self._turns.move_to_front(dream_id)
        return True

    def join(self, dream: Dream) -> None:
        """Put a stored dream in line; its place in line is its author's next one."""
        self._crew.join(dream)

    # ------------------------------------------------------------------ tasks

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, self._poll_s))
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._poll_s - LOOK_S)):
                    await self._news.wait()
            self._news.clear()
            try:
                await self._limits.refresh()
                await self.refresh()
                await self._hear_cancel()
            except StoreError as error:
                log.warning("The line cannot be read again just now: %s", error)

    async def _hear_cancel(self) -> None:
        """Stop the dreams in hand that another process was asked to end."""
        for worker in self._workers:
            hand = worker.hand
            if hand is not None and not hand.is_stopping:
                dream = await self._store.get(hand.dream_id)
                if dream is not None and dream.cancel_asked and worker.hand is hand:
                    await worker.stop()
