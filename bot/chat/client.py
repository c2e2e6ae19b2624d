"""The connection to Discord: which intents it needs, its commands and buttons, and who hears its events."""

import asyncio
import logging
from functools import partial

import aiohttp
import discord

from bot.chat.access import PERMISSIONS
from bot.chat.answers.answer import answer, is_claimed
from bot.chat.attachments import MAX_ATTACHMENT
from bot.chat.buttons import DreamButton
from bot.chat.buttons.choices import ChoiceButton
from bot.chat.buttons.forms import ChosenPictures, take
from bot.chat.buttons.pages import MineButton
from bot.chat.commands import COMMANDS, AnyCommand, Tree
from bot.chat.commands.contest import contest
from bot.chat.commands.moderate import AuditButton, ClearButton, moderate
from bot.chat.commands.queue import queue
from bot.chat.commands.report import report
from bot.chat.commands.top import PageButton, top
from bot.chat.downloads import bound
from bot.chat.inbox import Inbox
from bot.chat.language import Translator, personal
from bot.chat.messages.choices import Steering
from bot.chat.messages.contests import Jury
from bot.chat.messages.deletions import Deletions
from bot.chat.messages.dreams import Presenter
from bot.chat.messages.exhibit import Sight
from bot.chat.messages.gallery import Gallery
from bot.chat.messages.moderation_log import ModLog
from bot.chat.messages.poster import Outcome, Poster
from bot.chat.messages.recount import recount
from bot.chat.messages.welcome import catch_up, leave, welcome
from bot.chat.reaction_commands import obey
from bot.community.choices import Choices
from bot.community.contests import Contests
from bot.community.ranking import Tops
from bot.community.votes import Votes
from bot.database.connection import StoreError
from bot.dreams.copies import Copies
from bot.dreams.dream import Dream
from bot.dreams.preferences import Preferences
from bot.dreams.sendings import Sendings
from bot.dreams.store import Store
from bot.queue.turnstile import Turnstile
from bot.queue.worker import Worker
from bot.servers.moderation import Moderation
from engine.settings import Proxy

log = logging.getLogger(__name__)

PATIENCE_S = 2.0  # seconds after which a click that nobody answered gets a sentence; Discord waits for 3
_ANSWERABLE = (discord.InteractionType.component, discord.InteractionType.modal_submit)


class OneiroClient(discord.AutoShardedClient):
    """Hands over what users do. Caches no members and no messages: it stays small in many servers."""

    def __init__(
        self,
        *,
        store: Store,
        moderation: Moderation,
        worker: Worker,
        presenter: Presenter,
        votes: Votes,
        choices: Choices,
        steering: Steering,
        tops: Tops,
        contests: Contests,
        jury: Jury,
        preferences: Preferences,
        copies: Copies,
        sendings: Sendings,
        model: str,
        proxy: Proxy | None = None,
    ) -> None:
        """`model`: what a dream gets that names none; `proxy`: the way to Discord."""
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
        # Pictures that people give; what is kept of dreams, some megabytes each, on its way to a person.
        self.intake = Turnstile(at_once=2, waiting=20, each=3, patience_s=60)
        self.outlet = Turnstile(at_once=1, waiting=20, each=1, patience_s=60)
        self.store = store
        self.moderation = moderation
        self.sight = Sight(client=self, settings=moderation.settings)
        self.copies = copies
        self.sendings = sendings
        self.poster = Poster(client=self)
        self.inbox = Inbox()
        self.gallery = Gallery(client=self, store=store, copies=copies, settings=moderation.settings)
        self.deletions = Deletions(
            client=self,
            venues=self.sight.venues,
            copies=copies,
            store=store,
            votes=votes,
            gallery=self.gallery,
            inbox=self.inbox,
        )
        self.poster.on_missing.append(self.deletions.missing)
        presenter.on_picture.append(self.gallery.shown)
        self.modlog = ModLog(client=self, moderation=moderation)
        self.worker = worker
        self.presenter = presenter
        self.votes = votes
        self.choices = choices
        self.steering = steering
        self.tops = tops
        self.contests = contests
        self.jury = jury
        self.preferences = preferences
        self.model = model
        self.patience_s = PATIENCE_S
        self._catching_up: asyncio.Task[None] | None = None
        self.tree = Tree(self)
        commands: tuple[AnyCommand, ...] = (*COMMANDS, moderate, queue, report, top, contest)
        for command in commands:
            self.tree.add_command(command)
        self.chosen_pictures = ChosenPictures()

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
            await catch_up(self, self.moderation)
            await self.deletions.catch_up()
            await recount(self)
        except StoreError as error:
            log.warning("Votes and deletions are not looked for again before the next start: %s", error)
        except Exception:
            log.exception("A fault of ours while votes and deletions were looked for")
        self.inbox.put("The end of contests", self._counted)

    async def _counted(self) -> None:
        """All votes and deletions that were found are stored."""
        self.jury.counted()

    async def close(self) -> None:
        if self._catching_up is not None:
            self._catching_up.cancel()
            await asyncio.gather(self._catching_up, return_exceptions=True)
        await self.deletions.close()
        await self.gallery.close()
        await self.inbox.close()
        await super().close()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.deletions.back(guild.id)
        await welcome(self, self.moderation, guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.deletions.left(guild.id)
        await leave(self.store, self.worker, guild.id)

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
        self.deletions.messages([event.message_id])

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        self.deletions.messages(event.message_ids)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.deletions.channel(channel.guild.id, channel.id)

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        self.sight.venues.forget(event.thread_id)
        self.deletions.channel(event.guild_id, event.thread_id)

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        admits = (before.overwrites, getattr(before, "nsfw", None), before.category_id)
        if admits != (after.overwrites, getattr(after, "nsfw", None), after.category_id):
            self.deletions.look_at(after.guild.id)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if after.is_default() and before.permissions != after.permissions:
            self.deletions.look_at(after.guild.id)

    async def erase(self, dream: Dream) -> bool:
        """Delete a dream that is over, its message first. False, and nothing is lost, when that cannot be."""
        if dream.message_id is not None:
            outcome = await self.poster.delete(dream)
            if outcome not in (Outcome.SHOWN, Outcome.GONE, Outcome.FORBIDDEN):
                return False
        await self.gallery.take_down(dream)  # if not now, then as of every message that is deleted
        self.presenter.forget(dream.id)
        await self.sendings.forget(dream.id)
        await self.store.erase(dream.id)
        return True

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        vote = partial(
            self.votes.add,
            message_id=event.message_id,
            guild_id=event.guild_id,
            person=event.user_id,
            is_bot=event.member is not None and event.member.bot,
            emoji=str(event.emoji),
            burst=event.burst,
        )
        if self.votes.are(str(event.emoji), event.guild_id):  # what is no vote waits for nothing
            self.inbox.put("A vote", vote)
        try:
            await obey(self, event)
        except StoreError as error:
            log.warning("A reaction is not obeyed: %s", error)

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        gone = partial(
            self.votes.remove,
            message_id=event.message_id,
            person=event.user_id,
            emoji=str(event.emoji),
            burst=event.burst,
        )
        self.inbox.put("A vote", gone)

    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        self.inbox.put("A vote", partial(self.votes.remove, message_id=event.message_id))

    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        gone = partial(
            self.votes.remove,
            message_id=event.message_id,
            emoji=str(event.emoji),
        )
        self.inbox.put("A vote", gone)


def _credentials(proxy: Proxy | None) -> aiohttp.BasicAuth | None:
    return aiohttp.BasicAuth(proxy.name, proxy.password, "utf-8") if proxy and proxy.name else None
