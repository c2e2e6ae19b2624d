"""What happens in the local channel just now, for everybody who watches: the page's `Audience` of the worker.

Watchers are told which cards changed, and get what they show by themselves. Whoever is slow hears but once of
a card that changed ten times, and nobody waits for them.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from time import time

from bot.background import BackgroundLoop
from bot.community.choices import Choices
from bot.dreams.dream import Dream, DreamState
from bot.dreams.local import is_local
from bot.dreams.store import Store
from bot.queue.durations import Paces
from bot.queue.positions import NOWHERE, QueuePosition, positions
from bot.queue.worker import Worker
from bot.servers.settings import ServerSettings
from engine import Event, Fetching, Progress, Started

log = logging.getLogger(__name__)

RETRY_S = 2.0
MAX_WATCHERS = 300  # at the same time
MAX_EACH = 20  # of them one person's; a browser listens only in tabs that are looked at
TICK_S = 5.0  # seconds between looks at places in line while something is dreamt


@dataclass(slots=True)
class Scene:
    """A dream that waits or is being dreamt."""

    dream: Dream
    progress: Progress | None = None  # the newest one
    frame: bytes | None = None  # the newest preview, JPEG
    frames: int = 0  # how many there were
    fetching: Fetching | None = None  # a model's file that comes before the dream
    position: QueuePosition = NOWHERE  # while it waits
    held: bool = False  # moderators have paused the channel
    flagged: str = ""  # what the safety check found in one of its frames


class Watcher:
    """One browser that looks on: which cards it has not been told of."""

    def __init__(self, person: int) -> None:
        self.person = person
        self._changed: dict[str, None] = {}
        self._news = asyncio.Event()
        self.is_over = False  # we stop; the browser comes back by itself

    def let_go(self) -> None:
        self.is_over = True
        self._news.set()

    def tell(self, key: str) -> None:
        self._changed[key] = None
        self._news.set()

    async def changes(self, *, within_s: float) -> list[str]:
        """Wait for news; gives the keys of cards, those that changed first at the beginning.

        None of them when there was nothing for so long: time to see whether the browser is still there.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._news.wait()
        self._news.clear()
        changed, self._changed = list(self._changed), {}
        return changed


def dream_key(dream_id: int) -> str:
    """Of a dream's card."""
    return f"dream-{dream_id}"


def choice_key(choice_id: int) -> str:
    """Of a choice's card."""
    return f"choice-{choice_id}"


def contest_key(contest_id: int) -> str:
    """Of the card that tells how a contest ended."""
    return f"contest-{contest_id}"


class Live(BackgroundLoop):
    """Live: `start` after the worker, `close` after it. `heard` may be called before."""

    def __init__(
        self,
        *,
        store: Store,
        worker: Worker,
        choices: Choices,
        paces: Paces,
        settings: Callable[[int | None], ServerSettings],
        retry_s: float = RETRY_S,
    ) -> None:
        """`settings`: a server's, by its id."""
        super().__init__(retry_s=retry_s)
        self._store = store
        self._worker = worker
        self._choices = choices
        self._paces = paces
        self._settings = settings
        self.on_candidate: list[Callable[[Dream], None]] = []  # told of beginnings
        self.on_touch: list[Callable[[str], None]] = []  # told of each card that changed, before watchers are
        self._scenes: dict[int, Scene] = {}  # by dream, until it is over
        self._new: dict[int, Dream] = {}  # those whose card is not stored yet
        self._over: dict[int, Dream] = {}  # those whose end is not stored as shown
        self._line_moved = False
        self._watchers: set[Watcher] = set()

    # ------------------------------------------------------------- watching

    @contextmanager
    def watch(self, person: int) -> Iterator[Watcher | None]:
        """Look on until the end of the context; None: too many do, or too many of this person's browsers."""
        own = sum(watcher.person == person for watcher in self._watchers)
        if len(self._watchers) >= MAX_WATCHERS or own >= MAX_EACH:
            yield None
            return
        watcher = Watcher(person)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    @property
    def watching(self) -> int:
        """How many look on."""
        return len(self._watchers)

    def let_go(self) -> None:
        """Send every watcher away: we stop."""
        for watcher in self._watchers:
            watcher.let_go()

    def touch(self, key: str) -> None:
        """A card is not what it was."""
        for hear in self.on_touch:
            hear(key)
        for watcher in self._watchers:
            watcher.tell(key)

    def scene(self, dream_id: int) -> Scene | None:
        """What is known of a dream that is not over."""
        return self._scenes.get(dream_id)

    # -------------------------------------------------------------- hearing

    def heard(self, dream: Dream, event: Event | None) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        if dream.candidate and dream.choice_id is not None:
            for hear in self.on_candidate:
                hear(dream)
            if dream.state.is_over or event is None:
                self.touch(choice_key(dream.choice_id))
            return
        if dream.state.is_over:
            self._scenes.pop(dream.id, None)
            self._over[dream.id] = dream
        else:
            self._learn(dream, event)
        self.touch(dream_key(dream.id))
        self.wake()

    def line_moved(self) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        self._line_moved = True
        self.wake()

    def erased(self, dream: Dream) -> None:
        """For `Store.on_erase`."""
        if is_local(dream.guild_id):
            self.touch(dream_key(dream.id))

    def voted(self, dream: Dream, _tally: int) -> None:
        """For `Votes.on_change`."""
        if is_local(dream.guild_id):
            self.touch(dream_key(dream.id))

    def _learn(self, dream: Dream, event: Event | None) -> None:
        scene = self._scenes.setdefault(dream.id, Scene(dream))
        scene.dream = replace(dream, message_id=dream.message_id or scene.dream.message_id)
        if scene.dream.message_id is None:
            self._new[dream.id] = scene.dream
        if isinstance(event, Progress):
            self._line_moved = self._line_moved or scene.progress is None or event.picture is not None
            scene.progress = event
            scene.flagged = event.flagged or scene.flagged  # it may come back between two checks
            if event.picture is not None:
                scene.frame, scene.frames = event.picture, scene.frames + 1
        elif isinstance(event, Fetching | Started):
            scene.fetching = event if isinstance(event, Fetching) else None
        elif dream.state is DreamState.DREAMING and event is None:
            scene.progress = scene.frame = scene.fetching = None  # it begins, perhaps once more

    # ---------------------------------------------------------------- tasks

    async def _resume(self) -> None:
        for dream in await self._store.undelivered(local=True):
            if dream.state.is_over:
                self._over[dream.id] = dream
            elif dream.id not in self._scenes:
                self._learn(dream, None)
        self._line_moved = True

    async def _look(self) -> float | None:
        for dream in list(self._new.values()):
            await self._show(dream)
            self._new.pop(dream.id, None)
        for dream in list(self._over.values()):
            if dream.message_id is None:
                await self._show(dream)
            await self._store.set_delivered(dream.id)
            self._over.pop(dream.id, None)
        if self._line_moved:
            self._line_moved = False
            self._take_places()
        return TICK_S if self._scenes else None

    async def _show(self, dream: Dream) -> None:
        """Its card is its message: votes, rankings and contests ask for one."""
        await self._store.set_message(dream.id, dream.id)
        if scene := self._scenes.get(dream.id):
            scene.dream = replace(scene.dream, message_id=dream.id)

    def _take_places(self) -> None:
        """What each waiting dream's card shall say; it is shown anew when that is worth it."""
        now = time()
        engines = self._worker.occupancies_everywhere()
        found = positions(
            self._worker.order(),
            {dream_id: scene.dream for dream_id, scene in self._scenes.items()},
            running=[engine.dream for engine in engines if engine.dream is not None],
            free=[self._paces.free_at(engine, now=now) for engine in engines],
            seconds=self._paces.seconds,
        )
        for dream_id, scene in self._scenes.items():
            position = found.get(dream_id, NOWHERE)
            held = self._settings(scene.dream.guild_id).paused
            moved = scene.position.differs(position, now) or scene.held != held
            if scene.dream.state is DreamState.QUEUED and moved:
                scene.position, scene.held = position, held
                self.touch(dream_key(dream_id))
