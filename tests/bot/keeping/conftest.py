"""What the tests of keeping share: a bot without any front end, people, and what they left behind."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from bot.database.connection import Database
from bot.database.outbox import owed_of
from bot.database.tables import metadata, outbox
from bot.dreams.dream import Dream, DreamState, Picture, Wish
from bot.heart import Heart, build_heart
from bot.settings import Settings
from engine import Finished, Recipe
from tests.bot.scripted import ScriptedEngine, until

ADA, BO = 7_000_000_000_000_001, 7_000_000_000_000_002
GUILD, OTHER_GUILD = 9_000_000_000_000_001, 9_000_000_000_000_002
_ORIGINS = count(10**6)


class Front:
    """A front end that shows nothing, and can be told to fail."""

    def __init__(self, heart: Heart) -> None:
        self.heart = heart
        self.fails: set[int] = set()  # dreams that cannot be taken down just now
        self.here: set[int] = set()  # servers that we are in
        self.taken: list[int] = []

    async def take_down(self, dream: Dream) -> bool:
        if dream.id in self.fails:
            return False
        self.taken.append(dream.id)
        await self.heart.store.erase(dream.id)
        return True

    async def take_down_choice(self, choice: Any) -> bool:
        await self.heart.choices.forget(choice.id)
        return True

    async def has_left(self, guild_id: int) -> bool | None:
        return guild_id not in self.here


class Process:
    """One process of the bot with a database that others may have, too."""

    def __init__(self, settings: Settings) -> None:
        self.engine = ScriptedEngine()
        self.heart = build_heart(settings, engines=[self.engine])
        self.front = Front(self.heart)
        self.heart.forgetter.discord = self.heart.forgetter.local = self.front
        self.heart.forgetter._linger_s = 0.0
        self.heart.forgetter._retry_s = 0.02

    async def open(self) -> "Process":
        await self.heart.database.open()
        await self.heart.begin()
        return self

    async def close(self) -> None:
        await self.heart.end()
        await self.heart.database.close()

    async def dream(self, author: int = ADA, *, image: bytes | None = None, **wanted: Any) -> Dream:
        """A finished one, in `GUILD` unless something else is said."""
        dream = await self.ask(author, image=image, **wanted)
        return await self.finish(dream)

    async def ask(self, author: int = ADA, *, image: bytes | None = None, **wanted: Any) -> Dream:
        """One that waits in the store, not in the line."""
        wish = Wish(
            prompt="a secret garden", seed=7, model="pocket", author_id=author, guild_id=GUILD, channel_id=2,
            origin=next(_ORIGINS),
        )  # fmt: skip
        return await self.heart.store.add(replace(wish, **wanted), image=image)

    async def finish(self, dream: Dream) -> Dream:
        recipe = Recipe(dream.prompt, 7, 100, "pocket", "gan", "clip", "0.1.0")
        ended = Finished("1", recipe, 31.5, 90, 100, 42.0, False, b"png", state=b"state", timelapse=b"film")
        store = self.heart.store
        assert await store.claim(dream.id, lease_s=30)
        done = await store.finish(dream.id, DreamState.DONE, finished=ended, picture=Picture(b"png", "png"))
        assert done is not None
        await store.set_message(dream.id, 10**6 + dream.id)
        await store.set_delivered(dream.id)
        async with self.heart.database.transaction() as connection:  # as whoever shows it settles it
            await connection.execute(delete(outbox).where(owed_of([dream.id])))
        return await self.stored(dream.id)

    async def stored(self, dream_id: int) -> Dream:
        dream = await self.heart.store.get(dream_id)
        assert dream is not None
        return dream

    async def put(self, table: Any, **row: Any) -> None:
        async with self.heart.database.transaction() as connection:
            await connection.execute(insert(table).values(row))

    async def forgotten(self) -> None:
        """Until nobody is being forgotten any more."""

        async def done() -> bool:
            return not await self.heart.forgetter._records()

        await until(done)


async def cells(database: Database) -> list[tuple[str, str, str]]:
    """Table, column and value of everything that is stored."""
    found = []
    async with database.transaction() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(select(table)):
                found += [(table.name, column, str(value)) for column, value in row._mapping.items()]
    return found


@pytest.fixture
async def process(prepared: Settings) -> AsyncIterator[Process]:
    process = await Process(prepared).open()
    yield process
    await process.close()


@pytest.fixture
async def second(process: Process, prepared: Settings) -> AsyncIterator[Process]:
    """Another one beside it."""
    second = await Process(prepared).open()
    yield second
    await second.close()
