"""What every front end works with: the store, the line, the worker and the use cases, built in one place.

Knows no front end: what happens to a dream it tells `Audiences`, where each front end registers itself.
"""

from dataclasses import dataclass
from uuid import uuid4

from bot.community.choices import Choices
from bot.community.contests import Contests
from bot.community.hall_of_fame import HallOfFame
from bot.community.places import AllPlaces
from bot.community.privacy import PrivacyChoices
from bot.community.ranking import Ranking
from bot.community.votes import Votes
from bot.community.wall import Wall
from bot.database.connection import Database
from bot.database.outbox import OutboxStore
from bot.dreams.asking import Asking
from bot.dreams.copies import Copies
from bot.dreams.ending import Ending
from bot.dreams.preferences import Preferences
from bot.dreams.sendings import Sendings
from bot.dreams.store import Store
from bot.queue.audiences import Audiences
from bot.queue.durations import Paces
from bot.queue.fair_queue import Turns
from bot.queue.limits import Limits
from bot.queue.worker import Engine, Worker
from bot.servers.line import ServerLine
from bot.servers.moderation import Moderation
from bot.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Heart:
    """Live. The database is opened before, and closed after."""

    database: Database
    store: Store
    outbox_store: OutboxStore
    copies: Copies
    sendings: Sendings
    preferences: Preferences
    privacy: PrivacyChoices
    has_wall: bool  # whether there is a public wall
    places: AllPlaces
    wall: Wall
    moderation: Moderation
    paces: Paces
    audiences: Audiences
    worker: Worker
    asking: Asking
    ending: Ending
    server_line: ServerLine
    votes: Votes
    choices: Choices
    ranking: Ranking
    contests: Contests
    hall_of_fame: HallOfFame

    async def begin(self) -> None:
        """Rebuild what a former process left and dream on. Raises `StoreError`."""
        await self.moderation.start()  # before the line moves: it says which server's stands still
        await self.preferences.start()
        await self.wall.start()
        await self.paces.start()
        await self.worker.start()

    async def end(self) -> None:
        """The dream in hand goes back in line; everything else is stored already."""
        await self.wall.close()
        await self.worker.close()


def build_heart(settings: Settings, *, engine: Engine, frame_pace_s: float | None = None) -> Heart:
    """All of it, not started. `frame_pace_s`: seconds between two frames; None: as the settings say."""
    database = Database(settings.database_url)
    store = Store(database, owner=uuid4().hex)
    preferences = Preferences(database=database)
    moderation = Moderation(database=database)
    paces = Paces(database=database)
    audiences = Audiences()
    places = AllPlaces()
    worker = Worker(
        store=store,
        turns=Turns(),
        engine=engine,
        audience=audiences,
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
        preview_every_s=settings.frame_pace_s if frame_pace_s is None else frame_pace_s,
    )
    choices = Choices(database=database, store=store, worker=worker, moderation=moderation)
    moderation.on_change += [lambda guild: worker.hold(guild, moderation.settings(guild).paused)]
    return Heart(
        database=database,
        store=store,
        outbox_store=OutboxStore(database, owner=store.owner),
        copies=Copies(database=database),
        sendings=Sendings(database=database),
        preferences=preferences,
        privacy=PrivacyChoices(database=database),
        has_wall=bool(settings.wall_url),
        places=places,
        wall=Wall(database=database, moderation=moderation, places=places),
        moderation=moderation,
        paces=paces,
        audiences=audiences,
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
        votes=Votes(store=store, settings=moderation.settings),
        choices=choices,
        ranking=Ranking(database=database),
        contests=Contests(database=database),
        hall_of_fame=HallOfFame(database=database),
    )
