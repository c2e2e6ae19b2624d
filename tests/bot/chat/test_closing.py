"""What waits for news or a moment ends when it is asked to, also when news came just then."""

import asyncio

import pytest

from bot.chat.messages.pacing import Desks
from bot.dreams.dream import DreamState
from tests.bot.chat.conftest import World
from tests.bot.chat.test_pacing import a_screen


@pytest.mark.parametrize("part", ["steering", "jury"])
async def test_news_at_the_last_moment_hold_up_no_end(world: World, part: str) -> None:
    waiting = getattr(world.parts, part)
    if part == "jury":
        waiting.counted()
    await asyncio.sleep(0.1)  # now it waits
    waiting.wake()
    async with asyncio.timeout(10):
        await waiting.close()


async def test_an_edit_wanted_at_the_last_moment_holds_up_no_end() -> None:
    desks, shown = Desks(pace_s=60), asyncio.Event()
    note = a_screen(1, DreamState.DREAMING)

    async def show() -> None:
        shown.set()

    await desks.start()
    desks.want(1, note, show)
    await shown.wait()
    desks.want(1, note, show)  # a pace after the first
    await asyncio.sleep(0.1)
    desks.want(1, note, show)
    async with asyncio.timeout(10):
        await desks.close()
