"""The single worker that drains the line: next dream → engine → events; retries, cancelling, restarts.

Knows the store, the turns and an `Engine`; what happens it tells an `Audience`, and knows not who that is.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from enum import Enum, auto
from time import time
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import StoreError
from bot.database.outbox import OWED
from bot.dreams.dream import (
    Dream,
    DreamState,
    Picture,
    Wish,
    shared,
)
from bot.dreams.store import Admit, Store
from bot.queue.durations import Pace, Paces, Stopwatch
from bot.queue.fair_queue import Turns
from bot.queue.lane import Turn
from bot.queue.limits import (
    NOBODY,
    Asker,
    BannedWords,
    Limits,
)
from engine import (
    BadRequest,
    DreamRequest,
    Event,
    Failed,
    FailureKind,
    Fetching,
    Finished,
    Progress,
    Started,
)
from engine.protocol import Begin
from engine.sentences import Key, Saying
from engine.settings import is_checked

log = logging.getLogger(__name__)

# Of so few pictures a beginning takes the best to start from (of 96 else), that beginnings differ; measured.
BEGINNING_STARTS = 12
MAX_ATTEMPTS = 2  # a dream that ends the engine so often is not tried again
MAX_RESCUES = 5  # nor one over which the bot itself ended so often: it may well be why
POLL_S = 5.0  # seconds between looks for what another process stored, took or left behind, or wants
LOOK_S = 0.5  # seconds between two of those for which the database calls us
HISTORY_S = 6 * 3600.0  # seconds of turns that are remembered over a restart
RETRY_S = 5.0  # seconds to wait while the database cannot be used
STATE_EVERY_S = 15.0  # seconds of a dream that a crash, a restart or a lost lease may cost
TIMELAPSE_BYTES = 8 * 1024 * 1024  # within Discord's upload limit without boosts (10 MiB, 2025-01)
# Other failures would only happen again. STOPPED is here for a stop that nobody asked us for.
_RETRIED = frozenset({FailureKind.CRASH, FailureKind.HANG, FailureKind.STOPPED})
_ENGINE_GONE = frozenset({FailureKind.CRASH, FailureKind.HANG})  # the next one loads its models anew


class Engine(Protocol):
    """What makes the pictures: `engine.process.host.EngineHost`, or a script in tests."""

    def dream(self, request: DreamRequest) -> AsyncGenerator[Event, None]:
        """Events of one dream; the last is exactly one `Finished` or `Failed`."""
        ...

    async def stop(self, id: str) -> None:
        """Ask for the end of this dream at its next step; unknown ids are ignored."""
        ...


class Audience(Protocol):
    """Who is told what happens. Both calls return at once and never raise."""

    def heard(self, dream: Dream, event: Event | None) -> None:
        """The dream as it is now, and the engine's event, if that is what changed it."""
        ...

    def line_moved(self) -> None:
        """Places in line are not what they were."""
        ...


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
        engine: Engine,
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
        self._engine = engine
        self._audience = audience
        self._limits = limits
        self._paces = paces
        self._lease_s = lease_s
        self._preview_every_s = preview_every_s
        self._state_every_s = state_every_s
        self._poll_s = poll_s
        self._retry_s = retry_s
        self._clock = clock
        self._admission = asyncio.Lock()  # of our own, who store one after the other anyway
        self._current: int | None = None  # the dream in hand
        self._stopping = False  # it shall end at its next step
        self._lost = False  # another process has it now
        self._pair = ""  # the models that dreamt last; "": none yet
        self._moves: dict[int, float] = {}  # waiting dream → when it was moved to the front, as far as known
        self._news = asyncio.Event()  # another process changed something
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Rebuild the line from the store and begin. Raises `StoreError`."""
        self._turns.rebuild(await self._store.history(since=self._clock() - HISTORY_S))
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._watch())]

    async def close(self) -> None:
        """Stop; the dream in hand goes back in line, to be dreamt after the restart."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not closed."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    @property
    def checks_pictures(self) -> bool:
        """Whether the models that dreamt last look for what is unsafe: the large ones do, with their CLIP."""
        return is_checked(self._pair)

    def order(self) -> list[Turn]:
        """Everybody in line whose dream may begin, the next one first."""
        return self._turns.order()

    def places(self) -> dict[int, int]:
        """The place of each dream that waits, 1 for the one that comes next."""
        return self._turns.places()

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
        if dream_id == self._current:
            await self._stop()
        return Cancelled.STOPPING

    def look(self, table: str = "") -> None:
        """Another process changed something (in this table): look soon, not only when it is time."""
        if table != OWED:
            self._news.set()

    def waiting(self, guild_id: int | None = None, person: int | None = None) -> int:
        """How many dreams are in line: all, of this server, of this person."""
        return self._turns.waiting(server=guild_id, person=person)

    def order_of(self, guild_id: int) -> list[int]:
        """A server's waiting dreams, its next one first."""
        return [turn.dream_id for turn in self._turns.order_of(guild_id)]

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
        """Make the line what the store says: other processes add dreams, take, move or leave them behind."""
        known = self._turns.dreams()  # before the look: a newer one is no mistake
        line = await self._store.line()
        gone = known - {turn.dream_id for turn, _ in line}
        begun = await self._store.begun(gone) if gone else []
        for dream_id in begun:
            if dream_id in self._turns:
                self._turns.serve(dream_id)  # elsewhere, but it was their turn
        for dream_id in gone:
            self._turns.remove(dream_id)
        new = [
            turn for turn, _ in line if turn.dream_id not in self._turns and turn.dream_id != self._current
        ]
        for turn in new:
            self._turns.put_nowait(turn)
        moved = self._follow_moves({turn.dream_id: at for turn, at in line if at is not None})
        if gone or new or moved:
            self._audience.line_moved()

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
        self._turns.put_nowait(Turn.of(dream))
        log.info("dream %d: queued", dream.id)
        self._audience.heard(dream, None)
        self._audience.line_moved()

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
        """Stop the dream in hand where another process was asked to end it."""
        if self._current is not None and not self._stopping:
            dream = await self._store.get(self._current)
            if dream is not None and dream.id == self._current and dream.cancel_asked:
                await self._stop()

    async def _run(self) -> None:
        while True:
            turn = await self._turns.get()
            self._current, self._stopping, self._lost = turn.dream_id, False, False
            self._audience.line_moved()
            try:
                while await self._take(turn.dream_id):
                    log.info("dream %d: once more", turn.dream_id)
            except StoreError as error:
                log.warning("dream %d: waits, %s", turn.dream_id, error)
                await asyncio.sleep(self._retry_s)
                self._turns.put_back(turn)
            finally:
                self._current = None
                self._audience.line_moved()

    async def _claim(self, dream_id: int) -> Dream | None:
        """Make it ours. If we are stopped meanwhile, it goes back in line now, not when its lease ends."""
        claiming = asyncio.ensure_future(self._store.claim(dream_id, lease_s=self._lease_s))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(StoreError):
                dream = await claiming
                if dream is not None:
                    await self._give_back(dream)
            raise

    async def _take(self, dream_id: int) -> bool:
        """Claim and dream one dream. True when it shall be tried again at once."""
        dream = await self._claim(dream_id)
        if dream is None:
            return False
        if dream.cancel_asked:
            await self._end(dream, DreamState.CANCELLED)
            return False
        if dream.rescues > MAX_RESCUES:
            said = Saying.of(Key.RESCUES, times=dream.rescues)
            await self._end(dream, DreamState.FAILED, event=Failed(str(dream.id), FailureKind.STOPPED, said))
            return False
        self._audience.heard(dream, None)
        holding = asyncio.create_task(self._hold(dream))
        try:
            return await self._dream(dream)
        except asyncio.CancelledError:
            # Shielded: the release must reach the database although this task is being cancelled.
            with suppress(StoreError):  # else its lease ends by itself
                await asyncio.shield(self._give_back(dream))
            raise
        except StoreError:
            raise
        except Exception:
            # Whatever a single dream runs into, the others in line must be dreamt.
            log.exception("dream %d: a fault of ours", dream.id)
            failed = Failed(str(dream.id), FailureKind.INTERNAL)
            await self._end(dream, DreamState.FAILED, event=failed)
            return False
        finally:
            holding.cancel()

    async def _request(self, dream: Dream) -> DreamRequest:
        """What the engine shall do: go on where the dream was interrupted, else begin as it was wished.

        Raises `BadRequest` when the dream at whose end it would begin is gone, and when moderators banned
        its words while it waited.
        """
        try:
            self._limits.check_words(dream.guild_id, dream.prompt, dream.avoid)
        except BannedWords as error:
            raise BadRequest(Key.BANNED_SINCE) from error
        begin: Begin = dream.begin
        other: bytes | None = None
        state = await self._store.state(dream.id)
        if state is not None:
            begin = "resume"
        elif begin != "new":
            state = await self._state_of(dream.parent_id)
            other = await self._state_of(dream.other_id) if begin == "blend" else None
        return replace(
            DreamRequest(id=str(dream.id), **shared(dream, Wish, DreamRequest)),
            image=None if dream.image_id is None else await self._store.image(dream.image_id),
            begin=begin,
            state=state,
            other_state=other,
            preview_every_s=self._preview_every_s,
            state_every_s=self._state_every_s,
            timelapse_bytes=0 if dream.candidate else TIMELAPSE_BYTES,
            settings={"candidates": BEGINNING_STARTS} if dream.candidate else {},
        )

    async def _state_of(self, dream_id: int | None) -> bytes:
        state = None if dream_id is None else await self._store.state(dream_id)
        if state is None:
            raise BadRequest(Key.PARENT_GONE)
        return state

    async def _dream(self, dream: Dream) -> bool:
        try:
            request = await self._request(dream)
        except BadRequest as error:
            await self._end(dream, DreamState.FAILED, event=Failed(str(dream.id), error.kind, error.said))
            return False
        stopwatch = Stopwatch()
        best: Progress | None = None  # of those with a picture
        event: Event | None = None
        unsafe = False  # a frame on the way, perhaps not the end
        async with aclosing(self._engine.dream(request)) as events:
            async for event in events:
                if isinstance(event, Fetching):
                    stopwatch.fetching()
                elif isinstance(event, Started):
                    self._pair = event.model
                    stopwatch.loaded()
                    self._engine_has_models(True)
                    dream = await self._noted(dream, event.notice)
                    if self._stopping or self._lost:  # asked before the engine knew this dream
                        await self._engine.stop(request.id)
                elif isinstance(event, Progress):
                    stopwatch.see(event)
                    unsafe = unsafe or bool(event.flagged)
                    if self._paces is not None:
                        self._paces.glimpse(stopwatch.pace(dream, event.steps))
                    if event.picture and (best is None or event.score >= best.score):
                        best = event
                    if event.state is not None:
                        await self._keep_state(dream, event.state)
                if not isinstance(event, Finished | Failed):
                    self._audience.heard(dream, event)
        if isinstance(event, Failed) and event.kind in _ENGINE_GONE:
            self._engine_has_models(False)
        if self._lost:
            log.warning("dream %d: another process has it now", dream.id)
            return False
        preview = Picture(best.picture, "jpg") if best and best.picture else None
        flagged = best.flagged if best else ""
        if isinstance(event, Finished):
            if event.stopped and not self._stopping:  # by a signal to the engine, not by us
                return await self._give_back(dream, refund=False)
            state = DreamState.CANCELLED if event.stopped else DreamState.DONE
            if request.begin != "resume" and not event.stopped:
                await self._measured(stopwatch.pace(dream, event.recipe.steps))
            final = Picture(event.picture, "png")
            await self._end(dream, state, event=event, picture=final, flagged=event.flagged, unsafe=unsafe)
        elif self._stopping:
            await self._end(dream, DreamState.CANCELLED, picture=preview, flagged=flagged)
        elif isinstance(event, Failed):
            log.warning("dream %d: attempt %d failed: %s", dream.id, dream.attempts, event)
            if request.begin == "resume" and event.kind not in _RETRIED:
                await self._store.drop_state(dream.id)  # e.g. an older version's; it begins anew
                return await self._give_back(dream)
            if event.kind in _RETRIED and dream.attempts - dream.rescues < MAX_ATTEMPTS:
                return await self._give_back(dream, refund=False)
            await self._end(dream, DreamState.FAILED, event=event, picture=preview, flagged=flagged)
        else:
            raise RuntimeError(f"The engine ended dream {dream.id} without a word.")
        return False

    async def _end(
        self,
        dream: Dream,
        state: DreamState,
        *,
        event: Finished | Failed | None = None,
        picture: Picture | None = None,
        flagged: str = "",
        unsafe: bool = False,
    ) -> None:
        """Store how the dream ended, however long the database takes, and tell it.

        `unsafe`: the check found something on the way. Who may see a dream's end may see its time-lapse, so
        one that shows more than the end does is not kept.
        """
        finished = event if isinstance(event, Finished) else None
        while True:
            try:
                if finished and not flagged and (unsafe or await self._store.found_at_beginning(dream)):
                    finished = replace(finished, timelapse=None)
                ended = await self._store.finish(
                    dream.id,
                    state,
                    finished=finished,
                    failure=event if isinstance(event, Failed) else None,
                    picture=picture,
                    flagged=flagged,
                )
                break
            except StoreError as error:
                log.warning("dream %d: its end cannot be stored yet: %s", dream.id, error)
                await asyncio.sleep(self._retry_s)
        if ended is not None:  # None: another process took it over meanwhile
            log.info("dream %d: %s", dream.id, state.value)
            self._audience.heard(ended, event)
            if ended.chapter is not None and state is DreamState.DONE:
                await self._turn_the_page(ended)

    async def _turn_the_page(self, ended: Dream) -> None:
        """Put the story's next chapter in line."""
        try:
            chapter = await self._store.next_chapter(ended.id)
        except StoreError as error:
            log.warning("dream %d: its next chapter joins the line later: %s", ended.id, error)
            return  # `refresh` finds it
        if chapter is not None:
            self.join(chapter)

    async def _keep_state(self, dream: Dream, state: bytes) -> None:
        try:
            await self._store.keep_state(dream.id, state)
        except StoreError as error:
            log.warning("dream %d: its state cannot be kept just now: %s", dream.id, error)

    def _engine_has_models(self, has_models: bool) -> None:
        if self._paces is not None:
            self._paces.loaded(has_models)

    async def _measured(self, pace: Pace | None) -> None:
        if pace is not None and self._paces is not None:
            try:
                await self._paces.keep(pace)
            except StoreError as error:
                log.warning("A dream's pace cannot be kept: %s", error)

    async def _noted(self, dream: Dream, said: Saying) -> Dream:
        if not said:
            return dream
        try:
            await self._store.set_notice(dream.id, said)
        except StoreError as error:
            log.warning("dream %d: its notice cannot be stored: %s", dream.id, error)
        return replace(dream, notice=said.to_json())

    async def _give_back(self, dream: Dream, *, refund: bool = True) -> bool:
        """Put our dream back in line. True if it was ours."""
        released = await self._store.release(dream.id, refund=refund)
        if released is not None:
            self._audience.heard(released, None)
        return released is not None

    async def _hold(self, dream: Dream) -> None:
        """Renew the lease while we dream; notice its loss, and a wish to cancel from another process."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            try:
                held = await self._store.renew(dream.id, lease_s=self._lease_s)
            except StoreError as error:
                log.warning("dream %d: its lease cannot be renewed yet: %s", dream.id, error)
                continue
            if held is None:
                self._lost = True
                await self._engine.stop(str(dream.id))
                return
            if held.cancel_asked and not self._stopping:
                await self._stop()

    async def _stop(self) -> None:
        self._stopping = True
        await self._engine.stop(str(self._current))
