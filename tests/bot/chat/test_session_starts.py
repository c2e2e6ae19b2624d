"""Shards of several processes begin one after the other, and all processes count them alike."""

import asyncio
from itertools import pairwise

import pytest

from bot.chat import session_starts, shard_count
from bot.chat.session_starts import SessionStarts
from bot.chat.shard_count import ShardCount
from bot.database.connection import Database
from engine.errors import BadSetting

APART_S = 0.4


async def begun(database: Database, shards: range, *, at_once: int) -> list[tuple[float, int]]:
    """When which shard began, each in a process of its own."""
    loop = asyncio.get_running_loop()

    async def begin(shard: int) -> tuple[float, int]:
        starts = SessionStarts(database=database)
        starts.at_once = at_once
        await starts.wait(shard)
        return loop.time(), shard

    return sorted(await asyncio.gather(*(begin(shard) for shard in shards)))


@pytest.mark.parametrize("at_once", [1, 2])
async def test_shards_with_the_same_rest_begin_apart(
    database: Database, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(session_starts, "APART_S", APART_S)
    monkeypatch.setattr(session_starts, "LOOK_S", 0.005)
    found = await begun(database, range(4), at_once=at_once)
    for rest in range(at_once):
        times = [at for at, shard in found if shard % at_once == rest]
        assert all(later - at >= APART_S / 2 for at, later in pairwise(times))


async def test_a_count_that_others_do_not_have_is_a_bad_setting_until_they_have_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_count, "HELD_S", 0.2)
    monkeypatch.setattr(shard_count, "LOOK_S", 0.01)
    sixteen = [ShardCount(database=database, count=16) for _ in range(2)]
    for one in sixteen:
        await one.start()
    eight = ShardCount(database=database, count=8)
    with pytest.raises(BadSetting, match="another SHARD_COUNT than 8"):
        await eight.start()
    for one in sixteen:
        await one.close()
    await eight.start()
    await eight.close()
