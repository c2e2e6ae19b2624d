"""Tells each browser that watches which cards changed, by server-sent events, with HTML for its reader."""

import asyncio
import json

from aiohttp import web
from aiohttp_sse import sse_response

from bot.database.connection import StoreError
from bot.web.channel.access import known_person
from bot.web.channel.answers import cards_for
from bot.web.channel.room import room_of
from bot.web.pages import piece
from bot.web.visits import say_of

PACE_S = 0.1  # between two batches: what changes ten times meanwhile is sent once
PING_S = 20.0
SEND_S = 30.0  # for one event; whoever does not read in that time is let go
routes = web.RouteTableDef()


@routes.get("/events")
async def watch(request: web.Request) -> web.StreamResponse:
    """Until the browser goes, or we stop."""
    known_person(request)
    cards, say, room = cards_for(request), say_of(request), room_of(request)
    with room.live.watch() as watcher:
        if watcher is None:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"})
        async with sse_response(request, send_timeout=SEND_S, ping_interval=PING_S) as stream:
            await stream.send("", event="here", retry=1500)
            while stream.is_connected() and not watcher.is_over:
                for key in await watcher.changes(within_s=PING_S):
                    try:
                        card = await cards.get(key)
                    except StoreError:
                        watcher.tell(key)
                        await asyncio.sleep(1)
                        continue
                    names = room.people.names
                    html = piece("card.html", say, card=card, names=names) if card is not None else ""
                    await stream.send(json.dumps({"key": key, "html": html}), event="card")
                await asyncio.sleep(PACE_S)
    return stream
