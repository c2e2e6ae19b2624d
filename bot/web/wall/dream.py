"""The page of one dream: picture, words, recipe, film, family; and its files."""

import shlex
from hashlib import sha256

from aiohttp import web

from bot.community.wall import Hanging
from bot.dreams.dream import Dream
from bot.web.markup import words
from bot.web.wall.parts import ASKED_ANEW, hanging, show, wall_of
from engine import Recipe

MAX_LINE = 4000  # characters of a command
_KINDS = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}

routes = web.RouteTableDef()


@routes.get("/d/{slug}")
async def dream(request: web.Request) -> web.Response:
    """With everything that one may want to know or take."""
    parts, found = wall_of(request), await hanging(request)
    recipe = _recipe(found.dream)
    return show(
        request,
        "dream.html",
        one=found,
        dream=found.dream,
        recipe=recipe,
        # Without what turns or hides other text: these are to be read before they are typed.
        command=words(command(found.dream), MAX_LINE),
        line=words(line(found.dream, recipe), MAX_LINE),
        family=await parts.wall.family(found),
        contest=await parts.wall.contest_of(found),
        has_picture=await parts.store.has_picture(found.dream.id),
        has_film=await parts.store.has_timelapse(found.dream.id),
    )


@routes.get("/d/{slug}/dream.png")
async def picture(request: web.Request) -> web.Response:
    """As it was dreamt, with its recipe inside."""
    found = await hanging(request)
    kept = await wall_of(request).store.picture(found.dream.id)
    if kept is None:
        raise web.HTTPNotFound
    return _file(request, found, kept.content, kept.kind)


@routes.get("/d/{slug}/film.webp")
async def film(request: web.Request) -> web.Response:
    """How it took shape."""
    found = await hanging(request)
    content = await wall_of(request).store.timelapse(found.dream.id)
    if content is None:
        raise web.HTTPNotFound
    return _file(request, found, content, "webp")


@routes.get("/t/{slug}.webp")
async def thumbnail(request: web.Request) -> web.Response:
    """Small, for lists."""
    found = await hanging(request)
    small = await wall_of(request).thumbnails.of(found.dream.id)
    if small is None:
        raise web.HTTPNotFound
    return _file(request, found, small.content, "webp", digest=small.made_from)


def _file(
    request: web.Request, found: Hanging, content: bytes, kind: str, *, digest: str = ""
) -> web.Response:
    """A picture, unless the browser has the same one. `digest`: of what it is made from."""
    etag = f'"{digest or sha256(content).hexdigest()}"'
    headers = ASKED_ANEW | {"ETag": etag}
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if "download" in request.query:
        headers["Content-Disposition"] = f'attachment; filename="dream-{found.slug[:8]}.{kind}"'
    return web.Response(body=content, content_type=_KINDS[kind], headers=headers)


def _recipe(dream: Dream) -> Recipe | None:
    try:
        return Recipe.from_json(dream.recipe)
    except ValueError:  # an older version's
        return None


def command(dream: Dream) -> str:
    """What one types in Discord for the same words."""
    options = {
        "prompt": dream.prompt,
        "avoid": dream.avoid,
        "seed": dream.seed,
        "steps": dream.steps,
        "preset": dream.preset,
        "size": dream.size,
    }
    given = (
        f"{name}:{' '.join(str(value).split())}" for name, value in options.items() if value not in ("", None)
    )
    return f"/dream {' '.join(given)}"


def line(dream: Dream, recipe: Recipe | None) -> str:
    """What one types in a terminal for the same picture; '' where it began at another one."""
    if recipe is None or dream.begin != "new" or dream.image_id is not None:
        return ""
    typed = ["dream", recipe.prompt, "--seed", str(recipe.seed), "--steps", str(recipe.steps)]
    typed += ["--avoid", dream.avoid] if dream.avoid else []
    typed += ["--size", f"{size:g}"] if isinstance(size := recipe.settings.get("size"), int | float) else []
    typed += ["--model", recipe.model] if recipe.model.replace("-", "").isalnum() else []
    return shlex.join(typed if not recipe.prompt.startswith("-") else [typed[0], *typed[2:], "--", typed[1]])
