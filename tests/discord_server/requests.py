"""Requests as they come: their body, their files, and how they were answered."""

import asyncio
import io
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

NOT_JSON = (400, {"code": 50109, "message": "The request body contains invalid JSON."})


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
    query: dict[str, str] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)
    status: int | None = None  # None: not answered (yet)

    @property
    def parts(self) -> list[str]:
        """The path's segments: "channels", "12", "messages"."""
        return self.path.strip("/").split("/")

    def int_part(self, at: int) -> int:
        """The id that stands in the path at this place; 0 when it is none."""
        return int(self.parts[at]) if len(self.parts) > at and self.parts[at].isdecimal() else 0


async def read(request: web.Request) -> tuple[Any, list[Upload]]:
    """JSON body and files. Raises `ValueError` for what is no JSON."""
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


def cut(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    if isinstance(request.transport, asyncio.Transport):
        request.transport.abort()
    return web.Response(status=500)  # goes nowhere
