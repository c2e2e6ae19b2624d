"""Sends and edits a dream's one channel message by its id, and names what came of it. Knows no pace.

Nothing here uses an interaction's token: that dies 15 minutes after the command, and dreams take longer.
"""

import asyncio
import io
import logging
from collections.abc import Awaitable
from enum import Enum, auto

import aiohttp
import discord
from PIL import Image

from bot.chat.screen import Content
from bot.dreams import Dream, Picture

log = logging.getLogger(__name__)

# Discord's error codes (developer documentation, 2026-08).
_ARCHIVED = 50083
_TOO_LARGE = 413  # HTTP


class Outcome(Enum):
    """What came of showing something."""

    SHOWN = auto()  # the message shows it
    GONE = auto()  # the message, channel or server is deleted, or may not be written to: never try again
    ARCHIVED = auto()  # the thread is archived: edits fail, a new message would open it again
    TOO_LARGE = auto()  # the picture does not fit
    LATER = auto()  # Discord or the network has a moment; worth another try


class Poster:
    """Shows `Content` in channels of the connected client."""

    def __init__(self, *, client: discord.Client) -> None:
        self._client = client

    def upload_limit(self, dream: Dream) -> int:
        """Bytes that one file may have in the dream's server."""
        guild = self._client.get_guild(dream.guild_id) if dream.guild_id else None
        return guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    async def show(self, dream: Dream, content: Content) -> tuple[Outcome, int | None]:
        """Edit the dream's message, or post it when there is none. Gives its id when it is shown."""
        if dream.message_id is None:
            return await self.post(dream, content)
        message = self._channel(dream).get_partial_message(dream.message_id)
        edit = message.edit(embed=content.embed, attachments=content.files(), view=content.view)
        return await self._attempt(dream, edit)

    async def post(
        self, dream: Dream, content: Content, *, nonce: str | None = None
    ) -> tuple[Outcome, int | None]:
        """Post a new message. Repeated with the same nonce within some minutes it gives the same message."""
        return await self._attempt(dream, self._send(dream, content, nonce or str(dream.origin)))

    async def _send(self, dream: Dream, content: Content, nonce: str) -> discord.Message:
        message = await self._channel(dream).send(
            embed=content.embed,
            files=content.files(),
            view=content.view or discord.ui.View(),
            nonce=nonce,
        )
        if message.embeds and message.embeds[0].description == content.embed.description:
            return message
        # An earlier attempt, whose answer was lost, had made it: it shows what was true then.
        return await message.edit(embed=content.embed, attachments=content.files(), view=content.view)

    async def caption(self, dream: Dream, text: str) -> Outcome:
        """Let the dream's message have this text above it, and otherwise stay as it is."""
        assert dream.message_id is not None
        message = self._channel(dream).get_partial_message(dream.message_id)
        outcome, _ = await self._attempt(dream, message.edit(content=text))
        return outcome

    async def react(self, dream: Dream, emoji: tuple[str, ...]) -> None:
        """Put reactions under the dream's message; without them it is still a dream."""
        assert dream.message_id is not None
        message = self._channel(dream).get_partial_message(dream.message_id)
        try:
            for one in emoji:
                await message.add_reaction(one)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
            log.info("dream %d: no vote reactions: %s", dream.id, error)

    def _channel(self, dream: Dream) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(dream.channel_id, guild_id=dream.guild_id)

    async def _attempt(self, dream: Dream, call: Awaitable[discord.Message]) -> tuple[Outcome, int | None]:
        try:
            message = await call
        except (discord.NotFound, discord.Forbidden) as error:
            log.info("dream %d: its message cannot be shown any more: %s", dream.id, error)
            return Outcome.GONE, None
        except discord.HTTPException as error:
            log.info("dream %d: not shown: %s", dream.id, error)
            if error.code == _ARCHIVED:
                return Outcome.ARCHIVED, None
            return (Outcome.TOO_LARGE if error.status == _TOO_LARGE else Outcome.LATER), None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("dream %d: not shown: %r", dream.id, error)
            return Outcome.LATER, None
        return Outcome.SHOWN, message.id


async def fitting(picture: Picture, limit: int) -> Picture | None:
    """The picture within `limit` bytes: as it is, or as a smaller JPEG; None when neither fits."""
    if len(picture.content) <= limit:
        return picture
    return await asyncio.to_thread(_smaller, picture, limit)


def _smaller(picture: Picture, limit: int) -> Picture | None:
    with Image.open(io.BytesIO(picture.content)) as opened:
        image = opened.convert("RGB")
        for quality in (90, 75, 50):
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= limit:
                return Picture(buffer.getvalue(), "jpg")
    return None
