"""Every part of the bot: built and wired in this one file, and begun and ended in order."""

from dataclasses import dataclass
from uuid import uuid4

from bot.chat.attachments import ChosenPictures
from bot.chat.client import OneiroClient
from bot.chat.inbox import Inbox
from bot.chat.messages.choices import Steering
from bot.chat.messages.contests import Jury
from bot.chat.messages.deletions import Deletions
from bot.chat.messages.dreams import Presenter
from bot.chat.messages.exhibit import Sight
from bot.chat.messages.gallery import Gallery
from bot.chat.messages.hall_of_fame import Hall
from bot.chat.messages.moderation_log import ModLog
from bot.chat.messages.notices import Notices
from bot.chat.messages.pacing import Desks
from bot.chat.messages.poster import Poster
from bot.chat.messages.presence import Presence
from bot.chat.messages.votes import Tallies
from bot.chat.parts import Parts
from bot.community.choices import Choices
from bot.community.contests import Contests
from bot.community.hall_of_fame import Fame
from bot.community.ranking import Tops
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
from bot.servers.moderation import Moderation
from bot.settings import Settings
from engine.settings import proxy_for


@dataclass(frozen=True, kw_only=True)
class AllParts(Parts):
    """Those that commands work with, and those that work by themselves."""

    client: OneiroClient
    database: Database
    paces: Paces
    desks: Desks
    notices: Notices
    tallies: Tallies
    hall: Hall
    presence: Presence

    async def begin(self) -> None:
        """Rebuild what a former process left and dream on; the client must be logged in."""
        await self.desks.start()
        await self.moderation.start()  # before the line moves: it says which server's stands still
        await self.preferences.start()
        await self.paces.start()
        await self.worker.start()  # before the presenter, so that there are places to show
        await self.notices.start()
        await self.presenter.start()
        await self.steering.start()
        await self.hall.start()
        await self.jury.start()
        await self.presence.start()

    async def end(self) -> None:
        """The dream in hand goes back in line, its message says so; everything else is stored already."""
        await self.presence.close()
        await self.worker.close()
        await self.steering.close()
        await self.hall.close()
        await self.jury.close()
        await self.desks.close()
        await self.presenter.close()
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
    desks = Desks(pace_s=settings.frame_pace_s)
    sight = Sight(client=client, settings=moderation.settings)
    poster = Poster(client=client, sight=sight)
    notices = Notices(store=store, poster=poster, desks=desks, preferences=preferences)
    presenter = Presenter(
        store=store,
        poster=poster,
        desks=desks,
        settings=moderation.settings,
        paces=paces,
        notices=notices,
    )
    worker = Worker(
        store=store,
        turns=Turns(),
        engine=engine,
        audience=presenter,
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
        ending=Ending(worker=worker, moderation=moderation),
        votes=votes,
        choices=choices,
        tops=Tops(database=database),
        contests=contests,
        inbox=inbox,
        desks=desks,
        sight=sight,
        poster=poster,
        notices=notices,
        presenter=presenter,
        steering=Steering(choices=choices, store=store, poster=poster, desks=desks),
        jury=Jury(contests=contests, store=store, poster=poster),
        tallies=Tallies(votes=votes, poster=poster, desks=desks, settings=moderation.settings),
        hall=Hall(
            store=store,
            poster=poster,
            fame=Fame(database=database),
            votes=votes,
            desks=desks,
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
        modlog=ModLog(client=client, moderation=moderation),
        presence=Presence(client=client, waiting=worker.waiting),
        outlet=Turnstile(at_once=1, waiting=20, each=1, patience_s=60),
        chosen_pictures=ChosenPictures(),
    )
    _wire(parts)
    client.parts = parts
    return parts


def _wire(parts: AllParts) -> None:
    """Who is told of what, all of it."""
    moderation, deletions, jury, hall = parts.moderation, parts.deletions, parts.jury, parts.hall
    moderation.on_change += [
        lambda guild: parts.worker.hold(guild, moderation.settings(guild).paused),
        lambda guild: deletions.policy(guild, moderation.settings(guild).nsfw),
    ]
    moderation.on_entry += [parts.modlog.entered]
    parts.store.on_erase += [
        parts.steering.erased,
        lambda dream: hall.moved(dream.id),
        lambda dream: jury.doubt(dream.id),
    ]
    parts.votes.on_change += [parts.tallies.heard, lambda dream, tally: hall.moved(dream.id)]
    parts.presenter.line = parts.worker
    parts.choices.on_change += [parts.steering.moved]
    parts.presenter.on_candidate += [parts.steering.heard]
    parts.presenter.on_picture += [parts.gallery.shown]
    parts.poster.on_missing += [deletions.missing]
    deletions.on_gone += [hall.moved, jury.doubt]
    deletions.on_hidden += [hall.hide, lambda dream: jury.doubt(dream.id, hidden=True)]
