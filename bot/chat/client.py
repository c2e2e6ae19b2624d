"""The connection to Discord: which intents it needs, its commands and buttons, and who hears its events."""

import asyncio
import logging
from functools import partial

import aiohttp
import discord

from bot.chat.access import PERMISSIONS
from bot.chat.answers.answer import answer, is_claimed
from bot.chat.attachments import MAX_ATTACHMENT
from bot.chat.buttons import cancel, deciding, leftovers, onward  # noqa: F401 - what clicks do
from bot.chat.buttons.choice import ChoiceButton
from bot.chat.buttons.dream import DreamButton
from bot.chat.buttons.forms import take
from bot.chat.buttons.pages import MineButton
from bot.chat.commands import COMMANDS, AnyCommand, Tree
from bot.chat.commands.contest import contest
from bot.chat.commands.moderate import AuditButton, ClearButton, moderate
from bot.chat.commands.queue import queue
from bot.chat.commands.report import report
from bot.chat.commands.top import PageButton, top
from bot.chat.downloads import bound
from bot.chat.language import Translator, personal
from bot.chat.messages.recount import recount
from bot.chat.messages.welcome import catch_up, leave, welcome
from bot.chat.parts import Parts
from bot.chat.reaction_commands import obey
from bot.database.connection import StoreError
from engine.settings import Proxy

log = logging.getLogger(__name__)

PATIENCE_S = 2.0  # seconds after which a click that nobody answered gets a sentence; Discord waits for 3
_ANSWERABLE = (discord.InteractionType.component, discord.InteractionType.modal_submit)


class OneiroClient(discord.AutoShardedClient):
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
            intents=intents,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            proxy=proxy.address if proxy else None,
            proxy_auth=_credentials(proxy),
        )
        bound(self.http, MAX_ATTACHMENT)
        self.patience_s = PATIENCE_S
        self._catching_up: asyncio.Task[None] | None = None
        self.tree = Tree(self)
        commands: tuple[AnyCommand, ...] = (*COMMANDS, moderate, queue, report, top, contest)
        for command in commands:
            self.tree.add_command(command)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(DreamButton, MineButton, ChoiceButton, ClearButton, AuditButton, PageButton)
        await self.tree.set_translator(Translator())
        await self.tree.sync()

    async def on_ready(self) -> None:
        assert self.user is not None
        log.info("Connected as %s, in %d servers", self.user, len(self.guilds))
        if self.application_id is not None:
            log.info("Invite me: %s", discord.utils.oauth_url(self.application_id, permissions=PERMISSIONS))
        if self._catching_up is not None:  # it was away for so long that all servers are told of anew
            self._catching_up.cancel()
        self._catching_up = asyncio.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        """Find what happened while nobody was here."""
        try:
            await catch_up(self, self.parts.moderation)
            await self.parts.deletions.catch_up()
            await recount(self.parts)
        except StoreError as error:
            log.warning("Votes and deletions are not looked for again before the next start: %s", error)
        except Exception:
            log.exception("A fault of ours while votes and deletions were looked for")
        self.parts.inbox.put("The end of contests", self._counted)

    async def _counted(self) -> None:
        """All votes and deletions that were found are stored."""
        self.parts.jury.counted()

    async def close(self) -> None:
        if self._catching_up is not None:
            self._catching_up.cancel()
            await asyncio.gather(self._catching_up, return_exceptions=True)
        await self.parts.deletions.close()
        await self.parts.gallery.close()
        await self.parts.inbox.close()
        await super().close()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.parts.deletions.back(guild.id)
        await welcome(self, self.parts.moderation, guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.parts.deletions.left(guild.id)
        await leave(self.parts.store, self.parts.worker, guild.id)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Forms, and what nobody else has answered: an old or foreign button must not just fail."""
        try:
            if interaction.type is discord.InteractionType.modal_submit and await take(interaction):
                return
        except StoreError as error:
            await answer(interaction, personal(interaction).store_trouble(error))
        except Exception:
            # A form must be answered whatever happens; the log has the rest.
            log.exception("interaction %d: a form failed", interaction.id)
            await answer(interaction, personal(interaction).APOLOGY)
        if interaction.type in _ANSWERABLE:
            await asyncio.sleep(self.patience_s)
            if not is_claimed(interaction):
                await answer(interaction, personal(interaction).UNKNOWN_BUTTON)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.parts.deletions.messages([event.message_id])

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        self.parts.deletions.messages(event.message_ids)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.parts.deletions.channel(channel.guild.id, channel.id)

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        self.parts.sight.venues.forget(event.thread_id)
        self.parts.deletions.channel(event.guild_id, event.thread_id)

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        admits = (before.overwrites, getattr(before, "nsfw", None), before.category_id)
        if admits != (after.overwrites, getattr(after, "nsfw", None), after.category_id):
            self.parts.deletions.look_at(after.guild.id)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if after.is_default() and before.permissions != after.permissions:
            self.parts.deletions.look_at(after.guild.id)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        vote = partial(
            self.parts.votes.add,
            message_id=event.message_id,
            guild_id=event.guild_id,
            person=event.user_id,
            is_bot=event.member is not None and event.member.bot,
            emoji=str(event.emoji),
            burst=event.burst,
        )
        if self.parts.votes.are(str(event.emoji), event.guild_id):  # what is no vote waits for nothing
            self.parts.inbox.put("A vote", vote)
        try:
            await obey(self, self.parts, event)
        except StoreError as error:
            log.warning("A reaction is not obeyed: %s", error)

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        gone = partial(
            self.parts.votes.remove,
            message_id=event.message_id,
            person=event.user_id,
            emoji=str(event.emoji),
            burst=event.burst,
        )
        self.parts.inbox.put("A vote", gone)

    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        self.parts.inbox.put("A vote", partial(self.parts.votes.remove, message_id=event.message_id))

    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        gone = partial(
            self.parts.votes.remove,
            message_id=event.message_id,
            emoji=str(event.emoji),
        )
        self.parts.inbox.put("A vote", gone)


def _credentials(proxy: Proxy | None) -> aiohttp.BasicAuth | None:
    return aiohttp.BasicAuth(proxy.name, proxy.password, "utf-8") if proxy and proxy.name else None
