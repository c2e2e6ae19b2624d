"""The public wall: which dreams everybody in the web may see, and in which order. Knows no Discord.

Whether a dream may hang there says `bot.dreams.showing.published`, of each that leaves this module; the
queries ask for the same beforehand, so that pages are full. Nothing here is named by a number that others
could count on from: dreams, contests and people have slugs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from time import monotonic, time
from typing import Any

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, tuple_, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.community.contests import Contest
from bot.community.places import Places
from bot.community.ranking import Period, best_first, best_tallies
from bot.database.connection import Database
from bot.database.tables import contests, dreams, entries, new_slug, pictures, privacy, reports, tallies
from bot.dreams.dream import Dream, DreamState, Gone
from bot.dreams.local import is_local
from bot.dreams.showing import Consent, Showing, is_open_to_all, published
from bot.dreams.store import dream_of
from bot.servers.moderation import Moderation

log = logging.getLogger(__name__)

PAGE = 24  # dreams; divisible by two, three and four columns
LEARN_S = 30.0  # seconds between two looks at channels that nobody knows
OVERLAP = 100  # dreams that are looked at once more: numbers are given before a row is to be seen
RANKED_S = 30.0  # seconds for which an order by votes is kept; what may be shown of it is asked each time
RANKED = 2400  # dreams of an order by votes
FEW_SERVERS = 4  # whose best dreams are read one server after the other
MAX_WORDS = 8  # of a search
MAX_CONTESTS = 24


@dataclass(frozen=True, slots=True)
class Hanging:
    """A dream on the wall."""

    dream: Dream
    slug: str
    votes: int
    link: str = ""  # to its message, where its server wants that
    name: str = ""  # of its dreamer, as they chose it; "": nobody's
    page: str = ""  # the slug of their page


@dataclass(frozen=True, slots=True)
class WallPage:
    """Some dreams of an order, and where it goes on."""

    dreams: tuple[Hanging, ...]
    after: str = ""  # the slug of the last one, if more follow
    number: int = 1  # of a page in an order by votes
    more: bool = False


@dataclass(frozen=True, slots=True)
class WallContest:
    """A contest of which everybody may know."""

    contest: Contest
    slug: str
    entries: tuple[Hanging, ...] = ()  # most votes first
    winner: str = ""  # the slug of the winner, where it hangs

    @property
    def is_over(self) -> bool:
        return self.contest.running_in is None


@dataclass(frozen=True, slots=True)
class _Looking:
    """One transaction, and what may be shown in it."""

    connection: AsyncConnection
    places: list[tuple[int, int]]  # server and channel of all places that are for everybody
    public: Any  # that a dream may hang there, as far as the database tells
    told: Any  # that one may be told of there, with its picture or without


class Wall:
    """Every method is one transaction and raises `StoreError`; `start` first."""

    def __init__(
        self,
        *,
        database: Database,
        moderation: Moderation,
        places: Places,
        size: int = PAGE,
        clock: Callable[[], float] = time,
    ) -> None:
        """`size`: dreams on a page."""
        self._transaction = database.transaction
        self._moderation = moderation
        self._places = places
        self._size = size
        self._clock = clock
        self._known: set[tuple[int, int]] = set()  # server and channel of all dreams up to `_last`
        self._last = 0
        self._public: tuple[list[tuple[int, int]], Any, Any] | None = None  # of these places
        self._chance = Random()
        self._learn_at = 0.0  # on the monotonic clock
        self._ranked: dict[Period, tuple[float, list[int]]] = {}
        self._learning: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Give a slug to what a process of an older program stored meanwhile. Raises `StoreError`."""
        async with self._transaction() as connection:
            for table in (dreams, contests):
                nameless = (await connection.scalars(select(table.c.id).where(table.c.slug.is_(None)))).all()
                for id in nameless:
                    await connection.execute(update(table).where(table.c.id == id).values(slug=new_slug()))

    async def close(self) -> None:
        """Stop finding out about channels."""
        for task in self._learning:
            task.cancel()
        await asyncio.gather(*self._learning, return_exceptions=True)

    # ---------------------------------------------------------------- orders

    async def newest(self, *, words: str = "", person: str = "", after: str = "") -> WallPage | None:
        """The newest first, of those with all these words, of this person's page.

        `after`: the slug of the dream before the first one. None: there is no such dream or person.
        """
        async with self._looking() as look:
            wanted = [look.public]
            if after:
                before = await look.connection.scalar(select(dreams.c.id).where(dreams.c.slug == after))
                if before is None:
                    return None
                wanted.append(dreams.c.id < before)
            if person:
                author = await look.connection.scalar(_person(person))
                if author is None:
                    return None
                wanted.append(dreams.c.author_id == author)
            wanted += [_has(word) for word in words.split()[:MAX_WORDS]]
            query = _HUNG.where(and_(*wanted)).order_by(dreams.c.id.desc()).limit(self._size + 1)
            found = self._hang((await look.connection.execute(query)).all())
        shown = found[: self._size]
        more = len(found) > self._size
        return WallPage(tuple(shown), shown[-1].slug if more else "", more=more)

    async def best(self, period: Period, *, number: int = 1) -> WallPage:
        """Most votes first, and of equals the newer one; dreams that nobody voted for are not among them."""
        async with self._looking() as look:
            ids = await self._order(look, period)
            part = ids[(number - 1) * self._size : number * self._size]
            rows = (await look.connection.execute(_HUNG.where(dreams.c.id.in_(part), look.public))).all()
            found = self._hang(sorted(rows, key=lambda row: part.index(row.id)))
        return WallPage(tuple(found), number=number, more=len(ids) > number * self._size)

    async def random(self) -> str | None:
        """The slug of any of them; None: nothing hangs there.

        The next one after a number by chance: to sort all of them by chance takes as long as there are many.
        """
        async with self._looking() as look:
            query = select(dreams.c.slug).where(look.public).order_by(dreams.c.id).limit(1)
            start = self._chance.randint(1, max(1, self._last))
            slug: str | None = await look.connection.scalar(query.where(dreams.c.id >= start))
            return slug or await look.connection.scalar(query)

    # --------------------------------------------------------------- one dream

    async def get(self, slug: str) -> Hanging | None:
        """What hangs there by this slug, or did until its picture was let go."""
        async with self._looking() as look:
            query = _HUNG.where(dreams.c.slug == slug, look.told).limit(1)
            return next(iter(self._hang((await look.connection.execute(query)).all())), None)

    async def shows(self, dream_id: int) -> Hanging | None:
        """As `get`, by the dream's number, which leaves the bot nowhere."""
        async with self._looking() as look:
            return await self._find(look, dreams.c.id == dream_id)

    async def hangs(self, dream_id: int) -> bool:
        """Whether it is there now."""
        return await self.shows(dream_id) is not None

    async def family(self, hanging: Hanging) -> "Relative | None":
        """The tree that it belongs to, from its oldest ancestor on; None: it has no relatives there."""
        async with self._looking() as look:
            oldest = await self._oldest(look, hanging)
            tree = Relative(oldest)
            known = {oldest.dream.id: tree}
            newest = [tree]
            while newest and len(known) < MAX_RELATIVES:
                ids = [one.hanging.dream.id for one in newest]
                begun = or_(dreams.c.parent_id.in_(ids), dreams.c.other_id.in_(ids))
                found = await self._several(look, begun, most=MAX_RELATIVES - len(known))
                newest = [_join(known, one) for one in found if one.dream.id not in known]
        return tree if tree.children else None

    async def _oldest(self, look: _Looking, hanging: Hanging) -> Hanging:
        for _ in range(MAX_GENERATIONS):
            parent = hanging.dream.parent_id
            older = None if parent is None else await self._find(look, dreams.c.id == parent)
            if older is None:
                break
            hanging = older
        return hanging

    # ------------------------------------------------------- people, contests

    async def person(self, page: str) -> str | None:
        """The name of whoever has this page."""
        async with self._transaction() as connection:
            name: str | None = await connection.scalar(
                select(privacy.c.name).where(privacy.c.page == page, privacy.c.wall, privacy.c.name != "")
            )
            return name

    async def contests(self) -> list[WallContest]:
        """The newest first."""
        async with self._looking() as look:
            query = select(contests).where(_in(look.places, contests)).order_by(contests.c.id.desc())
            rows = await look.connection.execute(query.limit(MAX_CONTESTS))
            return [WallContest(Contest(**row._mapping), row.slug) for row in rows if row.slug]

    async def contest(self, slug: str) -> WallContest | None:
        """With its entries, as far as they hang."""
        async with self._looking() as look:
            query = select(contests).where(contests.c.slug == slug, _in(look.places, contests))
            row = (await look.connection.execute(query)).first()
            if row is None:
                return None
            contest = Contest(**row._mapping)
            entered = select(entries.c.dream_id).where(entries.c.contest_id == contest.id)
            found = await self._several(look, dreams.c.id.in_(entered), most=100)
            first = entered.order_by(entries.c.entered_at, entries.c.dream_id)
            order = (await look.connection.scalars(first)).all()
        ranked = sorted(found, key=lambda one: (-one.votes, order.index(one.dream.id)))
        winner = next((one.slug for one in ranked if one.dream.id == contest.winner_id), "")
        return WallContest(contest, slug, tuple(ranked), winner)

    async def contest_of(self, hanging: Hanging) -> WallContest | None:
        """The newest one that it took part in."""
        async with self._looking() as look:
            query = (
                select(contests)
                .join(entries, entries.c.contest_id == contests.c.id)
                .where(entries.c.dream_id == hanging.dream.id, _in(look.places, contests))
                .order_by(contests.c.id.desc())
            )
            row = (await look.connection.execute(query.limit(1))).first()
        return None if row is None or not row.slug else WallContest(Contest(**row._mapping), row.slug)

    # -------------------------------------------------------------- plumbing

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[_Looking]:
        """One transaction."""
        async with self._transaction() as connection:
            places = await self._open(connection)
            if self._public is None or places != self._public[0]:
                public = _public(places)
                self._public = (
                    places,
                    and_(public, _HAS_PICTURE),
                    public,
                )  # long; it changes when a channel does
            yield _Looking(connection, *self._public)

    async def _open(self, connection: AsyncConnection) -> list[tuple[int, int]]:
        """Server and channel of all places that are for everybody now, in servers that opted in."""
        servers = self._moderation.servers_where(lambda settings: settings.wall)
        for row in await connection.execute(_PLACES, {"since": self._last - OVERLAP}):
            self._known.add((row.guild_id, row.channel_id))
            self._last = max(self._last, row.last)
        places = [place for place in self._known if place[0] in servers]
        if monotonic() >= self._learn_at:
            self._learn_at = monotonic() + LEARN_S
            self._learn(places)
        return [place for place in places if is_open_to_all(self._places.venue(*place))]

    def _learn(self, places: Collection[tuple[int, int]]) -> None:
        """Find out in the background about channels that nobody knows: archived threads."""
        unknown: dict[int, list[int]] = {}
        for guild_id, channel_id in places:
            if not self._places.venue(guild_id, channel_id).known:
                unknown.setdefault(guild_id, []).append(channel_id)
        for guild_id, channels in unknown.items():
            task = asyncio.create_task(self._places.learn(guild_id, channels))
            self._learning.add(task)
            task.add_done_callback(self._learning.discard)

    async def _order(self, look: _Looking, period: Period) -> list[int]:
        """The dreams with votes, best first."""
        until, ids = self._ranked.get(period, (0.0, []))
        if monotonic() >= until:
            best = _best(look.places, period, now=self._clock())
            query = select(best.c.dream_id).join(dreams, dreams.c.id == best.c.dream_id).where(look.public)
            ids = list(await look.connection.scalars(query.order_by(*best_first(best)).limit(RANKED)))
            self._ranked[period] = (monotonic() + RANKED_S, ids)
        return ids

    async def _find(self, look: _Looking, which: Any) -> Hanging | None:
        return next(iter(await self._several(look, which, most=1)), None)

    async def _several(self, look: _Looking, which: Any, *, most: int) -> list[Hanging]:
        """Oldest first."""
        query = _HUNG.where(which, look.public).order_by(dreams.c.id).limit(most)
        return self._hang((await look.connection.execute(query)).all())

    def _hang(self, rows: Sequence[Any]) -> list[Hanging]:
        """Those of the rows of `_HUNG` that may be shown, by the one rule."""
        found = []
        for row in rows:
            dream = dream_of(row)
            allowed = self._showing(dream, away=row.wall is not None and not row.wall, told=bool(row.told))
            if allowed.tells and row.slug:
                found.append(
                    Hanging(dream, row.slug, row.people, allowed.link, row.name or "", row.page or "")
                )
        return found

    def _showing(self, dream: Dream, *, away: bool, told: bool) -> Showing:
        """`away`: its dreamer opted out; `told`: somebody reported it."""
        settings = self._moderation.settings(dream.guild_id)
        consent = Consent(
            server=settings.wall,
            link=settings.wall_links and not is_local(dream.guild_id),
            dreamer=not away,
            reported=told,
        )
        home = self._places.venue(dream.guild_id, dream.channel_id)
        return published(dream, home=home, consent=consent)


def _public(places: Collection[tuple[int, int]]) -> Any:
    """What `published` asks, as far as the database tells.

    Nearly all dreams are finished, and most are from few channels: an index of states or channels would
    find them all and then sort them, where a walk from the newest on ends after a page. `coalesce` keeps
    both databases from it.
    """
    return and_(_in(places, dreams), may_hang())


def may_hang() -> Any:
    """That a dream may hang on the wall, if its server and channel do: the condition on its row."""
    away = select(privacy.c.person).where(privacy.c.wall.is_(False))
    return and_(
        func.coalesce(dreams.c.state, "") == DreamState.DONE,
        dreams.c.erased.is_(False),
        dreams.c.gone == Gone.NOT,
        dreams.c.message_id.is_not(None),
        dreams.c.candidate == 0,
        dreams.c.flagged == "",
        dreams.c.spoiler.is_(False),
        dreams.c.slug.is_not(None),
        dreams.c.author_id.not_in(away),
        ~select(reports.c.dream_id).where(reports.c.dream_id == dreams.c.id).exists(),
    )


# Whose picture may have been let go: `bot.keeping.retention`. Such a dream is told of at its own address.
_HAS_PICTURE = select(pictures.c.dream_id).where(pictures.c.dream_id == dreams.c.id).exists()


def _best(places: Collection[tuple[int, int]], period: Period, *, now: float) -> Any:
    """The best dreams of these places. Of a few servers each one's own are read, else everybody's."""
    channels: dict[int, list[int]] = {}
    for guild_id, channel_id in places:
        channels.setdefault(guild_id, []).append(channel_id)
    if len(channels) > FEW_SERVERS:
        there = tuple_(func.coalesce(tallies.c.ranked_in, 0), tallies.c.channel_id).in_(places)
        return best_tallies(there, period, now=now, most=RANKED).subquery()
    parts = [
        select(best_tallies(_of_server(*each), period, now=now, most=RANKED).subquery())
        for each in (channels or {0: []}).items()
    ]
    return union_all(*parts).subquery()


def _of_server(guild_id: int, channels: Collection[int]) -> Any:
    return and_(tallies.c.ranked_in == guild_id, tallies.c.channel_id.in_(channels))


def _in(places: Collection[tuple[int, int]], table: Any) -> Any:
    """That something was dreamt, or begun, in one of these servers' channels."""
    return tuple_(func.coalesce(table.c.guild_id, 0), table.c.channel_id).in_(places)


def _person(page: str) -> Any:
    return select(privacy.c.person).where(privacy.c.page == page, privacy.c.wall, privacy.c.name != "")


def _has(word: str) -> Any:
    """That a prompt has this word, or a longer one with it, in large or small letters."""
    return func.lower(dreams.c.prompt).contains(word.lower(), autoescape=True)


# Of the dreams since a number. `coalesce` keeps SQLite from walking its index of all places, as above;
# PostgreSQL knows what is grouped by only where nothing in it is a parameter.
_GUILD = func.coalesce(dreams.c.guild_id, literal_column("0"))
_CHANNEL = func.coalesce(dreams.c.channel_id, literal_column("0"))
_PLACES = (
    select(_GUILD.label("guild_id"), _CHANNEL.label("channel_id"), func.max(dreams.c.id).label("last"))
    .where(dreams.c.id > bindparam("since"), literal_column("0") != _GUILD)
    .group_by(_GUILD, _CHANNEL)
)
# All that is told of dreams, asked at once: who voted, whether somebody reported it, what its dreamer chose.
_HUNG: Any = select(
    *dreams.c,
    func.coalesce(tallies.c.people, 0).label("people"),
    select(reports.c.dream_id).where(reports.c.dream_id == dreams.c.id).exists().label("told"),
    privacy.c.wall,
    privacy.c.name,
    privacy.c.page,
)
_HUNG = _HUNG.join_from(dreams, privacy, dreams.c.author_id == privacy.c.person, isouter=True)
_HUNG = _HUNG.outerjoin(tallies, tallies.c.dream_id == dreams.c.id)


# ----------------------------------------------------------------- families

MAX_GENERATIONS = 12  # above a dream
MAX_RELATIVES = 60  # in a tree


class Kinship(StrEnum):
    """How a dream came of the one above it."""

    VARIED = "varied"  # it began at a changed copy
    CONTINUED = "continued"  # it went on
    REMIXED = "remixed"  # it went on with other words
    BLENDED = "blended"  # it began between two


def kinship(dream: Dream, parent: Dream) -> Kinship:
    """How a dream came of one of those that it began at."""
    if dream.begin == "vary":
        return Kinship.VARIED
    if dream.begin == "blend":
        return Kinship.BLENDED
    return Kinship.CONTINUED if dream.prompt == parent.prompt else Kinship.REMIXED


@dataclass(slots=True)
class Relative:
    """A dream in its family's tree."""

    hanging: Hanging
    children: list["Relative"] = field(default_factory=list)  # oldest first
    other: Hanging | None = None  # the second one that it was blended from, where it hangs
    kin: Kinship | None = None  # to the one above; None: it is the oldest


def _join(known: dict[int, Relative], one: Hanging) -> Relative:
    """Put a dream into the tree, below the first of its parents that is there."""
    dream = one.dream
    parents = [known[id] for id in (dream.parent_id, dream.other_id) if id in known]
    other = parents[1].hanging if len(parents) > 1 else None
    relative = Relative(one, other=other, kin=kinship(dream, parents[0].hanging.dream))
    parents[0].children.append(relative)
    known[dream.id] = relative
    return relative
