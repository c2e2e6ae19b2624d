"""Tells each browser that watches which cards changed, by server-sent events, with HTML for its reader."""

import asyncio
import json

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bot.database.connection import StoreError
from bot.web.channel.access import known_person
from bot.web.channel.answers import cards_for
from bot.web.channel.live import Watcher
from bot.web.channel.room import room_of
from bot.web.visits import say_of

PACE_S = 0.1  # between two batches: what changes ten times meanwhile is sent once
EACH_S = 0.002  # more of it for each browser that watches: a step of a dream is news for all of them
PING_S = 20.0
SEND_S = 30.0  # for one event; whoever does not read in that time is let go
routes = web.RouteTableDef()


@routes.get("/events")
async def watch(request: web.Request) -> web.StreamResponse:
    """Until the browser goes, or we stop."""
    person = known_person(request)
    with room_of(request).live.watch(person.id) as watcher:
        if watcher is None:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"})
        try:
            async with sse_response(request, send_timeout=SEND_S, ping_interval=PING_S) as stream:
                await _tell(request, watcher, stream)
                return stream
        except TimeoutError:
            raise ConnectionResetError from None  # whoever reads nothing is as good as gone


async def _tell(request: web.Request, watcher: Watcher, stream: EventSourceResponse) -> None:
    """Raises `TimeoutError` when nothing is read."""
    cards, say, room = cards_for(request), say_of(request), room_of(request)
    await stream.send("", event="here", retry=1500)
    while stream.is_connected() and not watcher.is_over:
        for key in await watcher.changes(within_s=PING_S):
            try:
                card = await cards.get(key)
            except StoreError:
                watcher.tell(key)
                await asyncio.sleep(1)
                continue
            html = room.drawn.html(card, say, room.people.names) if card is not None else ""
            await stream.send(json.dumps({"key": key, "html": html}), event="card")
        await asyncio.sleep(max(PACE_S, EACH_S * room.live.watching))
