"""The gateway: WebSocket connections, the sessions that outlive them, RESUME, and what was heard on them."""

import asyncio
import copy
import itertools
import json
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import discord
from aiohttp import WSMsgType, web
from simcord import intents as intent_rules
from simcord.backend import Backend, serializers

MAX_PAYLOAD = 4096  # bytes a client may send at once (Discord's gateway reference, 2026-08)
MAX_SENDS = 120  # messages a client may send in a minute (same)


@dataclass(eq=False)
class Connection:
    """One socket."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    compressor: Any = None  # zlib's, when the client asked for zlib-stream
    session: "Session | None" = None
    outgoing: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
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

    async def write(self) -> None:
        """Send what is put into `outgoing`, in order."""
        while True:
            text = (await self.outgoing.get()).encode()
            if self.compressor is None:
                await self.ws.send_str(text.decode())
            else:
                data = self.compressor.compress(text) + self.compressor.flush(zlib.Z_SYNC_FLUSH)
                await self.ws.send_bytes(data)

    def say(self, op: int, data: Any = None) -> None:
        """A message that is not an event."""
        self.outgoing.put_nowait(json.dumps({"op": op, "d": data, "s": None, "t": None}))


@dataclass(eq=False)
class Session:
    """What IDENTIFY began; it collects events while it has no connection, for RESUME."""

    intents: discord.Intents
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    connection: Connection | None = None
    events: list[tuple[str, str]] = field(default_factory=list)  # (event, frame); the sequence is index + 1

    def dispatch(self, event: str, payload: Mapping[str, Any]) -> None:
        """Send an event, or keep it until the client resumes."""
        frame = json.dumps({"op": 0, "t": event, "s": len(self.events) + 1, "d": payload})
        self.events.append((event, frame))
        if self.connection is not None:
            self.connection.outgoing.put_nowait(frame)


class Gateway:
    """All connections and sessions of one bot account."""

    def __init__(
        self,
        *,
        backend: Backend,
        token: str,
        heartbeat_interval_s: float,
        notify: Callable[[], None],
        complain: Callable[[str], None],
    ) -> None:
        self.backend = backend
        self.token = token
        self.heartbeat_interval_s = heartbeat_interval_s
        self.url = ""  # known once the server listens
        self.connections: list[Connection] = []  # every one there was
        self.sessions: dict[str, Session] = {}  # those that can be resumed, and the connected ones
        self.identifies = 0
        self.resumes = 0
        self._notify = notify
        self._complain = complain
        backend.subscribers.append(self.publish)

    @property
    def online(self) -> list[Session]:
        """The sessions that have a connection now."""
        return [s for s in self.sessions.values() if s.connection is not None]

    def longest_gap_s(self) -> float:
        """The longest time that any connection was without a heartbeat."""
        return max((c.longest_gap_s() for c in self.connections), default=0.0)

    def publish(self, event: str, payload: Mapping[str, Any]) -> None:
        """Tell an event to the sessions whose intents ask for it."""
        for session in self.sessions.values():
            self._tell(session, event, payload)
        self._notify()

    # What tests do to connections.

    def drop(self) -> None:
        """Cut every connection without a goodbye, as a network does."""
        for connection in self._open():
            if connection.transport is not None:
                connection.transport.abort()

    async def close(self, code: int) -> None:
        """Close every connection with Discord's code."""
        for connection in self._open():
            connection.pushed = True
            await connection.ws.close(code=code)

    def ask_to_reconnect(self) -> None:
        """Send RECONNECT (op 7): a polite client comes back with RESUME."""
        for connection in self._open():
            connection.say(7)

    def invalidate(self) -> None:
        """Send INVALID_SESSION (op 9) that cannot be resumed: the client has to identify anew."""
        for session in list(self.sessions.values()):
            del self.sessions[session.id]
            if session.connection is not None:
                session.connection.say(9, False)

    # The protocol.

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One connection from HELLO to its end."""
        ws = web.WebSocketResponse(max_msg_size=MAX_PAYLOAD, compress=False)
        await ws.prepare(request)
        transport = request.transport if isinstance(request.transport, asyncio.Transport) else None
        connection = Connection(ws, transport)
        if (
            request.query.get("compress") == "zlib-stream"
        ):  # zstd-stream is answered in plain text: it is allowed
            connection.compressor = zlib.compressobj()
        self.connections.append(connection)
        connection.say(10, {"heartbeat_interval": int(self.heartbeat_interval_s * 1000), "_trace": []})
        writer = asyncio.create_task(connection.write())
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    await self._receive(connection, message.data)
                    self._notify()
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._gone(connection)
        return ws

    async def _receive(self, connection: Connection, text: str) -> None:
        now = time.monotonic()
        connection.sends.append(now)
        if sum(now - at < 60 for at in connection.sends) > MAX_SENDS:
            self._complain("more than 120 gateway messages in a minute")
            await connection.ws.close(code=4008, message=b"You are being rate limited.")
            return
        message = json.loads(text)
        op, data = message["op"], message.get("d")
        if op == 1:
            connection.beats.append(now)
            connection.say(11)
        elif op == 2:
            await self._identify(connection, data)
        elif op == 6:
            await self._resume(connection, data)
        elif op != 3:  # a presence is nobody's business here
            self._complain(f"gateway op {op} is not known here")

    async def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        self.identifies += 1
        if connection.session is not None:
            await connection.ws.close(code=4005, message=b"Already authenticated.")
            return
        if data["token"] != self.token:
            await connection.ws.close(code=4004, message=b"Authentication failed.")
            return
        intents = discord.Intents._from_value(int(data["intents"]))
        if intent_rules.missing_privileged_intents(intents, discord.Intents.default()):
            await connection.ws.close(code=4014, message=b"Disallowed intent(s).")
            return
        session = Session(intents, connection=connection)
        connection.session = session
        self.sessions[session.id] = session
        guilds = list(self.backend.guilds.values())
        ready: dict[str, Any] = {
            "v": 10,
            "user": serializers.user_payload(self.backend.bot_user),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "application": {"id": str(self.backend.application_id), "flags": 0},
        }
        if "shard" in data:
            ready["shard"] = data["shard"]
        session.dispatch("READY", ready)
        for guild in guilds:
            self._tell(session, "GUILD_CREATE", serializers.guild_create_payload(self.backend, guild))

    async def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        if data["token"] != self.token:
            await connection.ws.close(code=4004, message=b"Authentication failed.")
            return
        session = self.sessions.get(data["session_id"])
        if session is None:
            connection.say(9, False)
            return
        self.resumes += 1
        session.connection = connection
        connection.session = session
        for _, frame in session.events[data["seq"] :]:
            connection.outgoing.put_nowait(frame)
        session.dispatch("RESUMED", {"_trace": []})

    def _tell(self, session: Session, event: str, payload: Mapping[str, Any]) -> None:
        intent = intent_rules.required_intent(event, payload)
        if intent is not None and not getattr(session.intents, intent):
            return
        own = copy.deepcopy(dict(payload))
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and not session.intents.message_content:
            intent_rules.censor_message(own, self.backend.bot_user.id, backend=self.backend)
        if event == "GUILD_CREATE":
            intent_rules.prune_guild_create(own, session.intents, self.backend.bot_user.id)
        session.dispatch(event, own)

    def _open(self) -> list[Connection]:
        return [connection for connection in self.connections if connection.closed_at is None]

    def _gone(self, connection: Connection) -> None:
        connection.closed_at = time.monotonic()
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            # A client that says goodbye gives its session up.
            if not connection.pushed and connection.ws.close_code in (1000, 1001):
                self.sessions.pop(session.id, None)
        self._notify()
