"""Puts what somebody asks for before `bot.dreams.asking`, and says what comes of it in Discord's words."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256

from aiohttp import web

from bot.community.people import Person
from bot.dreams.dream import What
from bot.dreams.store import AlreadyStored
from bot.web.channel.access import asker_of, known_person, who_asks
from bot.web.parts import parts_of
from bot.web.visits import say_of, visit_of
from engine.prompt import without_markup

ONCE_HEADER = "X-Once"  # a name that the browser gives a wish, so that one that is sent twice is dreamt once


async def order(
    request: web.Request,
    *whats: What,
    candidates: int | None = None,
    fetch: Callable[[], Awaitable[bytes]] | None = None,
) -> str:
    """Put a dream (or the chapters of a story) in line; the sentence says where it stands.

    Raises what `bot.dreams.asking.Asking.ask` does, but for what was stored before.
    """
    person, say = known_person(request), say_of(request)
    who = who_asks(request, person, origin_of(request, person))
    spoken = [replace(what, prompt=_plain(what.prompt), avoid=_plain(what.avoid)) for what in whats]
    try:
        accepted = await parts_of(request).heart.asking.ask(
            spoken, who, asker_of(request, person), candidates=candidates, fetch=fetch
        )
    except AlreadyStored:
        return ""
    if candidates is not None:
        return say.choice_queued(candidates)
    return say.LINE_PAUSED if accepted.is_paused else say.queued(accepted.place)


def usual(request: web.Request, prompt: str) -> What:
    """These words, dreamt as whoever asks prefers it, with a new seed."""
    person = known_person(request)
    who, asker = who_asks(request, person, 0), asker_of(request, person)
    return parts_of(request).heart.asking.usual(prompt, who, asker)


def origin_of(request: web.Request, person: Person) -> int:
    """A number of this wish alone, below 2^63: the same for the same person, browser and name of the wish."""
    once = request.headers.get(ONCE_HEADER, "")[:100] or str(id(request))
    said = f"{person.id}:{visit_of(request).digest}:{once}"
    return int.from_bytes(sha256(said.encode(errors="replace")).digest()[:8]) >> 1 | 1 << 61


def _plain(text: str) -> str:
    """Without Discord's mentions and emoji, which mean nothing here."""
    return without_markup(text, lambda _kind, _number: "")
