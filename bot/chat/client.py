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
from bot.chat.tree import Tree
from engine.settings import Proxy

log = logging.getLogger(__name__)


class OneiroClient(commands.AutoShardedBot):
    """Hands over what users do. Caches no members and no messages: it stays small in many servers."""

    parts: Parts  # set when they are built: many of them need the client themselves

    def __init__(self, *, proxy: Proxy | None = None) -> None:
        """`proxy`: the way to Discord."""
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
        bound(self.http, MAX_ATTACHMENT)
        for command in features.commands():
            self.tree.add_command(command)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(*features.buttons())
        for listener in features.listeners():
            await self.add_cog(listener(client=self, parts=self.parts))
        await self.tree.set_translator(Translator())
        await self.tree.sync()

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
