"""What every front end works with: the store, the line, the worker and the use cases, built in one place.

Knows no front end: what happens to a dream it tells `Audiences`, where each front end registers itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url

from bot.community.choices import Choices
from bot.community.contests import Contests
from bot.community.hall_of_fame import HallOfFame
from bot.community.places import AllPlaces
from bot.community.privacy import PrivacyChoices
from bot.community.ranking import Ageing, Ranking
from bot.community.votes import Votes
from bot.community.wall import Wall
from bot.database.connection import Database, patiently
from bot.database.contents import Contents
from bot.database.news import News
from bot.database.outbox import OutboxStore
from bot.database.shards import Shards
from bot.dreams.asking import Asking
from bot.dreams.copies import Copies
from bot.dreams.ending import Ending
from bot.dreams.preferences import Preferences
from bot.dreams.sendings import Sendings
from bot.dreams.store import Store
from bot.keeping.disk import MB, DiskSpace
from bot.keeping.exporting import Exports
from bot.keeping.forgetting import Forgetter, Kind
from bot.keeping.held import Holdings
from bot.keeping.objects import ObjectKeeper
from bot.keeping.retention import KeepLimits, Retention
from bot.objects.address import opened
from bot.queue.audiences import Audiences
from bot.queue.durations import Paces
from bot.queue.engine_worker import Engine
from bot.queue.fair_queue import Turns
from bot.queue.limits import Limits
from bot.queue.worker import STATE_EVERY_S, Worker
from bot.servers.line import ServerLine
from bot.servers.moderation import Moderation
from bot.settings import Settings

CLUSTER = "a cluster"  # whose machines are taken to be alike, when it comes to how long dreams take


@dataclass(frozen=True, kw_only=True)
class Heart:
    """Live. The database is opened before, and closed after."""

    database: Database
    contents: Contents
    news: News
    shards: Shards
    store: Store
    outbox_store: OutboxStore
    copies: Copies
    sendings: Sendings
    preferences: Preferences
    privacy: PrivacyChoices
    wall_url: str  # of the public wall, without a / at its end; "": there is none
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
    ageing: Ageing
    contests: Contests
    hall_of_fame: HallOfFame
    disk: DiskSpace
    retention: Retention
    object_keeper: ObjectKeeper
    forgetter: Forgetter
    holdings: Holdings
    exports: Exports

    @property
    def has_wall(self) -> bool:
        """Whether there is a public wall."""
        return bool(self.wall_url)

    async def begin(self) -> None:
        """Rebuild what a former process left and dream on. Raises `StoreError`."""
        await patiently(self.contents.start)
        await patiently(self.moderation.start)  # before the line moves: it says which server's stands still
        for start in (self.preferences.start, self.wall.start, self.paces.start, self.worker.start):
            await patiently(start)
        await self.disk.start()
        await self.retention.start()
        await self.object_keeper.start()
        await self.ageing.start()
        await self.forgetter.start()
        await self.news.start()

    async def end(self) -> None:
        """The dreams in hand go back in line; everything else is stored already."""
        await self.news.close()
        await self.worker.close()  # before what may wait for the database: another process shall go on soon
        await self.preferences.close()
        await self.wall.close()
        await self.disk.close()
        await self.forgetter.close()
        await self.ageing.close()
        await self.retention.close()
        await self.object_keeper.close()


def build_heart(
    settings: Settings,
    *,
    engines: Sequence[Engine],
    frame_pace_s: float | None = None,
    state_every_s: float = STATE_EVERY_S,
) -> Heart:
    """All of it, not started. `frame_pace_s`: seconds between two frames; None: as the settings say.

    `state_every_s`: seconds of a dream that the end of its engine may cost.
    """
    database = Database(settings.database_url)
    contents, shards = Contents(database, opened(settings.objects)), settings.shards
    store = Store(database, owner=uuid4().hex, contents=contents, shards=shards)
    preferences = Preferences(database=database, is_shared=not shards.are_all)
    moderation = Moderation(database=database)
    # A cluster's engines share nothing, however many there are just now.
    machine = None if settings.needs is None else CLUSTER
    paces = Paces(database=database, machine=machine, engines=len(engines))
    audiences = Audiences()
    places = AllPlaces()
    disk = _disk(settings)
    worker = Worker(
        store=store,
        turns=Turns(),
        engines=engines,
        audience=audiences,
        limits=Limits(
            store=store,
            moderation=moderation,
            per_person=settings.waiting_per_person,
            in_all=settings.waiting_in_all,
            steps=settings.dream_steps,
            has_room=lambda: disk.has_room,
        ),
        paces=paces,
        lease_s=settings.lease_s,
        preview_every_s=settings.frame_pace_s if frame_pace_s is None else frame_pace_s,
        state_every_s=state_every_s,
    )
    choices = Choices(database=database, store=store, worker=worker, moderation=moderation)
    votes, sendings = Votes(store=store, settings=moderation.settings), Sendings(database=database)
    forgetter = Forgetter(database=database, store=store, worker=worker, choices=choices, votes=votes)
    forgetter.on_forgotten[Kind.PERSON] += [preferences.forget, sendings.forget_person]
    forgetter.on_forgotten[Kind.SERVER] += [moderation.forget]
    retention = _retention(
        settings, database=database, contents=contents, owner=store.owner, moderation=moderation
    )
    database.on_full += [disk.heard_full]
    disk.on_short += [retention.wake]
    moderation.on_change += [lambda guild: worker.hold(guild, moderation.settings(guild).paused)]
    news = News(database=database)
    news.on_change.append(worker.look)
    return Heart(
        database=database,
        contents=contents,
        news=news,
        shards=shards,
        store=store,
        outbox_store=OutboxStore(database, owner=store.owner, shards=shards),
        copies=Copies(database=database, shards=shards),
        sendings=sendings,
        preferences=preferences,
        privacy=PrivacyChoices(database=database),
        wall_url=settings.wall_url,
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
        votes=votes,
        choices=choices,
        ranking=Ranking(database=database),
        ageing=Ageing(database=database),
        contests=Contests(database=database),
        hall_of_fame=HallOfFame(database=database),
        disk=disk,
        retention=retention,
        object_keeper=ObjectKeeper(database=database, owner=store.owner, contents=contents),
        forgetter=forgetter,
        holdings=Holdings(database=database),
        exports=Exports(database=database, store=store),
    )


def _disk(settings: Settings) -> DiskSpace:
    """Of the folders where data, a SQLite file and objects lie; PostgreSQL's own disk it cannot see."""
    url = make_url(settings.database_url)
    folders = {settings.data_dir}
    if url.get_backend_name() == "sqlite" and url.database:
        folders.add(Path(url.database).parent)
    if settings.objects.folder is not None:
        folders.add(settings.objects.folder)
    return DiskSpace(folders=folders, spare_bytes=settings.spare_mb * MB)


def _retention(
    settings: Settings, *, database: Database, contents: Contents, owner: str, moderation: Moderation
) -> Retention:
    def on_wall() -> set[int]:
        return moderation.servers_where(lambda server: server.wall) if settings.wall_url else set()

    limits = KeepLimits(
        days=settings.keep_days, picture_days=settings.keep_picture_days, megabytes=settings.keep_mb
    )
    return Retention(database=database, contents=contents, owner=owner, limits=limits, on_wall=on_wall)
