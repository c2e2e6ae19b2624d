"""The page beside Discord: one heart and one line for both, and a local database that goes on with a token.

What is the local channel's must never be asked of Discord, whose ids are all above 2^22.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from simcord.env import Env
from yarl import URL

from bot.community.choices import ChoiceState
from bot.community.contests import DAY_S
from bot.dreams.dream import DreamState, Gone
from bot.dreams.local import GUILD_ID
from bot.parts import build
from bot.settings import Settings
from bot.web.server import LocalChannel
from tests.bot.bot_process import LOADED_CORES_S
from tests.bot.chat.conftest import World
from tests.bot.scripted import ScriptedEngine, until
from tests.bot.web.conftest import Visitor
from tests.bot.web.test_network import OpenChannel, free_port


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """With SQLite alone: what a database does is tried elsewhere."""
    return f"sqlite:///{tmp_path}/oneiro.db"


@asynccontextmanager
async def in_discord(settings: Settings, *, page: bool) -> AsyncIterator[tuple[World, LocalChannel | None]]:
    """The bot with a token, in the order of `bot.__main__`; `page`: the local channel is open, too."""
    engine = ScriptedEngine()
    parts = build(settings, engines=[engine])
    channel = LocalChannel(parts, settings) if page else None
    await parts.database.open()
    env = Env(parts.client, shard_count=2, settle_timeout=LOADED_CORES_S)
    await env.start()
    world = World(env, parts, engine, settings)
    await env.settle()
    await parts.begin()
    if channel is not None:
        await channel.open()
    try:
        yield world, channel
        await world.hear("ready")  # once more: it looks for what happened while it was away
        await env.settle()
        nothing_local_was_asked(world)
    finally:
        await parts.end()
        if channel is not None:
            await channel.close()
        await env.shutdown()
        await parts.database.close()
    env._raise_errors_since(env._errors_acknowledged)


def nothing_local_was_asked(world: World) -> None:
    numbers = [
        int(part) for one in world.env.http_requests for part in one.path.split("/") if part.isdecimal()
    ]
    assert [number for number in numbers if number <= GUILD_ID] == []


async def finish(world: World, *dream_ids: int) -> None:
    """Dream these to their end, in the order of the line."""
    left = set(dream_ids)

    async def begun() -> list[int]:
        return [id for id in left if (await world.stored(id)).state is DreamState.DREAMING]

    async def has_begun() -> bool:
        return bool(await begun())

    while left:
        await until(has_begun)
        (number,) = await begun()
        await world.engine.dreams(number)
        world.engine.start()
        world.engine.finish()
        await world.until_state(number, DreamState.DONE)
        left.discard(number)


async def local_life(settings: Settings) -> None:
    """What a local channel leaves: votes, a told contest and a running one, a choice, dreams in line."""
    opened = await OpenChannel(settings).open()
    ada, bo = await opened.here("Ada"), await opened.here("Bo")
    contests = opened.heart.contests
    await ada.post("/moderate/contest", {"theme": "autumn"})
    await ada.say("a red leaf")  # 1
    await opened.finish(1)

    async def delivered() -> bool:
        dream = await opened.heart.store.get(1)
        return dream is not None and dream.delivered

    await until(delivered)
    await ada.say("/contest enter")
    await bo.said("/dreams/1/votes", {"emoji": "⭐", "on": "1"})
    await ada.post("/moderate/uncontest")

    async def told() -> bool:
        return await contests.open(local=True) == []

    await until(told)
    await ada.post("/moderate/contest", {"theme": "winter"})
    await ada.say("/dream a castle candidates:2")  # 2 and 3
    await opened.finish(2)
    await opened.finish(3)

    async def voting() -> bool:
        return [one.state for one in await opened.heart.choices.open(local=True)] == [ChoiceState.VOTING]

    await until(voting)
    await ada.say("a house")  # 4
    await bo.say("a tree")  # 5
    await opened.engine.dreams(4)
    await opened.close()


async def test_a_local_database_goes_on_with_a_token_and_discord_is_asked_of_nothing_in_it(
    prepared: Settings,
) -> None:
    settings = replace(prepared, port=free_port())
    await local_life(settings)
    async with in_discord(settings, page=False) as (world, _):
        await world.hear("ready")
        await world.env.settle()
        await finish(world, 4, 5)
        await world.dream(world.alice, "a boat")  # 6
        await finish(world, 6)
        await world.until_delivered(6)
        for command, options in (
            ("dreams show", {"dream": 1}),
            ("dreams repeat", {"dream": 1}),
            ("dreams blend", {"first": 6, "second": 1}),
        ):
            answer = await world.alice.slash(world.channel, command, **options)
            assert answer.response is not None and "leaf" not in str(answer.response.content), command
        assert await world.parts.store.get(7) is None
        assert "leaf" not in str((await world.alice.slash(world.channel, "top")).response)
        first = await world.stored(1)
        assert (first.gone, first.message_id, await world.parts.votes.tally(1)) == (Gone.NOT, 1, 1)
        assert await world.parts.contests.lost_winners() == []
        assert await world.parts.copies.in_public() == []
        assert len(world.messages()) == 1, "what is dreamt for the local channel is not told in Discord"


async def test_with_both_open_each_place_has_its_own_dreams_and_one_line_serves_them(
    prepared: Settings,
) -> None:
    settings = replace(prepared, port=free_port())
    await local_life(settings)
    async with in_discord(settings, page=True) as (world, channel):
        assert channel is not None
        cy = Visitor(URL(channel.address))
        await cy.come_in("Cy")
        assert "/moderate" not in await cy.html(), "Ada moderates already"
        await world.dream(world.alice, "a boat")  # 6, the second of the line in all
        await world.until_text("line")
        page = await cy.html()
        assert "a red leaf" in page and "a tree" in page and "contest-1" in page and "a boat" not in page
        await finish(world, 4, 5, 6)
        for number in (4, 5, 6):
            await world.until_delivered(number)
        assert "a tree" in await cy.html() and "/dreams/5/picture" in await cy.html()
        assert (await cy.get("/dreams/6/picture")).status == 404
        assert len(world.messages()) == 1
        await cy.said("/dreams/5/votes", {"emoji": "⭐", "on": "1"})
        assert await world.parts.votes.tally(5) == 1
        winner = await world.parts.store.erase(1)
        assert winner is not None
        world.parts.contests.clock = lambda: winner.created_at + 30 * DAY_S
        await cy.say("/contest show")

        async def over() -> bool:
            return "contest-2" in await cy.html()

        await until(over)
        assert "red leaf" not in await cy.html()
        await cy.client.close()
