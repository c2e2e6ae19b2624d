"""What a round is played on: Discord, a crowd, a database, and the bots that live just now."""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from random import Random
from time import time

from bot.database.connection import Database, put
from bot.database.tables import guilds
from bot.servers.settings import ServerSettings
from bot.settings import Settings
from tests.bot.bot_process import LOADED_CORES_S, until
from tests.bot.conftest import make_tables
from tests.bot.postgres import Cluster
from tests.chaos.accounts import FAME_VOTES
from tests.chaos.crowd import Crowd
from tests.chaos.processes import Bot, Nursery, engines
from tests.discord_server import DiscordServer

CONNECTED_S = 2 * LOADED_CORES_S


class Scene:
    """Live."""

    def __init__(
        self,
        *,
        server: DiscordServer,
        nursery: Nursery,
        folder: Path,
        random: Random,
        database_url: str,
        cluster: Cluster | None,
        end_s: float,
        engines: int = 1,
        spread: bool = False,
    ) -> None:
        """`cluster`: where the database lives, if that is a server; `end_s`: for a bot's end; `spread`: each
        bot has one of the shards, with a server of its own.
        """
        self.server = server
        self.random = random
        self.folder = folder
        self.database_url = database_url
        self.cluster = cluster
        self.guilds = [server.guild]
        shards = server.gateway.shards
        for shard in range(shards) if spread else ():
            if shard != self.home_shard:
                owner = server.guild.owner_id
                self.guilds.append(
                    server.backend.create_guild(
                        "More dreamers", owner_id=owner, shard_id=shard, shard_count=shards
                    )
                )
        self.crowd = Crowd(server, random, self.guilds)
        make = server.backend.create_channel
        self.gallery = {guild.id: make(guild.id, "gallery").id for guild in self.guilds}
        self.hall = {guild.id: make(guild.id, "hall").id for guild in self.guilds}
        self._shards: dict[Bot, int] | None = {} if spread else None
        self.bots: list[Bot] = []  # every one there was
        self.told: list[str] = []  # what was done to them, for the report
        self.unwilling: list[str] = []  # bots that did not end, or not well, when they were asked to
        self._nursery = nursery
        self._end_s = end_s
        self._settings = {
            **server.environment(),
            "DATABASE_URL": database_url,
            "DREAM_MODEL": "pocket",
            "PAGE": "off",
            "WAITING_PER_PERSON": "20",
            "ENGINE_WORKERS": str(engines),
        }
        self.database = Database(Settings.read(self._settings).database_url)

    async def prepare(self, newest: Path) -> None:
        """Tables, and what the server's moderators have set."""
        if self.cluster is None:
            (self.folder / "data").mkdir()
            shutil.copyfile(newest, self.folder / "data" / "oneiro.db")
        await self.database.open()
        rows = [
            {
                "guild_id": guild.id,
                "settings": ServerSettings(
                    gallery_channel=self.gallery[guild.id],
                    fame_channel=self.hall[guild.id],
                    fame_votes=FAME_VOTES,
                ).to_json(),
                "welcomed_at": time(),
            }
            for guild in self.guilds
        ]
        async with self.database.transaction() as connection:
            await put(connection, guilds, *rows)

    @property
    def living(self) -> list[Bot]:
        return [bot for bot in self.bots if bot.lives]

    @property
    def home_shard(self) -> int:
        """The shard that hears of the people's server."""
        return (self.server.guild.id >> 22) % self.server.gateway.shards

    def note(self, what: str) -> None:
        self.told.append(what)

    def shard_of(self, bot: Bot) -> int:
        """The only one that a bot has, where they are spread."""
        assert self._shards is not None
        return self._shards[bot]

    async def start_missing(self) -> None:
        """A bot where there is none; where shards are spread, for each shard that nobody has."""
        if self._shards is None:
            if not self.living:
                await self.start()
            return
        for shard in range(self.server.gateway.shards):
            if shard not in {self._shards[bot] for bot in self.living}:
                await self.start(shard=shard)

    async def start(self, *, wait: bool = True, shard: int | None = None, **settings: str) -> Bot:
        """One more bot; `wait`: until it is connected; `shard`: the one it has, None for all; `settings`:
        other ones than usual.
        """
        gateway = self.server.gateway
        known, more = gateway.identifies, gateway.shards if shard is None else 1
        spread = {} if shard is None else {"SHARD_COUNT": str(gateway.shards), "SHARD_IDS": str(shard)}
        bot = await self._nursery.start(self.folder, **{**self._settings, **spread, **settings})
        self.bots.append(bot)
        if self._shards is not None and shard is not None:
            self._shards[bot] = shard
        if wait:
            await self.server.wait(
                lambda: not bot.lives or gateway.identifies >= known + more,
                "a bot's connection",
                timeout_s=CONNECTED_S,
            )
        return bot

    async def kill(self, bot: Bot) -> None:
        self.note("kill -9 of a bot")
        bot.send(signal.SIGKILL)
        await bot.ended(LOADED_CORES_S)

    async def stop(self, bot: Bot) -> None:
        """Ask it to end, and wait for it."""
        self.note("SIGTERM")
        bot.send(signal.SIGTERM)
        code = await bot.ended(self._end_s)
        if code is None:
            self.unwilling.append(f"a bot did not end within {self._end_s:g} s of SIGTERM")
            await self.kill(bot)
        elif code != 0:
            self.unwilling.append(f"a bot ended with {code}")

    def kill_engine(self, bot: Bot) -> bool:
        """One of its engines; False when it has none just now."""
        return self.signal_engine(bot, signal.SIGKILL, one=True)

    def signal_engine(self, bot: Bot, number: signal.Signals, *, one: bool = False) -> bool:
        """All its engines, or one of them."""
        theirs = sorted(pid for pid, parent in engines(self.folder).items() if parent == bot.pid)
        if one and len(theirs) > 1:
            theirs = [self.random.choice(theirs)]
        for pid in theirs:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, number)
        return bool(theirs)

    async def none_left(self) -> list[str]:
        """The processes of this round that outlive its bots."""
        try:
            await until(lambda: not engines(self.folder), "the engines' end", timeout_s=self._end_s)
        except AssertionError:
            return [f"{len(engines(self.folder))} engines are left over"]
        return []

    async def close(self) -> None:
        for bot in self.living:
            bot.send(signal.SIGCONT)
            await self.kill(bot)
        for pid in engines(self.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.database.close()


def newest_file(folder: Path) -> Path:
    """A SQLite database with all tables, to be copied."""
    path = folder / "newest.db"
    make_tables(f"sqlite:///{path}")
    return path
