"""Posts each final picture in its server's gallery channel as well, and takes it away with the dream.

What not everybody may see stays out: private spoilers, dreams of channels that are not open to everybody,
and pictures that the server's rule for unsafe ones does not let through where the gallery is.
"""

import asyncio
import io
import logging
from collections.abc import Callable
from dataclasses import replace

import aiohttp
import discord

from bot.chat.post import Poster
from bot.chat.quoting import plain, quoted
from bot.chat.sentences import spoken
from bot.chat.veil import Veil, veil_in
from bot.chat.visibility import is_public
from bot.database import StoreError
from bot.dreams import Dream, DreamState, Picture
from bot.guilds import ServerSettings
from bot.store import Store

log = logging.getLogger(__name__)

_SHOWN_PROMPT = 1000  # characters


class Gallery:
    """Hears of pictures that their own channel shows. A gallery that takes none hinders nobody."""

    def __init__(
        self, *, client: discord.Client, store: Store, settings: Callable[[int | None], ServerSettings]
    ) -> None:
        """`settings`: a server's, by its id."""
        self._client = client
        self._store = store
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()

    def shown(self, dream: Dream, picture: Picture) -> None:
        """A dream's own message has its final picture now."""
        if self._channel_for(dream) is not None:
            task = asyncio.create_task(self._hang(dream, picture))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def take_down(self, dream: Dream) -> None:
        """The dream is deleted: its picture leaves the gallery too."""
        if dream.gallery_channel_id is not None and dream.gallery_message_id is not None:
            hung = replace(dream, channel_id=dream.gallery_channel_id, message_id=dream.gallery_message_id)
            await Poster(client=self._client).delete(hung)

    def _channel_for(self, dream: Dream) -> int | None:
        settings = self._settings(dream.guild_id)
        channel_id = settings.gallery_channel
        guild = self._client.get_guild(dream.guild_id) if dream.guild_id is not None else None
        if channel_id is None or guild is None or channel_id == dream.channel_id:
            return None
        if dream.state is not DreamState.DONE or dream.spoiler or not is_public(guild, dream.channel_id):
            return None
        open_here = veil_in(self._client, dream, settings, channel_id=channel_id) is Veil.OPEN
        return channel_id if open_here else None

    async def _hang(self, dream: Dream, picture: Picture) -> None:
        channel_id = self._channel_for(dream)
        if channel_id is None:
            return
        say = spoken(dream.language)
        filename = f"dream-{dream.id}.{picture.kind}"
        link = f"https://discord.com/channels/{dream.guild_id}/{dream.channel_id}/{dream.message_id}"
        words = f"**{quoted(dream.prompt, _SHOWN_PROMPT)}**\n{say.dreamer(dream.author_id)}"
        embed = discord.Embed(description=f"{words}\n[{say.GALLERY_LINK}]({link})")
        embed.set_image(url=f"attachment://{filename}")
        embed.set_footer(text=say.dream_number(dream.id))
        file = discord.File(
            io.BytesIO(picture.content),
            filename=filename,
            description=plain(say.alt_text(dream.prompt), 1000),
        )
        channel = self._client.get_partial_messageable(channel_id, guild_id=dream.guild_id)
        try:
            message = await channel.send(embed=embed, file=file, nonce=f"{dream.origin}-g")
            await self._store.set_gallery(dream.id, channel_id, message.id)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("dream %d: not in the gallery: %s", dream.id, error)
        except StoreError as error:
            log.warning("dream %d: its place in the gallery is not remembered: %s", dream.id, error)
