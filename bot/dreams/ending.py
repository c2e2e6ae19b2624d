"""Cancelling and deleting a dream, ending a choice: its author may, and whoever moderates where it was.

Knows no Discord.
"""

from collections.abc import Awaitable, Callable

from bot.community.choices import Choice, Choices, ChoiceState
from bot.dreams.dream import Dream
from bot.queue.limits import Refused
from bot.queue.worker import Cancelled, Worker
from bot.servers.moderation import Moderation


class NotYours(Refused):
    """Only its author and moderators may cancel this dream."""


class NotYoursToDelete(NotYours):
    """Only its author and moderators may delete this dream."""


class CancelFirst(Refused):
    """A dream that is not over cannot be deleted."""


class NotYourChoice(Refused):
    """Only its author and moderators may end this choice."""


class NotVoting(Refused):
    """Its beginnings are not dreamt yet, so there is no vote to end."""


class AlreadyDecided(Refused):
    """The choice is over."""


def may_end(thing: Dream | Choice, person: int, *, moderates: bool) -> bool:
    """Whether this person may end a dream or a choice. `moderates`: they do where it was asked for."""
    return person == thing.author_id or moderates


def check_deletable(dream: Dream, person: int, *, moderates: bool) -> None:
    """Raises `NotYoursToDelete`, `CancelFirst`."""
    if not may_end(dream, person, moderates=moderates):
        raise NotYoursToDelete
    if not dream.state.is_over:
        raise CancelFirst


class Ending:
    """Live. What a moderator does with somebody else's dream or choice stands in the audit log."""

    def __init__(self, *, worker: Worker, choices: Choices, moderation: Moderation) -> None:
        self._worker = worker
        self._choices = choices
        self._moderation = moderation

    async def cancel(self, dream: Dream, *, by: int, moderates: bool) -> Cancelled:
        """End a dream, waiting or running, and keep its best picture. Raises `NotYours`, `StoreError`."""
        if not may_end(dream, by, moderates=moderates):
            raise NotYours
        outcome = await self._worker.cancel(dream.id, by=by)
        if outcome is not Cancelled.OVER:
            await self._moderation.note_about(dream, by=by, what="cancel")
        return outcome

    async def delete(
        self, dream: Dream, erase: Callable[[Dream], Awaitable[bool]], *, by: int, moderates: bool
    ) -> bool:
        """Delete a dream for good. False, and nothing is lost, when that cannot be just now.

        `erase`: takes down whatever shows it and then calls `Store.erase`. Raises `NotYoursToDelete`,
        `CancelFirst`, `StoreError`.
        """
        check_deletable(dream, by, moderates=moderates)
        erased = await erase(dream)
        if erased:
            await self._moderation.note_about(dream, by=by, what="delete")
        return erased

    async def end_vote(self, choice: Choice, *, by: int, moderates: bool) -> None:
        """The votes of now decide. Raises `NotYourChoice`, `NotVoting`, `AlreadyDecided`, `StoreError`."""
        _check_endable(choice, by, moderates=moderates)
        if choice.state is not ChoiceState.VOTING:
            raise NotVoting
        await self._note_end(choice, await self._choices.end_vote(choice.id, by), by, "decide")

    async def cancel_choice(self, choice: Choice, *, by: int, moderates: bool) -> None:
        """End a choice and its beginnings. Raises `NotYourChoice`, `AlreadyDecided`, `StoreError`."""
        _check_endable(choice, by, moderates=moderates)
        await self._note_end(choice, await self._choices.cancel(choice.id), by, "cancel")

    async def _note_end(self, choice: Choice, done: bool, by: int, what: str) -> None:
        if not done:
            raise AlreadyDecided
        first = next(iter(await self._choices.candidates(choice.id)), None)  # whose number people know
        number = first.id if first else choice.id
        await self._moderation.note_about(choice, by=by, what=what, number=number)


def _check_endable(choice: Choice, person: int, *, moderates: bool) -> None:
    if not may_end(choice, person, moderates=moderates):
        raise NotYourChoice
    if choice.state.is_over:
        raise AlreadyDecided
