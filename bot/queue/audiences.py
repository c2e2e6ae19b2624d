"""Tells what happens to each dream to the front end whose it is, and to all who watch.

One line serves both, so that places in line move for all. A front end that does not run is told nothing; at
its next start it finds in the store what it missed.
"""

from bot.dreams.dream import Dream
from bot.dreams.local import is_local
from bot.queue.engine_worker import Audience
from engine import Event


class Audiences:
    """The worker's `Audience`."""

    def __init__(self) -> None:
        self.local: Audience | None = None
        self.discord: Audience | None = None
        self.watching: list[Audience] = []  # told of every dream: the wall, the measurements

    def heard(self, dream: Dream, event: Event | None) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        audience = self.local if is_local(dream.guild_id) else self.discord
        for one in (audience, *self.watching):
            if one is not None:
                one.heard(dream, event)

    def line_moved(self) -> None:
        """See `bot.queue.engine_worker.Audience`."""
        for audience in (self.local, self.discord, *self.watching):
            if audience is not None:
                audience.line_moved()
