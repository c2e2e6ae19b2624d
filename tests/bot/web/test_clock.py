"""The local channel where the machine's clock is put forward or back."""

from pathlib import Path
from time import monotonic, time

import pytest

from bot.dreams.dream import DreamState
from tests.bot.scripted import until
from tests.bot.web.conftest import House

DAY_S = 24 * 3600.0


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """With SQLite alone: what a database does is tried elsewhere."""
    return f"sqlite:///{tmp_path}/oneiro.db"


@pytest.mark.parametrize("jump_s", [-DAY_S, DAY_S])
async def test_a_vote_takes_no_longer_than_it_shall(
    house: House, jump_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    await ada.say("/dream a castle candidates:2")
    for number in (1, 2):
        await house.finish(number)

    async def voting() -> bool:
        return bool(house.room.steering._ends)

    await until(voting)
    await bo.said("/choices/1/votes", {"number": "2", "on": "1"})
    house.heart.choices.clock = lambda: time() + jump_s
    if jump_s < 0:
        monkeypatch.setattr("bot.web.channel.steering.monotonic", lambda: monotonic() + 61)
    house.room.steering.moved(1)

    async def goes_on() -> bool:
        return len(await house.dreams()) == 3

    await until(goes_on)
    assert (await house.dreams())[-1].parent_id == 2


async def test_what_was_dreamt_by_a_clock_that_was_ahead_counts_against_nobody(house: House) -> None:
    mo = await house.visitor("Mo")
    await mo.post("/moderate/limits", {"everyone-per_hour": "1", "cooldown_s": "60"})
    house.heart.store._clock = lambda: time() + 300 * DAY_S
    assert "Your dream" in await mo.say("a castle")
    await house.finish(1)
    house.heart.store._clock = time
    assert "Your dream" in await mo.say("a house")
    await house.until(2, DreamState.DREAMING)
    assert "wait" in await mo.say("a tree")
