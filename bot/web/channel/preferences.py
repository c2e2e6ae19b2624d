"""What one's own dreams are when nothing else is said: on a page of its own, or typed as /preferences."""

from dataclasses import replace

from aiohttp import web

from bot.dreams.preferences import NONE, Preference
from bot.sentences import Sentences
from bot.sentences.telling import preset_name, size_name
from bot.web.channel.access import known_person
from bot.web.channel.answers import Answer
from bot.web.channel.typed import MODELS_OWN, BadValue, Typed
from bot.web.pages import page
from bot.web.parts import parts_of
from bot.web.reading import fields
from bot.web.visits import say_of
from engine.settings import PRESETS, SIZES

routes = web.RouteTableDef()


@routes.get("/preferences")
async def show(request: web.Request) -> web.Response:
    """The form, as it is."""
    known_person(request)
    return _page(request, "")


@routes.post("/preferences")
async def keep(request: web.Request) -> web.Response:
    """The whole form."""
    said = await fields(request)
    given = {name: said.get(name, "") or MODELS_OWN for name in ("preset", "size")}
    given["spoiler"] = "yes" if said.get("spoiler") == "1" else "no"
    await _want(request, Typed("preferences", given))
    return _page(request, say_of(request).SAVED)


async def typed(request: web.Request, typed: Typed) -> Answer:
    """Change what was given, and say how everything is now."""
    wanted, say = await _want(request, typed), say_of(request)
    return Answer(
        say.preferences(
            preset=preset_name(wanted.preset, say), size=size_name(wanted.size, say), spoiler=wanted.spoiler
        )
    )


def preset(said: str | None, say: Sentences) -> str | None:
    """A preset by its name, or by what it is called in this language."""
    named = {preset_name(one, say).casefold(): one for one in PRESETS}
    return None if said is None else named.get(said.casefold(), said.casefold())


async def _want(request: web.Request, typed: Typed) -> Preference:
    """Raises `NoNameYet`, `BadValue`, `StoreError`; then nothing is changed."""
    person, preferences = known_person(request), parts_of(request).heart.preferences
    before = preferences.of(person.id)
    wanted = NONE if typed.truth("reset") else before
    if (said := preset(typed.text("preset"), say_of(request))) is not None:
        if said not in (*PRESETS, MODELS_OWN):
            raise BadValue("preset")
        wanted = replace(wanted, preset="" if said == MODELS_OWN else said)
    if (size := typed.text("size")) is not None:
        if size not in (*map(str, SIZES), MODELS_OWN):
            raise BadValue("size")
        wanted = replace(wanted, size=None if size == MODELS_OWN else int(size))
    if (spoiler := typed.truth("spoiler")) is not None:
        wanted = replace(wanted, spoiler=spoiler)
    if wanted != before:
        await preferences.put(person.id, wanted)
    return wanted


def _page(request: web.Request, done: str) -> web.Response:
    say, person = say_of(request), known_person(request)
    return page(
        request,
        "preferences.html",
        done=done,
        wanted=parts_of(request).heart.preferences.of(person.id),
        presets=[(one, preset_name(one, say)) for one in ("", *PRESETS)],
        sizes=[(one or "", size_name(one, say)) for one in (None, *SIZES)],
    )
