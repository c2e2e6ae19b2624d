"""Pictures of the channel's dreams: final ones, frames on the way, time-lapses. Nothing else leads to one."""

from aiohttp import web

from bot.dreams.dream import Dream
from bot.dreams.showing import Visibility
from bot.web.channel.access import dream_of, known_person
from bot.web.channel.cards import allowed_here
from bot.web.channel.room import room_of
from bot.web.parts import parts_of

_KINDS = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
routes = web.RouteTableDef()


@routes.get("/dreams/{id:[0-9]+}/picture")
async def final(request: web.Request) -> web.Response:
    """The picture of a dream that is over, asked for again each time: it may be deleted."""
    dream = await _shown(request)
    tag = f"{dream.id}-{dream.state.value}"
    if any(etag.value == tag for etag in request.if_none_match or ()):
        return web.Response(status=304, headers={"Cache-Control": "private, no-cache", "ETag": f'"{tag}"'})
    picture = await parts_of(request).heart.store.picture(dream.id)
    if picture is None:
        raise web.HTTPNotFound
    answer = _file(picture.content, picture.kind, name=f"dream-{dream.id}")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.etag = tag
    return answer


@routes.get("/dreams/{id:[0-9]+}/frame/{number:[0-9]+}")
async def frame(request: web.Request) -> web.Response:
    """The newest frame of a dream on the way, whichever was asked for."""
    dream = await _shown(request)
    scene = room_of(request).live.scene(dream.id)
    if scene is not None and scene.frame is not None:
        facts = await room_of(request).facts.dream(dream.id)
        if facts is None or _is_withheld(request, dream, scene.flagged or facts.begun_at):
            raise web.HTTPNotFound
        return _file(scene.frame, "jpg")
    picture = await parts_of(request).heart.store.picture(dream.id)  # it came to its end meanwhile
    if picture is None:
        raise web.HTTPNotFound
    return _file(picture.content, picture.kind)


@routes.get("/dreams/{id:[0-9]+}/timelapse")
async def timelapse(request: web.Request) -> web.Response:
    """How it took shape, as an animated WebP; few at a time, for they are some megabytes."""
    dream = await _shown(request)
    async with room_of(request).outlet.turn(known_person(request).id):
        film = await parts_of(request).heart.store.timelapse(dream.id)
        if film is None:
            raise web.HTTPNotFound
        return _file(film, "webp", name=f"dream-{dream.id}-timelapse")


async def _shown(request: web.Request) -> Dream:
    """The dream, if its picture may be shown. Raises `web.HTTPNotFound`."""
    known_person(request)
    dream = await dream_of(request)
    if _is_withheld(request, dream, dream.flagged):
        raise web.HTTPNotFound
    return dream


def _is_withheld(request: web.Request, dream: Dream, flagged: str) -> bool:
    allowed = allowed_here(dream, parts_of(request).heart, flagged=flagged)
    return allowed.visibility is Visibility.WITHHELD


def _file(content: bytes, kind: str, *, name: str = "") -> web.Response:
    headers = {"Content-Disposition": f'inline; filename="{name}.{kind}"'} if name else {}
    return web.Response(body=content, content_type=_KINDS[kind], headers=headers)
