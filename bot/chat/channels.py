"""What kind of place a channel is, and who may read there, by Discord's own permissions.

Unknown channels are hidden. discord.py forgets archived threads, so those are asked for, once.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

import aiohttp
import discord

from bot.database.shards import ALL_SHARDS, Shards
from bot.dreams.showing import Venue

log = logging.getLogger(__name__)

KEPT = 10_000  # threads that are remembered
MOST = 25  # threads that are asked for at a time; the others are hidden until the next time
AT_ONCE = 5  # requests
FORGOTTEN_S = 600.0  # seconds until a thread that could not be found is asked for again
PATIENCE_S = 30.0  # seconds to wait for the servers after a start
_VOICE = (discord.VoiceChannel, discord.StageChannel)


@dataclass(frozen=True, slots=True)
class _Thread:
    """What never changes in a thread."""

    guild_id: int
    parent_id: int
    private: bool


class Venues:
    """Of the connected client's servers."""

    def __init__(self, client: discord.Client, *, shards: Shards = ALL_SHARDS) -> None:
        """`shards`: whose servers the client hears of; all others' channels are hidden."""
        self._shards = shards
        self._client = client
        self._threads: OrderedDict[int, _Thread] = OrderedDict()
        self._missing: dict[int, float] = {}  # thread → when to ask for it again, on the monotonic clock

    def venue(self, guild_id: int | None, channel_id: int) -> Venue:
        """By what is known already; see `learn`."""
        if guild_id is None:
            return Venue(guild_id=None, channel_id=channel_id)
        guild = self._client.get_guild(guild_id)
        channel, thread = self._channel(guild, channel_id) if guild is not None else (None, None)
        if guild is None or channel is None:
            return Venue(guild_id=guild_id, channel_id=channel_id, known=False)
        private = thread is not None and thread.private
        return Venue(
            guild_id=guild_id,
            channel_id=channel_id,
            parent_id=None if thread is None else thread.parent_id,
            private=private,
            public=not private and _reads(channel, guild.default_role),
            adults=bool(getattr(channel, "nsfw", False)),
        )

    def here(self, interaction: discord.Interaction) -> Venue:
        """Where the interaction is used."""
        if isinstance(interaction.channel, discord.Thread):
            self.remember(interaction.channel)
        return self.venue(interaction.guild_id, interaction.channel_id or 0)

    async def learn(self, guild_id: int | None, channels: Iterable[int]) -> None:
        """Find out about those of the channels that are archived threads."""
        if guild_id is None:
            return
        guild = await self._guild(guild_id)
        if guild is None or guild.unavailable:
            return
        now = monotonic()
        unknown = sorted(
            {one for one in channels if one and self._channel(guild, one) == (None, None)}, reverse=True
        )
        asked = [one for one in unknown if self._missing.get(one, now) <= now][:MOST]
        turns = asyncio.Semaphore(AT_ONCE)

        async def ask(channel_id: int) -> None:
            async with turns:
                await self._ask(guild, channel_id)

        await asyncio.gather(*(ask(one) for one in asked))

    async def read_by(self, interaction: discord.Interaction, channels: Iterable[int]) -> set[int]:
        """Those of this server's channels that whoever uses the interaction may read."""
        channels = set(channels)
        here, user = interaction.channel_id, interaction.user
        if interaction.guild_id is None:
            return channels & {here}
        await self.learn(interaction.guild_id, channels - {here})
        guild = interaction.guild
        if guild is None or not isinstance(user, discord.Member):
            return channels & {here}
        return {one for one in channels if one == here or self._may_read(guild, one, user)}

    def threads_in(self, channel_id: int) -> list[int]:
        """The threads of a channel that are remembered, archived ones too."""
        return [id for id, thread in self._threads.items() if thread.parent_id == channel_id]

    def forget(self, thread_id: int) -> None:
        """A thread is deleted."""
        self._threads.pop(thread_id, None)

    def _may_read(self, guild: discord.Guild, channel_id: int, who: discord.Member) -> bool:
        """Private threads are for those who are in them: nobody else but who may manage all threads."""
        channel, thread = self._channel(guild, channel_id)
        if channel is None or not _reads(channel, who):
            return False
        return thread is None or not thread.private or channel.permissions_for(who).manage_threads

    def _channel(
        self, guild: discord.Guild, channel_id: int
    ) -> tuple[discord.abc.GuildChannel | None, _Thread | None]:
        """The channel itself, or a thread's channel and the thread."""
        channel = guild.get_channel(channel_id)
        if channel is not None:
            return channel, None
        active = guild.get_thread(channel_id)
        if active is not None:
            self.remember(active)
        thread = self._threads.get(channel_id)
        if thread is None or thread.guild_id != guild.id:
            return None, None
        self._threads.move_to_end(channel_id)
        parent = guild.get_channel(thread.parent_id)
        return (None, None) if parent is None else (parent, thread)

    def remember(self, thread: discord.Thread) -> None:
        """What a thread is, for when it is archived."""
        self._missing.pop(thread.id, None)
        self._threads[thread.id] = _Thread(thread.guild.id, thread.parent_id, thread.is_private())
        if len(self._threads) > KEPT:
            self._threads.popitem(last=False)

    async def _ask(self, guild: discord.Guild, channel_id: int) -> None:
        try:
            found = await self._client.fetch_channel(channel_id)
        except (discord.NotFound, discord.Forbidden, discord.InvalidData) as error:
            log.debug("channel %d: cannot be seen, %s", channel_id, error)
            found = None
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("channel %d: hidden for now, %r", channel_id, error)
            return
        if isinstance(found, discord.Thread) and found.guild.id == guild.id:
            self.remember(found)
            return
        while len(self._missing) >= KEPT:
            self._missing.pop(next(iter(self._missing)))
        self._missing[channel_id] = monotonic() + FORGOTTEN_S

    async def _guild(self, guild_id: int) -> discord.Guild | None:
        """The server, as soon as Discord has told of all of them."""
        guild = self._client.get_guild(guild_id)
        if guild is None and self._shards.have(guild_id) and not self._client.is_ready():
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._client.wait_until_ready()
            except TimeoutError:
                log.info("server %d: not known yet", guild_id)
            guild = self._client.get_guild(guild_id)
        return guild


def _reads(channel: discord.abc.GuildChannel, who: discord.Member | discord.Role) -> bool:
    """A voice channel's chat is for those who may connect (Discord's reference of Get Channel Messages)."""
    may = channel.permissions_for(who)
    return may.read_messages and (may.connect or not isinstance(channel, _VOICE))
