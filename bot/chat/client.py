"""The connection to Discord: which intents it needs, its commands and buttons, and who hears its events."""

import asyncio
import logging
from collections.abc import Awaitable
from time import time

import aiohttp
import discord

from bot.chat.access import PERMISSIONS
from bot.chat.answer import answer, is_claimed
from bot.chat.buttons import DreamButton
from bot.chat.choice_buttons import ChoiceButton
from bot.chat.commands import COMMANDS, AnyCommand, Tree
from bot.chat.contest import contest
from bot.chat.forms import ChosenPictures, take
from bot.chat.gallery import Gallery
from bot.chat.jury import Jury
from bot.chat.language import Translator, personal
from bot.chat.moderate import AuditButton, ClearButton, moderate
from bot.chat.modlog import ModLog
from bot.chat.pages import MineButton
from bot.chat.post import Outcome, Poster
from bot.chat.presenter import Presenter
from bot.chat.queue import queue
from bot.chat.reports import report
from bot.chat.steering import Steering
from bot.chat.top import PageButton, top
from bot.chat.welcome import catch_up, leave, welcome
from bot.chat.wishes_by_reaction import obey
from bot.choices import Choices
from bot.contests import Contests
from bot.database import StoreError
from bot.dreams import Dream
from bot.moderation import Moderation
from bot.preferences import Preferences
from bot.store import Store
from bot.tops import Tops
from bot.votes import Votes
from bot.worker import Worker
from engine.settings import Proxy

log = logging.getLogger(__name__)

RECOUNT_S = 14 * 24 * 3600  # seconds; votes under dreams older than that are not looked for again
RECOUNT_MOST = 100  # dreams whose reactions are read again when the bot comes back
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
        model: str,
        default_steps: int | None,
        proxy: Proxy | None = None,
    ) -> None:
        """`model` and `default_steps`: what a dream gets that names none; `proxy`: the way to Discord."""
        intents = discord.Intents.none()
        intents.guilds = True
        intents.guild_reactions = True
        super().__init__(
            intents=intents,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            proxy=proxy.address if proxy else None,
            proxy_auth=aiohttp.BasicAuth(proxy.name, proxy.password, "utf-8")
            if proxy and proxy.name
            else None,
        )
        self.store = store
        self.moderation = moderation
        self.gallery = Gallery(client=self, store=store, settings=moderation.settings)
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
        self.default_steps = default_steps
        self.patience_s = PATIENCE_S
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
        await catch_up(self, self.moderation)
        await self._recount()
        self.jury.counted()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await welcome(self, self.moderation, guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
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

    async def erase(self, dream: Dream) -> bool:
        """Delete a dream that is over, its message first. False, and nothing is lost, when that cannot be."""
        if dream.message_id is not None:
            outcome = await Poster(client=self).delete(dream)
            if outcome not in (Outcome.SHOWN, Outcome.GONE):
                return False
        await self.gallery.take_down(dream)
        self.presenter.forget(dream.id)
        await self.store.erase(dream.id)
        return True

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        try:
            await obey(self, event)
        except StoreError as error:
            log.warning("A reaction is not obeyed: %s", error)
        is_bot = event.member is not None and event.member.bot
        await self._vote(
            self.votes.add(
                message_id=event.message_id,
                guild_id=event.guild_id,
                person=event.user_id,
                is_bot=is_bot,
                emoji=str(event.emoji),
            )
        )

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        await self._vote(
            self.votes.remove(
                message_id=event.message_id,
                guild_id=event.guild_id,
                person=event.user_id,
                emoji=str(event.emoji),
            )
        )

    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        await self._vote(self.votes.remove(message_id=event.message_id, guild_id=event.guild_id))

    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        await self._vote(
            self.votes.remove(message_id=event.message_id, guild_id=event.guild_id, emoji=str(event.emoji))
        )

    async def _vote(self, change: Awaitable[None]) -> None:
        try:
            await change
        except StoreError as error:
            log.warning("A vote is not counted before the next start: %s", error)

    async def _recount(self) -> None:
        """Find the votes that were cast or taken back while the bot was away."""
        try:
            dreams = await self.store.recent(since=time() - RECOUNT_S, most=RECOUNT_MOST)
            for dream in dreams:
                await self._recount_one(dream)
        except StoreError as error:
            log.warning("Votes are not counted again before the next start: %s", error)

    async def _recount_one(self, dream: Dream) -> None:
        assert dream.message_id is not None  # `recent` gives no others
        channel = self.get_partial_messageable(dream.channel_id, guild_id=dream.guild_id)
        reactions: list[tuple[int, str]] = []
        try:
            message = await channel.fetch_message(dream.message_id)
            for reaction in message.reactions:
                if self.votes.are(str(reaction.emoji), dream.guild_id) and reaction.count > reaction.me:
                    reactions += [
                        (user.id, str(reaction.emoji)) async for user in reaction.users() if not user.bot
                    ]
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
            log.info("dream %d: its votes stay as they are: %s", dream.id, error)
            return
        await self.votes.replace(dream, reactions)
