"""The channel's page: the form for a name at the first visit, then the cards and the text box."""

from math import ceil

from aiohttp import web

from bot.dreams.local import GUILD_ID
from bot.web.channel.access import known_person, person_of
from bot.web.channel.answers import cards_for
from bot.web.channel.room import room_of
from bot.web.errors import explained
from bot.web.guards.password import is_guest
from bot.web.pages import page
from bot.web.parts import parts_of
from bot.web.reading import fields, number_of
from bot.web.visits import adopt, new_visit, say_of

MOST = 30  # dreams at once
routes = web.RouteTableDef()


@routes.get("/")
async def show(request: web.Request) -> web.Response:
    """The whole channel, as far as it is shown at once."""
    person = person_of(request)
    if person is None:
        return page(request, "welcome.html", name="", sentence="")
    cards, has_more = await cards_for(request).page(before=None, most=MOST)
    settings = parts_of(request).heart.moderation.settings(GUILD_ID)
    return page(
        request,
        "channel.html",
        person=person,
        cards=cards,
        names=room_of(request).people.names,
        has_more=has_more,
        is_paused=settings.paused,
    )


@routes.get("/cards")
async def listed(request: web.Request) -> web.Response:
    """The newest cards, or those before one, for a script."""
    before = number_of(said) if (said := request.query.get("before", "")) else None
    if said and before is None:
        raise web.HTTPBadRequest
    cards, has_more = await cards_for(request).page(before=before, most=MOST)
    names, say, drawn = room_of(request).people.names, say_of(request), room_of(request).drawn
    shown = [
        {
            "key": card.key,
            "number": card.number,
            "html": drawn.html(card, say, names),
        }
        for card in cards
    ]
    answer = web.json_response({"cards": shown, "has_more": has_more})
    answer.enable_compression()  # each visit asks for it; nothing that is secret stands in it
    return answer


@routes.post("/name")
async def choose_name(request: web.Request) -> web.Response:
    """The first visit's form."""
    if person_of(request) is not None:
        raise web.HTTPSeeOther("/")
    name = (await fields(request)).get("name", "")
    room, is_stranger = room_of(request), is_guest(request)
    if is_stranger and (wait_s := room.new_guests.take(request.remote or "")):
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(ceil(wait_s))})
    visit = new_visit()  # nobody else can have put this one into the browser
    with explained(request, "welcome.html", name=name[:100]):
        await room.people.join(name, visit.digest, first_moderates=not is_stranger)
    adopt(request, visit)
    raise web.HTTPSeeOther("/")


@routes.get("/moderator/{secret}")
async def ask_to_moderate(request: web.Request) -> web.Response:
    """The printed link; a GET changes nothing, so there is a button."""
    secret = request.match_info["secret"]
    if not room_of(request).moderator_key.fits(secret):
        raise web.HTTPNotFound
    return page(request, "moderator.html", secret=secret, person=person_of(request))


@routes.post("/moderator/{secret}")
async def begin_to_moderate(request: web.Request) -> web.Response:
    """Whoever has the link moderates; it opens once."""
    room, person = room_of(request), known_person(request)
    if not room.moderator_key.fits(request.match_info["secret"]):
        raise web.HTTPNotFound
    await room.people.appoint(person.id)
    room.moderator_key.use()
    raise web.HTTPSeeOther("/")
