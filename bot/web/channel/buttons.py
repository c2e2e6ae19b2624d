"""What the buttons under a card do: go on from a dream, end or delete it, vote, choose a beginning."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.community.choices import Choice, ChoiceState, came_out
from bot.community.emoji import written
from bot.dreams import onward
from bot.dreams.dream import Dream
from bot.dreams.ending import NotVoting
from bot.dreams.local import GUILD_ID, is_local
from bot.queue.worker import Cancelled
from bot.sentences.quoting import quoted
from bot.sentences.telling import recipe_fields
from bot.web.channel.access import DreamGone, dream_of, known_person
from bot.web.channel.answers import Answer, Line, respond
from bot.web.channel.live import choice_key, dream_key
from bot.web.channel.orders import order
from bot.web.channel.room import room_of
from bot.web.parts import parts_of
from bot.web.reading import fields, number_of
from bot.web.visits import say_of
from engine import Recipe

routes = web.RouteTableDef()
Action = Callable[[web.Request, Dream], Awaitable[Answer]]


@routes.post("/dreams/{id:[0-9]+}/votes")
async def vote(request: web.Request) -> web.Response:
    """Give a vote, or take it back."""
    person, dream, form = known_person(request), await dream_of(request), await fields(request)
    emoji, votes = form.get("emoji", "")[:100], parts_of(request).heart.votes
    if form.get("on") == "1":
        await votes.add(
            message_id=dream.message_id or 0,
            guild_id=GUILD_ID,
            person=person.id,
            is_bot=False,
            emoji=emoji,
        )
    else:
        await votes.remove(message_id=dream.message_id or 0, person=person.id, emoji=emoji)
    room_of(request).live.touch(dream_key(dream.id))  # also where the number of people is the same
    return respond(request, Answer())


@routes.post("/dreams/{id:[0-9]+}/{action:[a-z]+}")
async def act(request: web.Request) -> web.Response:
    """Do an action with a dream."""
    known_person(request)
    action = _ACTIONS.get(request.match_info["action"])
    if action is None:
        raise web.HTTPNotFound
    return respond(request, await action(request, await dream_of(request)))


async def _again(request: web.Request, dream: Dream) -> Answer:
    return Answer(await order(request, onward.again(dream)))


async def _repeat(request: web.Request, dream: Dream) -> Answer:
    return Answer(await order(request, onward.exact(dream)))


async def _vary(request: web.Request, dream: Dream) -> Answer:
    return Answer(await order(request, await onward.varied(dream, store=parts_of(request).heart.store)))


async def _continue(request: web.Request, dream: Dream) -> Answer:
    return Answer(await order(request, await onward.continued(dream, store=parts_of(request).heart.store)))


async def _edit(request: web.Request, dream: Dream) -> Answer:
    form = await fields(request)
    what = await onward.reworded(
        dream,
        form.get("prompt", ""),
        form.get("avoid", ""),
        from_here=form.get("from_here") == "1",
        store=parts_of(request).heart.store,
    )
    return Answer(await order(request, what))


async def _recipe(request: web.Request, dream: Dream) -> Answer:
    say = say_of(request)
    if not dream.recipe:
        return Answer(say.NO_RECIPE)
    words = quoted(Recipe.from_json(dream.recipe).prompt, 1000)
    lines = [Line(f"**{words}**"), *(Line(f"{name}: {value}") for name, value in recipe_fields(dream, say))]
    return Answer(title=say.recipe_of(dream.id), lines=lines, after=say.how_to_repeat(dream.id))


async def _cancel(request: web.Request, dream: Dream) -> Answer:
    person, say, ending = known_person(request), say_of(request), parts_of(request).heart.ending
    outcome = await ending.cancel(dream, by=person.id, moderates=person.moderates)
    said = {
        Cancelled.OVER: say.ALREADY_OVER,
        Cancelled.WITHDRAWN: say.WITHDRAWN,
        Cancelled.STOPPING: say.STOPPING,
    }
    return Answer(said[outcome])


async def _delete(request: web.Request, dream: Dream) -> Answer:
    person, heart = known_person(request), parts_of(request).heart

    async def erase(one: Dream) -> bool:
        return await heart.store.erase(one.id) is not None

    await heart.ending.delete(dream, erase, by=person.id, moderates=person.moderates)
    return Answer(say_of(request).DELETED)


_ACTIONS: dict[str, Action] = {
    "again": _again,
    "repeat": _repeat,
    "vary": _vary,
    "continue": _continue,
    "edit": _edit,
    "recipe": _recipe,
    "cancel": _cancel,
    "delete": _delete,
}

# ------------------------------------------------------------------ choices


@routes.post("/choices/{id:[0-9]+}/votes")
async def choose(request: web.Request) -> web.Response:
    """Vote for a beginning by its number, or take that back; one may choose several."""
    person, form, choice = known_person(request), await fields(request), await _choice(request)
    heart = parts_of(request).heart
    out = came_out(await heart.choices.candidates(choice.id))
    chosen = next((dream for dream in out if str(dream.candidate) == form.get("number")), None)
    if choice.state is not ChoiceState.VOTING or chosen is None:
        raise NotVoting
    if form.get("on") == "1":
        await heart.store.add_vote(chosen.id, person.id, written("⭐"))
    else:
        await heart.store.remove_votes(chosen.id, person=person.id)
    room_of(request).live.touch(choice_key(choice.id))
    return respond(request, Answer())


@routes.post("/choices/{id:[0-9]+}/{action:decide|cancel}")
async def end_choice(request: web.Request) -> web.Response:
    """End the vote now, or the whole choice."""
    person, say, choice = known_person(request), say_of(request), await _choice(request)
    ending = parts_of(request).heart.ending
    if request.match_info["action"] == "cancel":
        await ending.cancel_choice(choice, by=person.id, moderates=person.moderates)
        return respond(request, Answer(say.WITHDRAWN))
    await ending.end_vote(choice, by=person.id, moderates=person.moderates)
    return respond(request, Answer(say.DECIDING))


async def _choice(request: web.Request) -> Choice:
    """The choice that an address names. Raises `DreamGone`."""
    number = number_of(request.match_info["id"])
    choice = None if number is None else await parts_of(request).heart.choices.get(number)
    if choice is None or not is_local(choice.guild_id):
        raise DreamGone
    return choice
