"""Files are read no further than wanted, whatever they say of their size."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.http import HTTPClient

from bot.chat.downloads import TooLarge, bound

MOST = 1_000_000


async def endless(request: web.Request) -> web.StreamResponse:
    """Bytes as long as somebody listens."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(64 * 1024))


async def packed(request: web.Request) -> web.Response:
    """A few bytes that would unpack to many."""
    response = web.Response(body=bytes(50 * MOST))
    response.enable_compression(web.ContentCoding.gzip)
    return response


async def small(request: web.Request) -> web.Response:
    return web.Response(body=b"a picture")


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_get("/endless", endless)
    app.router.add_get("/packed", packed)
    app.router.add_get("/small", small)
    async with TestServer(app) as server:
        yield server


def bounded() -> HTTPClient:
    http = HTTPClient(asyncio.get_running_loop())
    bound(http, MOST)
    return http


async def test_a_file_is_read(server: TestServer) -> None:
    assert await bounded().get_from_cdn(str(server.make_url("/small"))) == b"a picture"


async def test_a_file_that_is_larger_than_wanted_is_not_read_on(server: TestServer) -> None:
    with pytest.raises(TooLarge):
        await bounded().get_from_cdn(str(server.make_url("/endless")))


async def test_what_comes_packed_is_not_unpacked(server: TestServer) -> None:
    assert len(await bounded().get_from_cdn(str(server.make_url("/packed")))) <= MOST


async def test_a_file_that_is_gone_is_an_error_of_discord_s(server: TestServer) -> None:
    with pytest.raises(discord.HTTPException):
        await bounded().get_from_cdn(str(server.make_url("/gone")))
