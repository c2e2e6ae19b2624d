"""The gateway: WebSocket connections, the sessions that outlive them, RESUME, and what was heard on them."""

import asyncio
import copy
import json
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import discord
from aiohttp import WSMsgType, web
from simcord import intents as intent_rules
from simcord.backend import Backend, serializers

from tests.discord_server.clock import MovableClock
from tests.discord_server.connections import Connection, Session

# From Discord's gateway reference, 2026-08.
MAX_PAYLOAD = 4096  # bytes a client may send at once
MAX_SENDS = 120  # messages a client may send in a minute
MAX_STARTS = 1000  # IDENTIFYs a day; then the token is reset
MAX_GUILDS = 2500  # of one shard
DAY_S = 24 * 3600.0
RESUME_WITHIN_S = 300.0  # "some minutes" until a session without a connection is gone
GRACE_S = 20.0  # beyond two intervals without a heartbeat until a connection is closed; for busy machines

IDENTIFY, HEARTBEAT, PRESENCE, VOICE, RESUME, MEMBERS = 2, 1, 3, 4, 6, 8


class Gateway:
    """All connections and sessions of one bot account."""

    def __init__(
        self,
        *,
        backend: Backend,
        clock: MovableClock,
        token: str,
        heartbeat_interval_s: float,
        notify: Callable[[], None],
        complain: Callable[[str], None],
    ) -> None:
        self.backend = backend
        self.token = token
        self.heartbeat_interval_s = heartbeat_interval_s
        self.grace_s = GRACE_S
        self.shards = 1  # as many as GET /gateway/bot proposes
        self.identify_every_s = 0.0  # Discord asks for 5 s between two; who hurries gets INVALID_SESSION
        self.most_starts = MAX_STARTS
        self.url = ""  # known once the server listens
        self.connections: list[Connection] = []  # every one there was
        self.sessions: dict[str, Session] = {}  # those that can be resumed, and the connected ones
        self.identifies = 0
        self.resumes = 0
        self.delivered: Callable[[int], None] = lambda interaction_id: None  # told each interaction sent
        self.tiers: Mapping[int, int] = {}  # guild -> how far it is boosted
        self._starts: list[float] = []  # when a session began, by the server's clock
        self._clock = clock
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

    def address(self, of_bot: bool) -> dict[str, Any]:
        """The answer to GET /gateway, or to GET /gateway/bot."""
        if not of_bot:
            return {"url": self.url}
        starts = self._starts_today()
        now = self._clock.monotonic()
        start = {
            "total": self.most_starts,
            "remaining": max(0, self.most_starts - len(starts)),
            "reset_after": int((starts[0] + DAY_S - now) * 1000) if starts else 0,
            "max_concurrency": 1,
        }
        return {"url": self.url, "shards": self.shards, "session_start_limit": start}

    def publish(self, event: str, payload: Mapping[str, Any]) -> None:
        """Tell an event to the sessions of its shard whose intents ask for it."""
        guild_id = payload.get("guild_id", payload.get("id") if event.startswith("GUILD_") else None)
        for session in self.sessions.values():
            if session.holds(None if guild_id is None else int(guild_id)):
                self._tell(session, event, payload)
        self._notify()

    # What tests do to connections: to all of them, or to one shard's.

    def drop(self, shard: int | None = None) -> None:
        """Cut connections without a goodbye, as a network does."""
        for connection in self._open(shard):
            if connection.transport is not None:
                connection.transport.abort()

    def forget(self, shard: int | None = None) -> None:
        """Cut connections and keep nothing of their sessions: whoever asks for RESUME is refused it."""
        for session in self._of(shard):
            del self.sessions[session.id]
        self.drop(shard)

    async def close(self, code: int) -> None:
        """Close every connection with Discord's code."""
        for connection in self._open():
            await connection.close(code)

    def ask_to_reconnect(self, shard: int | None = None) -> None:
        """Send RECONNECT (op 7): a polite client comes back with RESUME."""
        for connection in self._open(shard):
            connection.say(7)

    def ask_for_heartbeat(self) -> None:
        """Send HEARTBEAT (op 1): a client answers with one at once."""
        for connection in self._open():
            connection.say(HEARTBEAT)

    def invalidate(self, shard: int | None = None, *, resumable: bool = False) -> None:
        """Send INVALID_SESSION (op 9): the client identifies anew, or resumes where it may."""
        for session in self._of(shard):
            if not resumable:
                del self.sessions[session.id]
            if session.connection is not None:
                session.connection.say(9, resumable)

    # The protocol.

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One connection from HELLO to its end."""
        ws = web.WebSocketResponse(max_msg_size=MAX_PAYLOAD, compress=False)
        await ws.prepare(request)
        transport = request.transport if isinstance(request.transport, asyncio.Transport) else None
        connection = Connection(ws, transport)
        # zstd-stream is answered in plain text: it is allowed.
        if request.query.get("compress") == "zlib-stream":
            connection.compressor = zlib.compressobj()
        self.connections.append(connection)
        connection.say(10, {"heartbeat_interval": int(self.heartbeat_interval_s * 1000), "_trace": []})
        silence_s = 2 * self.heartbeat_interval_s + self.grace_s
        tasks = [
            asyncio.create_task(connection.write(lambda interaction_id: self.delivered(interaction_id))),
            asyncio.create_task(connection.watch(silence_s)),
        ]
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    await self._receive(connection, message.data)
                    self._notify()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._gone(connection)
        return ws

    async def _receive(self, connection: Connection, text: str) -> None:
        now = time.monotonic()
        connection.sends.append(now)
        if sum(now - at < 60 for at in connection.sends) > MAX_SENDS:
            await self._refuse(connection, 4008, "You are being rate limited.")
            return
        try:
            message = json.loads(text)
            op, data = message["op"], message.get("d")
        except (ValueError, KeyError, TypeError):
            await self._refuse(connection, 4002, "Error while decoding payload.")
            return
        if op == HEARTBEAT:
            connection.beats.append(now)
            connection.say(11)
        elif op == IDENTIFY:
            await self._identify(connection, data)
        elif op == RESUME:
            await self._resume(connection, data)
        elif op not in (PRESENCE, VOICE, MEMBERS):
            await self._refuse(connection, 4001, f"Unknown opcode {op}.")
        elif connection.session is None:
            await self._refuse(connection, 4003, "Not authenticated.")
        elif op != PRESENCE:  # a presence is nobody's business here
            self._complain(f"gateway op {op} is not known here")

    async def _refuse(self, connection: Connection, code: int, why: str) -> None:
        """Close a connection whose client does what Discord forbids."""
        self._complain(f"the gateway closed with {code}: {why}")
        await connection.close(code, why)

    async def _identify(self, connection: Connection, data: Any) -> None:
        self.identifies += 1
        refusal = self._why_not(connection, data)
        if refusal is not None:
            await self._refuse(connection, *refusal)
            return
        if data["token"] != self.token:
            await connection.close(4004, "Authentication failed.")
            return
        now, starts = self._clock.monotonic(), self._starts_today()
        if starts and now - starts[-1] < self.identify_every_s:
            connection.say(9, False)
            return
        intents = discord.Intents._from_value(int(data["intents"]))
        session = Session(intents, _shard(data), connection=connection)
        guilds = [guild for guild in self.backend.guilds.values() if session.holds(guild.id)]
        if len(guilds) > MAX_GUILDS:
            await self._refuse(connection, 4011, "Sharding required.")
            return
        self._starts.append(now)
        connection.session = session
        self.sessions[session.id] = session
        self._greet(session, guilds)

    def _why_not(self, connection: Connection, data: Any) -> tuple[int, str] | None:
        """The code and the words with which an IDENTIFY that Discord forbids is refused."""
        if connection.session is not None:
            return 4005, "Already authenticated."
        if not isinstance(data, dict) or not {"token", "intents", "properties"} <= data.keys():
            return 4002, "Error while decoding payload."
        if len(self._starts_today()) >= self.most_starts:
            return 4004, "Authentication failed: too many sessions, the token is reset."
        if not 0 <= _shard(data)[0] < _shard(data)[1]:
            return 4010, "Invalid shard."
        value = int(data["intents"])
        if value & ~discord.Intents.all().value:
            return 4013, "Invalid intent(s)."
        intents = discord.Intents._from_value(value)
        if intent_rules.missing_privileged_intents(intents, discord.Intents.default()):
            return 4014, "Disallowed intent(s)."
        return None

    def _greet(self, session: Session, guilds: list[Any]) -> None:
        """READY, and the shard's guilds."""
        ready: dict[str, Any] = {
            "v": 10,
            "user": serializers.user_payload(self.backend.bot_user),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "application": {"id": str(self.backend.application_id), "flags": 0},
            "shard": list(session.shard),
        }
        session.dispatch("READY", ready)
        for guild in guilds:
            self._tell(session, "GUILD_CREATE", serializers.guild_create_payload(self.backend, guild))

    async def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        if data["token"] != self.token:
            await connection.close(4004, "Authentication failed.")
            return
        session = self.sessions.get(data["session_id"])
        if session is None or self._is_over(session):
            self.sessions.pop(data["session_id"], None)
            connection.say(9, False)
            return
        if not 0 <= data["seq"] <= len(session.frames):
            await self._refuse(connection, 4007, "Invalid seq.")
            return
        self.resumes += 1
        if session.connection is not None:  # one that we do not know to be gone
            session.connection.session = None
            await session.connection.close(4000)
        session.connection, session.left_at = connection, None
        connection.session = session
        for frame in session.frames[data["seq"] :]:
            connection.outgoing.put_nowait(frame)
        session.dispatch("RESUMED", {"_trace": []})

    def _is_over(self, session: Session) -> bool:
        left_at = session.left_at
        return left_at is not None and self._clock.monotonic() - left_at > RESUME_WITHIN_S

    def _starts_today(self) -> list[float]:
        now = self._clock.monotonic()
        self._starts = [at for at in self._starts if now - at < DAY_S]
        return self._starts

    def _tell(self, session: Session, event: str, payload: Mapping[str, Any]) -> None:
        intent = intent_rules.required_intent(event, payload)
        if intent is not None and not getattr(session.intents, intent):
            return
        own = copy.deepcopy(dict(payload))
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and not session.intents.message_content:
            intent_rules.censor_message(own, self.backend.bot_user.id, backend=self.backend)
        if event == "GUILD_CREATE":
            intent_rules.prune_guild_create(own, session.intents, self.backend.bot_user.id)
        if event in ("GUILD_CREATE", "GUILD_UPDATE"):
            own["premium_tier"] = self.tiers.get(int(own["id"]), 0)
        session.dispatch(event, own)

    def _open(self, shard: int | None = None) -> list[Connection]:
        alive = [connection for connection in self.connections if connection.closed_at is None]
        if shard is None:
            return alive
        return [one for one in alive if one.session is not None and one.session.shard[0] == shard]

    def _of(self, shard: int | None) -> list[Session]:
        return [one for one in self.sessions.values() if shard in (None, one.shard[0])]

    def _gone(self, connection: Connection) -> None:
        connection.closed_at = time.monotonic()
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection, session.left_at = None, self._clock.monotonic()
            # A client that says goodbye gives its session up.
            if not connection.pushed and connection.ws.close_code in (1000, 1001):
                self.sessions.pop(session.id, None)
        self._notify()


def _shard(data: dict[str, Any]) -> tuple[int, int]:
    """An IDENTIFY's shard: its number and how many there are."""
    number, count = data.get("shard") or (0, 1)
    return int(number), int(count)
