"""The REST side: reads a request, lets faults and limits speak, hands it to simcord's routes, answers."""

import copy
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import simcord.http.routes  # noqa: F401  (importing registers the routes)
from aiohttp import BodyPartReader, web
from simcord._clock import Clock
from simcord.backend import Backend
from simcord.backend.cdn import CdnStore
from simcord.backend.errors import BackendError
from simcord.http import router

from tests.discord_server.faults import Fault, Interference, RateLimits, too_many

API = "/api/v10"
CDN = "/cdn"
MAX_REQUEST = 25 * 1024 * 1024  # bytes of a whole request (Discord's reference, 2026-08)


class RealClock(Clock):
    """Wall time for simcord, whose own clock stands still: the 3 s and 15 min rules hold by themselves."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class LocalCdn(CdnStore):
    """Keeps files under this server's own address."""

    base = ""  # known once the server listens

    def store_attachment(
        self, attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, Any]:
        stored = super().store_attachment(attachment_id, channel_id, filename, data, description)
        url = f"{self.base}/attachments/{channel_id}/{attachment_id}/{filename}"
        self._blobs[url] = self._blobs.pop(stored["url"])
        return {**stored, "url": url, "proxy_url": url}


@dataclass(frozen=True)
class Upload:
    """One file of a request, as simcord's routes take it."""

    filename: str
    data: bytes
    description: str | None = None

    @property
    def fp(self) -> io.BytesIO:
        """A fresh reader at its start."""
        return io.BytesIO(self.data)


@dataclass
class Call:
    """One request, as it came and as it was answered."""

    method: str
    path: str  # without /api/v10
    body: Any = None
    files: list[Upload] = field(default_factory=list)
    at: float = field(default_factory=time.monotonic)
    status: int | None = None  # None: not answered (yet)


class Rest:
    """All HTTP requests of one bot account."""

    def __init__(
        self,
        *,
        backend: Backend,
        token: str,
        upload_limit: int,
        limits: RateLimits | None,
        notify: Callable[[], None],
        complain: Callable[[str], None],
    ) -> None:
        self.backend = backend
        self.token = token
        self.upload_limit = upload_limit  # bytes of one file
        self.limits = limits
        self.gateway_url = ""  # known once the server listens
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.answered: dict[int, float] = {}  # interaction -> monotonic time of its first answer
        self._nonces: dict[tuple[int, str], int] = {}  # (channel, nonce) -> message
        self._notify = notify
        self._complain = complain

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request below /api/v10."""
        call = Call(request.method, request.rel_url.raw_path.removeprefix(API))
        self.calls.append(call)
        call.body, call.files = await _read(request)
        fault = next((f for f in self.faults if f.matches(call.method, call.path)), None)
        if fault is not None:
            fault.hits += 1
            self._notify()
            if fault.does is Interference.CUT:
                return _cut(request)
            if fault.does is Interference.STALL:
                await fault.released()
            if fault.does is Interference.ANSWER:
                return self._answer(call, *fault.answer())
        status, body, headers = self._carry_out(call, request)
        if fault is not None and fault.does is Interference.LOSE:
            self._notify()
            return _cut(request)
        return self._answer(call, status, body, headers)

    async def file(self, request: web.Request) -> web.Response:
        """A stored file below /cdn."""
        data = self.backend.cdn.get(f"{self.backend.cdn.base}{request.path.removeprefix(CDN)}")  # type: ignore[attr-defined]
        return web.Response(status=404) if data is None else web.Response(body=data)

    def _carry_out(self, call: Call, request: web.Request) -> tuple[int, Any, Mapping[str, str]]:
        headers: Mapping[str, str] = {}
        try:
            self._authorise(call, request)
            if self.limits is not None:
                headers, wait_s = self.limits.take(call.method, call.path, time.monotonic())
                if wait_s is not None:
                    return too_many(wait_s, headers=headers)
            self._check_uploads(call)
            body = self._dispatch(call, dict(request.query))
        except (router.RouteNotImplemented, router.UnsupportedField) as error:
            self._complain(f"{call.method} {call.path}: {error.message}")
            return 501, error.to_json(), headers
        except BackendError as error:
            error = self._as_discord_says(call, error)
            return error.status, error.to_json(), headers
        return (204 if body is None else 200), body, headers

    def _authorise(self, call: Call, request: web.Request) -> None:
        if call.path.startswith(("/interactions/", "/webhooks/")):
            return  # the token is in the path
        if request.headers.get("Authorization") != f"Bot {self.token}":
            raise BackendError(401, 0, "401: Unauthorized")

    def _check_uploads(self, call: Call) -> None:
        sizes = [len(upload.data) for upload in call.files]
        if max(sizes, default=0) > self.upload_limit or sum(sizes) > MAX_REQUEST:
            raise BackendError(413, 40005, "Request entity too large")
        if call.files and call.path.startswith("/channels/"):
            channel = self.backend.get_channel(int(call.path.split("/")[2]))
            self.backend.require_permissions(
                channel.guild_id, self.backend.bot_user.id, channel.id, "attach_files"
            )

    def _dispatch(self, call: Call, query: dict[str, str]) -> Any:
        if call.method == "GET" and call.path in ("/gateway", "/gateway/bot"):
            start = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
            bot = {"shards": 1, "session_start_limit": start} if call.path.endswith("bot") else {}
            return {"url": self.gateway_url, **bot}
        repeated = self._repeated(call)
        if repeated is not None:
            call = Call("GET", f"{call.path}/{repeated}")
        body = as_shown(
            router.dispatch(
                self.backend, call.method, call.path, json=call.body, params=query, files=call.files
            )
        )
        parts = call.path.split("/")
        if parts[1] == "interactions":
            self.answered.setdefault(int(parts[2]), time.monotonic())
            return body if query.get("with_response") in ("1", "true") else None
        if call.method == "POST" and isinstance(call.body, dict) and call.body.get("nonce") is not None:
            body["nonce"] = call.body["nonce"]
            if call.body.get("enforce_nonce"):
                self._nonces[int(body["channel_id"]), str(body["nonce"])] = int(body["id"])
        return body

    def _repeated(self, call: Call) -> int | None:
        """The message that an enforced nonce already made, if the channel still has it."""
        parts = call.path.split("/")
        if call.method != "POST" or parts[1] != "channels" or not isinstance(call.body, dict):
            return None
        message_id = self._nonces.get((int(parts[2]), str(call.body.get("nonce"))), 0)
        known = self.backend.messages.get(int(parts[2]), {})
        return message_id if call.body.get("enforce_nonce") and message_id in known else None

    def _as_discord_says(self, call: Call, error: BackendError) -> BackendError:
        """simcord answers 10015 for an interaction token that is past its 15 minutes, Discord 50027."""
        parts = call.path.split("/")
        if error.code == 10015 and len(parts) > 3 and parts[3] in self.backend.interaction_tokens:
            record = self.backend.interactions[self.backend.interaction_tokens[parts[3]]]
            if record.expires_at is not None and self.backend.now_iso() >= record.expires_at:
                return BackendError(401, 50027, "Invalid Webhook Token")
        return error

    def _answer(self, call: Call, status: int, body: Any, headers: Mapping[str, str]) -> web.Response:
        call.status = status
        self._notify()
        if body is None:
            return web.Response(status=status, headers=headers)
        # Clients compare the content type as a whole: no charset.
        text = json.dumps(body).encode()
        return web.Response(status=status, body=text, headers={"Content-Type": "application/json", **headers})


async def _read(request: web.Request) -> tuple[Any, list[Upload]]:
    if not request.content_type.startswith("multipart/"):
        text = await request.read()
        return (json.loads(text) if text else None), []
    body: Any = None
    files: dict[int, tuple[str, bytes]] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        data = bytes(await part.read(decode=False))
        if part.name == "payload_json":
            body = json.loads(data)
        elif part.name is not None and part.name.startswith("files["):
            files[int(part.name[len("files[") : -1])] = (unquote(part.filename or "unnamed"), data)
    told = (body or {}).get("data", body) or {}  # an interaction's callback holds the message in `data`
    descriptions = {str(a.get("id")): a.get("description") for a in told.get("attachments") or []}
    return body, [Upload(name, data, descriptions.get(str(n))) for n, (name, data) in sorted(files.items())]


def as_shown(payload: Any) -> Any:
    """A message as Discord hands it out; anything else unchanged.

    A file that an embed shows (`attachment://…`) is a link in the embed and not among the attachments.
    """
    if not isinstance(payload, dict) or "embeds" not in payload or "attachments" not in payload:
        return payload
    shown = copy.deepcopy(payload)
    links = {f"attachment://{a['filename']}": a["url"] for a in shown["attachments"]}
    pictures = [e[part] for e in shown["embeds"] for part in ("image", "thumbnail") if e.get(part)]
    used = {picture["url"] for picture in pictures if picture["url"] in links}
    for picture in pictures:
        picture["url"] = links.get(picture["url"], picture["url"])
    shown["attachments"] = [a for a in shown["attachments"] if f"attachment://{a['filename']}" not in used]
    for embed in shown["embeds"]:
        embed.setdefault("type", "rich")
    return shown


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)  # goes nowhere
