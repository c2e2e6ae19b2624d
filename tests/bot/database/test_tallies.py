"""The tallies that the database keeps are what counting all votes anew would give, whatever happened."""

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from time import time
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.community.hall_of_fame import HallOfFame
from bot.community.ranking import DAY_S, age
from bot.database.connection import Database, StoreBusy
from bot.database.tables import dreams, pictures, standings, tallies, votes
from bot.database.tallying import CountedAtTheEnd
from bot.dreams.copies import Copies
from bot.dreams.dream import Dream, DreamState, Picture, Wish
from bot.dreams.store import Store
from bot.keeping.traces import Traces
from engine import Finished, Recipe

A_WISH = Callable[..., Wish]
NOW = 10_000_000.0
PROMPTS = ("A Tree", "a tree ", "a house", "x" * 400)
EMOJI = ("⭐", "❤")


class Town:
    """Servers 1 and 2 with dreams that people vote for."""

    def __init__(self, database: Database, a_wish: A_WISH, seed: int) -> None:
        self.database = database
        self.random = Random(seed)
        self.now = NOW
        self.store = Store(database, owner="this process", clock=lambda: self.now)
        self.copies = Copies(database=database)
        self.traces = Traces(database=database)
        self._wish = a_wish
        self.dreams: list[Dream] = []

    async def dreamt(self) -> None:
        """One that somebody dreamt some time ago; some have no message, or a picture without a recipe."""
        chance = self.random
        self.now = NOW - chance.choice((0, 2, 10, 50)) * DAY_S - 1
        guild_id = chance.choice((1, 1, 2, None))
        wish = self._wish(
            prompt=chance.choice(PROMPTS), author_id=chance.randrange(3) + 11, guild_id=guild_id,
            channel_id=chance.randrange(2) + 3,
        )  # fmt: skip
        dream = await self.store.add(wish)
        assert await self.store.claim(dream.id, lease_s=30.0)
        recipe = Recipe(dream.prompt, 7, 5, "pocket", "gan", "clip", "0.1.0")
        finished = Finished(str(dream.id), recipe, 30.0, 5, 5, 1.0, False, b"png")
        early = chance.random() < 0.3
        ended = await self.store.finish(
            dream.id,
            DreamState.CANCELLED if early else DreamState.DONE,
            finished=None if early else finished,
            picture=Picture(b"png", "png"),
            flagged=chance.choice(("", "", "nudity")),
        )
        assert ended
        if chance.random() < 0.9:
            await self.store.set_message(dream.id, 1000 + dream.id)
        self.dreams.append(ended)

    async def something(self) -> None:
        """Anything that may change a tally."""
        chance = self.random
        one = chance.choice(self.dreams).id
        person, emoji = chance.randrange(6) + 100, chance.choice(EMOJI)
        copy_id = chance.choice((0, 5000 + one))
        match chance.randrange(13):
            case 0 | 1 | 2 | 3:
                await self.store.add_vote(one, person, emoji, copy_id=copy_id, burst=chance.random() < 0.2)
            case 4:
                await self.store.remove_votes(one, person=person, emoji=emoji)
            case 5:
                await self.store.remove_votes(one, copy_id=copy_id)
            case 6:
                given = [(chance.randrange(9) + 100, chance.choice(EMOJI)) for _ in range(5)]
                await self.store.replace_votes(one, given, but={person}, copy_id=chance.choice((None, 0)))
            case 7:
                await self.store.erase(one)
            case 8:
                await self.copies.messages_gone([1000 + one])
            case 9:
                await self.store.set_message(one, 1000 + one + chance.randrange(2) * 100_000)
            case 10:
                await self._forget(person)
            case 11:
                await self._without_picture(one)
            case 12:
                await chance.choice((self.copies.server_left, self.copies.server_back))(1)

    async def _forget(self, person: int) -> None:
        while (await self.traces.scrub(person, until=NOW))[0]:
            pass

    async def _without_picture(self, dream_id: int) -> None:
        """As retention leaves it, or a moderator's change."""
        async with self.database.transaction() as connection:
            await connection.execute(delete(pictures).where(pictures.c.dream_id == dream_id))
            change = update(dreams).where(dreams.c.id == dream_id)
            await connection.execute(change.values(flagged=self.random.choice(("", "blood")), channel_id=9))


@pytest.fixture(params=[1, 2])
async def town(request: pytest.FixtureRequest, database: Database, a_wish: A_WISH) -> Town:
    town = Town(database, a_wish, request.param)
    for _ in range(8):
        await town.dreamt()
    return town


async def kept(database: Database) -> tuple[dict[int, Any], dict[Any, Any]]:
    """What the database keeps."""
    async with database.transaction() as connection:
        found = {row.dream_id: tuple(row) for row in await connection.execute(select(tallies))}
        ranked = {tuple(row)[:-2]: tuple(row)[-2:] for row in await connection.execute(select(standings))}
    return found, ranked


async def counted(database: Database) -> tuple[dict[int, Any], dict[Any, Any]]:
    """What it should keep, counted here."""
    async with database.transaction() as connection:
        people: dict[int, set[int]] = {}
        for row in await connection.execute(select(votes)):
            people.setdefault(row.dream_id, set()).add(row.person)
        with_picture = set(await connection.scalars(select(pictures.c.dream_id)))
        found_ages = await connection.execute(select(tallies.c.dream_id, tallies.c.age))
        ages = {row.dream_id: row.age for row in found_ages}
        rows = (await connection.execute(select(dreams).where(dreams.c.id.in_(people)))).all()
    found: dict[int, Any] = {}
    sums: dict[Any, Counter[str]] = {}
    for row in rows:
        is_over = row.state in ("done", "cancelled") and not row.erased and row.gone == ""
        counts = is_over and row.message_id is not None and (row.recipe != "" or row.id in with_picture)
        server, words = row.guild_id if counts else None, row.prompt.strip(" ").lower()[:300]
        tally, is_flagged = len(people[row.id]), row.flagged != ""
        place = (server, row.channel_id, row.author_id, words)
        found[row.id] = (row.id, tally, *place, is_flagged, row.ended_at, ages[row.id])
        for kind, key in (("dreamer", str(row.author_id)), ("prompt", words)):
            for period in range(ages[row.id], 4 if server is not None else 0):
                for place in ((0, False), (row.channel_id, is_flagged)):
                    each = sums.setdefault((server, kind, key, period, *place), Counter())
                    each.update(votes=tally, dreams=1)
    return found, {key: (each["votes"], -each["dreams"]) for key, each in sums.items()}


async def test_whatever_happens_the_tallies_are_what_counting_gives(town: Town) -> None:
    for number in range(60):
        await town.something()
        if number % 20 == 7:
            await town.dreamt()
        if number % 10 == 9:
            async with town.database.transaction() as connection:
                await age(connection, NOW)
            assert await kept(town.database) == await counted(town.database)
    assert (await kept(town.database))[1], "something is ranked"


async def test_what_happens_at_once_is_counted_once(town: Town) -> None:
    told = await asyncio.gather(*(town.something() for _ in range(30)), return_exceptions=True)
    assert {type(one) for one in told} <= {type(None), StoreBusy}, "who comes too late changes nothing"
    assert await kept(town.database) == await counted(town.database)


async def test_counted_at_the_end_it_is_the_same(town: Town) -> None:
    for _ in range(40):
        await town.something()
    async with town.database.transaction() as connection:
        await _grow_old(connection)
    before = await kept(town.database)
    async with town.database.transaction() as connection:
        counting = CountedAtTheEnd()
        await counting.begin(connection)
        await connection.execute(update(votes).where(votes.c.emoji == "none").values(emoji="⭐"))
        await counting.end(connection)
    assert await kept(town.database) == before
    await town.store.add_vote(town.dreams[0].id, 99, "⭐")
    assert await kept(town.database) == await counted(town.database), "and the triggers go on"


async def _grow_old(connection: AsyncConnection) -> None:
    """By today's clock all of these are old."""

    while await age(connection, time()):
        pass


async def test_a_dream_that_is_deleted_takes_its_tally_along(town: Town) -> None:
    for dream in town.dreams:
        await town.store.add_vote(dream.id, 99, "⭐")
    async with town.database.transaction() as connection:
        await connection.execute(text("DELETE FROM dreams"))
    assert await kept(town.database) == ({}, {})


async def test_in_a_hall_of_fame_its_votes_go_with_it(town: Town) -> None:
    hall = HallOfFame(database=town.database)
    dream = town.dreams[0]
    await hall.hang(dream, 7, 3)
    await hall.set_message(dream.id, 5000)
    await town.store.add_vote(dream.id, 99, "⭐", copy_id=5000)
    await hall.take_down(dream.id)
    assert await kept(town.database) == await counted(town.database) == ({}, {})
