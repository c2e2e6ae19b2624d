"""Styles, scripts and pictures of the page itself: read once from the package, named by their content.

No path from outside reaches the disk: what is not among them is not found.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePosixPath

from aiohttp import web

_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".png": "image/png",
}
_FOREVER = "public, max-age=31536000, immutable"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page."""

    content: bytes
    kind: str
    version: str  # the digest of its content


@cache
def assets() -> dict[str, Asset]:
    """All of them, by their names."""
    found: dict[str, Asset] = {}
    for file in (files("bot.web") / "static").iterdir():
        kind = _KINDS.get(PurePosixPath(file.name).suffix)
        if kind is not None:
            content = file.read_bytes()
            found[file.name] = Asset(content, kind, sha256(content).hexdigest()[:16])
    return found


@cache
def release() -> str:
    """Changes when any of them does: scripts import one another by their plain names, in one folder."""
    joined = "".join(f"{name}:{asset.version}\n" for name, asset in sorted(assets().items()))
    return sha256(joined.encode()).hexdigest()[:16]


def address(name: str) -> str:
    """Where a browser finds one; raises `KeyError` for what there is not."""
    assets()[name]
    return f"/static/{release()}/{name}"


@routes.get("/static/{release}/{name}")
async def send(request: web.Request) -> web.Response:
    """One of them, which a browser may keep for ever if it asked for this release's."""
    asset = assets().get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    kept = _FOREVER if request.match_info["release"] == release() else "no-cache"
    return web.Response(
        body=asset.content, content_type=asset.kind, charset="utf-8", headers={"Cache-Control": kept}
    )
