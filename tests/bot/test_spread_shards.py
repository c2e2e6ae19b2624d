"""Two real bots on one PostgreSQL, each with one of two shards and a server of its own, are one bot.

Their dreamers are scripted, in real engine processes, as in `tests.chaos`, which also plays this at random:
`python -m tests.chaos --only shards_spread`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from simcord.backend.models import Channel, Message, User
from sqlalchemy import select

from bot.database.tables import dreams, forgettings
from bot.dreams.dream import Dream, DreamState, Gone
from bot.dreams.store import Store, dream_of
from bot.sentences import ENGLISH as say
from bot.servers.settings import VOTE_EMOJI
from tests.bot.bot_process import LOADED_CORES_S, until
from tests.bot.postgres import Cluster
from tests.bot.watching import BUSY_S
from tests.chaos.accounts import PNG, Accounts
from tests.chaos.crowd import Order
from tests.chaos.processes import Bot, Nursery
from tests.chaos.scene import Scene
from tests.discord_server import Answer, DiscordServer

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]

IN_ALL = 4  # dreams that may wait, in both servers together
LONG = 400  # steps: some ten seconds


class Spread:
    """Both servers, and the bot of each."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.server = scene, scene.server
        self.store = Store(scene.database, owner="test")
        self.here, self.there = scene.crowd.channels[:2]  # the dreams' channel of each server
        self.accounts = Accounts(scene.crowd, scene.database, gallery=scene.gallery, hall=scene.hall)

    def bot_of(self, channel: Channel) -> Bot:
        """Who hears of a channel's server."""
        shard = (channel.guild_id or 0) >> 22 & 1
        (bot,) = (one for one in self.scene.living if self.scene.shard_of(one) == shard)
        return bot

    async def ask(self, person: User, channel: Channel, *, steps: int = 4) -> Answer:
        orders = self.scene.crowd.orders
        prompt = f"a red fox number {len(orders) + 1}"
        answer = await self.server.slash(
            person, channel, "dream", prompt=prompt, steps=steps, timeout_s=BUSY_S
        )
        orders.append(Order(prompt, channel, answer.interaction, None))
        return answer

    async def moderate(self, what: str, channel: Channel, **options: object) -> Answer:
        moderator = self.scene.crowd.moderator
        return await self.server.slash(moderator, channel, f"moderate {what}", timeout_s=BUSY_S, **options)

    async def stored(self) -> list[Dream]:
        async with self.scene.database.transaction() as connection:
            return [dream_of(row) for row in await connection.execute(select(dreams).order_by(dreams.c.id))]

    async def until_states(self, *wanted: DreamState) -> None:
        async def reached() -> bool:
            return [dream.state for dream in await self.stored()] == list(wanted)

        await until(reached, f"dreams that are {wanted}", timeout_s=BUSY_S)

    async def until_all_is_well(self) -> None:
        """Every promise is kept, once: see `tests.chaos.accounts`."""

        async def is_well() -> bool:
            self.broken = list(await self.accounts.look())
            return not self.broken

        try:
            await until(is_well, "the promises", timeout_s=BUSY_S)
        except AssertionError:
            raise AssertionError(self.broken) from None

    def message(self, dream: Dream) -> Message:
        channel = self.server.backend.get_channel(dream.channel_id)
        return next(one for one in self.server.messages(channel) if one.id == dream.message_id)


@pytest.fixture
async def spread(cluster: Cluster, on_server: str, tmp_path: Path) -> AsyncIterator[Spread]:
    async with DiscordServer(rate_limits=False) as server, Nursery() as nursery:
        server.gateway.shards = 2
        server.gateway.identify_every_s = 0.2  # who does not wait for the other process is refused
        scene = Scene(
            server=server,
            nursery=nursery,
            folder=tmp_path,
            random=Random(1),
            database_url=cluster.url(on_server),
            cluster=cluster,
            end_s=LOADED_CORES_S,
            spread=True,
        )
        scene._settings["WAITING_IN_ALL"] = str(IN_ALL)
        await scene.prepare(tmp_path)
        try:
            await asyncio.gather(*(scene.start(shard=shard) for shard in (0, 1)))
            await server.wait(
                lambda: len(server.gateway.online) == 2 and "dream" in server.commands(),
                "both bots",
                timeout_s=BUSY_S,
            )
            yield Spread(scene)
            for bot in scene.living:
                await scene.stop(bot)
            assert [trace for bot in scene.bots for trace in bot.tracebacks()] == []
            assert scene.unwilling == [] and await scene.none_left() == []
        finally:
            await scene.close()


async def test_two_processes_with_a_shard_each_are_one_bot(spread: Spread) -> None:
    server, people = spread.server, spread.scene.crowd.people
    assert server.gateway.identifies == 2, "neither was refused"
    assert len(server.calls("PUT", "/commands")) == 1, "one of them makes the commands known"

    # Several people in both servers at once, and none is dreamt, shown or hung twice.
    await asyncio.gather(*(spread.ask(one, to) for one in people[:2] for to in (spread.here, spread.there)))
    await spread.until_states(*[DreamState.DONE] * 4)
    await spread.until_all_is_well()
    for dream in await spread.stored():
        for voter in people[2:4]:
            server.react(voter, spread.message(dream), VOTE_EMOJI[0])

    async def are_counted() -> bool:
        return [await spread.store.count_votes(dream.id) for dream in await spread.stored()] == [2] * 4

    await until(are_counted, "votes in both servers", timeout_s=BUSY_S)
    await spread.until_all_is_well()  # all four hang in their own server's hall of fame

    # What moderators say through one process holds in the other, which would dream this else.
    await spread.moderate("pause", spread.there)
    for one in people[:2]:
        await spread.ask(one, spread.there)
    await spread.ask(people[0], spread.here)
    await spread.until_states(*[DreamState.DONE] * 4, *[DreamState.QUEUED] * 2, DreamState.DONE)

    # Limits count what waits in both.
    await spread.moderate("pause", spread.here)
    for one in people[:2]:
        await spread.ask(one, spread.here)
    full = [
        await server.slash(people[4], channel, "dream", prompt="a fox", timeout_s=BUSY_S)
        for channel in (spread.here, spread.there)
    ]
    assert [answer.text for answer in full] == [say.line_full(IN_ALL)] * 2
    for channel in (spread.here, spread.there):
        await spread.moderate("resume", channel)
    await spread.until_states(*[DreamState.DONE] * 9)
    await spread.until_all_is_well()

    # A contest of one server's ends there, and is told once.
    await spread.moderate("contest start", spread.there, theme="foxes")
    await server.slash(people[0], spread.there, "contest enter", timeout_s=BUSY_S)
    await spread.moderate("contest end", spread.there)

    def winners() -> list[Message]:
        told = [*server.messages(spread.here), *server.messages(spread.there)]
        return [one for one in told if any(e.get("title") == say.CONTEST_OVER for e in one.embeds)]

    (winner,) = await server.wait(winners, "the winner", timeout_s=BUSY_S)
    assert winner.channel_id == spread.there.id


async def test_what_a_dead_process_owes_waits_for_the_next_one_with_its_shards(spread: Spread) -> None:
    server, people = spread.server, spread.scene.crowd.people
    await spread.ask(people[0], spread.there, steps=LONG)
    await spread.ask(people[1], spread.here)
    await spread.until_states(DreamState.DREAMING, DreamState.DONE)
    await server.wait(lambda: server.messages(spread.there)[0].attachments, "a frame", timeout_s=BUSY_S)
    dead = spread.bot_of(spread.there)
    await spread.scene.kill(dead)
    # The other one dreams it to its end; what it looks like there is for who hears of that server.
    await spread.until_states(DreamState.DONE, DreamState.DONE)
    theirs = (await spread.stored())[0]
    (frame,) = server.files(spread.message(theirs))
    assert not theirs.delivered and not frame.startswith(PNG)
    server.react(people[2], spread.message((await spread.stored())[1]), VOTE_EMOJI[0])
    # The other one is begun anew meanwhile, and takes no server for left of which it does not hear.
    await spread.scene.kill(spread.bot_of(spread.here))
    await spread.scene.start(shard=spread.scene.home_shard, ENGINE_WORKERS="0")  # it only talks from now on
    known = server.gateway.identifies
    await spread.scene.start_missing()
    assert server.gateway.identifies == known + 1
    await spread.until_all_is_well()
    await spread.ask(people[2], spread.here)
    await spread.until_states(*[DreamState.DONE] * 3)
    await spread.until_all_is_well()
    async with spread.scene.database.transaction() as connection:
        assert (await connection.execute(select(forgettings))).all() == []
    assert {dream.gone for dream in await spread.stored()} == {Gone.NOT}
