"""What one person alone is answered: a sentence, or a list with pictures; Discord's commands say the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.community.contests import MAX_THEME
from bot.community.ranking import By, Period, Place, Scope
from bot.dreams.dream import Dream, DreamState
from bot.dreams.local import CHANNEL_ID, GUILD_ID
from bot.dreams.showing import Visibility
from bot.queue.limits import are_allowed
from bot.sentences import Sentences, telling
from bot.sentences.quoting import quoted
from bot.web.channel.access import known_person
from bot.web.channel.cards import SHOWN_PROMPT, Cards, allowed_here, contest_end
from bot.web.channel.room import room_of
from bot.web.channel.typed import BadValue, Typed
from bot.web.errors import Worded
from bot.web.markup import said
from bot.web.pages import piece
from bot.web.parts import parts_of
from bot.web.visits import say_of

MOST = 15  # lines
_MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}


class NoSuchDream(Worded):
    """Nobody dreamt it here, or it is not there any more."""

    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def sentence(self, say: Sentences) -> str:
        return say.no_such_dream(self.number)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list. `picture`: its address, or ''."""

    text: str
    picture: str = ""
    key: str = ""  # of the card that it tells of


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence, or a title with lines."""

    sentence: str = ""
    title: str = ""
    lines: Sequence[Line] = ()
    after: str = ""  # a sentence below the lines


def respond(request: web.Request, answer: Answer) -> web.Response:
    """For the script that asked: HTML that it puts where answers stand."""
    names = room_of(request).people.names
    html = piece("answer.html", say_of(request), answer=answer, names=names)
    sentence = said(answer.sentence, names)
    return web.json_response({"sentence": sentence.striptags(), "html": html})


async def one(request: web.Request, dream: Dream) -> Answer:
    """A dream again, by its number."""
    say = say_of(request)
    words = f"**{quoted(dream.prompt, 1000)}**\n{say.dreamer(dream.author_id)}"
    return Answer(title=say.dream_number(dream.id), lines=[await _line(request, dream, words)])


async def mine(request: web.Request, _typed: Typed) -> Answer:
    """One's newest dreams."""
    say, person = say_of(request), known_person(request)
    dreams = await parts_of(request).heart.store.by(person.id, most=MOST)
    if not dreams:
        return Answer(say.MINE_NONE)
    lines = [
        await _line(request, dream, f"**{dream.id}** · {quoted(dream.prompt, SHOWN_PROMPT)}")
        for dream in dreams
    ]
    return Answer(title=say.MINE, lines=lines)


async def top(request: web.Request, typed: Typed) -> Answer:
    """The best dreams."""
    say, by, period = say_of(request), typed.text("by") or By.PICTURE, typed.text("period") or Period.WEEK
    if by not in list(By):
        raise BadValue("by")
    if period not in list(Period):
        raise BadValue("period")
    scope = Scope(GUILD_ID, [CHANNEL_ID])
    ranking = parts_of(request).heart.ranking
    places, _ = await ranking.page(scope, By(by), Period(period), page=0, size=10)
    if not places:
        return Answer(say.NO_TOP)
    lines = [await _line(request, place.best, _placed(By(by), place, say)) for place in places]
    return Answer(title=say.top_title(by, period), lines=lines)


def _placed(by: By, place: Place, say: Sentences) -> str:
    dream = place.best
    words = f"**{quoted(dream.prompt, SHOWN_PROMPT)}**"
    medal = _MEDALS.get(place.number, f"**{place.number}.**")
    match by:
        case By.PICTURE:
            return f"{medal} {say.top_picture(words, place.votes, dream.author_id)}"
        case By.DREAMER:
            return f"{medal} {say.top_dreamer(dream.author_id, place.votes, place.dreams, words)}"
        case By.PROMPT:
            return f"{medal} {say.top_prompt(words, place.votes, place.dreams)}"


async def queue(request: web.Request, _typed: Typed) -> Answer:
    """The line, why it is so, and where one stands."""
    say, person, heart, live = (
        say_of(request),
        known_person(request),
        parts_of(request).heart,
        room_of(request).live,
    )
    states = (DreamState.QUEUED, DreamState.DREAMING)
    dreams = {dream.id: dream for dream in await heart.store.in_server(GUILD_ID, states)}
    running = [dream for dream in dreams.values() if dream.state is DreamState.DREAMING]
    order = [dreams[id] for id in heart.worker.order_of(GUILD_ID) if id in dreams]
    if not running and not order:
        return Answer(say.LINE_EMPTY)
    lines = [say.in_the_queue(None, dream.author_id, _words(dream)) for dream in running]
    for dream in order[:MOST]:
        scene = live.scene(dream.id)
        ready_at = scene.position.ready_at if scene is not None else None
        lines.append(say.in_the_queue(heart.worker.place(dream.id), dream.author_id, _words(dream), ready_at))
    if len(order) > MOST:
        lines.append(say.more_in_line(len(order) - MOST))
    elsewhere = heart.worker.elsewhere(GUILD_ID)
    if heart.moderation.settings(GUILD_ID).paused:
        why = say.LINE_PAUSED
    else:
        why = say.why_so(elsewhere) if elsewhere else say.WHY_SO
    places = [heart.worker.place(dream.id) for dream in order if dream.author_id == person.id]
    own = [place for place in places if place is not None]
    after = f"{why}\n{say.your_places(own)}" if own else why
    return Answer(title=say.QUEUE_TITLE, lines=[Line(line) for line in lines], after=after)


async def help_(request: web.Request, _typed: Typed) -> Answer:
    """How to begin."""
    say = say_of(request)
    return Answer(title=say.HELP_TITLE, after=say.page_help())


async def contest(request: web.Request, _typed: Typed) -> Answer:
    """The contest that runs, or how the last one ended."""
    say, contests = say_of(request), parts_of(request).heart.contests
    last = await contests.last(GUILD_ID)
    if last is not None and last.running_in is not None and last.ends_at <= contests.clock():
        await contests.finish(last.id)
        room_of(request).contest_ends.wake()
        last = await contests.last(GUILD_ID)
    if last is None:
        return Answer(say.NO_CONTEST)
    entries = await contests.entries(last.id)
    lines = []
    for place, entry in enumerate(entries[:MOST], start=1):
        dream = entry.dream
        words = say.top_picture(f"**{quoted(dream.prompt, SHOWN_PROMPT)}**", entry.votes, dream.author_id)
        lines.append(await _line(request, dream, f"{_MEDALS.get(place, f'**{place}.**')} {words}"))
    if last.running_in is not None:
        about = say.contest_about(quoted(last.theme, MAX_THEME), round(last.ends_at))
        return Answer(
            title=say.CONTEST_TITLE, lines=lines, after=about + ("" if lines else f"\n{say.NO_ENTRIES}")
        )
    winner = None if last.winner_id is None else await parts_of(request).heart.store.get(last.winner_id)
    return Answer(title=say.CONTEST_OVER, lines=lines, after=contest_end(last, winner, len(entries), say))


async def enter(request: web.Request, typed: Typed) -> Answer:
    """Enter one of one's own dreams, the newest one if none is named."""
    say, person, heart = say_of(request), known_person(request), parts_of(request).heart
    running = await heart.contests.running(GUILD_ID)
    if running is None:
        return Answer(say.NO_CONTEST)
    number = typed.whole("dream")
    own = await heart.contests.candidates(running, person.id)
    chosen = next((dream for dream in own if number in (None, dream.id)), None)
    if chosen is None:
        return Answer(say.NOTHING_TO_ENTER if number is None else say.NOT_TO_ENTER)
    if allowed_here(chosen, heart).visibility is Visibility.WITHHELD:
        return Answer(say.WITHHELD)
    if not are_allowed(heart.moderation.settings(GUILD_ID), chosen.prompt, chosen.avoid):
        return Answer(say.BANNED_WORDS)
    if not await heart.contests.enter(running, chosen):
        return Answer(say.NO_CONTEST)
    return Answer(say.entered(quoted(chosen.prompt, SHOWN_PROMPT)))


async def _line(request: web.Request, dream: Dream, text: str) -> Line:
    heart = parts_of(request).heart
    is_open = allowed_here(dream, heart).visibility is Visibility.OPEN
    has_picture = dream.state.is_over and await heart.store.has_picture(dream.id)
    let_go = telling.let_go(dream, say_of(request), has_picture=has_picture)
    shown = f"/dreams/{dream.id}/picture" if has_picture and is_open else ""
    return Line(f"{text}\n*{let_go}*" if let_go else text, shown, f"dream-{dream.id}")


def _words(dream: Dream) -> str:
    return "…" if dream.spoiler else quoted(dream.prompt, 60)


def cards_for(request: web.Request) -> Cards:
    """The cards as whoever asks sees them."""
    room = room_of(request)
    return Cards(
        heart=parts_of(request).heart,
        live=room.live,
        facts=room.facts,
        reader=known_person(request),
        say=say_of(request),
    )
