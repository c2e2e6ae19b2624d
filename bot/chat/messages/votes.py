"""Keeps the number of votes above each dream's picture up to date, without hurry.

Discord is strict with edits of messages older than an hour (30046): those keep the number that they had, and
/top has the newest one. Of a dream in the hall of fame the hall keeps both messages up to date, slowly.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bot.chat.messages.pacing import Edits, Priority
from bot.chat.messages.poster import Poster
from bot.community.votes import Votes
from bot.database.connection import StoreError
from bot.dreams.dream import Dream
from bot.dreams.local import is_local
from bot.sentences import spoken
from bot.servers.settings import ServerSettings

log = logging.getLogger(__name__)

PACES = 8  # paces between two edits: 32 s, where frames are 4 s apart
FRESH_S = 3600.0  # seconds after which Discord minds edits


@dataclass(frozen=True, slots=True)
class VoteCaption:
    """A dream's votes, among its channel's edits. See `bot.chat.messages.pacing.Edit`."""

    dream_id: int
    priority: Priority = Priority.VOTES
    paces: float = PACES

    @property
    def key(self) -> tuple[str, int]:
        return "votes", self.dream_id


class VoteCaptions:
    """Hears of votes. Live."""

    def __init__(
        self,
        *,
        votes: Votes,
        poster: Poster,
        edits: Edits,
        settings: Callable[[int | None], ServerSettings],
    ) -> None:
        self._votes = votes
        self._poster = poster
        self._edits = edits
        self._settings = settings

    def heard(self, dream: Dream, tally: int) -> None:
        """A dream's tally is new."""
        fresh = self._votes.clock() - dream.created_at < FRESH_S  # its message is about as old
        if dream.is_shown and fresh and not is_local(dream.guild_id):
            self._edits.want(dream.channel_id, VoteCaption(dream.id), partial(self._show, dream))

    async def _show(self, dream: Dream) -> None:
        try:
            tally = await self._votes.tally(dream.id)
        except StoreError as error:
            log.info("dream %d: its votes are not shown: %s", dream.id, error)
            return
        await self._poster.caption(dream, caption(dream, self._settings(dream.guild_id), tally))


def caption(dream: Dream, settings: ServerSettings, tally: int) -> str:
    """What stands above a dream's picture."""
    return spoken(dream.language).votes(settings.vote_emoji[0], tally) if tally else ""
