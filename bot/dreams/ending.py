"""Cancelling and deleting a dream: its author may, and whoever moderates where it was asked for.

Knows no Discord.
"""

from collections.abc import Awaitable, Callable

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


def may_end(dream: Dream, person: int, *, moderates: bool) -> bool:
    """Whether this person may cancel and delete a dream. `moderates`: they do where it was asked for."""
    return person == dream.author_id or moderates


def check_deletable(dream: Dream, person: int, *, moderates: bool) -> None:
    """Raises `NotYoursToDelete`, `CancelFirst`."""
    if not may_end(dream, person, moderates=moderates):
        raise NotYoursToDelete
    if not dream.state.is_over:
        raise CancelFirst


class Ending:
    """Live. What a moderator does with somebody else's dream stands in the audit log."""

    def __init__(self, *, worker: Worker, moderation: Moderation) -> None:
        self._worker = worker
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
