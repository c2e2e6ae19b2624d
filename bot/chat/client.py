"""The connection to Discord: what it asks for, and that all commands, buttons and listeners are found."""

import logging

import aiohttp
import discord
from discord.ext import commands

from bot.chat import features
from bot.chat.access import PERMISSIONS
from bot.chat.attachments import MAX_ATTACHMENT
from bot.chat.downloads import bound
from bot.chat.language import Translator
from bot.chat.parts import Parts
from bot.chat.session_starts import SessionStarts
from bot.chat.tree import Tree
from bot.database.shards import Shards
from engine.settings import Proxy

log = logging.getLogger(__name__)

MORE_SHARDS = (
    "Discord recommends %d shards for so many servers, and SHARD_COUNT is %d: please set that many in every "
    "process before Discord lets none in."
)


class OneiroClient(commands.AutoShardedBot):
    """Hands over what users do. Caches no members and no messages: it stays small in many servers."""

    parts: Parts  # set when they are built: many of them need the client themselves

    def __init__(
        self,
        *,
        proxy: Proxy | None = None,
        shards: Shards | None = None,
        starts: SessionStarts | None = None,
    ) -> None:
        """`proxy`: the way to Discord; `shards`: which to connect, None for all that Discord recommends;
        `starts`: when each may begin, where other processes begin theirs.
        """
        self._shards, self._starts = shards, starts
        intents = discord.Intents.none()
        intents.guilds = True
        intents.guild_reactions = True
        # For deletions. It is not privileged, and without `message_content` what people write stays out.
        intents.guild_messages = True
        super().__init__(
            commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=intents,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            proxy=proxy.address if proxy else None,
            proxy_auth=_credentials(proxy),
        )
        if shards is not None:
            self.shard_count, self.shard_ids = shards.count, sorted(shards.ids)
        bound(self.http, MAX_ATTACHMENT)
        for command in features.commands():
            self.tree.add_command(command)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(*features.buttons())
        for listener in features.listeners():
            await self.add_cog(listener(client=self, parts=self.parts))
        await self.tree.set_translator(Translator())
        if self._shards is not None:
            await self._ask_for_limits(self._shards)
        if self._shards is None or self._shards.have_first:
            await self.tree.sync()  # for all servers, so that one process is enough

    async def _ask_for_limits(self, shards: Shards) -> None:
        recommended, _, limits = await self.http.get_bot_gateway()
        if recommended > shards.count:
            log.warning(MORE_SHARDS, recommended, shards.count)
        if self._starts is not None:
            self._starts.at_once = int(limits["max_concurrency"])

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait until Discord lets this shard begin."""
        if self._starts is None:
            await super().before_identify_hook(shard_id, initial=initial)
        else:
            await self._starts.wait(shard_id or 0)

    async def close(self) -> None:
        """Leave Discord when commands that are on their way have answered."""
        if isinstance(self.tree, Tree):
            await self.tree.close()
        await super().close()

    async def on_ready(self) -> None:
        assert self.user is not None
        log.info("Connected as %s, in %d servers", self.user, len(self.guilds))
        if self.application_id is not None:
            log.info("Invite me: %s", discord.utils.oauth_url(self.application_id, permissions=PERMISSIONS))

    async def on_message(self, message: discord.Message, /) -> None:
        """What people write is not for us: there are no commands but Discord's own."""


def _credentials(proxy: Proxy | None) -> aiohttp.BasicAuth | None:
    return aiohttp.BasicAuth(proxy.name, proxy.password, "utf-8") if proxy and proxy.name else None
