"""Two real bots on one database, as when a host begins the new one first: the old one hands over."""

import asyncio
import re
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.database.tables import dreams
from bot.dreams.store import Store
from tests.bot.bot_process import until
from tests.bot.watching import BUSY_S, first_message, frame, running, shown, stop, stored
from tests.discord_server import DiscordServer
from tests.discord_server.server import words

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]

HAND_OVER_S = 10.0
LONG_LEASE_S = "120"  # what goes on sooner was handed over
ENDLESS = 5000  # steps


def step(message: object) -> int:
    """Which one the message tells of."""
    found = re.search(r"[Ss]tep (\d[\d,]*) of", words(message))  # type: ignore[arg-type]
    return int(found.group(1).replace(",", "")) if found else 0


async def holder(store: Store) -> str | None:
    """The process that has the first dream in hand."""
    async with store.reading() as connection:
        owner: str | None = await connection.scalar(select(dreams.c.owner).where(dreams.c.id == 1))
        return owner


async def test_whoever_is_asked_to_stop_hands_its_dream_over_to_the_next_one(
    database_url: str, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": database_url, "LEASE_S": LONG_LEASE_S}
    async with DiscordServer() as server, stored(tmp_path, **settings) as store:
        ada, channel = server.person("Ada"), server.channel
        async with running(server, tmp_path, **settings) as old:
            await server.slash(ada, channel, "dream", prompt="a castle", steps=ENDLESS)
            message = await first_message(server, channel)
            await frame(server, message)
            await until(lambda: store.has_state(1), "a saved state", timeout_s=BUSY_S)
            saved, first = step(message), await holder(store)
            async with running(server, tmp_path, **settings) as new:
                assert await holder(store) == first
                old.send(signal.SIGTERM)

                async def is_handed_over() -> bool:
                    return await holder(store) not in (None, first)

                loop = asyncio.get_running_loop()
                began = loop.time()
                await until(is_handed_over, "the new one's turn", timeout_s=HAND_OVER_S)
                print(f"handed over after {loop.time() - began:.1f} s")  # noqa: T201 (for who measures)
                known = len(server.versions[message.id])
                assert await old.end(timeout_s=20) == 0
                await until(
                    lambda: any(step(one) > 0 for one in server.versions[message.id][known:]),
                    "a frame of the new one's",
                    timeout_s=BUSY_S,
                )
                steps = [step(one) for one in server.versions[message.id][known:]]
                assert next(one for one in steps if one) > saved / 2, "it goes on, and does not begin anew"
                dream = await store.get(1)
                assert dream is not None and (dream.attempts, dream.rescues) == (1, 0)
                await stop(new)
        assert shown(server) == [message] and server.problems == []
        said = "\n".join([*old.log, *new.log])
        assert "Traceback" not in said and "never retrieved" not in said
