"""What kinds of places there are, of all front ends together: the page's local channel, and Discord's."""

from collections.abc import Iterable
from typing import Protocol

from bot.dreams.local import is_local
from bot.dreams.showing import Venue


class Places(Protocol):
    """What a front end knows of the channels in which people dream."""

    def venue(self, guild_id: int | None, channel_id: int) -> Venue:
        """What kind of place a channel is now, by what is known already; hidden if that is nothing."""
        ...

    async def learn(self, guild_id: int | None, channels: Iterable[int]) -> None:
        """Find out about those of the channels that are not known."""
        ...


class AllPlaces:
    """`Places` of every front end. One that does not run knows nothing, so its places are hidden."""

    def __init__(self) -> None:
        self.discord: Places | None = None

    def venue(self, guild_id: int | None, channel_id: int) -> Venue:
        """See `Places`."""
        if is_local(guild_id):
            return Venue(guild_id=guild_id, channel_id=channel_id, public=True)
        if self.discord is None:
            return Venue(guild_id=guild_id, channel_id=channel_id, known=False)
        return self.discord.venue(guild_id, channel_id)

    async def learn(self, guild_id: int | None, channels: Iterable[int]) -> None:
        """See `Places`."""
        if self.discord is not None and not is_local(guild_id):
            await self.discord.learn(guild_id, channels)
