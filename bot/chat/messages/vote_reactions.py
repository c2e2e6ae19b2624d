"""Puts the bot's own reactions under finished dreams, to vote with; each dream's are owed."""

from collections.abc import Callable

from bot.chat.messages.outbox import Later
from bot.chat.messages.poster import Poster
from bot.chat.reactions import Put
from bot.database.outbox import Owed
from bot.dreams.store import Store
from bot.servers.settings import ServerSettings

# Seconds until what Discord refused is tried again: a permission may come back, and its answer may be wrong.
REFUSED_S = (5.0, 60.0, 600.0, 3600.0, 6 * 3600.0)


class VoteReactions:
    """Live. They are owed (`bot.chat.messages.outbox`) once its message shows the dream's end."""

    def __init__(
        self, *, store: Store, poster: Poster, settings: Callable[[int | None], ServerSettings]
    ) -> None:
        """`settings`: a server's, by its id."""
        self._store = store
        self._poster = poster
        self._settings = settings

    async def put(self, owed: Owed) -> None:
        """Put them, without any that Discord never takes. Raises `Later`, `StoreError`."""
        dream = await self._store.get(owed.subject)
        if dream is None or not dream.is_shown:
            return
        outcome = await self._poster.react(dream, self._settings(dream.guild_id).vote_emoji)
        if outcome is not Put.DONE:
            refused_s = REFUSED_S[min(owed.tries, len(REFUSED_S)) - 1]
            pause_s = None if outcome is Put.LATER else refused_s
            raise Later(f"its reactions: {outcome.name.lower()}", pause_s=pause_s)
