"""The public wall: what hangs there, at once; orders, searches, families, contests, people."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, insert, text, update

from bot.community.contests import Contests
from bot.community.privacy import USUAL, Privacy, PrivacyChoices, name_of
from bot.community.ranking import DAY_S, Period
from bot.community.wall import Hanging, Kinship, Wall, WallPage
from bot.database.connection import Database
from bot.database.tables import contests, dreams, thumbnails
from bot.dreams.dream import Dream, DreamState, Picture, Wish
from bot.dreams.showing import Venue
from bot.dreams.store import Store
from bot.servers.moderation import Moderation
from engine import Finished, Recipe
from tests.bot.scripted import until

NOW = 10_000_000.0
SIZE = 4  # dreams on a page


class Town:
    """What Discord says of channels: all of them are open, unless the test says otherwise."""

    def __init__(self) -> None:
        self.known: dict[int, Venue] = {}
        self.learnt: list[int] = []

    def venue(self, guild_id: int | None, channel_id: int) -> Venue:
        usual = Venue(guild_id=guild_id, channel_id=channel_id, public=True)
        return self.known.get(channel_id, usual)

    def is_now(self, channel_id: int, **changes: Any) -> None:
        self.known[channel_id] = replace(self.venue(1, channel_id), **changes)

    async def learn(self, guild_id: int | None, channels: Iterable[int]) -> None:
        self.learnt += channels
        for channel in channels:
            self.is_now(channel, known=True)


class Gallery:
    """A wall, and dreams that end when the test says so."""

    def __init__(self, database: Database, a_wish: Callable[..., Wish]) -> None:
        self.now = NOW
        self.database = database
        self.store = Store(database, owner="this process", clock=lambda: self.now)
        self.moderation = Moderation(database=database)
        self.contests = Contests(database=database, clock=lambda: self.now)
        self.privacy = PrivacyChoices(database=database)
        self.town = Town()
        self.wall = self.another()
        self._wish = a_wish

    def another(self) -> Wall:
        """Of the same database, as after a restart: it remembers no order."""
        return Wall(
            database=self.database, moderation=self.moderation, places=self.town, size=SIZE, clock=lambda: NOW
        )

    async def opts(self, guild_id: int = 1, **changes: Any) -> None:
        changes = changes or {"wall": True}
        await self.moderation.change(guild_id, by=9, change=lambda old: replace(old, **changes))

    async def dreamt(self, *, votes: int = 0, ago: float = 0.0, flagged: str = "", **changes: Any) -> Dream:
        """A delivered dream with so many voters, that ended `ago` seconds ago."""
        self.now = NOW - ago
        dream = await self.store.add(self._wish(**changes))
        assert await self.store.claim(dream.id, lease_s=30.0)
        recipe = Recipe(dream.prompt, 7, 5, "pocket", "gan", "clip", "0.1.0")
        finished = Finished(str(dream.id), recipe, 30.0, 5, 5, 1.0, False, b"png", timelapse=b"webp")
        picture = Picture(b"png", "png")
        await self.store.finish(
            dream.id, DreamState.DONE, finished=finished, picture=picture, flagged=flagged
        )
        await self.store.set_message(dream.id, 1000 + dream.id)
        await self.store.replace_votes(dream.id, [(100 + person, "⭐") for person in range(votes)])
        kept = await self.store.get(dream.id)
        assert kept is not None
        return kept

    async def newest(self, **wanted: Any) -> list[int]:
        found = await self.wall.newest(**wanted)
        assert found is not None
        return ids(found)

    async def hangs(self, dream: Dream) -> bool:
        """Whether it is shown, which must be the same everywhere."""
        alone = await self.wall.shows(dream.id)
        listed = dream.id in await self.newest()
        assert listed == (alone is not None)
        if alone is not None:
            assert await self.wall.get(alone.slug) == alone
        return listed


def ids(page: WallPage) -> list[int]:
    return [one.dream.id for one in page.dreams]


@pytest.fixture
async def gallery(database: Database, a_wish: Callable[..., Wish]) -> Gallery:
    gallery = Gallery(database, a_wish)
    await gallery.moderation.start()
    await gallery.opts()
    return gallery


async def hung(gallery: Gallery, **changes: Any) -> Hanging:
    found = await gallery.wall.shows((await gallery.dreamt(**changes)).id)
    assert found is not None
    return found


async def test_only_servers_whose_moderators_opted_in_are_there_and_it_is_effective_at_once(
    gallery: Gallery,
) -> None:
    here, elsewhere = await gallery.dreamt(), await gallery.dreamt(guild_id=2, channel_id=5)
    assert await gallery.hangs(here) and not await gallery.hangs(elsewhere)
    await gallery.opts(2)
    assert await gallery.newest() == [elsewhere.id, here.id]
    await gallery.opts(1, wall=False)
    assert await gallery.newest() == [elsewhere.id]
    await gallery.opts(2, wall=False)
    assert await gallery.newest() == [] and await gallery.wall.random() is None


async def test_a_person_s_opt_out_counts_for_old_dreams_too_and_can_be_taken_back(gallery: Gallery) -> None:
    mine, hers = await gallery.dreamt(author_id=11), await gallery.dreamt(author_id=12)
    await gallery.privacy.choose(11, wall=False)
    assert not await gallery.hangs(mine) and await gallery.hangs(hers)
    await gallery.privacy.choose(11, wall=True)
    assert await gallery.hangs(mine)
    assert await gallery.privacy.of(11) == USUAL


async def test_what_is_deleted_is_gone_at_once_with_its_thumbnail(gallery: Gallery) -> None:
    dream = await gallery.dreamt(votes=1)
    found = await gallery.wall.shows(dream.id)
    assert found is not None and ids(await gallery.wall.best(Period.EVER)) == [dream.id]
    async with gallery.database.transaction() as connection:
        row = {"dream_id": dream.id, "made_from": "x", "content": b"small", "made_at": NOW}
        await connection.execute(insert(thumbnails).values(row))
    await gallery.store.erase(dream.id)
    assert not await gallery.hangs(dream) and await gallery.wall.get(found.slug) is None
    assert ids(await gallery.wall.best(Period.EVER)) == [], "although the order is remembered"
    async with gallery.database.transaction() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM thumbnails")) == 0


async def test_a_report_takes_a_dream_down(gallery: Gallery) -> None:
    dream = await gallery.dreamt()
    await gallery.moderation.report(dream.id, 12)
    assert not await gallery.hangs(dream)
    await gallery.moderation.withdraw_report(dream.id, 12)
    assert await gallery.hangs(dream)


@pytest.mark.parametrize("changes", [{"public": False}, {"adults": True}, {"known": False}], ids=str)
async def test_a_channel_that_closes_takes_its_dreams_along_at_once(
    gallery: Gallery, changes: dict[str, Any]
) -> None:
    dream, other = await gallery.dreamt(), await gallery.dreamt(channel_id=3)
    assert await gallery.newest() == [other.id, dream.id]
    gallery.town.is_now(2, **changes)
    assert await gallery.newest() == [other.id] and not await gallery.hangs(dream)


async def test_hidden_unsafe_and_unfinished_dreams_and_beginnings_never_hang(gallery: Gallery) -> None:
    for changes in ({"spoiler": True}, {"flagged": "nudity"}, {"candidate": 1}):
        assert not await gallery.hangs(await gallery.dreamt(**changes))
    assert not await gallery.hangs(await gallery.store.add(gallery._wish()))
    gone = await gallery.dreamt()
    async with gallery.database.transaction() as connection:
        await connection.execute(update(dreams).where(dreams.c.id == gone.id).values(gone="deleted"))
    assert not await gallery.hangs(gone)


async def test_archived_threads_are_found_out_about_in_the_background(gallery: Gallery) -> None:
    gallery.town.is_now(7, known=False)
    dream = await gallery.dreamt(channel_id=7)
    assert await gallery.newest() == []
    await until(lambda: gallery.town.learnt == [7])
    assert await gallery.newest() == [dream.id]
    await gallery.wall.close()


async def test_pages_of_the_newest_follow_each_other_also_when_one_in_between_is_deleted(
    gallery: Gallery,
) -> None:
    made = [(await gallery.dreamt()).id for _ in range(SIZE + 2)]
    first = await gallery.wall.newest()
    assert first is not None and first.more and ids(first) == made[:1:-1]
    await gallery.store.erase(first.dreams[-1].dream.id)
    second = await gallery.wall.newest(after=first.after)
    assert second is not None and ids(second) == made[1::-1] and not second.more and not second.after
    assert await gallery.wall.newest(after="nonesuch") is None


async def test_the_best_of_a_time_have_most_votes_and_of_equals_the_newer_comes_first(
    gallery: Gallery,
) -> None:
    old = await gallery.dreamt(votes=9, ago=8 * DAY_S)
    few, first, second = [await gallery.dreamt(votes=votes) for votes in (1, 3, 3)]
    await gallery.dreamt(votes=0)
    gallery.wall = gallery.another()
    assert ids(await gallery.wall.best(Period.WEEK)) == [second.id, first.id, few.id]
    best = await gallery.wall.best(Period.EVER)
    assert ids(best) == [old.id, second.id, first.id, few.id] and best.dreams[0].votes == 9
    assert not best.more and ids(await gallery.wall.best(Period.EVER, number=2)) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [("red", 2), ("RED house", 1), ("house red", 1), ("%", 1), ("_", 0), ("'; --", 0), ("nothing", 0)],
)
async def test_a_search_finds_dreams_with_all_words_as_they_are(
    gallery: Gallery, words: str, found: int
) -> None:
    for prompt in ("a Red house", "a red sea", "100% blue"):
        await gallery.dreamt(prompt=prompt)
    assert len(await gallery.newest(words=words)) == found


async def test_a_name_and_a_page_are_there_only_for_whoever_chose_one(gallery: Gallery) -> None:
    dream = await gallery.dreamt(author_id=11)
    await gallery.dreamt(author_id=12)
    assert (await hung(gallery, author_id=11)).name == ""
    chosen = await gallery.privacy.choose(11, name="  Ada\u202e \n <b>")
    assert chosen == Privacy(wall=True, name="Ada <b>", page=chosen.page) and chosen.page
    found = await gallery.wall.shows(dream.id)
    assert found is not None and (found.name, found.page) == ("Ada <b>", chosen.page)
    assert await gallery.wall.person(chosen.page) == "Ada <b>"
    assert len(await gallery.newest(person=chosen.page)) == 2
    again = await gallery.privacy.choose(11, name="Bea")
    assert again.page != chosen.page and await gallery.wall.newest(person=chosen.page) is None
    await gallery.privacy.choose(11, wall=False)
    assert await gallery.wall.person(again.page or "") is None
    assert await gallery.privacy.choose(11, wall=True, name="") == USUAL


def test_a_name_is_one_line_of_plain_text() -> None:
    assert name_of("\u202eevil\u2066 \x00 name\n\n") == "evil name"
    assert len(name_of("x" * 99)) == 40 and name_of("\u200b") == ""


async def test_a_link_to_the_message_stands_only_where_the_server_wants_it(gallery: Gallery) -> None:
    assert (await hung(gallery)).link == ""
    await gallery.opts(wall_links=True)
    assert (await hung(gallery)).link.startswith("https://discord.com/channels/1/2/")


async def test_a_family_is_a_tree_from_its_oldest_on_without_what_does_not_hang(gallery: Gallery) -> None:
    root = await gallery.dreamt(prompt="a house")
    varied = await gallery.dreamt(prompt="a house", parent_id=root.id, begin="vary")
    longer = await gallery.dreamt(prompt="a house", parent_id=varied.id, begin="continue")
    remixed = await gallery.dreamt(prompt="a castle", parent_id=varied.id, begin="continue")
    blend = await gallery.dreamt(parent_id=longer.id, other_id=remixed.id, begin="blend")
    hidden = await gallery.dreamt(parent_id=root.id, begin="vary", spoiler=True)
    orphan = await gallery.dreamt(parent_id=hidden.id, begin="vary")
    alone = await gallery.wall.shows(orphan.id)
    assert alone is not None and await gallery.wall.family(alone) is None
    here = await gallery.wall.shows(longer.id)
    assert here is not None
    tree = await gallery.wall.family(here)
    assert tree is not None and tree.hanging.dream.id == root.id and tree.kin is None
    (first,) = tree.children
    assert (first.hanging.dream.id, first.kin) == (varied.id, Kinship.VARIED)
    assert [(c.hanging.dream.id, c.kin) for c in first.children] == [
        (longer.id, Kinship.CONTINUED),
        (remixed.id, Kinship.REMIXED),
    ]
    (last,) = first.children[0].children
    assert (last.hanging.dream.id, last.kin) == (blend.id, Kinship.BLENDED)
    assert last.other is not None and last.other.dream.id == remixed.id


async def test_a_contest_shows_the_entries_that_hang_best_first(gallery: Gallery) -> None:
    contest = await gallery.contests.start(
        guild_id=1, channel_id=2, theme="autumn", language="en", by=9, span_s=DAY_S
    )
    assert contest.slug
    entered = [
        await gallery.dreamt(author_id=author, votes=votes) for author, votes in ((11, 1), (12, 5), (13, 9))
    ]
    gallery.now = NOW
    for dream in entered:
        assert await gallery.contests.enter(contest, dream)
    await gallery.privacy.choose(13, wall=False)
    assert [one.slug for one in await gallery.wall.contests()] == [contest.slug]
    found = await gallery.wall.contest(contest.slug)
    assert found is not None and not found.is_over and found.contest.theme == "autumn"
    assert [one.dream.id for one in found.entries] == [entered[1].id, entered[0].id]
    assert await gallery.contests.finish(contest.id, now=True)
    over = await gallery.wall.contest(contest.slug)
    assert over is not None and over.is_over and over.winner == "", "whoever won is not there"
    took_part = await gallery.wall.shows(entered[0].id)
    assert took_part is not None
    its = await gallery.wall.contest_of(took_part)
    assert its is not None and its.slug == contest.slug
    gallery.town.is_now(2, public=False)
    assert await gallery.wall.contest(contest.slug) is None and await gallery.wall.contests() == []


async def test_slugs_cannot_be_guessed_and_what_an_older_program_stored_gets_one(gallery: Gallery) -> None:
    slugs = {(await hung(gallery)).slug for _ in range(3)}
    assert len(slugs) == 3 and all(len(slug) == 22 for slug in slugs)
    dream = await gallery.dreamt()
    async with gallery.database.transaction() as connection:
        await connection.execute(update(dreams).where(dreams.c.id == dream.id).values(slug=None))
        await connection.execute(update(contests).values(slug=None))
    assert not await gallery.hangs(dream)
    await gallery.wall.start()
    assert await gallery.hangs(dream)


async def test_no_request_walks_through_all_dreams_to_find_new_places(gallery: Gallery) -> None:
    """SQLite would take its index of places for it, from its beginning to its end."""
    await gallery.dreamt()
    asked: list[tuple[str, Any]] = []
    engine = gallery.database._engine.sync_engine
    event.listen(
        engine, "before_cursor_execute", lambda c, cursor, said, values, *rest: asked.append((said, values))
    )
    await gallery.wall.newest()
    if engine.dialect.name == "sqlite":
        async with gallery.database.transaction() as connection:
            said, values = next(one for one in asked if "GROUP BY" in one[0])
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", values)).all()
        assert "INTEGER PRIMARY KEY" in plan[0][3], plan
    assert len([one for one in asked if one[0].startswith("SELECT")]) == 2, "places, and all that is told"
