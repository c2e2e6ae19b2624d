"""Leads the channel through its choices: shows the beginnings, opens the vote, counts it, tells the winner.

The reactions under the message are the votes: nothing is lost while the bot is away, and what somebody takes
back is gone. They are read once, when the vote ends.

A choice is owed (`bot.chat.messages.outbox`) until it is over and shown so: whatever changes it has it looked
at, and while people vote it is due when the vote ends.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.chat.messages.choice_message import NUMBERS, choice_content, draw
from bot.chat.messages.outbox import Later, NotDue, Outbox, believe
from bot.chat.messages.pacing import Edits, Priority
from bot.chat.messages.poster import Outcome, Poster, show_fitting
from bot.chat.messages.taking_down import taken_down
from bot.chat.reactions import Put
from bot.community.choices import (
    Choice,
    Choices,
    ChoiceState,
    came_out,
)
from bot.database.outbox import Kind, Owed
from bot.dreams.dream import Dream, Picture
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

DREAMING_S = 3600.0  # seconds between looks at a choice of which nothing is heard, as of an older program
NONCE = 25  # characters (Discord reference, 2026-08)
NONCE_S = 60.0  # seconds for which Discord surely takes two posts with one nonce for the same


@dataclass(frozen=True, slots=True)
class _Edit:
    """A choice, among its channel's edits. See `bot.chat.messages.pacing.Edit`."""

    choice_id: int
    priority: Priority
    paces: float

    @property
    def key(self) -> tuple[str, int]:
        return "choice", self.choice_id


class ChoiceMessages:
    """Live: `start` when the client can send."""

    def __init__(
        self, *, choices: Choices, store: Store, poster: Poster, edits: Edits, outbox: Outbox
    ) -> None:
        self._choices = choices
        self._store = store
        self._poster = poster
        self._edits = edits
        self._outbox = outbox
        self._dreaming: dict[int, Any] = {}  # choice → what its message shows while its beginnings are dreamt
        self._posted: dict[int, asyncio.Future[bool]] = {}  # who waits for a choice's first message

    async def start(self) -> None:
        """Look after what an older program left. Raises `StoreError`."""
        await self._outbox.adopt(Kind.CHOICE, *(choice.id for choice in await self._choices.open()))

    async def posted(self, choice_id: int) -> bool:
        """Wait for the choice's first message; False when it cannot be posted. Raises `StoreError`."""
        future = self._posted.setdefault(choice_id, asyncio.get_running_loop().create_future())
        choice = await self._choices.get(choice_id)
        if choice is None or choice.message_id is not None or choice.delivered:
            self._answer(choice_id, choice is not None and choice.message_id is not None)
        return await asyncio.shield(future)

    def heard(self, dream: Dream, event: Event | None) -> None:
        """A beginning waits, is dreamt, or is over."""
        if dream.state.is_over:
            self._outbox.wake()

    def moved(self, choice_id: int) -> None:
        """It stands otherwise now."""
        self._outbox.wake()

    def erased(self, dream: Dream) -> None:
        """A dream is erased; perhaps it came of a choice."""
        self._outbox.wake()

    async def look(self, owed: Owed) -> None:
        """Do what is due for a choice, and show it. Raises `Later`, `NotDue`, `StoreError`."""
        choice = await self._choices.get(owed.subject)
        if (
            choice is None
            or is_local(choice.guild_id)
            or await self._is_forgotten(choice, owed)
            or choice.delivered
        ):
            return
        if choice.state is ChoiceState.DREAMING and await self._choices.settle(choice.id):
            return  # it is written anew, as whenever it changes
        voting = choice.state is ChoiceState.VOTING and choice.message_id is not None
        if voting and (choice.ends_at or 0.0) <= self._choices.clock():
            await self._count(choice, owed)
            return
        over = choice.state.is_over
        edit = _Edit(choice.id, Priority.END if over else Priority.FRAME, paces=0 if over else 1)
        try:
            if not await self._edits.made(choice.channel_id, edit, partial(self._show, choice.id, owed)):
                raise Later("it was overtaken")
        except Later as error:
            raise self._by_its_end(choice, error) from error
        if not over:
            raise NotDue(choice.ends_at or self._choices.clock() + DREAMING_S)

    def _by_its_end(self, choice: Choice, error: Later) -> Later:
        """As it is, but tried again no later than when its vote ends."""
        if choice.state is not ChoiceState.VOTING or choice.ends_at is None:
            return error
        left_s = max(0.0, choice.ends_at - self._choices.clock())
        return Later(str(error), most_s=left_s)

    # ------------------------------------------------------------------ tasks

    async def _is_forgotten(self, choice: Choice, owed: Owed) -> bool:
        """The beginnings go with the dream that came of them, and so does their message."""
        result = await self._choices.result(choice.id) if choice.state is ChoiceState.DECIDED else None
        if result is None or not result.erased:
            return False
        await self._choices.forget(choice.id)
        if choice.message_id is not None:
            await taken_down(self._poster, choice, owed)
        return True

    async def _count(self, choice: Choice, owed: Owed) -> None:
        """Read the votes under the message and decide."""
        outcome, people = await self._poster.votes(choice, NUMBERS)
        if outcome is Outcome.GONE:
            believe(owed, "its message is not there, says Discord")
            await self._choices.cancel(choice.id)  # whoever deleted the message does not want it
        elif outcome is Outcome.SHOWN:
            votes = {number: len(voters) for number, voters in enumerate(people, start=1)}
            await self._choices.decide(choice.id, votes)
        else:
            raise Later("the votes cannot be read")  # nobody's vote is lost over a hiccup

    async def _show(self, choice_id: int, owed: Owed) -> None:
        """Bring the choice's message up to date; once more if another process changed it meanwhile."""
        shown: ChoiceState | None = None
        while (choice := await self._choices.get(choice_id)) is not None and choice.state is not shown:
            if not await self._show_as(choice, owed):
                return
            shown = choice.state

    async def _show_as(self, choice: Choice, owed: Owed) -> bool:
        """Whether its message shows it now. Raises `Later`, `StoreError`."""
        choice_id = choice.id
        if choice.message_id is None and (owed.again or self._choices.clock() - choice.created_at > NONCE_S):
            # Posted already, perhaps, by whoever could not remember that.
            found = await self._poster.find_button(choice, f"choice:{choice.id}:")
            if found is not None:
                await self._choices.set_message(choice.id, found)
                choice = replace(choice, message_id=found)
        candidates = await self._choices.candidates(choice_id)
        if choice.state is ChoiceState.DREAMING and self._dreaming.get(choice_id) == _looks(
            choice, candidates
        ):
            return True  # a look from time to time: in an archived thread each edit would be a new message
        allowed = await self._allowed(candidates)
        drawn = await one_at_a_time(draw, choice, candidates, await self._pictures(allowed))
        by = together(allowed.values())

        async def show(picture: Picture | None) -> tuple[Outcome, int | None]:
            content = choice_content(choice, candidates, picture, by)
            outcome, message_id = await self._poster.show(choice, content)
            was_old = outcome is Outcome.OLD and await self._may_give_way(choice)
            if outcome is Outcome.ARCHIVED or was_old:
                # A new message opens the thread again; a nonce of its own, for it is not the first one.
                nonce = f"{choice.origin}-{choice.state}"
                outcome, message_id = await self._poster.post(choice, content, nonce=nonce[:NONCE])
                if was_old and outcome is Outcome.SHOWN:
                    await self._poster.delete(choice)
            return outcome, message_id

        outcome, message_id = await show_fitting(drawn, self._poster.upload_limit(choice), show)
        if outcome is Outcome.SHOWN:
            await self._shown(choice, message_id, candidates)
            return True
        waits = choice.message_id is None and not owed.again  # whoever asked, for an answer
        if outcome is Outcome.GONE and not waits:
            believe(owed, "its message, or its channel, is not there, says Discord")
        elif outcome is not Outcome.GONE:
            raise Later(outcome.name.lower())
        log.info("choice %d: %s, so it ends", choice_id, outcome.name.lower())
        await self._choices.cancel(choice_id)
        await self._choices.set_delivered(choice_id)
        self._answer(choice_id, False)
        return False

    async def _shown(self, choice: Choice, message_id: int | None, candidates: Sequence[Dream]) -> None:
        if message_id is not None and message_id != choice.message_id:
            await self._choices.set_message(choice.id, message_id)
        self._answer(choice.id, True)
        choice = replace(choice, message_id=message_id)
        if choice.state is ChoiceState.DREAMING:
            self._dreaming[choice.id] = _looks(choice, candidates)
        else:
            self._dreaming.pop(choice.id, None)
        if choice.state is ChoiceState.VOTING:
            numbers = [NUMBERS[dream.candidate - 1] for dream in came_out(list(candidates))]
            if await self._poster.react(choice, numbers) is not Put.DONE:
                raise Later("numbers to vote with are missing")
        if choice.state.is_over:
            await self._choices.set_delivered(choice.id)

    async def _may_give_way(self, choice: Choice) -> bool:
        """Whether no votes are lost with its message: nobody could vote yet, or it is over."""
        if choice.state is not ChoiceState.VOTING:
            return choice.state.is_over
        outcome, found = await self._poster.given(choice, lambda emoji: emoji in NUMBERS)
        return outcome is Outcome.SHOWN and not found.own

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


def _looks(choice: Choice, candidates: Sequence[Dream]) -> Any:
    """What differs when the message of a choice whose beginnings are dreamt has to be edited."""
    return choice.message_id, [(dream.state, dream.erased) for dream in candidates]
