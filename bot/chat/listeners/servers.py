"""Hears of servers that come and go: says hello in each once, where its people see it, and takes leave."""

import logging
from datetime import timedelta
from functools import partial

import aiohttp
import discord
from discord.ext import commands

from bot.chat.listeners.listener import Listener
from bot.chat.messages.language import of_guild
from bot.database.connection import StoreError
from bot.dreams.dream import DreamState
from bot.dreams.store import Store
from bot.keeping.forgetting import Forgetter
from bot.queue.worker import Worker
from bot.servers.moderation import Moderation

log = logging.getLogger(__name__)

LATE = timedelta(days=1)  # who invited us while we were away is still told how to begin


class ServerListener(Listener):
    """Also whoever invited us while we were away is told how to begin: `welcome_late`."""

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.parts.inbox.put("A server's return", partial(self.parts.forgetter.server_back, guild.id))
        await welcome(self.client, self.parts.moderation, guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Discord says so of servers that are only out of reach in another way: `on_guild_unavailable`."""
        self.parts.inbox.put("A server's leave", partial(self.parts.forgetter.server_left, guild.id))
        await leave(self.parts.store, self.parts.worker, guild.id)


async def welcome(client: discord.Client, moderation: Moderation, guild: discord.Guild) -> None:
    """Tell how to begin, in the system channel or else to the owner; once for each server."""
    try:
        if not await moderation.welcome(guild.id):
            return
    except StoreError as error:
        log.warning("server %d: not welcomed: %s", guild.id, error)
        return
    text = of_guild(guild, moderation.settings(guild.id)).WELCOME
    try:
        channel = guild.system_channel
        if channel is not None and channel.permissions_for(guild.me).send_messages:
            await channel.send(text)
        elif guild.owner_id is not None:
            owner = await client.fetch_user(guild.owner_id)
            await owner.send(text)
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
        log.info("server %d: its welcome did not arrive: %s", guild.id, error)


async def welcome_late(client: discord.Client, moderation: Moderation) -> None:
    """Welcome the servers that were joined while nobody was here to hear of it."""
    since = discord.utils.utcnow() - LATE
    for guild in client.guilds:
        if guild.me is not None and guild.me.joined_at is not None and guild.me.joined_at > since:
            await welcome(client, moderation, guild)


async def find_left(client: discord.Client, forgetter: Forgetter) -> None:
    """Find servers that we were removed from, or came back to, while nobody was here. Raises `StoreError`.

    Of this process's own shards: what another one hears of is unknown here, not gone.
    """
    here = {guild.id for guild in client.guilds}  # with those that are out of reach
    for guild_id in await forgetter.traces.servers():
        if guild_id in here:
            await forgetter.server_back(guild_id)
        else:
            await forgetter.server_left(guild_id)


async def leave(store: Store, worker: Worker, guild_id: int) -> None:
    """Withdraw all dreams of a server that we are no longer in: nobody could see them."""
    try:
        for dream in await store.in_server(guild_id, (DreamState.QUEUED, DreamState.DREAMING)):
            await worker.cancel(dream.id)
    except StoreError as error:
        log.warning("server %d: its dreams go on until they cannot be shown: %s", guild_id, error)
