"""Buttons, forms and reactions of a changed client: an answer each, no traceback, and others' dreams stay."""

import logging
from typing import Any

import pytest
from simcord.enums import InteractionType

from bot.chat.listeners.clicks import ClickListener
from bot.dreams.dream import DreamState
from tests.bot.chat.conftest import World

NUMBERS = ("9" * 18, "9" * 19, "-1", "\u0661", "")
ENDING = ("cancel", "delete", "erase", "banauthor")
FORMS = ("dream:{}:again", "dream:{}:edit", "dream:{}:timelapse", "dream:{}:cancel", "dream:{}:delete")
OTHERS = ("choice:{}:decide", "choice:{}:cancel", "moderate:clear:{}")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most clicks here are such as nobody answers before the listener does."""
    monkeypatch.setattr(ClickListener, "patience_s", 0.2)


@pytest.fixture
def faults(caplog: pytest.LogCaptureFixture) -> Any:
    """What was logged with a traceback."""
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records if record.exc_info]


async def clicked(world: World, custom_id: Any, **more: Any) -> Any:
    data = {"custom_id": custom_id, "component_type": 2, "id": 1} | more
    message = world.messages()[0]
    return await world.bob._dispatch_interaction(
        InteractionType.MESSAGE_COMPONENT, world.channel, data, source_message_id=message.id
    )


async def one_done(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)


@pytest.mark.parametrize("form", [*FORMS, *OTHERS])
async def test_a_button_with_a_forged_number_is_answered(world: World, faults: Any, form: str) -> None:
    await one_done(world)
    for number in NUMBERS:
        result = await clicked(world, form.format(number))
        assert result.response is not None or result.followups, number
    assert not faults()
    assert (await world.stored(1)).state is DreamState.DONE and not (await world.stored(1)).erased


@pytest.mark.parametrize("action", ENDING)
async def test_a_forged_click_ends_no_dream_of_somebody_else(world: World, faults: Any, action: str) -> None:
    await one_done(world)
    await clicked(world, f"dream:1:{action}")
    assert not (await world.stored(1)).erased and await world.parts.store.picture(1)
    assert not world.parts.moderation.bans(world.guild.id)
    assert not faults()


@pytest.mark.parametrize("custom_id", ["", "x" * 200])
async def test_an_odd_custom_id_begins_nothing_and_leaves_no_traceback(
    world: World, faults: Any, custom_id: Any
) -> None:
    await one_done(world)
    for more in ({}, {"component_type": 3, "values": [1]}, {"component_type": 99}, {"id": "x"}):
        await clicked(world, custom_id, **more)
    assert not faults()
    assert len(world.engine.requests) == 1


@pytest.mark.parametrize("emoji", ["❌", "✉️", "❤️", "🏳️‍🌈", "a", "", "\u200d", "👍🏽" * 30, "x:9" + "9" * 30])
async def test_an_odd_reaction_does_nothing_that_it_may_not(
    world: World, faults: Any, emoji: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.listeners.votes.AGAIN_S", (0.01,))
    await one_done(world)
    message = world.messages()[0]
    for change in ({}, {"burst": True}, {"user_id": "1"}, {"message_id": "1"}, {"type": 9}):
        payload = {
            "user_id": str(world.bob.id),
            "channel_id": str(world.channel.id),
            "message_id": str(message.id),
            "guild_id": str(world.guild.id),
            "emoji": {"id": None, "name": emoji or None},
            "burst": False,
            "type": 0,
        }
        world.env.backend.emit("MESSAGE_REACTION_ADD", payload | change)
        await world.env.settle()
    assert not faults()
    assert not (await world.stored(1)).erased
