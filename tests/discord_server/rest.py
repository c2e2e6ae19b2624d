"""The REST side: reads a request, lets faults and limits speak, hands it to simcord's routes, answers."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import simcord.http.routes  # noqa: F401  (importing registers the routes)
from aiohttp import web
from simcord.backend import Backend
from simcord.backend.cdn import CdnStore
from simcord.backend.errors import BackendError
from simcord.http import router

from tests.discord_server.clock import MovableClock
from tests.discord_server.commands import check_commands
from tests.discord_server.description import Violation, description
from tests.discord_server.faults import Fault, Interference
from tests.discord_server.interactions import Tokens
from tests.discord_server.limits import InvalidRequests, RateLimits
from tests.discord_server.messages import Nonces, as_shown, is_old
from tests.discord_server.requests import NOT_JSON, Call, cut, read

API = "/api/v10"
CDN = "/cdn"
MIB = 1024 * 1024
MAX_REQUEST = 25 * MIB  # bytes of a whole request (Discord's reference, 2026-08)
BOOSTED = {2: 50 * MIB, 3: 100 * MIB}  # bytes of one file in a boosted guild, by its tier (same)
BAD_BODY = 50035


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


class Rest:
    """All HTTP requests of one bot account."""

    def __init__(
        self,
        *,
        backend: Backend,
        clock: MovableClock,
        token: str,
        upload_limit: int,
        limits: RateLimits | None,
        gateway: Callable[[bool], dict[str, Any]],
        notify: Callable[[], None],
        complain: Callable[[str], None],
    ) -> None:
        """`gateway`: the answer to GET /gateway, or (True) to GET /gateway/bot."""
        self.backend = backend
        self.token = token
        self.upload_limit = upload_limit  # bytes of one file, without boosts
        self.tiers: dict[int, int] = {}  # guild -> how far it is boosted, 0..3
        self.limits = limits
        self.invalid = InvalidRequests()
        self.tokens = Tokens(backend, notify)
        self.answered = self.tokens.answered
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self._clock = clock
        self._gateway = gateway
        self._description = description()
        self._nonces = Nonces(backend, clock)
        self._notify = notify
        self._complain = complain

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request below /api/v10."""
        path = request.rel_url.raw_path.removeprefix(API)
        call = Call(request.method, path, query=dict(request.query))
        self.calls.append(call)
        at = call.at
        try:
            call.body, call.files = await read(request)
        except ValueError:
            self._complain(f"{call.method} {call.path}: its body is no JSON")
            return self._answer(call, *NOT_JSON, {})
        fault = next((f for f in self.faults if f.matches(call.method, call.path)), None)
        if fault is not None:
            fault.hits += 1
            self._notify()
            if fault.does is Interference.CUT:
                return cut(request)
            if fault.does is Interference.STALL:
                await fault.released()
                at = time.monotonic()
            if fault.does is Interference.ANSWER:
                return self._answer(call, *fault.answer())
        banned = fault is not None and fault.does is Interference.BAN
        if banned or self.invalid.is_banned(self._clock.monotonic()):
            call.status = 429  # by the proxy before Discord: no JSON, no Via
            return web.Response(status=429, text="error code: 1015")
        status, body, headers = self._carry_out(call, request.headers.get("Authorization"), at)
        if fault is not None and fault.does is Interference.LOSE:
            self._notify()
            return cut(request)
        return self._answer(call, status, body, headers)

    async def file(self, request: web.Request) -> web.Response:
        """A stored file below /cdn."""
        data = self.backend.cdn.get(f"{self.backend.cdn.base}{request.path.removeprefix(CDN)}")  # type: ignore[attr-defined]
        return web.Response(status=404) if data is None else web.Response(body=data)

    def upload_limit_of(self, guild_id: int | None) -> int:
        """Bytes of one file in this guild; None: in a direct message."""
        return max(self.upload_limit, BOOSTED.get(self.tiers.get(guild_id or 0, 0), 0))

    def _carry_out(
        self, call: Call, authorization: str | None, at: float
    ) -> tuple[int, Any, Mapping[str, str]]:
        headers: Mapping[str, str] = {}
        try:
            self._authorise(call, authorization)
            if self.limits is not None:
                headers, refusal = self.limits.take(
                    call.method, call.path, self._clock.monotonic(), is_old=is_old(self.backend, call)
                )
                if refusal is not None:
                    return refusal
            self.tokens.check(call, at)
            self._check_body(call)
            self._check_uploads(call)
            body = self._dispatch(call)
        except (router.RouteNotImplemented, router.UnsupportedField) as error:
            self._complain(f"{call.method} {call.path}: {error.message}")
            return 501, error.to_json(), headers
        except BackendError as error:
            if error.code == BAD_BODY:
                self._complain(f"{call.method} {call.path}: {error.message}")
            return error.status, error.to_json(), headers
        except Exception as error:
            self._complain(f"{call.method} {call.path}: the server itself failed: {error!r}")
            raise
        return (204 if body is None else 200), body, headers

    def _authorise(self, call: Call, authorization: str | None) -> None:
        if call.parts[0] in ("interactions", "webhooks"):
            return  # the token is in the path
        if authorization != f"Bot {self.token}":
            raise BackendError(401, 0, "401: Unauthorized")

    def _check_body(self, call: Call) -> None:
        """Raise what Discord answers to a request that is not as its description says."""
        wrong: list[Violation] = []
        if self._description is not None:
            wrong = self._description.check(
                call.method, call.path, query=call.query, body=call.body, files=len(call.files)
            )
        told = [str(violation) for violation in wrong]
        if call.method == "PUT" and call.parts[-1] == "commands" and not wrong:
            told = check_commands(call.body)
        if told:
            first = wrong[0].to_json() if wrong else None
            raise BackendError(400, BAD_BODY, f"Invalid Form Body: {'; '.join(told)}", errors=first)

    def _check_uploads(self, call: Call) -> None:
        if not call.files:
            return
        channel_id = call.int_part(1)
        if call.parts[0] == "webhooks":
            channel_id = self.backend.interaction_by_token(call.parts[2]).channel_id
        elif call.parts[0] == "interactions":
            interaction = self.backend.interactions.get(call.int_part(1))
            channel_id = interaction.channel_id if interaction is not None else 0
        channel = self.backend.get_channel(channel_id)
        limit = self.upload_limit_of(channel.guild_id)
        sizes = [len(upload.data) for upload in call.files]
        if max(sizes) > limit or sum(sizes) > max(limit, MAX_REQUEST):
            raise BackendError(413, 40005, "Request entity too large")
        if call.parts[0] == "channels":
            self.backend.require_permissions(
                channel.guild_id, self.backend.bot_user.id, channel.id, "attach_files"
            )

    def _dispatch(self, call: Call) -> Any:
        if call.method == "GET" and call.path in ("/gateway", "/gateway/bot"):
            return self._gateway(call.path.endswith("bot"))
        repeated = self._nonces.repeated(call)
        if repeated is not None:
            call = Call("GET", f"{call.path}/{repeated}")
        body = as_shown(
            router.dispatch(
                self.backend, call.method, call.path, json=call.body, params=call.query, files=call.files
            )
        )
        if call.parts[0] == "interactions":
            self.tokens.answer(call)
            return body if call.query.get("with_response") in ("1", "true") else None
        if isinstance(body, dict):
            self._nonces.keep(call, body)
        return body

    def _answer(self, call: Call, status: int, body: Any, headers: Mapping[str, str]) -> web.Response:
        call.status = status
        if self.invalid.note(status, self._clock.monotonic()):
            self._complain(f"{self.invalid.most} invalid requests within ten minutes: the address is banned")
        self._notify()
        if body is None:
            return web.Response(status=status, headers=headers)
        # Clients compare the content type as a whole: no charset.
        text = json.dumps(body).encode()
        return web.Response(status=status, body=text, headers={"Content-Type": "application/json", **headers})
