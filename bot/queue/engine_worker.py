"""One engine's worker coroutine: next dream → engine → events; retries, restarts, a lease that is kept.

Where there are several engines, each has one: whichever is free takes the next fair dream. What one of them
meets hinders no other, and an engine that fails before its first step leaves the line to the others for a
while.

Knows the store, the turns and an `Engine`; what happens it tells an `Audience`, and knows not who that is.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.database.connection import StoreError
from bot.dreams.dream import (
    Dream,
    DreamState,
    Picture,
    Wish,
    shared,
)
from bot.dreams.store import Store
from bot.queue.durations import Occupancy, Pace, Paces, Stopwatch
from bot.queue.fair_queue import Turns
from bot.queue.lane import Turn
from bot.queue.limits import BannedWords, Limits
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

log = logging.getLogger(__name__)

# Of so few pictures a beginning takes the best to start from (of 96 else), that beginnings differ; measured.
BEGINNING_STARTS = 12
MAX_ATTEMPTS = 2  # a dream that ends the engine so often is not tried again
MAX_RESCUES = 5  # nor one over which the bot itself ended so often: it may well be why
TIMELAPSE_BYTES = 8 * 1024 * 1024  # within Discord's upload limit without boosts (10 MiB, 2025-01)
REST_S = 5.0  # seconds for which an engine that cannot dream leaves the line to others that can …
LONGEST_REST_S = 600.0  # … doubled with each such failure in a row, up to this
# Other failures would only happen again. STOPPED is here for a stop that nobody asked us for.
_RETRIED = frozenset({FailureKind.CRASH, FailureKind.HANG, FailureKind.STOPPED})
_ENGINE_GONE = frozenset({FailureKind.CRASH, FailureKind.HANG})  # the next one loads its models anew


class Engine(Protocol):
    """What makes the pictures: a process of ours (`engine.process.host`), one of a cluster, or a script."""

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


@dataclass(frozen=True, kw_only=True)
class Crew:
    """The workers of one process, and what they share."""

    store: Store
    turns: Turns
    audience: Audience
    limits: Limits
    paces: Paces | None
    lease_s: float
    preview_every_s: float
    state_every_s: float
    retry_s: float
    workers: list["EngineWorker"] = field(default_factory=list)  # one an engine

    def holder(self, dream_id: int) -> "EngineWorker | None":
        """Whose hand a dream is in; None: it is in no hand of ours."""
        return next((one for one in self.workers if one.hand and one.hand.dream_id == dream_id), None)

    def in_hand(self) -> set[int]:
        """The dreams that were taken from the line and are not done with."""
        return {one.hand.dream_id for one in self.workers if one.hand is not None}

    def join(self, dream: Dream) -> None:
        """Put a stored dream in line; its place in line is its author's next one."""
        self.turns.put_nowait(Turn.of(dream))
        log.info("dream %d: queued", dream.id)
        self.audience.heard(dream, None)
        self.audience.line_moved()


@dataclass(slots=True)
class InHand:
    """The dream that a worker has taken from the line."""

    dream_id: int
    dream: Dream | None = None  # as it is now; None: it is being claimed
    progress: Progress | None = None  # its newest
    is_stopping: bool = False  # it shall end at its next step
    is_lost: bool = False  # another process has it now


@dataclass(slots=True)
class Slot:
    """An engine, and what its dreams have told of it."""

    engine: Engine
    pair: str = ""  # the models that dreamt last; "": none yet
    is_loaded: bool = False  # they are still loaded
    failures: int = 0  # in a row, in which it did not make a single step
    is_gone: bool = False  # it has left us, or its machine is lost: its worker ends
    names: set[str] = field(default_factory=set)  # by which dreams have asked for these models, e.g. "auto"

    def holds(self, model: str) -> bool:
        """Whether what a dream calls so is loaded."""
        return self.is_loaded and (model == self.pair or model in self.names)

    def fitness(self, model: str) -> tuple[bool, bool, bool]:
        """How well this engine suits a dream that asks for this model; the greatest is best."""
        return self.failures == 0, self.holds(model), not self.is_loaded

    def loaded(self, pair: str, name: str) -> None:
        """A dream that asked for `name` got this pair."""
        if pair != self.pair:
            self.names.clear()
        self.pair, self.is_loaded = pair, True
        self.names.add(name)


@dataclass(slots=True)
class _Run:
    """What was seen of one run of the engine."""

    stopwatch: Stopwatch
    has_started: bool = False  # its models are loaded
    has_stepped: bool = False
    best: Progress | None = None  # of those with a picture
    unsafe: bool = False  # a frame on the way, perhaps not the end
    kept_state: bool = False  # so that whoever goes on is further than this run was at its beginning
    end: Event | None = None


def _is_fruitless(failed: Failed, run: _Run) -> bool:
    """Whether the engine could not even begin; with too little memory another engine may have more."""
    no_room = failed.kind is FailureKind.MEMORY and not run.has_started
    return not run.has_stepped and (failed.kind in _ENGINE_GONE or no_room)


class EngineWorker:
    """Live: `run` is its coroutine."""

    def __init__(self, crew: Crew, engine: Engine) -> None:
        self._crew = crew
        self.slot = Slot(engine)
        self.hand: InHand | None = None
        self.is_resting = False

    async def run(self) -> None:
        """Dream whatever comes while the engine is there. Cancelled, it puts its dream back in line."""
        while not self.slot.is_gone:
            await self._rest()
            turn = await self._crew.turns.get()
            if self._crew.holder(turn.dream_id) is not None:
                continue  # it was seen in the database before whoever stored it put it in line, too
            self.hand = hand = InHand(turn.dream_id)
            self._crew.audience.line_moved()
            try:
                while await self._take(hand):
                    if self.slot.is_gone or self._leaves_it_to_others():
                        self._crew.turns.put_back(turn)
                        break
                    log.info("dream %d: once more", turn.dream_id)
            except StoreError as error:
                log.warning("dream %d: waits, %s", turn.dream_id, error)
                await asyncio.sleep(self._crew.retry_s)
                self._crew.turns.put_back(turn)
            finally:
                self.hand = None
                self._crew.audience.line_moved()

    async def stop(self) -> None:
        """Have the dream in hand end at its next step."""
        if self.hand is not None:
            self.hand.is_stopping = True
            await self.slot.engine.stop(str(self.hand.dream_id))

    def occupancy(self) -> Occupancy:
        """What its engine is occupied with."""
        if self.hand is None or self.hand.dream is None:
            return Occupancy(is_loaded=self.slot.is_loaded)
        dream = self.hand.dream
        return Occupancy(dream, self.hand.progress, is_loaded=self.slot.is_loaded)

    # ----------------------------------------------------------- several engines

    def _others(self) -> list["EngineWorker"]:
        return [one for one in self._crew.workers if one is not self]

    def _leaves_it_to_others(self) -> bool:
        """Whether our engine fails and another one does not."""
        return self.slot.failures > 0 and any(one.slot.failures == 0 for one in self._others())

    async def _rest(self) -> None:
        """A broken engine would be free at once after each dream, take them all and fail them."""
        if not self._leaves_it_to_others():
            return
        rest_s = min(REST_S * 2 ** min(self.slot.failures - 1, 10), LONGEST_REST_S)
        log.warning("An engine fails; for %g seconds the others dream without it.", rest_s)
        self.is_resting = True
        try:
            await asyncio.sleep(rest_s)
        finally:
            self.is_resting = False

    def _choose_engine(self, model: str) -> None:
        """Of the engines that are free and well, take one with these models, else one without any."""
        free = [one for one in self._others() if one.hand is None and not one.is_resting]
        best = max([self, *free], key=lambda one: one.slot.fitness(model))
        self.slot, best.slot = best.slot, self.slot

    # ------------------------------------------------------------------ one dream

    async def _take(self, hand: InHand) -> bool:
        """Claim and dream one dream. True when it shall be tried again at once."""
        dream = await self._claim(hand.dream_id)
        if dream is None:
            return False
        if dream.cancel_asked:
            await self._end(dream, DreamState.CANCELLED)
            return False
        if dream.rescues > MAX_RESCUES:
            said = Saying.of(Key.RESCUES, times=dream.rescues)
            await self._end(dream, DreamState.FAILED, event=Failed(str(dream.id), FailureKind.STOPPED, said))
            return False
        self._choose_engine(dream.model)
        hand.dream, hand.progress = dream, None
        self._crew.audience.heard(dream, None)
        holding = asyncio.create_task(self._hold(hand))
        try:
            return await self._dream(hand, dream)
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

    async def _claim(self, dream_id: int) -> Dream | None:
        """Make it ours. If we are stopped meanwhile, it goes back in line now, not when its lease ends."""
        claiming = asyncio.ensure_future(self._crew.store.claim(dream_id, lease_s=self._crew.lease_s))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(StoreError):
                dream = await claiming
                if dream is not None:
                    await self._give_back(dream)
            raise

    async def _hold(self, hand: InHand) -> None:
        """Renew the lease while we dream; notice its loss, and a wish to cancel from another process."""
        while True:
            await asyncio.sleep(self._crew.lease_s / 3)
            try:
                held = await self._crew.store.renew(hand.dream_id, lease_s=self._crew.lease_s)
            except StoreError as error:
                log.warning("dream %d: its lease cannot be renewed yet: %s", hand.dream_id, error)
                continue
            if held is None:
                hand.is_lost = True
                await self.slot.engine.stop(str(hand.dream_id))
                return
            if held.cancel_asked and not hand.is_stopping:
                await self.stop()

    # ---------------------------------------------------------------- dreaming

    async def _dream(self, hand: InHand, dream: Dream) -> bool:
        """True when it is in line again and shall be tried once more."""
        try:
            request = await self._request(dream)
        except BadRequest as error:
            await self._end(dream, DreamState.FAILED, event=Failed(str(dream.id), error.kind, error.said))
            return False
        run = await self._follow(hand, dream, request)
        self._learn(run)
        if hand.is_lost:
            log.warning("dream %d: another process has it now", dream.id)
            return False
        if isinstance(run.end, Finished):
            return await self._finished(hand, dream, request, run, run.end)
        if isinstance(run.end, Failed):
            return await self._failed(hand, dream, request, run, run.end)
        raise RuntimeError(f"The engine ended dream {dream.id} without a word.")

    async def _follow(self, hand: InHand, dream: Dream, request: DreamRequest) -> _Run:
        """Have it dreamt, tell and keep what comes; the end is told by whoever stores it."""
        run = _Run(Stopwatch())
        async with aclosing(self.slot.engine.dream(request)) as events:
            async for event in events:
                run.end = event
                if isinstance(event, Fetching):
                    run.stopwatch.fetching()
                elif isinstance(event, Started):
                    run.stopwatch.loaded()
                    run.has_started = True
                    self.slot.loaded(event.model, request.model)
                    hand.dream = dream = await self._noted(dream, event.notice)
                    if hand.is_stopping or hand.is_lost:  # asked before the engine knew this dream
                        await self.slot.engine.stop(request.id)
                elif isinstance(event, Progress):
                    run.has_stepped = True
                    hand.progress = event
                    await self._stepped(dream, event, run)
                if not isinstance(event, Finished | Failed):
                    self._crew.audience.heard(dream, event)
        return run

    def _learn(self, run: _Run) -> None:
        """What a run tells of the engine."""
        failed = run.end if isinstance(run.end, Failed) else None
        if failed is not None and failed.kind in _ENGINE_GONE:
            self.slot.is_loaded = False
        if failed is not None and failed.kind is FailureKind.LOST:
            self.slot.is_gone = True
        if run.has_stepped or isinstance(run.end, Finished):
            self.slot.failures = 0
        elif failed is not None and _is_fruitless(failed, run):
            self.slot.failures += 1

    async def _stepped(self, dream: Dream, progress: Progress, run: _Run) -> None:
        run.stopwatch.see(progress)
        run.unsafe = run.unsafe or bool(progress.flagged)
        if self._crew.paces is not None:
            self._crew.paces.glimpse(run.stopwatch.pace(dream, progress.steps))
        if progress.picture and (run.best is None or progress.score >= run.best.score):
            run.best = progress
        if progress.state is not None and await self._keep_state(dream, progress.state):
            run.kept_state = True

    async def _finished(
        self, hand: InHand, dream: Dream, request: DreamRequest, run: _Run, end: Finished
    ) -> bool:
        if end.stopped and not hand.is_stopping:  # by a signal to the engine, not by us
            return await self._give_back(dream, refund=False)
        state = DreamState.CANCELLED if end.stopped else DreamState.DONE
        if request.begin != "resume" and not end.stopped:
            await self._measured(run.stopwatch.pace(dream, end.recipe.steps))
        final = Picture(end.picture, "png")
        await self._end(dream, state, event=end, picture=final, flagged=end.flagged, unsafe=run.unsafe)
        return False

    async def _failed(
        self, hand: InHand, dream: Dream, request: DreamRequest, run: _Run, end: Failed
    ) -> bool:
        preview = Picture(run.best.picture, "jpg") if run.best and run.best.picture else None
        flagged = run.best.flagged if run.best else ""
        if hand.is_stopping:
            await self._end(dream, DreamState.CANCELLED, picture=preview, flagged=flagged)
            return False
        log.warning("dream %d: attempt %d failed: %s", dream.id, dream.attempts, end)
        if (
            end.kind is FailureKind.LOST
        ):  # no fault of the dream's, unless it loses one machine after the other
            return await self._give_back(dream, refund=run.kept_state, rescued=not run.kept_state)
        elsewhere = _is_fruitless(end, run) and self._leaves_it_to_others()
        if elsewhere and self.slot.failures > 1:
            return await self._give_back(dream)  # our engine failed before it came, and is why
        if (end.kind in _RETRIED or elsewhere) and dream.attempts - dream.rescues < MAX_ATTEMPTS:
            return await self._give_back(dream, refund=False)
        if request.begin == "resume" and end.kind not in _RETRIED:
            await self._crew.store.drop_state(dream.id)  # e.g. an older version's; it begins anew
            return await self._give_back(dream)
        await self._end(dream, DreamState.FAILED, event=end, picture=preview, flagged=flagged)
        return False

    async def _request(self, dream: Dream) -> DreamRequest:
        """What the engine shall do: go on where the dream was interrupted, else begin as it was wished.

        Raises `BadRequest` when the dream at whose end it would begin is gone, or its image prompt, and when
        moderators banned its words while it waited.
        """
        try:
            self._crew.limits.check_words(dream.guild_id, dream.prompt, dream.avoid)
        except BannedWords as error:
            raise BadRequest(Key.BANNED_SINCE) from error
        begin: Begin = dream.begin
        other: bytes | None = None
        store = self._crew.store
        state = await store.state(dream.id)
        if state is not None:
            begin = "resume"
        elif begin != "new":
            state = await self._state_of(dream.parent_id)
            other = await self._state_of(dream.other_id) if begin == "blend" else None
        return replace(
            DreamRequest(id=str(dream.id), **shared(dream, Wish, DreamRequest)),
            image=await self._image_of(dream),
            begin=begin,
            state=state,
            other_state=other,
            preview_every_s=self._crew.preview_every_s,
            state_every_s=self._crew.state_every_s,
            timelapse_bytes=0 if dream.candidate else TIMELAPSE_BYTES,
            settings={"candidates": BEGINNING_STARTS} if dream.candidate else {},
        )

    async def _image_of(self, dream: Dream) -> bytes | None:
        if dream.image_id is None:
            return None
        image = await self._crew.store.image(dream.image_id)
        if image is None:  # lost in the object store: whoever lets go of one takes its number away, too
            raise BadRequest(Key.IMAGE_GONE)
        return image

    async def _state_of(self, dream_id: int | None) -> bytes:
        state = None if dream_id is None else await self._crew.store.state(dream_id)
        if state is None:
            raise BadRequest(Key.PARENT_GONE)
        return state

    # ------------------------------------------------------- what is kept of it

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
        store = self._crew.store
        finished = event if isinstance(event, Finished) else None
        while True:
            try:
                if finished and not flagged and (unsafe or await store.found_at_beginning(dream)):
                    finished = replace(finished, timelapse=None)
                ended = await store.finish(
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
                await asyncio.sleep(self._crew.retry_s)
        if ended is not None:  # None: another process took it over meanwhile
            log.info("dream %d: %s", dream.id, state.value)
            self._crew.audience.heard(ended, event)
            if ended.chapter is not None and state is DreamState.DONE:
                await self._turn_the_page(ended)

    async def _turn_the_page(self, ended: Dream) -> None:
        """Put the story's next chapter in line."""
        try:
            chapter = await self._crew.store.next_chapter(ended.id)
        except StoreError as error:
            log.warning("dream %d: its next chapter joins the line later: %s", ended.id, error)
            return  # `Worker.refresh` finds it
        if chapter is not None:
            self._crew.join(chapter)

    async def _keep_state(self, dream: Dream, state: bytes) -> bool:
        """Whether it could be kept."""
        try:
            await self._crew.store.keep_state(dream.id, state)
        except StoreError as error:
            log.warning("dream %d: its state cannot be kept just now: %s", dream.id, error)
            return False
        return True

    async def _measured(self, pace: Pace | None) -> None:
        if pace is not None and self._crew.paces is not None:
            try:
                await self._crew.paces.keep(pace)
            except StoreError as error:
                log.warning("A dream's pace cannot be kept: %s", error)

    async def _noted(self, dream: Dream, said: Saying) -> Dream:
        if not said:
            return dream
        try:
            await self._crew.store.set_notice(dream.id, said)
        except StoreError as error:
            log.warning("dream %d: its notice cannot be stored: %s", dream.id, error)
        return replace(dream, notice=said.to_json())

    async def _give_back(self, dream: Dream, *, refund: bool = True, rescued: bool = False) -> bool:
        """Put our dream back in line. True if it was ours."""
        released = await self._crew.store.release(dream.id, refund=refund, rescued=rescued)
        if released is not None:
            self._crew.audience.heard(released, None)
        return released is not None
