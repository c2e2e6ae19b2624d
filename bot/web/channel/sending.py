"""The text box: what is typed there is a dream or a command, and the answer is for whoever typed it alone."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from aiohttp import web

from bot.dreams import onward
from bot.dreams.asking import story
from bot.dreams.dream import Dream
from bot.dreams.image_prompts import MAX_BYTES, plain_picture
from bot.dreams.suggestions import suggested
from bot.sentences import Sentences
from bot.web.channel import answers, preferences
from bot.web.channel.access import find_dream, known_person
from bot.web.channel.answers import Answer
from bot.web.channel.orders import order, usual
from bot.web.channel.typed import COMMANDS, BadValue, Typed, read
from bot.web.parts import parts_of
from bot.web.reading import FORM_WITH_FILES, fields, parts, storable
from bot.web.visits import say_of
from engine.settings import MAX_PROMPT

MAX_TYPED = 2 * MAX_PROMPT  # characters
MAX_SUGGESTIONS = 12
SEPARATOR = "|"  # between a story's chapters

Act = Callable[[web.Request, Typed], Awaitable[Answer]]
routes = web.RouteTableDef()


@routes.post("/say")
async def say_it(request: web.Request) -> web.Response:
    """Do what was typed."""
    known_person(request)
    text, picture = await _sent(request)
    typed = read(text[:MAX_TYPED])
    if typed.command == "dream":
        answer = await _dream(request, typed, picture)
    else:
        answer = await _ACTS[typed.command](request, typed)
    return answers.respond(request, answer)


@routes.get("/suggest")
async def suggest(request: web.Request) -> web.Response:
    """How what is being typed may go on: whole texts of the box, each with what it does."""
    person, say, text = known_person(request), say_of(request), request.query.get("text", "")[:MAX_TYPED]
    if text.lstrip().startswith("/"):
        found = _of_command(text.lstrip(), say)
        if found is not None:
            return web.json_response(found[:MAX_SUGGESTIONS])
    words, before = _prompt_of(text)
    heart = parts_of(request).heart
    things = await suggested(
        words, person.id, store=heart.store, model=heart.asking.model, say=say, chance=Random()
    )
    shown = [{"text": before + thing, "label": thing, "help": ""} for thing in things if thing != words]
    return web.json_response(shown[:MAX_SUGGESTIONS])


@routes.get("/surprise")
async def surprise(request: web.Request) -> web.Response:
    """Words that nobody had to think of."""
    person, heart = known_person(request), parts_of(request).heart
    things = await suggested(
        "", person.id, store=heart.store, model=heart.asking.model, say=say_of(request), chance=Random()
    )
    return web.json_response({"text": Random().choice(things[-12:])})


async def _sent(request: web.Request) -> tuple[str, bytes | None]:
    """The text and the picture, if there is one; no more is read than one of them may have."""
    if request.content_type != FORM_WITH_FILES:
        return (await fields(request)).get("text", ""), None
    found = await parts(request, {"text": 8 * MAX_TYPED, "image": MAX_BYTES})
    return storable(found.get("text", b"").decode(errors="replace")), found.get("image") or None


# ------------------------------------------------------------------ what each does


async def _dream(request: web.Request, typed: Typed, picture: bytes | None) -> Answer:
    say, prompt = say_of(request), typed.text("prompt") or ""
    chosen: dict[str, Any] = {
        "avoid": typed.text("avoid"),
        "seed": typed.whole("seed"),
        "size": typed.whole("size"),
        "steps": typed.whole("steps"),
        "preset": preferences.preset(typed.text("preset"), say),
        "spoiler": typed.truth("spoiler"),
    }
    what = replace(usual(request, prompt), **{n: value for n, value in chosen.items() if value is not None})
    fetch = None if picture is None else partial(plain_picture, picture)
    return Answer(await order(request, what, candidates=typed.whole("candidates"), fetch=fetch))


async def _story(request: web.Request, typed: Typed) -> Answer:
    chapters = typed.text("chapters") or ""
    prompts = [chapter.strip() for chapter in chapters.split(SEPARATOR) if chapter.strip()]
    return Answer(await order(request, *story(usual(request, chapters), prompts)))


async def _blend(request: web.Request, typed: Typed) -> Answer:
    share = typed.whole("share")
    if share is not None and not 0 <= share <= 100:
        raise BadValue("share")
    one, other = [await _named(request, typed, name) for name in ("first", "second")]
    what = await onward.blended(
        one,
        other,
        typed.text("prompt"),
        share=(50 if share is None else share) / 100,
        store=parts_of(request).heart.store,
    )
    return Answer(await order(request, what))


async def _repeat(request: web.Request, typed: Typed) -> Answer:
    return Answer(await order(request, onward.exact(await _named(request, typed, "dream"))))


async def _show(request: web.Request, typed: Typed) -> Answer:
    return await answers.one(request, await _named(request, typed, "dream"))


async def _named(request: web.Request, typed: Typed, option: str) -> Dream:
    """The dream whose number was given. Raises `BadValue`, `web.HTTPNotFound`."""
    number = typed.whole(option)
    if number is None:
        raise BadValue(option)
    dream = await find_dream(request, str(number))
    if dream is None:
        raise answers.NoSuchDream(number)
    return dream


_ACTS: dict[str, Act] = {
    "dreams story": _story,
    "dreams blend": _blend,
    "dreams mine": answers.mine,
    "dreams show": _show,
    "dreams repeat": _repeat,
    "top": answers.top,
    "queue": answers.queue,
    "contest show": answers.contest,
    "contest enter": answers.enter,
    "preferences": preferences.typed,
    "help": answers.help_,
}


# ------------------------------------------------------------------ completion


def _of_command(text: str, say: Sentences) -> list[dict[str, str]] | None:
    """Commands, options or their values; None: it is a prompt's words that are typed."""
    typed = text.casefold()
    begun = [command for name, command in COMMANDS.items() if f"/{name} ".startswith(typed)]
    if begun and not any(typed.startswith(f"/{command.name} ") for command in begun):
        return [{"text": f"/{c.name} ", "label": f"/{c.name}", "help": getattr(say, c.help)} for c in begun]
    command = next((one for name, one in COMMANDS.items() if typed.startswith(f"/{name} ")), None)
    if command is None:
        return []  # whoever sends it is told
    head, _, last = text.rpartition(" ")
    name, colon, value = last.casefold().partition(":")
    option = next((one for one in command.options if one.name == name), None)
    if colon and option is not None and option.values:
        fitting = [one for one in option.values if one.startswith(value)]
        return [
            {"text": f"{head} {name}:{one} ", "label": f"{name}:{one}", "help": getattr(say, option.help)}
            for one in fitting
        ]
    given = {one.name for one in command.options if f" {one.name}:" in text}
    offered = [o for o in command.options[1:] if o.name not in given and o.name.startswith(last.casefold())]
    if command.name != "dream":
        offered = [o for o in command.options if o.name not in given and o.name.startswith(last.casefold())]
    elif not last or last.casefold() == head.casefold().strip():
        return None if not head[len("/dream") :].strip() else [_offer(head, o, say) for o in offered]
    return [_offer(head, o, say) for o in offered] or (None if command.name == "dream" else [])


def _offer(head: str, option: Any, say: Sentences) -> dict[str, str]:
    text = f"{head} {option.name}:"
    return {"text": text, "label": f"{option.name}:", "help": getattr(say, option.help)}


def _prompt_of(text: str) -> tuple[str, str]:
    """The words that are being typed as a prompt, and what stands before them."""
    stripped = text.lstrip()
    if not stripped.casefold().startswith("/dream"):
        return stripped, ""
    rest = stripped[len("/dream") :].lstrip()
    return rest, "/dream "
