"""The real bot and the simulated Discord together: begun, and waited for until something shows."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simcord.backend.models import Channel, Message

from bot.database.connection import Database
from bot.dreams.store import Store
from bot.servers.settings import VOTE_EMOJI
from bot.settings import Settings
from tests.bot.bot_process import BotProcess, some_model, until
from tests.discord_server import DiscordServer

BUSY_S = 240.0  # until something that the engine does has happened, on a machine with much other work


@asynccontextmanager
async def running(server: DiscordServer, folder: Path, **settings: str) -> AsyncIterator[BotProcess]:
    """The bot, connected to the server and with its command registered."""
    model = some_model(folder / "data")
    settings = {"DREAM_MODEL": model, "FRAME_PACE_S": "1", "LEASE_S": "5", **settings}
    known = len(server.gateway.sessions)
    async with BotProcess(folder, **server.environment(), **settings) as bot:
        await server.wait(
            lambda: len(server.gateway.sessions) > known and "dream" in server.commands(),
            "the bot's connection",
            timeout_s=BUSY_S,
        )
        yield bot


async def stop(bot: BotProcess) -> None:
    bot.send(signal.SIGTERM)
    assert await bot.end(timeout_s=20) == 0, bot.text
    await until(lambda: not bot.engines_left(), "the engine's end")


def new_channel(server: DiscordServer) -> Channel:
    return server.backend.create_channel(server.guild.id, "dreams")


def shown(server: DiscordServer, channel: Channel | None = None) -> list[Message]:
    """The messages that show dreams; whoever waited long on a busy machine is told in another one."""
    return [message for message in server.messages(channel) if message.embeds]


async def first_message(server: DiscordServer, channel: Channel, number: int = 1) -> Message:
    """The channel's `number`th message that shows a dream, waited for."""
    messages = await server.wait(
        lambda: shown(server, channel)[number - 1 :], "the dream's message", timeout_s=BUSY_S
    )
    return messages[0]


async def frame(server: DiscordServer, message: Message, *, after: int = 0) -> None:
    """Wait for a picture on the message, later than its version `after`."""

    def has_frame() -> bool:
        return any(version.attachments for version in server.versions[message.id][after:])

    await server.wait(has_frame, "a frame", timeout_s=BUSY_S)


def is_final(server: DiscordServer, message: Message) -> bool:
    return any(data.startswith(b"\x89PNG") for data in server.files(message))


async def final(server: DiscordServer, message: Message) -> bytes:
    """Wait for the final picture."""
    await server.wait(lambda: is_final(server, message), "the final picture", timeout_s=BUSY_S)
    (png,) = server.files(message)
    return png


def voted(server: DiscordServer, message: Message) -> bool:
    """Whether the bot's own reactions stand under it."""
    bot_id = server.backend.bot_user.id
    reactions = [message.reaction_for(emoji) for emoji in VOTE_EMOJI]
    return all(reaction is not None and bot_id in reaction.user_ids for reaction in reactions)


@asynccontextmanager
async def stored(folder: Path, **settings: str) -> AsyncIterator[Store]:
    """The database of a bot with this folder and these settings."""
    environment = {"DATA_DIR": str(folder / "data"), **settings}
    database = Database(Settings.read(environment).database_url)
    await database.open()
    try:
        yield Store(database, owner="test")
    finally:
        await database.close()


async def has_votes(store: Store, message: Message, votes: int) -> bool:
    dream = await store.shown_by(message.id)
    return dream is not None and await store.count_votes(dream.id) == votes
