"""One WebSocket connection of the gateway, and the session that outlives it."""

import asyncio
import itertools
import json
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import discord
from aiohttp import web


@dataclass(frozen=True)
class Frame:
    """A message to the client."""

    text: str
    interaction: int | None = None  # the interaction that it tells of

    @classmethod
    def of(cls, event: str, sequence: int, payload: Mapping[str, Any]) -> "Frame":
        text = json.dumps({"op": 0, "t": event, "s": sequence, "d": payload})
        return cls(text, int(payload["id"]) if event == "INTERACTION_CREATE" else None)


@dataclass(eq=False)
class Connection:
    """One socket."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    compressor: Any = None  # zlib's, when the client asked for zlib-stream
    session: "Session | None" = None
    outgoing: asyncio.Queue[Frame] = field(default_factory=asyncio.Queue)
    opened_at: float = field(default_factory=time.monotonic)
    closed_at: float | None = None
    pushed: bool = False  # closed by the server
    beats: list[float] = field(default_factory=list)  # when heartbeats came, monotonic seconds
    sends: list[float] = field(default_factory=list)  # when anything came

    def longest_gap_s(self) -> float:
        """The longest time without a heartbeat, up to now or to the connection's end."""
        ends = self.closed_at if self.closed_at is not None else time.monotonic()
        moments = [self.opened_at, *self.beats, ends]
        return max(later - earlier for earlier, later in itertools.pairwise(moments))

    async def write(self, delivered: Callable[[int], None]) -> None:
        """Send what is put into `outgoing`, in order; `delivered` is told each interaction that is out."""
        while True:
            frame = await self.outgoing.get()
            if self.compressor is None:
                await self.ws.send_str(frame.text)
            else:
                data = self.compressor.compress(frame.text.encode())
                await self.ws.send_bytes(data + self.compressor.flush(zlib.Z_SYNC_FLUSH))
            if frame.interaction is not None:
                delivered(frame.interaction)

    async def watch(self, within_s: float) -> None:
        """Close the connection when no heartbeat comes for this time."""
        while True:
            last = self.beats[-1] if self.beats else self.opened_at
            left_s = last + within_s - time.monotonic()
            if left_s <= 0:
                await self.close(4009, "Session timed out.")
                return
            await asyncio.sleep(left_s)

    async def close(self, code: int, why: str = "") -> None:
        """Close it with Discord's code."""
        self.pushed = True
        await self.ws.close(code=code, message=why.encode())

    def say(self, op: int, data: Any = None) -> None:
        """A message that is not an event."""
        self.outgoing.put_nowait(Frame(json.dumps({"op": op, "d": data, "s": None, "t": None})))


@dataclass(eq=False)
class Session:
    """What IDENTIFY began; it collects events while it has no connection, for RESUME."""

    intents: discord.Intents
    shard: tuple[int, int] = (0, 1)  # its number and how many there are
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    connection: Connection | None = None
    left_at: float | None = None  # when its connection ended, by the server's clock
    frames: list[Frame] = field(default_factory=list)  # the sequence is index + 1

    def holds(self, guild_id: int | None) -> bool:
        """Whether this guild's events are its own; direct messages (None) are the first shard's."""
        number, count = self.shard
        return number == (0 if guild_id is None else (guild_id >> 22) % count)

    def dispatch(self, event: str, payload: Mapping[str, Any]) -> None:
        """Send an event, or keep it until the client resumes."""
        frame = Frame.of(event, len(self.frames) + 1, payload)
        self.frames.append(frame)
        if self.connection is not None:
            self.connection.outgoing.put_nowait(frame)
