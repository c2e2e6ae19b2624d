"""Every part of the bot in Discord: built and wired in this one file, and begun and ended in order."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from bot.chat.attachments import ChosenPictures
from bot.chat.client import OneiroClient
from bot.chat.erasing import Takedown
from bot.chat.inbox import Inbox
from bot.chat.messages.choices import ChoiceMessages
from bot.chat.messages.contests import ContestMessages
from bot.chat.messages.deletions import Deletions
from bot.chat.messages.dreams import DreamMessages
from bot.chat.messages.exhibit import Sight
from bot.chat.messages.gallery import Gallery
from bot.chat.messages.hall_of_fame import HallOfFameMessages
from bot.chat.messages.moderation_log import ModerationLog
from bot.chat.messages.notices import Notices
from bot.chat.messages.outbox import Outbox
from bot.chat.messages.pacing import Edits
from bot.chat.messages.poster import Poster
from bot.chat.messages.presence import Presence
from bot.chat.messages.sent_pictures import SentPictures
from bot.chat.messages.vote_reactions import VoteReactions
from bot.chat.messages.votes import VoteCaptions
from bot.chat.parts import Parts
from bot.chat.session_starts import SessionStarts
from bot.chat.shard_count import ShardCount
from bot.database.connection import patiently
from bot.database.outbox import Kind
from bot.heart import Heart, build_heart
from bot.queue.engine_worker import Engine
from bot.queue.turnstile import Turnstile
from bot.settings import Settings
from engine.settings import proxy_for


@dataclass(frozen=True, kw_only=True)
class AllParts(Parts):
    """Those that commands work with, and those that work by themselves."""

    client: OneiroClient
    edits: Edits
    notices: Notices
    vote_captions: VoteCaptions
    vote_reactions: VoteReactions
    hall_of_fame_messages: HallOfFameMessages
    presence: Presence
    shard_count: ShardCount | None  # None: there is no other process to agree with

    async def begin(self) -> None:
        """Rebuild what a former process left and dream on; the client must be logged in.

        Raises `BadSetting`, `StoreError`.
        """
        if self.shard_count is not None:
            await self.shard_count.start()
        await self.edits.start()
        await super().begin()  # before the messages, so that there are places to show
        await self.dream_messages.start()
        await patiently(self.choice_messages.start)
        await self.hall_of_fame_messages.start()
        await patiently(self.contest_messages.start)
        await self.outbox.start()
        await self.presence.start()

    async def end(self) -> None:
        """The dreams in hand go back in line, their messages say so; everything else is stored already."""
        await self.presence.close()
        await super().end()
        await self.outbox.close()
        await self.hall_of_fame_messages.close()
        await self.edits.close()
        await self.dream_messages.close()
        await self.deletions.close()
        await self.inbox.close()
        if self.shard_count is not None:
            await self.shard_count.close()


def build(settings: Settings, *, engines: Sequence[Engine]) -> AllParts:
    """All parts, none of them started."""
    heart = build_heart(settings, engines=engines)
    client = _client(settings, heart)
    store, moderation, votes = heart.store, heart.moderation, heart.votes
    inbox = Inbox()
    edits = Edits(pace_s=settings.frame_pace_s)
    outbox = Outbox(store=heart.outbox_store)
    outlet = Turnstile(at_once=1, waiting=20, each=1, patience_s=60)
    sight = Sight(client=client, settings=moderation.settings, shards=heart.shards)
    poster = Poster(client=client, sight=sight)
    notices = Notices(store=store, poster=poster, edits=edits, preferences=heart.preferences)
    gallery = Gallery(
        poster=Poster(client=client, sight=sight),  # nobody is told of what a gallery itself takes down
        sight=sight,
        store=store,
        copies=heart.copies,
        settings=moderation.settings,
        outbox=outbox,
    )
    dream_messages = DreamMessages(
        store=store,
        poster=poster,
        edits=edits,
        outbox=outbox,
        settings=moderation.settings,
        paces=heart.paces,
        follow_ups={Kind.NOTICE: notices.due, Kind.GALLERY: gallery.takes},
    )
    heart.audiences.discord = dream_messages
    heart.places.discord = sight.venues
    parts = AllParts(
        **{field.name: getattr(heart, field.name) for field in fields(Heart)},
        client=client,
        inbox=inbox,
        edits=edits,
        outbox=outbox,
        sight=sight,
        poster=poster,
        notices=notices,
        dream_messages=dream_messages,
        choice_messages=ChoiceMessages(
            choices=heart.choices, store=store, poster=poster, edits=edits, outbox=outbox
        ),
        contest_messages=ContestMessages(contests=heart.contests, store=store, poster=poster, outbox=outbox),
        vote_reactions=VoteReactions(store=store, poster=poster, settings=moderation.settings),
        vote_captions=VoteCaptions(votes=votes, poster=poster, edits=edits, settings=moderation.settings),
        hall_of_fame_messages=HallOfFameMessages(
            store=store,
            poster=poster,
            hall_of_fame=heart.hall_of_fame,
            votes=votes,
            edits=edits,
            outbox=outbox,
            settings=moderation.settings,
        ),
        gallery=gallery,
        deletions=Deletions(
            client=client,
            shards=heart.shards,
            venues=sight.venues,
            copies=heart.copies,
            store=store,
            votes=votes,
            outbox=outbox,
            inbox=inbox,
        ),
        moderation_log=ModerationLog(client=client, moderation=moderation),
        presence=Presence(client=client, waiting=heart.worker.waiting),
        outlet=outlet,
        sent_pictures=SentPictures(
            client=client, store=store, sendings=heart.sendings, sight=sight, outlet=outlet
        ),
        chosen_pictures=ChosenPictures(),
        shard_count=(
            None
            if settings.shard_count is None
            else ShardCount(database=heart.database, count=heart.shards.count)
        ),
    )
    _wire(parts)
    heart.forgetter.discord = Takedown(client=client, parts=parts)
    client.parts = parts
    return parts


def _client(settings: Settings, heart: Heart) -> OneiroClient:
    proxy = proxy_for(settings.discord_api_url)
    if settings.shard_count is None:
        return OneiroClient(proxy=proxy)
    starts = None if heart.shards.are_all else SessionStarts(database=heart.database)
    return OneiroClient(proxy=proxy, shards=heart.shards, starts=starts)


def _wire(parts: AllParts) -> None:
    """Who is told of what, all of it."""
    moderation, deletions = parts.moderation, parts.deletions
    hall, contests = parts.hall_of_fame_messages, parts.contest_messages
    parts.outbox.handlers |= {
        Kind.END: parts.dream_messages.end,
        Kind.NOTICE: parts.notices.tell,
        Kind.REACTIONS: parts.vote_reactions.put,
        Kind.GALLERY: parts.gallery.settle,
        Kind.CHOICE: parts.choice_messages.look,
        Kind.SENDING: parts.sent_pictures.send,
        Kind.FAME: parts.hall_of_fame_messages.settle,
        Kind.CONTEST: parts.contest_messages.end,
        Kind.WINNER: parts.contest_messages.withdraw,
        Kind.HIDDEN: parts.deletions.hide,
        Kind.LOG: parts.moderation_log.tell,
    }
    parts.news.on_change += [parts.outbox.heard]
    moderation.on_change += [lambda guild: deletions.policy(guild, moderation.settings(guild).nsfw)]
    moderation.on_entry += [lambda entry: parts.outbox.wake()]
    parts.store.on_erase += [
        parts.choice_messages.erased,
        lambda dream: parts.outbox.wake(),  # its copies come down
    ]
    parts.votes.on_change += [parts.vote_captions.heard, lambda dream, tally: hall.moved(dream.id)]
    parts.dream_messages.line = parts.worker
    parts.choices.on_change += [parts.choice_messages.moved]
    parts.dream_messages.on_candidate += [parts.choice_messages.heard]
    parts.poster.on_missing += [deletions.missing]
    deletions.on_gone += [hall.moved, parts.dream_messages.missed]
    deletions.checks += [parts.gallery.check, hall.check, contests.check]
    deletions.take_down += [parts.gallery.take_down, hall.take_down, contests.take_down]
