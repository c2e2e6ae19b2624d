"""What the tests of the use cases share: a bot without any front end, and whoever asks."""

from dataclasses import replace
from itertools import count

import pytest

from bot.community.choices import Choices
from bot.dreams.asking import Asking
from bot.dreams.dream import Dream, DreamState, Who
from bot.dreams.ending import Ending
from bot.dreams.preferences import Preferences
from bot.servers.line import ServerLine
from tests.bot.rig import Rig

ALICE, BOB = 11, 12
_ORIGINS = count(10**6)


class House:
    """Server 1, where an engine dreams by script."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.store = rig.store
        self.engine = rig.engine
        self.moderation = rig.moderation
        self.preferences = Preferences(database=rig.database)
        self.choices = Choices(
            database=rig.database, store=rig.store, worker=rig.worker, moderation=rig.moderation
        )
        self.asking = Asking(
            worker=rig.worker,
            choices=self.choices,
            preferences=self.preferences,
            settings=rig.moderation.settings,
            model="pocket",
        )
        self.ending = Ending(worker=rig.worker, choices=self.choices, moderation=rig.moderation)
        self.line = ServerLine(store=rig.store, worker=rig.worker, moderation=rig.moderation)

    def who(self, person: int = ALICE) -> Who:
        """Each time they ask for something new."""
        return Who(author_id=person, guild_id=1, channel_id=2, origin=next(_ORIGINS), language="it")

    async def set(self, **changes: object) -> None:
        """What a moderator of the server sets."""
        await self.moderation.change(1, by=99, change=lambda old: replace(old, **changes))  # type: ignore[arg-type]

    async def asked(self, prompt: str = "a bowl of cherries", **changes: object) -> Dream:
        """Alice's dream, in line."""
        who = self.who()
        what = replace(self.asking.usual(prompt, who), **changes)  # type: ignore[arg-type]
        return await self.stored((await self.asking.ask([what], who)).id)

    async def dreamt(self, prompt: str = "a bowl of cherries", **changes: object) -> Dream:
        """Alice's dream, finished."""
        dream = await self.asked(prompt, **changes)
        await self.engine.dreams(dream.id)
        self.engine.finish()
        return await self.rig.until(dream.id, DreamState.DONE)

    async def stored(self, dream_id: int) -> Dream:
        dream = await self.store.get(dream_id)
        assert dream is not None
        return dream


@pytest.fixture
async def house(rig: Rig) -> House:
    house = House(rig)
    await house.preferences.start()
    return house
