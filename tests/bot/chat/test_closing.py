"""What waits for news or a moment ends when it is asked to, also when news came just then."""

import asyncio
from functools import partial
from typing import Any

import pytest

from bot.chat import tree
from bot.chat.messages import pacing
from bot.chat.messages.pacing import Edits
from bot.dreams.asking import Accepted
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH as SAY
from tests.bot.bot_process import LOADED_CORES_S
from tests.bot.chat.conftest import World
from tests.bot.chat.test_pacing import a_message


@pytest.mark.parametrize("part", ["outbox", "hall_of_fame_messages"])
async def test_news_at_the_last_moment_hold_up_no_end(world: World, part: str) -> None:
    waiting = getattr(world.parts, part)
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


@pytest.mark.parametrize("patience_s", [LOADED_CORES_S, 0.1])
async def test_what_is_being_shown_at_the_end_is_not_cut_off(
    patience_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "FAREWELL_S", patience_s)
    edits, begun, goes_on = Edits(pace_s=0.01), asyncio.Event(), asyncio.Event()
    shown: list[int] = []

    async def show(number: int) -> None:
        begun.set()
        await goes_on.wait()
        shown.append(number)

    await edits.start()
    edits.want(1, a_message(1, DreamState.DREAMING), partial(show, 1))
    await begun.wait()
    edits.want(1, a_message(2, DreamState.DREAMING), partial(show, 2))
    closing = asyncio.create_task(edits.close())
    await asyncio.sleep(0.3)
    assert closing.done() is (patience_s == 0.1), "not for ever"
    goes_on.set()
    await closing
    assert shown == ([] if patience_s == 0.1 else [1])


class Gate:
    """Holds up whoever asks for a dream until it is opened."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self._ask = world.parts.asking.ask
        monkeypatch.setattr(world.parts.asking, "ask", self.ask)

    async def ask(self, *arguments: Any, **options: Any) -> Accepted:
        self.reached.set()
        await self.opened.wait()
        return await self._ask(*arguments, **options)


async def test_a_command_on_its_way_is_answered_before_the_bot_leaves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "ANSWERED_S", LOADED_CORES_S)
    gate, commands = Gate(world, monkeypatch), world.parts.client.tree
    assert isinstance(commands, tree.Tree)
    asking = asyncio.create_task(world.dream(world.alice))
    await gate.reached.wait()
    closing = asyncio.create_task(commands.close())
    await asyncio.sleep(0.1)
    assert not closing.done()
    gate.opened.set()
    await closing
    assert (await asking).response.content == SAY.queued(1)  # type: ignore[union-attr]


async def test_a_command_that_takes_long_holds_up_no_end_and_leaves_no_traceback(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tree, "ANSWERED_S", 0.05)
    gate, commands = Gate(world, monkeypatch), world.parts.client.tree
    assert isinstance(commands, tree.Tree)
    asking = asyncio.create_task(world.dream(world.alice))
    await gate.reached.wait()
    async with asyncio.timeout(10):
        await commands.close()
    gate.opened.set()
    await asyncio.gather(asking, return_exceptions=True)  # simcord says that nobody answered
    assert await world.parts.store.get(1) is None
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("part", ["forgetter", "retention"])
async def test_the_dream_in_hand_is_given_back_before_anything_waits_for_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    waits = getattr(world.parts, part)
    states: list[DreamState] = []

    async def close() -> None:
        states.append((await world.stored(1)).state)

    real = waits.close
    monkeypatch.setattr(waits, "close", close)
    await world.parts.end()
    await real()
    assert states == [DreamState.QUEUED]
