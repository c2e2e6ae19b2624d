"""A server's part of the line, as its moderators tidy it; all of it stands in the audit log.

That it is paused or takes no new dreams is a setting of the server. Knows no Discord.
"""

from bot.dreams.dream import Dream
from bot.dreams.store import Store
from bot.queue.worker import Cancelled, Worker
from bot.servers.moderation import Moderation


class ServerLine:
    """Live. `by` moderates the server `guild_id`. Raises `StoreError`."""

    def __init__(self, *, store: Store, worker: Worker, moderation: Moderation) -> None:
        self._store = store
        self._worker = worker
        self._moderation = moderation

    async def clear(self, guild_id: int, person: int | None = None, *, by: int) -> int:
        """Take all dreams (of this person) out of the line. Gives their number."""
        count = await self._worker.clear(guild_id, person, by=by)
        if count:
            target = "" if person is None else f"person:{person}"
            await self._moderation.note(guild_id, by=by, what="clear", target=target, new=str(count))
        return count

    async def ban(
        self, guild_id: int, person: int, *, by: int, until: float | None = None, reason: str = ""
    ) -> int:
        """Let this person dream no more here, until a time (seconds since 1970) or for good.

        Their waiting dreams leave the line. Gives how many these were.
        """
        await self._moderation.add_ban(guild_id, person, by=by, until=until, reason=reason)
        return await self.clear(guild_id, person, by=by)

    async def cancel(self, guild_id: int, dream_id: int, *, by: int) -> Cancelled | None:
        """End a dream, waiting or running, and keep its best picture. None: none here has this id."""
        if await self._here(guild_id, dream_id) is None:
            return None
        outcome = await self._worker.cancel(dream_id, by=by)
        if outcome is not Cancelled.OVER:
            await self._moderation.note(guild_id, by=by, what="cancel", target=f"dream:{dream_id}")
        return outcome

    async def move_to_front(self, guild_id: int, dream_id: int, *, by: int) -> bool:
        """Let a dream be the server's next. False: none with this id waits here."""
        if await self._here(guild_id, dream_id) is None or not await self._worker.move_to_front(dream_id):
            return False
        await self._moderation.note(guild_id, by=by, what="front", target=f"dream:{dream_id}")
        return True

    async def _here(self, guild_id: int, dream_id: int) -> Dream | None:
        if not 0 < dream_id < 2**63:
            return None
        dream = await self._store.get(dream_id)
        return dream if dream is not None and dream.guild_id == guild_id else None
