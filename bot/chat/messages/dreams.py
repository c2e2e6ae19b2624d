"""Shows every dream in its one channel message: its place, its frames, its end. The worker's `Audience`.

The end is owed (`bot.chat.messages.outbox`); places and frames are not, for the next one overtakes them.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from time import monotonic, time
from typing import Protocol

from bot.background import BackgroundLoop, growing_pause_s
from bot.chat.messages.dream_message import DreamMessage
from bot.chat.messages.outbox import DENIALS, Later, Outbox, believe
from bot.chat.messages.pacing import Edits
from bot.chat.messages.poster import Outcome, Poster, fitting, show_fitting
from bot.database.connection import StoreError
from bot.database.outbox import Kind, Owed
from bot.dreams.dream import Dream, DreamState, Picture
from bot.dreams.showing import Occasion
from bot.dreams.store import Store
from bot.queue.durations import Occupancy, Paces
from bot.queue.lane import Turn
from bot.queue.positions import NOWHERE, positions
from bot.queue.worker import Cancelled
from bot.servers.settings import ServerSettings
from engine import Event, Fetching, Progress, Started

log = logging.getLogger(__name__)

RETRY_S = 5.0  # seconds before another look at a dream that could not be read
NONCE_S = 60.0  # seconds for which Discord surely takes two posts with one nonce for the same
MISSED_S = 1.0  # seconds until a message that seems gone is looked for once more, doubled each time
LONG_LINE = 500  # messages from which on their places are looked for beside the loop
PLACES_REST = 10  # times as long as that took it is left alone afterwards
FAREWELL_S = 3.0  # seconds for the last edits when the bot stops
BITE = 500  # dreams that are taken up at once at the start


class Line(Protocol):
    """What the messages ask of the worker."""

    def order(self) -> list[Turn]: ...

    def occupancies_everywhere(self) -> list[Occupancy]: ...

    async def cancel(self, dream_id: int) -> Cancelled: ...


class DreamMessages(BackgroundLoop):
    """Live: `start` when the client can send, `close` before it is closed. `heard` may be called before."""

    line: Line  # set when the worker is built, whose audience this is

    def __init__(
        self,
        *,
        store: Store,
        poster: Poster,
        edits: Edits,
        outbox: Outbox,
        settings: Callable[[int | None], ServerSettings],
        paces: Paces,
        follow_ups: Mapping[Kind, Callable[[Dream], bool]],
        retry_s: float = RETRY_S,
    ) -> None:
        """`settings`: a server's, by its id; `follow_ups`: what is owed once an end is shown, of which."""
        super().__init__(retry_s=retry_s)
        self._store = store
        self._poster = poster
        self._edits = edits
        self._outbox = outbox
        self._settings = settings
        self._paces = paces
        self._follow_ups = follow_ups
        self.on_candidate: list[Callable[[Dream, Event | None], None]] = []  # told of beginnings
        self._messages: dict[int, DreamMessage] = {}  # by dream, until it is over and shown
        self._posted: dict[int, asyncio.Future[bool]] = {}  # who waits for a dream's first message
        self._gone: set[int] = set()  # dreams whose message is deleted, until they are over
        self._wanted: set[int] = set()  # dreams to be shown anew
        self._line_moved = False
        self._places_at = 0.0  # when places may be taken anew, by the monotonic clock

    async def _resume(self) -> None:
        left = await self._store.undelivered()
        for number, dream in enumerate(left):
            if number % BITE == 0:  # a line may be long
                await asyncio.sleep(0)
            if dream.state is DreamState.QUEUED and dream.id not in self._messages:
                self.heard(dream, None)
        await self._outbox.adopt(Kind.END, *(dream.id for dream in left if dream.state.is_over))
        self._line_moved = True

    async def close(self) -> None:
        """Say in each running dream's message that it goes on after the restart, and stop."""
        if self._task is None:
            return
        await super().close()
        last = [s for s in self._messages.values() if s.progress is not None and not s.dream.state.is_over]
        for message in last:
            message.paused = True
        try:
            async with asyncio.timeout(FAREWELL_S):
                await asyncio.gather(*(self._show(message) for message in last))
        except TimeoutError:
            log.info("Not every message could be brought up to date before the end.")

    def heard(self, dream: Dream, event: Event | None) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        if dream.candidate:
            for hear in self.on_candidate:
                hear(dream, event)
            return
        if dream.id in self._gone:
            if dream.state.is_over:
                self._gone.discard(dream.id)
            return
        if dream.state is DreamState.QUEUED and not self._store.shards.have(dream.guild_id):
            self._drop(dream.id)  # whoever hears of its server shows its places
            return
        message = self._messages.setdefault(dream.id, DreamMessage(dream))
        # The worker's copy may be older than the message that was posted meanwhile.
        message.dream = replace(dream, message_id=dream.message_id or message.dream.message_id)
        if dream.state.is_over:
            self._outbox.wake()
            if message.dream.message_id is not None:  # else somebody may wait for its first message
                self._drop(dream.id)
            return
        if isinstance(event, Progress):
            if message.progress is None or event.picture is not None:
                self._line_moved = True  # it is known better now how long the others wait
                self.wake()
            message.progress = event
            message.frame = event.picture or message.frame
            message.flagged = event.flagged or message.flagged  # it may come back between two checks
            if message.frame is not None and event.picture is None:
                return  # an edit is worth it only for a new picture
        elif isinstance(event, Fetching | Started):
            message.fetching = event if isinstance(event, Fetching) else None
        elif dream.state is DreamState.DREAMING and event is None:
            message.progress = message.frame = message.fetching = None  # it begins, perhaps once more
        self._wanted.add(dream.id)
        self.wake()

    def line_moved(self) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        self._line_moved = True
        self.wake()

    async def posted(self, dream_id: int) -> bool:
        """Wait for the dream's first message; False when it cannot be posted. Raises `StoreError`."""
        message = self._messages.get(dream_id)
        if message is None:
            dream = await self._store.get(dream_id)
            return dream is not None and dream.message_id is not None
        if message.dream.message_id is not None:
            return True
        future = self._posted.setdefault(dream_id, asyncio.get_running_loop().create_future())
        return await asyncio.shield(future)

    def ready_at(self, dream_id: int) -> float | None:
        """When a waiting dream will be ready (seconds since 1970), as its message says; None: unknown."""
        message = self._messages.get(dream_id)
        return None if message is None else message.position.ready_at

    def forget(self, dream_id: int) -> None:
        """Show a dream that is over no more."""
        self._drop(dream_id)

    def missed(self, dream_id: int) -> None:
        """Somebody deleted a message of this dream: when Discord says so too, it is believed at once."""
        message = self._messages.get(dream_id)
        if message is not None:
            message.misses, message.rests_until = DENIALS - 1, 0.0
            self._once_more(dream_id)

    async def end(self, owed: Owed) -> None:
        """Show how a dream ended. Raises `Later`, `StoreError`."""
        dream = await self._store.get(owed.subject)
        if dream is None or dream.delivered:
            return
        message = DreamMessage(dream)
        shown = await self._edits.made(dream.channel_id, message, partial(self._show_end, message, owed))
        if not shown:
            raise Later("it was overtaken")

    # ------------------------------------------------------------------ tasks

    async def _look(self) -> float | None:
        if self._line_moved and monotonic() >= self._places_at:
            self._line_moved = False
            begun = monotonic()
            await self._take_places()
            self._places_at = monotonic() + PLACES_REST * (monotonic() - begun)
        for dream_id in self._wanted:
            message = self._messages.get(dream_id)
            if message is not None and not message.dream.state.is_over:
                self._edits.want(message.dream.channel_id, message, partial(self._show, message))
        self._wanted.clear()
        return max(0.0, self._places_at - monotonic()) if self._line_moved else None

    async def _take_places(self) -> None:
        """What each waiting dream's message shall say; it is edited when that is worth it."""
        now = time()
        engines = self.line.occupancies_everywhere()
        find = partial(
            positions,
            self.line.order(),
            {dream_id: message.dream for dream_id, message in self._messages.items()},
            running=[engine.dream for engine in engines if engine.dream is not None],
            free=[self._paces.free_at(engine, now=now) for engine in engines],
            seconds=self._paces.seconds,
            names=self._poster.names,
        )
        # Of a long line it takes a second or more, in which the bot must answer.
        found = find() if len(self._messages) <= LONG_LINE else await asyncio.to_thread(find)
        for dream_id, message in self._messages.items():
            position, held = found.get(dream_id, NOWHERE), self._settings(message.dream.guild_id).paused
            moved = message.position.differs(position, now) or message.held != held
            if message.dream.state is DreamState.QUEUED and moved:
                message.position, message.held = position, held
                self._wanted.add(dream_id)

    async def _show(self, message: DreamMessage) -> None:
        """Show a dream that is not over."""
        try:
            if message.dream.state.is_over or monotonic() < message.rests_until:
                return
            if not await self._is_ours(message):
                return
            await self._inherit(message)
            await self._find_lost(message)
            allowed = await self._poster.showing(message.dream, Occasion.HOME, flagged=message.flagged)
            if message.dream.state.is_over:
                return  # its end comes next
            message.showing = allowed
            if await self._show_now(message):
                await self._heal(message)
        except (StoreError, Later) as error:
            log.warning("dream %d: not shown yet, %s", message.dream.id, error)
            self._later(message.dream.id, self._retry_s)
        except Exception:
            # A fault with one message must not silence the channel's others.
            log.exception("dream %d: could not be shown", message.dream.id)
            self._answer(message.dream.id, False)

    async def _is_ours(self, message: DreamMessage) -> bool:
        """Whether what we know of a dream that is not over is for us to show: another process may have it."""
        dream = message.dream
        standing = await self._store.standing(dream.id)
        if standing is None:
            self._drop(dream.id)
            return False
        now, is_ours = standing
        if is_ours or message.dream.state is not dream.state:
            return now.state is message.dream.state  # else the worker tells so in a moment, or just did
        is_news = now.state.is_over and not message.is_stale  # it ended, here perhaps: we hear of it then
        message.is_stale = True
        if is_news or (now.message_id is None and not now.state.is_over):
            self._later(dream.id, self._retry_s)  # whoever asked waits for the message, whoever posts it
            return False
        self._answer(dream.id, now.message_id is not None)
        self._drop(dream.id)
        return False

    async def _find_lost(self, message: DreamMessage, again: bool = False) -> None:
        """A message that was posted, and whose answer nobody heard, is not posted again. `again`: perhaps."""
        dream = message.dream
        if again or (dream.message_id is None and time() - dream.created_at > NONCE_S):
            footer = message.say.dream_number(dream.id)
            await self._keep(message, await self._poster.find_footer(dream, footer))

    async def _heal(self, message: DreamMessage) -> None:
        """If it came to its end elsewhere while we showed how it was, show that end again.

        As it may be when this process was frozen for a while.
        """
        dream = message.dream
        standing = await self._store.standing(dream.id)
        if standing is None or not standing[0].delivered:
            return  # if it is over, its end comes next
        log.info("dream %d: another process ended it, and its end is shown again", dream.id)
        self._drop(dream.id)
        late = DreamMessage(standing[0])
        late.showing = await self._poster.showing(late.dream, Occasion.HOME)
        await self._poster.show(late.dream, late.content(await self._fitting(late)))

    def _later(self, dream_id: int, pause_s: float) -> None:
        asyncio.get_running_loop().call_later(pause_s, self._once_more, dream_id)

    def _once_more(self, dream_id: int) -> None:
        if dream_id in self._messages:
            self._wanted.add(dream_id)
            self.wake()

    async def _inherit(self, message: DreamMessage) -> None:
        """Until the check has seen its end, a dream that begins at an unsafe picture shows that one."""
        if message.dream.begin != "new" and not message.rooted:
            message.flagged = message.flagged or await self._store.found_at_beginning(message.dream)
            message.rooted = True

    async def _show_now(self, message: DreamMessage) -> bool:
        """Whether the message shows it now."""
        dream = message.dream
        if dream.message_id is None and dream.parent_id is not None:
            parent = await self._store.get(dream.parent_id)
            if parent is not None and parent.channel_id == dream.channel_id:
                message.reply_to = parent.message_id
        outcome, message_id = await self._poster.show(dream, message.content())
        if outcome is Outcome.SHOWN:
            message.misses = 0
            await self._keep(message, message_id)
        elif outcome is Outcome.GONE and dream.message_id is not None and message.misses + 1 < DENIALS:
            message.misses += 1
            pause_s = growing_pause_s(MISSED_S, message.misses)
            message.rests_until = monotonic() + pause_s
            self._later(dream.id, pause_s)
        elif outcome is Outcome.GONE:
            # Nobody could see it: whoever deleted the message does not want it either.
            self._gone.add(dream.id)
            try:
                await self._store.set_delivered(dream.id)  # its end is not owed
                await self.line.cancel(dream.id)
            finally:
                self._drop(dream.id)  # last: it tells whoever waits for the message that the dream is off
        elif outcome is Outcome.LATER and dream.message_id is None:
            self._wanted.add(dream.id)
            self.wake()
        return outcome is Outcome.SHOWN

    async def _show_end(self, message: DreamMessage, owed: Owed) -> None:
        """Raises `Later`, `StoreError`."""
        message.dream = await self._store.get(message.dream.id) or message.dream  # a frame came before
        await self._find_lost(message, owed.again)
        dream = message.dream
        message.showing = await self._poster.showing(dream, Occasion.HOME)
        stored = await self._store.picture(dream.id)
        has_picture = False

        async def show(picture: Picture | None) -> tuple[Outcome, int | None]:
            nonlocal has_picture
            message.too_large = stored is not None and picture is None
            content = message.content(picture)
            has_picture = content.exhibit is not None
            outcome, message_id = await self._poster.show(message.dream, content)
            if outcome in (Outcome.ARCHIVED, Outcome.OLD):
                # A new message, which opens the thread; a nonce of its own, for it is not the first one.
                was_old = outcome is Outcome.OLD
                outcome, message_id = await self._poster.post(dream, content, nonce=f"{dream.origin}-end")
                if was_old and outcome is Outcome.SHOWN:
                    await self._poster.delete(dream)
            return outcome, message_id

        outcome, message_id = await show_fitting(stored, self._poster.upload_limit(dream), show)
        if outcome in (Outcome.LATER, Outcome.TOO_LARGE):
            raise Later(outcome.name.lower())
        if outcome is Outcome.GONE:
            believe(owed, "its message, or its channel, is not there, says Discord")
        await self._delivered(message, message_id, has_picture=has_picture)

    async def _fitting(self, message: DreamMessage) -> Picture | None:
        """A stored picture as Discord takes it."""
        stored = await self._store.picture(message.dream.id)
        picture = await fitting(stored, self._poster.upload_limit(message.dream)) if stored else None
        message.too_large = stored is not None and picture is None
        return picture

    async def _delivered(self, message: DreamMessage, message_id: int | None, *, has_picture: bool) -> None:
        """The end is shown (`message_id`), or never will be (None)."""
        if message_id is not None:
            await self._keep(message, message_id)
        is_due = self._follow_ups if message_id is not None else {}
        owes = [kind for kind, due in is_due.items() if due(message.dream)]
        if message_id is not None and has_picture:
            owes.insert(0, Kind.REACTIONS)
        await self._store.set_delivered(message.dream.id, owes=owes)
        if owes:
            self._outbox.wake()
        self._drop(message.dream.id)

    async def _keep(self, message: DreamMessage, message_id: int | None) -> None:
        """Remember the message that shows the dream."""
        if message_id is not None and message_id != message.dream.message_id:
            await self._store.set_message(message.dream.id, message_id)
            message.dream = replace(message.dream, message_id=message_id)
        if message.dream.message_id is not None:
            self._answer(message.dream.id, True)

    def _drop(self, dream_id: int) -> None:
        message = self._messages.pop(dream_id, None)
        if message is not None:
            self._edits.forget(message.dream.channel_id, dream_id)
        self._answer(dream_id, False)

    def _answer(self, dream_id: int, posted: bool) -> None:
        future = self._posted.pop(dream_id, None)
        if future is not None and not future.done():
            future.set_result(posted)
