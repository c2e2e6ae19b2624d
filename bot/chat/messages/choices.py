"""Leads the channel through its choices: shows the beginnings, opens the vote, counts it, tells the winner.

The reactions under the message are the votes: nothing is lost while the bot is away, and what somebody takes
back is gone. They are read once, when the vote ends.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from bot.background import Watch, growing_pause_s
from bot.chat.messages.choice_message import NUMBERS, choice_content, draw
from bot.chat.messages.pacing import Edits, Priority
from bot.chat.messages.poster import Outcome, Poster
from bot.community.choices import (
    Choice,
    Choices,
    ChoiceState,
    came_out,
)
from bot.dreams.dream import Dream
from bot.dreams.local import is_local
from bot.dreams.showing import (
    Occasion,
    Showing,
    Visibility,
    together,
)
from bot.dreams.store import Store
from bot.unpacking import one_at_a_time
from engine import Event

log = logging.getLogger(__name__)

RETRY_S = 5.0  # seconds to wait while Discord or the database cannot be used
IDLE_S = 60.0  # seconds between looks at the clock while no vote goes on
NONCE = 25  # characters (Discord reference, 2026-08)


@dataclass(frozen=True, slots=True)
class _Edit:
    """A choice, among its channel's edits. See `bot.chat.messages.pacing.Edit`."""

    choice_id: int
    priority: Priority
    paces: float

    @property
    def key(self) -> tuple[str, int]:
        return "choice", self.choice_id


class ChoiceMessages(Watch):
    """Live: `start` when the client can send, `close` before it is closed."""

    thing = "choice"

    def __init__(
        self, *, choices: Choices, store: Store, poster: Poster, edits: Edits, retry_s: float = RETRY_S
    ) -> None:
        super().__init__(retry_s=retry_s)
        self._choices = choices
        self._store = store
        self._poster = poster
        self._edits = edits
        self._ends: dict[int, float] = {}  # choice → when its vote ends, seconds since 1970
        self._tries: dict[int, int] = {}  # choice → showings in a row that Discord would not take
        self._missed: set[int] = set()  # choices whose message seemed gone
        self._asked: set[int] = set()  # choices whose message has the numbers under it
        self._posted: dict[int, asyncio.Future[bool]] = {}  # who waits for a choice's first message
        self._erased: set[int] = set()  # choices whose dream its author deleted

    async def _resume(self) -> None:
        self._moved |= {choice.id for choice in await self._choices.open()}

    async def posted(self, choice_id: int) -> bool:
        """Wait for the choice's first message; False when it cannot be posted. Raises `StoreError`."""
        future = self._posted.setdefault(choice_id, asyncio.get_running_loop().create_future())
        choice = await self._choices.get(choice_id)
        if choice is None or choice.message_id is not None or choice.delivered:
            self._answer(choice_id, choice is not None and choice.message_id is not None)
        return await asyncio.shield(future)

    def heard(self, dream: Dream, event: Event | None) -> None:
        """A beginning waits, is dreamt, or is over."""
        if dream.choice_id is not None and dream.state.is_over:
            self.moved(dream.choice_id)

    # ------------------------------------------------------------------ tasks

    async def _look(self) -> float:
        now = self._choices.clock()
        self._moved |= {choice_id for choice_id, end in self._ends.items() if end <= now}
        await super()._look()
        now = self._choices.clock()
        return max(0.0, min((end - now for end in self._ends.values()), default=IDLE_S))

    def erased(self, dream: Dream) -> None:
        """A dream is erased; perhaps it came of a choice."""
        if dream.choice_id is not None and not dream.candidate and not is_local(dream.guild_id):
            self._erased.add(dream.choice_id)
            self.moved(dream.choice_id)

    async def _forget(self, choice_id: int) -> None:
        """The beginnings go with the dream that came of them, and so does their message."""
        choice = await self._choices.forget(choice_id)
        self._erased.discard(choice_id)
        if choice is not None and choice.message_id is not None:
            await self._poster.delete(choice)

    async def _look_at(self, choice_id: int) -> None:
        """Do what is due for a choice, and have it shown."""
        self._ends.pop(choice_id, None)
        if choice_id in self._erased:
            await self._forget(choice_id)
            return
        choice = await self._choices.get(choice_id)
        if choice is None or is_local(choice.guild_id):
            return
        if choice.state is ChoiceState.DREAMING:
            await self._choices.settle(choice_id)
            choice = await self._choices.get(choice_id) or choice
        if choice.state is ChoiceState.VOTING and choice.ends_at is not None and choice.message_id:
            if choice.ends_at > self._choices.clock():
                self._ends[choice_id] = choice.ends_at
            else:
                await self._count(choice)
                return
        if not choice.delivered:
            over = choice.state.is_over
            edit = _Edit(choice_id, Priority.END if over else Priority.FRAME, paces=0 if over else 1)
            self._edits.want(choice.channel_id, edit, partial(self._show, choice_id))

    async def _count(self, choice: Choice) -> None:
        """Read the votes under the message and decide."""
        outcome, people = await self._poster.votes(choice, NUMBERS)
        if outcome is Outcome.GONE:
            await self._choices.cancel(choice.id)  # whoever deleted the message does not want it
        elif outcome is Outcome.SHOWN:
            votes = {number: len(voters) for number, voters in enumerate(people, start=1)}
            await self._choices.decide(choice.id, votes)
        else:
            self.later(choice.id)  # nobody's vote is lost over a hiccup

    async def _show(self, choice_id: int) -> None:
        """Bring the choice's message up to date."""
        choice = await self._choices.get(choice_id)
        if choice is None:
            return
        candidates = await self._choices.candidates(choice_id)
        allowed = await self._allowed(candidates)
        drawn = await one_at_a_time(draw, choice, candidates, await self._pictures(allowed))
        content = choice_content(choice, candidates, drawn, together(allowed.values()))
        outcome, message_id = await self._poster.show(choice, content)
        if outcome is Outcome.ARCHIVED:
            # A new message opens the thread again; a nonce of its own, for it is not the first one.
            nonce = f"{choice.origin}-{choice.state}"
            outcome, message_id = await self._poster.post(choice, content, nonce=nonce[:NONCE])
        if outcome is Outcome.SHOWN:
            self._tries.pop(choice_id, None)
            self._missed.discard(choice_id)
            await self._shown(choice, message_id, candidates)
        elif outcome is Outcome.LATER or self._may_be_there(choice):
            tries = self._tries[choice_id] = self._tries.get(choice_id, 0) + 1
            self.later(choice_id, growing_pause_s(self._retry_s, tries))
        else:
            log.info("choice %d: %s, so it ends", choice_id, outcome.name.lower())
            await self._choices.cancel(choice_id)
            await self._choices.set_delivered(choice_id)
            self._answer(choice_id, False)

    def _may_be_there(self, choice: Choice) -> bool:
        """The first time that its message seems gone: asked again, Discord may say otherwise."""
        if choice.message_id is None or choice.id in self._missed:
            return False
        self._missed.add(choice.id)
        return True

    async def _shown(self, choice: Choice, message_id: int | None, candidates: Sequence[Dream]) -> None:
        if message_id is not None and message_id != choice.message_id:
            await self._choices.set_message(choice.id, message_id)
            self._answer(choice.id, True)
            self.moved(choice.id)  # now there is something to vote under
            return
        if choice.state is ChoiceState.VOTING and choice.id not in self._asked:
            self._asked.add(choice.id)
            numbers = [NUMBERS[dream.candidate - 1] for dream in came_out(list(candidates))]
            left_s = (choice.ends_at or 0.0) - self._choices.clock()
            await self._poster.react(choice, numbers, for_s=left_s)
        if choice.state.is_over:
            self._asked.discard(choice.id)
            await self._choices.set_delivered(choice.id)

    def _answer(self, choice_id: int, posted: bool) -> None:
        future = self._posted.pop(choice_id, None)
        if future is not None and not future.done():
            future.set_result(posted)

    async def _allowed(self, candidates: Sequence[Dream]) -> dict[Dream, Showing]:
        """The beginnings that may be shown, and how."""
        out = came_out(list(candidates))
        asked = {dream: await self._poster.showing(dream, Occasion.HOME) for dream in out}
        return {dream: found for dream, found in asked.items() if found.visibility is not Visibility.WITHHELD}

    async def _pictures(self, candidates: Iterable[Dream]) -> dict[int, bytes]:
        """The files of beginnings, by number."""
        found = {}
        for dream in candidates:
            picture = await self._store.picture(dream.id)
            if picture is not None:
                found[dream.candidate] = picture.content
        return found
