"""What waits for news or a moment ends when it is asked to, also when news came just then."""

import asyncio

import pytest

from bot.chat.messages.pacing import Edits
from bot.dreams.dream import DreamState
from tests.bot.chat.conftest import World
from tests.bot.chat.test_pacing import a_message


@pytest.mark.parametrize("part", ["choice_messages", "contest_messages"])
async def test_news_at_the_last_moment_hold_up_no_end(world: World, part: str) -> None:
    waiting = getattr(world.parts, part)
    if part == "contest_messages":
        waiting.counted()
    await asyncio.sleep(0.1)  # now it waits
    waiting.wake()
    async with asyncio.timeout(10):
        await waiting.close()


async def test_an_edit_wanted_at_the_last_moment_holds_up_no_end() -> None:
    edits, shown = Edits(pace_s=60), asyncio.Event()
    note = a_message(1, DreamState.DREAMING)

    async def show() -> None:
        shown.set()

    await edits.start()
    edits.want(1, note, show)
    await shown.wait()
    edits.want(1, note, show)  # a pace after the first
    await asyncio.sleep(0.1)
    edits.want(1, note, show)
    async with asyncio.timeout(10):
        await edits.close()
