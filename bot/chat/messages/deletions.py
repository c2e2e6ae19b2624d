"""What becomes of dreams whose message was deleted by hand, now or while nobody was here, or is hidden now.

The end of the message is the end of the showing: its copies in the hall of fame and the gallery come down,
and no ranking names it. The dream stays in its author's own list. When a channel is not open to everybody any
more, only the copies of its dreams come down; once it is open again, the next vote may bring one back to the
hall.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from functools import partial

import aiohttp
import discord

from bot.background import OnDemand
from bot.chat.channels import Venues
from bot.chat.inbox import Inbox
from bot.chat.messages.outbox import Later, Outbox
from bot.chat.messages.poster import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, Shown
from bot.community.votes import Votes
from bot.database.connection import StoreError
from bot.database.outbox import Kind, Owed
from bot.database.shards import Shards
from bot.dreams.copies import Copies, Home
from bot.dreams.dream import Dream
from bot.dreams.store import Store
from bot.servers.settings import NsfwPolicy

log = logging.getLogger(__name__)

PACE_S = 1.0  # seconds between two questions to Discord about channels that it has not told of
LOOK_MOST = 100  # of them, at one start or after one deletion


class Deletions(OnDemand):
    """Hears of deletions and of changed channels. Knows nobody who shows copies."""

    def __init__(
        self,
        *,
        client: discord.Client,
        shards: Shards,
        venues: Venues,
        copies: Copies,
        store: Store,
        votes: Votes,
        outbox: Outbox,
        inbox: Inbox,
        pace_s: float = PACE_S,
    ) -> None:
        """`shards`: whose servers the client hears of."""
        super().__init__()
        self._client = client
        self._shards = shards
        self._venues = venues
        self._copies = copies
        self._store = store
        self._votes = votes
        self._outbox = outbox
        self._inbox = inbox
        self._pace_s = pace_s
        self.on_gone: list[Callable[[int], None]] = []  # told dreams of which a message is gone
        # Asked whether a dream may still hang where it does, when somebody else may be let in; …
        self.checks: list[Callable[[Dream], Awaitable[None]]] = []
        # … and to take a dream down that nobody may see any more: raise `Later` until that is done.
        self.take_down: list[Callable[[Dream, Owed], Awaitable[None]]] = []
        self._changed: set[int] = set()  # servers to be looked at
        self._suspects: dict[tuple[int, int | None], Shown] = {}  # what seems to be missing, by its place
        self._policies: dict[int, NsfwPolicy] = {}  # by server

    def messages(self, message_ids: Collection[int]) -> None:
        """These messages are deleted."""
        self._inbox.put("A deletion", partial(self._messages, message_ids))

    def channel(self, guild_id: int, channel_id: int) -> None:
        """A channel or thread is deleted; threads of a channel go with it, and Discord does not name them."""
        for one in (channel_id, *self._venues.threads_in(channel_id)):
            self._inbox.put("A channel's deletion", partial(self._channel, guild_id, one))
        self.look_at(guild_id)

    def missing(self, shown: Shown) -> None:
        """Discord answered that it does not know a message, or its channel: it is asked once more."""
        self._suspects[shown.channel_id, shown.message_id] = shown
        self.begin()

    def left(self, guild_id: int) -> None:
        """We are not in this server any more."""
        self._inbox.put("A server's leave", partial(self._copies.server_left, guild_id))

    def back(self, guild_id: int) -> None:
        """We are in this server, perhaps again: much may have changed meanwhile."""
        self._inbox.put("A server's return", partial(self._back, guild_id))

    def look_at(self, guild_id: int) -> None:
        """Somebody changed a server's channels, or who may see them."""
        self._changed.add(guild_id)
        self.begin()

    def policy(self, guild_id: int, policy: NsfwPolicy) -> None:
        """What becomes of unsafe pictures in a server, perhaps something else than before."""
        if self._policies.get(guild_id) is not policy:
            self._policies[guild_id] = policy
            self.look_at(guild_id)

    async def catch_up(self) -> None:
        """Find what happened while nobody was here. Raises `StoreError`."""
        here = {guild.id for guild in self._client.guilds}
        for guild_id in await self._copies.servers():
            (self.back if guild_id in here else self.left)(guild_id)
        # An older program's have no row, and what was given up is tried again.
        await self._outbox.adopt(Kind.GALLERY, *(dream.id for dream in await self._copies.leftovers()))

    async def hide(self, owed: Owed) -> None:
        """Let a dream hang nowhere whose channel is closed. Raises `Later`, `StoreError`."""
        dream = await self._store.get(owed.subject)
        if dream is None or self._venues.venue(dream.guild_id, dream.channel_id).known:
            return  # it is open again, or everybody who shows it knows by themselves
        left: Later | None = None
        for take_down in self.take_down:
            try:
                await take_down(dream, owed)
            except Later as error:
                left = error
        if left is not None:
            raise left

    # ------------------------------------------------------------------ tasks

    async def _back(self, guild_id: int) -> None:
        await self._copies.server_back(guild_id)
        self.look_at(guild_id)

    async def _missing(self, shown: Shown) -> None:
        """One wrong answer of Discord's, as it gives some in its bad hours, takes nothing down."""
        guild_id = shown.guild_id or 0
        if self._shards.have(guild_id) and self._client.get_guild(guild_id) is None:
            return  # we left it; what another process hears of Discord tells us, too
        if shown.message_id is None:
            await self._may_be_there(guild_id, shown.channel_id)
            return
        channel = self._client.get_partial_messageable(shown.channel_id, guild_id=guild_id)
        try:
            await channel.fetch_message(shown.message_id)
        except discord.NotFound as error:
            if error.code == UNKNOWN_CHANNEL:
                self.channel(guild_id, shown.channel_id)
            elif error.code == UNKNOWN_MESSAGE:
                self.messages([shown.message_id])
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("message %d: not known to be gone: %r", shown.message_id, error)

    async def _messages(self, message_ids: Collection[int]) -> None:
        self._tell(await self._copies.messages_gone(message_ids))

    async def _channel(self, guild_id: int, channel_id: int) -> None:
        self._tell(await self._copies.channel_gone(guild_id, channel_id))

    def _tell(self, dream_ids: Collection[int]) -> None:
        """As something to be done of its own: the database may be away in the middle of it."""
        if dream_ids:
            self._inbox.put("What a deletion leads to", partial(self._told, dream_ids))

    async def _told(self, dream_ids: Collection[int]) -> None:
        for dream_id in dict.fromkeys(dream_ids):
            for hear in self.on_gone:
                hear(dream_id)
            dream = await self._store.get(dream_id)
            if dream is not None and dream.is_shown:  # it lost a copy, and the reactions under it
                await self._votes.tell(dream)
        self._outbox.wake()

    async def _run(self) -> None:
        asked = 0
        while self._changed or self._suspects:
            if self._suspects:
                await self._missing(self._suspects.pop(next(iter(self._suspects))))
                continue
            guild = self._client.get_guild(self._changed.pop())
            if guild is None:
                continue
            try:
                asked = await self._look(guild, asked)
            except StoreError as error:
                log.warning("server %d: looked at again later: %s", guild.id, error)
                self._changed.add(guild.id)
                await asyncio.sleep(self._pace_s)
            except Exception:
                # A fault with one server must not keep the others out.
                log.exception("server %d: a fault of ours while its channels were looked at", guild.id)

    async def _look(self, guild: discord.Guild, asked: int) -> int:
        """Take down what may be shown no more. Gives how many channels Discord was asked about by now."""
        public = await self._copies.in_public(guild_id=guild.id)
        hung = [Home(guild.id, dream.channel_id) for dream in public]
        closed: set[int] = set()
        for place in dict.fromkeys([*hung, *await self._copies.places(guild.id)]):
            if self._venues.venue(guild.id, place.channel_id).known or asked >= LOOK_MOST:
                continue
            if asked:
                await asyncio.sleep(self._pace_s)
            asked += 1
            if not await self._may_be_there(guild.id, place.channel_id):
                closed.add(place.channel_id)
        hidden = [dream.id for dream in public if dream.channel_id in closed]
        await self._outbox.owe_in_turn(Kind.HIDDEN, hidden)
        for dream in public:
            if dream.channel_id not in closed:  # who may read it, or the copy's, may have changed
                for check in self.checks:
                    await check(dream)
        return asked

    async def _may_be_there(self, guild_id: int, channel_id: int) -> bool:
        """Whether a channel that is not cached is there, as far as Discord says: an archived thread is."""
        try:
            channel = await self._client.fetch_channel(channel_id)
        except discord.NotFound:
            self._inbox.put("A channel's deletion", partial(self._channel, guild_id, channel_id))
            return False
        except discord.Forbidden:
            return False
        except (
            discord.HTTPException,
            discord.InvalidData,
            aiohttp.ClientError,
            TimeoutError,
            OSError,
        ) as error:
            log.info("channel %d: looked at again at the next start: %s", channel_id, error)
            return True
        if isinstance(channel, discord.Thread):
            self._venues.remember(channel)
        return True
