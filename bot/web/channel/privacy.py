"""What is kept of whoever asks: told, downloaded, forgotten; and what is kept of everybody, in words."""

from contextlib import aclosing

from aiohttp import web

from bot.dreams.dream import Dream
from bot.dreams.showing import Visibility
from bot.keeping.document import parts
from bot.keeping.exporting import stream
from bot.web.channel.access import known_person, person_of
from bot.web.channel.cards import allowed_here
from bot.web.channel.room import room_of
from bot.web.pages import page
from bot.web.parts import parts_of
from bot.web.reading import fields
from bot.web.visits import adopt, new_visit, say_of

routes = web.RouteTableDef()


@routes.get("/privacy")
async def show(request: web.Request) -> web.Response:
    """For everybody; whoever has a name sees what is kept of them, too."""
    return await _page(request)


@routes.get("/privacy/export")
async def export(request: web.Request) -> web.StreamResponse:
    """Everything in one zip, which is made while it is sent."""
    person, heart = known_person(request), parts_of(request).heart

    async def may_have(dream: Dream) -> bool:
        return allowed_here(dream, heart).visibility is not Visibility.WITHHELD

    async with room_of(request).outlet.turn(person.id):
        headers = {"Content-Disposition": 'attachment; filename="oneiro.zip"'}
        answer = web.StreamResponse(headers=headers)
        answer.content_type = "application/zip"
        await answer.prepare(request)
        async with aclosing(stream(heart.exports.of(person.id, may_have))) as pieces:
            async for piece in pieces:
                await answer.write(piece)
        await answer.write_eof()
    return answer


@routes.post("/privacy/forget")
async def forget(request: web.Request) -> web.Response:
    """Ask once, then forget whoever asks: the browser is somebody new from here on."""
    person, said = known_person(request), await fields(request)
    if said.get("sure") != "1":
        return await _page(request, asks=True)
    await parts_of(request).heart.forgetter.person(person.id)
    room_of(request).people.forget(person.id)
    adopt(request, new_visit())
    return page(request, "error.html", sentence=say_of(request).FORGOTTEN)


async def _page(request: web.Request, *, asks: bool = False) -> web.Response:
    person, say, heart = person_of(request), say_of(request), parts_of(request).heart
    held = None if person is None else await heart.holdings.of(person.id)
    return page(
        request,
        "privacy.html",
        person=person,
        held="" if held is None else say.privacy_held(held),
        question=say.privacy_question(held) if asks and held is not None else "",
        parts=parts(say, heart.retention.limits),
    )
