"""One plain page for whoever moderates: limits, the line, people, words, a contest, the audit trail.

The same use cases as Discord's /moderate, effective at once, each change in the audit log.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from time import time

from aiohttp import web

from bot.community.contests import DAY_S, MAX_DAYS, MAX_THEME, MIN_DAYS, AlreadyRunning
from bot.community.people import Person
from bot.dreams.dream import DreamState
from bot.dreams.local import CHANNEL_ID, GUILD_ID
from bot.queue.worker import Cancelled
from bot.sentences import Sentences, audit_log
from bot.sentences.quoting import quoted
from bot.servers.banned_words import BadRule, checked_word
from bot.servers.settings import (
    CHOICES,
    COOLDOWN_S,
    LIMITS,
    MAX_WORDS,
    VOTE_S,
    Allowance,
    ServerSettings,
    in_range,
)
from bot.web import reading
from bot.web.channel.access import moderator
from bot.web.channel.room import room_of
from bot.web.errors import Worded
from bot.web.guards.password import GATE
from bot.web.pages import page
from bot.web.parts import parts_of
from bot.web.visits import say_of
from engine.ranges import Whole

TRAIL = 50  # entries that are shown
TOGETHER = ("waiting", "per_hour", "per_day")
routes = web.RouteTableDef()
Fields = Mapping[str, str]
Deed = Callable[[web.Request, Person, Fields], Awaitable[str]]


class OutOfRange(Worded):
    """A number is none, or beyond what it may be."""

    def __init__(self, allowed: Whole, choices: tuple[int, ...] = ()) -> None:
        super().__init__(allowed)
        self.allowed = allowed
        self.choices = choices

    def sentence(self, say: Sentences) -> str:
        low, high = self.allowed.ends
        return say.none_of(self.choices) if self.choices else say.out_of_range(low, high)


class NotAPerson(Worded):
    """There is nobody with this number."""

    def sentence(self, say: Sentences) -> str:
        return say.PAGE_BAD_REQUEST


@routes.get("/moderate")
async def show(request: web.Request) -> web.Response:
    """All of it."""
    person = moderator(request)
    return await _page(request, person, "")


@routes.post("/moderate/{deed:[a-z]+}")
async def act(request: web.Request) -> web.Response:
    """One change; the page says what is so from now on."""
    person, deed = moderator(request), _DEEDS.get(request.match_info["deed"])
    if deed is None:
        raise web.HTTPNotFound
    fields = await reading.fields(request)
    try:
        done, status = await deed(request, person, fields), 200
    except Worded as error:
        done, status = error.sentence(say_of(request)), error.status
    return await _page(request, person, done, status=status)


async def _page(request: web.Request, person: Person, done: str, *, status: int = 200) -> web.Response:
    heart, people, say = parts_of(request).heart, room_of(request).people, say_of(request)
    settings = heart.moderation.settings(GUILD_ID)
    states = (DreamState.DREAMING, DreamState.QUEUED)
    return page(
        request,
        "moderate.html",
        status=status,
        person=person,
        done=done,
        settings=settings,
        limits=LIMITS,
        choices=CHOICES,
        together=TOGETHER,
        people=people.all(),
        bans={ban.person: ban for ban in heart.moderation.bans(GUILD_ID)},
        line=await heart.store.in_server(GUILD_ID, states),
        trail=[audit_log.line(entry, say) for entry in await heart.moderation.audit(GUILD_ID, most=TRAIL)],
        contest=await heart.contests.running(GUILD_ID),
        names=people.names,
        max_theme=MAX_THEME,
        is_open=GATE in request.config_dict,
    )


# ------------------------------------------------------------------ deeds


async def _limits(request: web.Request, person: Person, fields: Fields) -> str:
    """Every number of the form, at once."""

    def given(whose: str, names: Iterable[str] = LIMITS) -> Allowance:
        return Allowance(**{name: _limit(name, fields.get(f"{whose}-{name}", "")) for name in names})

    everyone, together = given("everyone"), given("together", TOGETHER)
    guests = given("guests") if any(name.startswith("guests-") for name in fields) else None
    cooldown_s = _whole(fields.get("cooldown_s", ""), COOLDOWN_S) or 0
    vote_s = _whole(fields.get("vote_s", ""), VOTE_S) or ServerSettings().vote_s
    return await _changed(
        request,
        person,
        lambda old: replace(
            old,
            everyone=everyone,
            guests=old.guests if guests is None else guests,
            together=together,
            cooldown_s=cooldown_s,
            vote_s=vote_s,
        ),
    )


async def _pause(request: web.Request, person: Person, _fields: Fields) -> str:
    return await _changed(request, person, lambda old: replace(old, paused=True))


async def _drain(request: web.Request, person: Person, _fields: Fields) -> str:
    return await _changed(request, person, lambda old: replace(old, draining=True))


async def _resume(request: web.Request, person: Person, _fields: Fields) -> str:
    return await _changed(request, person, lambda old: replace(old, paused=False, draining=False))


async def _words(request: web.Request, person: Person, fields: Fields) -> str:
    """The whole list of banned words."""
    say = say_of(request)
    lines = [line.strip() for line in fields.get("words", "").splitlines() if line.strip()]
    if len(lines) > MAX_WORDS:
        return say.TOO_MANY_WORDS
    try:
        found = tuple(dict.fromkeys(map(checked_word, lines)))
    except BadRule:
        return say.BAD_WORD
    return await _changed(request, person, lambda old: replace(old, words=found))


async def _ban(request: web.Request, person: Person, fields: Fields) -> str:
    whom = _person(request, fields)
    hours = _whole(fields.get("hours", ""), Whole(1, 24 * 366))
    until = None if hours is None else time() + hours * 3600.0
    line, reason = parts_of(request).heart.server_line, fields.get("reason", "")[:300]
    withdrawn = await line.ban(GUILD_ID, whom, by=person.id, until=until, reason=reason)
    return say_of(request).is_banned(whom, until, withdrawn)


async def _unban(request: web.Request, person: Person, fields: Fields) -> str:
    say, whom = say_of(request), _person(request, fields)
    lifted = await parts_of(request).heart.moderation.lift_ban(GUILD_ID, whom, by=person.id)
    return say.is_unbanned(whom) if lifted else say.NOT_BANNED


async def _clear(request: web.Request, person: Person, _fields: Fields) -> str:
    say = say_of(request)
    count = await parts_of(request).heart.server_line.clear(GUILD_ID, by=person.id)
    return say.cleared(count) if count else say.LINE_EMPTY


async def _cancel(request: web.Request, person: Person, fields: Fields) -> str:
    say, line = say_of(request), parts_of(request).heart.server_line
    outcome = await line.cancel(GUILD_ID, _number(fields, "dream"), by=person.id)
    said = {
        None: say.NOT_IN_LINE,
        Cancelled.OVER: say.ALREADY_OVER,
        Cancelled.WITHDRAWN: say.WITHDRAWN,
        Cancelled.STOPPING: say.STOPPING,
    }
    return said[outcome]


async def _front(request: web.Request, person: Person, fields: Fields) -> str:
    say, number = say_of(request), _number(fields, "dream")
    moved = await parts_of(request).heart.server_line.move_to_front(GUILD_ID, number, by=person.id)
    return say.moved(number) if moved else say.NOT_IN_LINE


async def _contest(request: web.Request, person: Person, fields: Fields) -> str:
    """Begin one."""
    say, heart = say_of(request), parts_of(request).heart
    theme = fields.get("theme", "").strip()[:MAX_THEME]
    days = _whole(fields.get("days", ""), Whole(MIN_DAYS, MAX_DAYS)) or 7
    if not theme:
        return say.CONTEST_THEME
    try:
        begun = await heart.contests.start(
            guild_id=GUILD_ID,
            channel_id=CHANNEL_ID,
            theme=theme,
            language=say.CODE,
            by=person.id,
            span_s=days * DAY_S,
        )
    except AlreadyRunning:
        return say.CONTEST_RUNS
    room_of(request).contest_ends.wake()
    await heart.moderation.note(GUILD_ID, by=person.id, what="contest", new=theme)
    return say.contest_about(quoted(theme, MAX_THEME), round(begun.ends_at))


async def _uncontest(request: web.Request, person: Person, _fields: Fields) -> str:
    """End it."""
    say, heart = say_of(request), parts_of(request).heart
    running = await heart.contests.running(GUILD_ID)
    if running is None or not await heart.contests.finish(running.id, now=True):
        return say.NO_CONTEST
    room_of(request).contest_ends.wake()
    await heart.moderation.note(GUILD_ID, by=person.id, what="contest_end", new=running.theme)
    return say.CONTEST_OVER


_DEEDS: dict[str, Deed] = {
    "limits": _limits,
    "pause": _pause,
    "drain": _drain,
    "resume": _resume,
    "words": _words,
    "ban": _ban,
    "unban": _unban,
    "clear": _clear,
    "cancel": _cancel,
    "front": _front,
    "contest": _contest,
    "uncontest": _uncontest,
}


async def _changed(
    request: web.Request, person: Person, change: Callable[[ServerSettings], ServerSettings]
) -> str:
    say, moderation = say_of(request), parts_of(request).heart.moderation
    entries = await moderation.change(GUILD_ID, by=person.id, change=change)
    if not entries:
        return say.NOTHING_NEW
    return "\n".join([say.DONE, *(audit_log.deed(entry, say) for entry in entries)])


def _limit(name: str, text: str) -> int | None:
    """What is typed for a limit; None: none. Raises `OutOfRange`."""
    value = _whole(text, LIMITS[name])
    if value is not None and not in_range(name, value):
        raise OutOfRange(LIMITS[name], CHOICES.get(name, ()))
    return value


def _whole(text: str, allowed: Whole) -> int | None:
    """A whole number of a range; None for nothing. Raises `OutOfRange`."""
    text = text.strip()
    if not text:
        return None
    number = reading.number_of(text)
    if number is None or not allowed.fits(number):
        raise OutOfRange(allowed)
    return number


def _number(fields: Fields, name: str) -> int:
    return reading.number_of(fields.get(name, "")) or 0


def _person(request: web.Request, fields: Fields) -> int:
    """Raises `NotAPerson`."""
    found = room_of(request).people.get(_number(fields, "person"))
    if found is None:
        raise NotAPerson
    return found.id
