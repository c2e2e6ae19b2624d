"""Who somebody is in the local channel, and what they may."""

from aiohttp import web

from bot.community.people import Person
from bot.dreams.dream import Dream, Who
from bot.dreams.local import CHANNEL_ID, GUILD_ID, is_local
from bot.queue.limits import Asker
from bot.sentences import Sentences
from bot.web.channel.room import room_of
from bot.web.errors import Worded
from bot.web.guards.password import is_guest
from bot.web.parts import parts_of
from bot.web.reading import number_of
from bot.web.visits import say_of, visit_of


class NoNameYet(Worded):
    """Whoever asks has not chosen a name."""

    status = 401

    def sentence(self, say: Sentences) -> str:
        return say.NO_NAME_YET


class OnlyModerators(Worded):
    """Whoever asks does not moderate."""

    status = 403

    def sentence(self, say: Sentences) -> str:
        return say.ONLY_MODERATORS


class DreamGone(Worded):
    """There is no such dream in this channel, or not any more."""

    status = 404

    def sentence(self, say: Sentences) -> str:
        return say.UNKNOWN_DREAM


def person_of(request: web.Request) -> Person | None:
    """Who asks; None: somebody without a name yet."""
    return room_of(request).people.known(visit_of(request).digest)


def known_person(request: web.Request) -> Person:
    """Who asks. Raises `NoNameYet`."""
    person = person_of(request)
    if person is None:
        raise NoNameYet
    return person


def moderator(request: web.Request) -> Person:
    """Who asks, if they moderate. Raises `NoNameYet`, `OnlyModerators`."""
    person = known_person(request)
    if not person.moderates:
        raise OnlyModerators
    return person


def who_asks(request: web.Request, person: Person, origin: int) -> Who:
    """As `bot.dreams.asking` wants to know it. `origin`: of this wish, stored only once."""
    return Who(
        author_id=person.id,
        guild_id=GUILD_ID,
        channel_id=CHANNEL_ID,
        origin=origin,
        language=say_of(request).CODE,
    )


def asker_of(request: web.Request, person: Person) -> Asker:
    """As `bot.queue.limits` wants to know it: a guest, or not. Whoever moderates is none."""
    return Asker(is_guest=is_guest(request) and not person.moderates)


async def dream_of(request: web.Request, number: str | None = None) -> Dream:
    """The dream that an address names. Raises `DreamGone`, `StoreError`."""
    dream = await find_dream(request, request.match_info["id"] if number is None else number)
    if dream is None:
        raise DreamGone
    return dream


async def find_dream(request: web.Request, number: str) -> Dream | None:
    """The channel's dream with this number, if it is there to be seen."""
    dream_id = number_of(number)
    dream = None if dream_id is None else await parts_of(request).heart.store.get(dream_id)
    return None if dream is None or dream.erased or not is_local(dream.guild_id) else dream
