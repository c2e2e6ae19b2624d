"""Files from Discord, read no further than we want them: what they say of their size may be wrong."""

import aiohttp
import discord
from discord.http import HTTPClient

CHUNK = 64 * 1024  # bytes


class TooLarge(Exception):
    """The file is larger than we want it."""


def bound(http: HTTPClient, most: int) -> None:
    """Let this client read at most `most` bytes of a file; discord.py by itself reads whatever comes.

    Then `Attachment.read` raises `TooLarge`, beside what it always raises.
    """

    async def get_from_cdn(url: str) -> bytes:
        plain = {"Accept-Encoding": "identity"}
        session = aiohttp.ClientSession(auto_decompress=False, headers=plain)
        async with session, session.get(url, proxy=http.proxy, proxy_auth=http.proxy_auth) as response:
            if response.status != 200:
                raise discord.HTTPException(response, "the file cannot be fetched")
            content = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK):
                content += chunk
                if len(content) > most:
                    raise TooLarge
            return bytes(content)

    http.get_from_cdn = get_from_cdn  # type: ignore[method-assign]  # there is no other way to tell it
