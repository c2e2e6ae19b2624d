"""Every part of the bot: built and wired in this one file, and begun and ended in order."""

from dataclasses import dataclass
from uuid import uuid4

from bot.chat.attachments import ChosenPictures
from bot.chat.client import OneiroClient
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
from bot.chat.messages.pacing import Edits
from bot.chat.messages.poster import Poster
from bot.chat.messages.presence import Presence
from bot.chat.messages.votes import VoteCaptions
from bot.chat.parts import Parts
from bot.community.choices import Choices
from bot.community.contests import Contests
from bot.community.hall_of_fame import HallOfFame
from bot.community.ranking import Ranking
from bot.community.votes import Votes
from bot.database.connection import Database
from bot.dreams.asking import Asking
from bot.dreams.copies import Copies
from bot.dreams.ending import Ending
from bot.dreams.preferences import Preferences
from bot.dreams.sendings import Sendings
from bot.dreams.store import Store
from bot.queue.durations import Paces
from bot.queue.fair_queue import Turns
from bot.queue.limits import Limits
from bot.queue.turnstile import Turnstile
from bot.queue.worker import Engine, Worker
from bot.servers.line import ServerLine
from bot.servers.moderation import Moderation
from bot.settings import Settings
from engine.settings import proxy_for


@dataclass(frozen=True, kw_only=True)
class AllParts(Parts):
    """Those that commands work with, and those that work by themselves."""

    client: OneiroClient
    database: Database
    paces: Paces
    edits: Edits
    notices: Notices
    vote_captions: VoteCaptions
    hall_of_fame_messages: HallOfFameMessages
    presence: Presence

    async def begin(self) -> None:
        """Rebuild what a former process left and dream on; the client must be logged in."""
        await self.edits.start()
        await self.moderation.start()  # before the line moves: it says which server's stands still
        await self.preferences.start()
        await self.paces.start()
        await self.worker.start()  # before the messages, so that there are places to show
        await self.notices.start()
        await self.dream_messages.start()
        await self.choice_messages.start()
        await self.hall_of_fame_messages.start()
        await self.contest_messages.start()
        await self.presence.start()

    async def end(self) -> None:
        """The dream in hand goes back in line, its message says so; everything else is stored already."""
        await self.presence.close()
        await self.worker.close()
        await self.choice_messages.close()
        await self.hall_of_fame_messages.close()
        await self.contest_messages.close()
        await self.edits.close()
        await self.dream_messages.close()
        self.poster.close()
        await self.deletions.close()
        await self.gallery.close()
        await self.inbox.close()


def build(settings: Settings, *, engine: Engine) -> AllParts:
    """All parts, none of them started."""
    client = OneiroClient(proxy=proxy_for(settings.discord_api_url))
    database = Database(settings.database_url)
    store = Store(database, owner=uuid4().hex)
    copies = Copies(database=database)
    preferences = Preferences(database=database)
    moderation = Moderation(database=database)
    paces = Paces(database=database)
    votes = Votes(store=store, settings=moderation.settings)
    contests = Contests(database=database)

    inbox = Inbox()
    edits = Edits(pace_s=settings.frame_pace_s)
    sight = Sight(client=client, settings=moderation.settings)
    poster = Poster(client=client, sight=sight)
    notices = Notices(store=store, poster=poster, edits=edits, preferences=preferences)
    dream_messages = DreamMessages(
        store=store,
        poster=poster,
        edits=edits,
        settings=moderation.settings,
        paces=paces,
        notices=notices,
    )
    worker = Worker(
        store=store,
        turns=Turns(),
        engine=engine,
        audience=dream_messages,
        limits=Limits(
            store=store,
            moderation=moderation,
            per_person=settings.waiting_per_person,
            in_all=settings.waiting_in_all,
            steps=settings.dream_steps,
        ),
        paces=paces,
        lease_s=settings.lease_s,
        keep_s=settings.keep_days * 24 * 3600.0,
        preview_every_s=settings.frame_pace_s,
    )
    choices = Choices(database=database, store=store, worker=worker, moderation=moderation)
    gallery = Gallery(
        client=client,
        poster=Poster(client=client, sight=sight),  # nobody is told of what a gallery itself takes down
        sight=sight,
        inbox=inbox,
        store=store,
        copies=copies,
        settings=moderation.settings,
    )
    parts = AllParts(
        client=client,
        database=database,
        store=store,
        copies=copies,
        sendings=Sendings(database=database),
        preferences=preferences,
        moderation=moderation,
        paces=paces,
        worker=worker,
        asking=Asking(
            worker=worker,
            choices=choices,
            preferences=preferences,
            settings=moderation.settings,
            model=settings.dream_model,
        ),
        ending=Ending(worker=worker, choices=choices, moderation=moderation),
        server_line=ServerLine(store=store, worker=worker, moderation=moderation),
        votes=votes,
        choices=choices,
        ranking=Ranking(database=database),
        contests=contests,
        inbox=inbox,
        edits=edits,
        sight=sight,
        poster=poster,
        notices=notices,
        dream_messages=dream_messages,
        choice_messages=ChoiceMessages(choices=choices, store=store, poster=poster, edits=edits),
        contest_messages=ContestMessages(contests=contests, store=store, poster=poster),
        vote_captions=VoteCaptions(votes=votes, poster=poster, edits=edits, settings=moderation.settings),
        hall_of_fame_messages=HallOfFameMessages(
            store=store,
            poster=poster,
            hall_of_fame=HallOfFame(database=database),
            votes=votes,
            edits=edits,
            settings=moderation.settings,
        ),
        gallery=gallery,
        deletions=Deletions(
            client=client,
            venues=sight.venues,
            copies=copies,
            store=store,
            votes=votes,
            gallery=gallery,
            inbox=inbox,
        ),
        moderation_log=ModerationLog(client=client, moderation=moderation),
        presence=Presence(client=client, waiting=worker.waiting),
        outlet=Turnstile(at_once=1, waiting=20, each=1, patience_s=60),
        chosen_pictures=ChosenPictures(),
    )
    _wire(parts)
    client.parts = parts
    return parts


def _wire(parts: AllParts) -> None:
    """Who is told of what, all of it."""
    moderation, deletions = parts.moderation, parts.deletions
    hall, contests = parts.hall_of_fame_messages, parts.contest_messages
    moderation.on_change += [
        lambda guild: parts.worker.hold(guild, moderation.settings(guild).paused),
        lambda guild: deletions.policy(guild, moderation.settings(guild).nsfw),
    ]
    moderation.on_entry += [parts.moderation_log.entered]
    parts.store.on_erase += [
        parts.choice_messages.erased,
        lambda dream: hall.moved(dream.id),
        lambda dream: contests.doubt(dream.id),
    ]
    parts.votes.on_change += [parts.vote_captions.heard, lambda dream, tally: hall.moved(dream.id)]
    parts.dream_messages.line = parts.worker
    parts.choices.on_change += [parts.choice_messages.moved]
    parts.dream_messages.on_candidate += [parts.choice_messages.heard]
    parts.dream_messages.on_picture += [parts.gallery.shown]
    parts.poster.on_missing += [deletions.missing]
    deletions.on_gone += [hall.moved, contests.doubt]
    deletions.on_hidden += [hall.hide, lambda dream: contests.doubt(dream.id, hidden=True)]
