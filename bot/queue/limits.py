"""Asks before a wish is stored whether its person may dream it here and now. Knows no Discord.

Everything that a server's moderators set about wishes is asked for in this one place, so that no way to a
dream (a command, a button, a form) leads around it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from time import time
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import ADMITTING, alone
from bot.dreams.dream import Dream, Wish
from bot.dreams.store import Store, asked_since, waits_as_many
from bot.servers.banned_words import is_allowed
from bot.servers.moderation import Moderation
from bot.servers.settings import Allowance, ServerSettings
from engine import EMBEDDED, Recipe

HOUR_S, DAY_S = 3600.0, 24 * 3600.0
AHEAD_S = 60.0  # by which other processes' clocks may differ; what is later is of a clock that was put back


class Refused(Exception):
    """What somebody asks for may not be, here and now. Each front end has a sentence for each kind."""


class LineFull(Refused):
    """The line is as long as it may be."""

    def __init__(self, allowed: int) -> None:
        super().__init__(allowed)
        self.allowed = allowed  # dreams


class ServerFull(LineFull):
    """This server has as many dreams waiting as it may."""


class TooManyWaiting(LineFull):
    """This person has as many dreams waiting as they may."""


class TooOften(Refused):
    """This person, or the whole server, had as many dreams in this time as allowed."""

    def __init__(
        self, allowed: int, *, within_s: float, again_at: float, all_together: bool, asked: int = 1
    ) -> None:
        super().__init__(allowed, within_s, again_at, all_together, asked)
        self.allowed = allowed  # dreams
        self.within_s = within_s  # HOUR_S or DAY_S
        self.again_at = again_at  # seconds since 1970; inf: never, for it is more than is ever allowed
        self.all_together = all_together  # it is the server's limit
        self.asked = asked  # dreams: a story's chapters, a choice's beginnings and what goes on from one


class CoolingDown(Refused):
    """This person wished for a dream a moment ago."""

    def __init__(self, cooldown_s: float, again_at: float) -> None:
        super().__init__(cooldown_s, again_at)
        self.cooldown_s = cooldown_s
        self.again_at = again_at  # seconds since 1970


class TooMuch(Refused):
    """The dream asks for more than this person may."""

    def __init__(self, what: str, allowed: int) -> None:
        super().__init__(what, allowed)
        self.what = what  # a field of `Allowance`: "steps", "size", "candidates"
        self.allowed = allowed


class DiskShort(Refused):
    """The disk has no room for more than what is being dreamt."""


class NoNewDreams(Refused):
    """The moderators let the line run out."""


class OnlyEmbedded(Refused):
    """A guest wants to go on from a dream of other models than the embedded ones, which guests have."""


class Banned(Refused):
    """This person may not dream in this server."""

    def __init__(self, until: float | None, reason: str) -> None:
        super().__init__(until, reason)
        self.until = until  # seconds since 1970; None: until a moderator lifts it
        self.reason = reason  # the moderator's words, or ''


class WrongChannel(Refused):
    """One may dream in other channels of this server."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__(channels)
        self.channels = channels


class BannedWords(Refused):
    """The words hold something that this server does not allow."""


@dataclass(frozen=True, slots=True)
class Asker:
    """What a front end says of whoever wishes, at that moment."""

    roles: frozenset[int] = frozenset()
    channels: frozenset[int] = frozenset()  # that the wish's channel lies in: a thread's parent
    is_guest: bool = False  # of the local channel, from elsewhere


NOBODY = Asker()  # of whom nothing is said


class Counts(Protocol):
    """What was asked for so far, wherever that is known. See the functions of these names in the store."""

    async def waits_as_many(
        self, most: int, guild_id: int | None = None, author_id: int | None = None
    ) -> bool: ...

    async def asked_since(
        self, since: float, *, guild_id: int | None, author_id: int | None
    ) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True)
class _Stored:
    """As the database has it: what all processes let in."""

    connection: AsyncConnection

    async def waits_as_many(
        self, most: int, guild_id: int | None = None, author_id: int | None = None
    ) -> bool:
        return await waits_as_many(self.connection, most, guild_id, author_id)

    async def asked_since(self, since: float, *, guild_id: int | None, author_id: int | None) -> list[float]:
        return await asked_since(self.connection, since, guild_id=guild_id, author_id=author_id)


def are_allowed(settings: ServerSettings, *texts: str) -> bool:
    """Whether a server allows all of these texts, which are to be dreamt or shown to everybody."""
    return all(is_allowed(text, settings.words, settings.patterns) for text in texts)


class Limits:
    """Live: counts in the database, with what all processes let in, or wherever `count` is told."""

    def __init__(
        self,
        *,
        store: Store,
        moderation: Moderation,
        per_person: int,
        in_all: int,
        steps: int | None = None,
        has_room: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time,
    ) -> None:
        """`per_person`: dreams that one may have waiting where a server says nothing; `in_all`: in line;
        `steps`: of a dream that names neither steps nor a preset, None for the model's own; `has_room`:
        whether the disk has, for another dream.
        """
        self._store = store
        self._moderation = moderation
        self._default = Allowance(waiting=per_person)
        self._in_all = in_all
        self._clock = clock
        self._steps = steps
        self._has_room = has_room

    async def allow(self, wish: Wish, asker: Asker) -> Wish:
        """The wish as it may be dreamt, if there is room. Raises a kind of `Refused`, or `StoreError`."""
        self._check_rules(wish, asker)
        if not self._has_room():
            raise DiskShort
        if asker.is_guest:
            wish = await self._embedded(wish)
        return self._within(self._allowed(wish, asker), wish)

    async def check_room(self, wish: Wish, asker: Asker, *, dreams: int = 1) -> None:
        """Raise what `admit` would raise just now."""
        async with self._store.reading() as connection:
            await self.count(_Stored(connection), wish, asker, dreams=dreams)

    async def admit(self, connection: AsyncConnection, wish: Wish, asker: Asker, *, dreams: int = 1) -> None:
        """Count, and let nobody else in until this transaction's end, whichever process asks.

        It must be the transaction's first word. What counts is the database, for each process has a line of
        its own. `dreams`: how many the engine will dream in all for what is asked, this one included. Raises
        a kind of `Refused`.
        """
        await alone(connection, ADMITTING)
        await self.count(_Stored(connection), wish, asker, dreams=dreams)

    async def count(self, counts: Counts, wish: Wish, asker: Asker, *, dreams: int = 1) -> None:
        """Raise a kind of `Refused` where there is no room for so many dreams, by these counts."""
        settings = self._moderation.settings(wish.guild_id)
        allowed = self._allowed(wish, asker)
        await self._check_line(counts, settings.together, allowed, wish)
        await self._check_pace(counts, settings, allowed, wish, dreams)

    async def refresh(self) -> None:
        """Look for what moderators changed through another process. Raises `StoreError`."""
        await self._moderation.refresh()

    def check_words(self, guild_id: int | None, *texts: str) -> None:
        """Raises `BannedWords` when a server does not allow one of these texts."""
        if not are_allowed(self._moderation.settings(guild_id), *texts):
            raise BannedWords

    def _allowed(self, wish: Wish, asker: Asker) -> Allowance:
        settings = self._moderation.settings(wish.guild_id)
        return settings.allowance(wish.author_id, asker.roles, self._default, is_guest=asker.is_guest)

    def _check_rules(self, wish: Wish, asker: Asker) -> None:
        settings = self._moderation.settings(wish.guild_id)
        ban = self._moderation.ban(wish.guild_id, wish.author_id)
        if ban is not None:
            raise Banned(ban.until, ban.reason)
        if settings.draining:
            raise NoNewDreams
        if settings.channels and not {wish.channel_id, *asker.channels} & set(settings.channels):
            raise WrongChannel(settings.channels)
        self.check_words(wish.guild_id, wish.prompt, wish.avoid)

    async def _embedded(self, wish: Wish) -> Wish:
        """A guest's wish, with the embedded model whatever was named. Raises `OnlyEmbedded`."""
        if wish.begin != "new":  # at the end of other dreams, which only their own models can go on from
            for id in filter(None, (wish.parent_id, wish.other_id)):
                dream = await self._store.get(id)
                if dream is not None and dream.recipe and not _is_embedded(dream):
                    raise OnlyEmbedded
        return replace(wish, model=EMBEDDED.name)

    def _within(self, allowed: Allowance, wish: Wish) -> Wish:
        """What was named is refused beyond the limit; what the bot or the model chooses keeps below it."""
        if allowed.size is not None and (wish.size or 0) > allowed.size:
            raise TooMuch("size", allowed.size)
        if allowed.steps is not None and (wish.steps or 0) > allowed.steps:
            raise TooMuch("steps", allowed.steps)
        steps = wish.steps
        if steps is None and not wish.preset and self._steps is not None:
            steps = min(self._steps, allowed.steps or self._steps)
        return replace(wish, steps=steps, most_steps=allowed.steps, most_size=allowed.size)

    async def _check_line(self, counts: Counts, together: Allowance, allowed: Allowance, wish: Wish) -> None:
        assert allowed.waiting is not None  # the bot's own setting says it at least
        theirs, here = (wish.guild_id, wish.author_id), (wish.guild_id, None)
        if await counts.waits_as_many(allowed.waiting, *theirs):
            raise TooManyWaiting(allowed.waiting)
        # In a direct message the server is the person.
        everybody = here if wish.guild_id is not None else theirs
        if together.waiting is not None and await counts.waits_as_many(together.waiting, *everybody):
            raise ServerFull(together.waiting)
        if await counts.waits_as_many(self._in_all):
            raise LineFull(self._in_all)

    async def _check_pace(
        self,
        counts: Counts,
        settings: ServerSettings,
        allowed: Allowance,
        wish: Wish,
        dreams: int,
    ) -> None:
        now = self._clock()
        refusals: list[TooOften] = []
        for rule, person in ((allowed, wish.author_id), (settings.together, None)):
            cooldown_s = settings.cooldown_s if person is not None else 0
            if rule.per_hour is None and rule.per_day is None and not cooldown_s:
                continue
            asked = await counts.asked_since(now - DAY_S, guild_id=wish.guild_id, author_id=person)
            times = [at for at in asked if at <= now + AHEAD_S]
            if cooldown_s and times and times[-1] + cooldown_s > now:
                raise CoolingDown(cooldown_s, times[-1] + cooldown_s)
            for most, within_s in ((rule.per_hour, HOUR_S), (rule.per_day, DAY_S)):
                lately = [at for at in times if at > now - within_s]
                if most is None or len(lately) + dreams <= most:
                    continue
                # The dreams that must have passed out of the span before there is room for these.
                again_at = lately[len(lately) + dreams - most - 1] + within_s if dreams <= most else inf
                refusals.append(
                    TooOften(
                        most, within_s=within_s, again_at=again_at, all_together=person is None, asked=dreams
                    )
                )
        if refusals:
            raise max(refusals, key=lambda refusal: refusal.again_at)


def _is_embedded(dream: Dream) -> bool:
    """Whether the embedded model dreamt a dream that is over."""
    return Recipe.from_json(dream.recipe).model == EMBEDDED.name
